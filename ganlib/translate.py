"""Apply a trained run: translate the test subjects of its cohort."""

import numpy as np
from tqdm.auto import tqdm

from ganlib.models import generators

_SLICES_PER_CALL = 16


def translate_test_set(run, *, weights="best", progress=True):
    """Translate every test subject in both directions and store the result in the run.

    Args:
        run: a trained `Run`.
        weights: `"best"` on the validation subjects, or `"last"`.
        progress: whether to show a progress bar.

    Raises:
        InputError: the run has no weights, or its cohort is missing or has changed.
    """
    networks = generators.load(run.weights(weights))
    functions = dict(zip(run.directions, map(generators.compiled, networks), strict=True))
    with run.cohort() as cohort:
        jobs = [(direction, subject_id) for direction in run.directions for subject_id in cohort.ids("test")]
        shown = tqdm(jobs, desc=f"{run.label}: translating", unit="subject", disable=None if progress else True)
        slices = (_translate(cohort, functions[direction], direction, subject_id) for direction, subject_id in shown)
        translations = ((*job, synthetic) for job, synthetic in zip(jobs, slices, strict=True))
        run.write_synthetic(translations, weights=weights)


def _translate(cohort, function, direction, subject_id):
    scaled = cohort.scaled(subject_id, direction.source)[..., np.newaxis]
    parts = [function(scaled[start : start + _SLICES_PER_CALL]) for start in range(0, len(scaled), _SLICES_PER_CALL)]
    return cohort.ranges[direction.target].unscale(np.concatenate(parts)[..., 0])
