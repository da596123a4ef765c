"""Scoring a run: every test subject, both directions, every protocol, and what it costs to do nothing."""

import warnings

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ganlib.errors import InputError
from ganlib.evaluation.protocols import PROTOCOLS

#: Method of the rows that score the source image itself against the target.
DOING_NOTHING = "Doing nothing"
#: Method of the rows that score the mean of the training subjects against the target.
MEAN_IMAGE = "Mean image"
#: What a model has to beat before it can be said to have learned anything.
BASELINES = (DOING_NOTHING, MEAN_IMAGE)

COLUMNS = [
    "subject", "method", "run", "direction", "source", "target", "protocol", "metric", "seed", "value", "phantom",
]  # fmt: skip


def evaluate(run, *, progress=True):
    """Score the translations of a run's test subjects, and store the table with the run.

    The baselines are scored beside the run's method: `Doing nothing`, the source image as it is, and `Mean image`, the
    voxelwise mean of the training subjects. Their rows have `baseline` for a run and 0 for a seed.

    Args:
        run: `ganlib.runs.Run` whose test subjects were translated.
        progress: whether to show a progress bar.

    Returns:
        `pandas.DataFrame`, one row per subject, method, direction, protocol and metric, with the columns `COLUMNS`;
        `value` is in the unit that the protocol gives the metric.

    Raises:
        InputError: a translation is missing or cannot be scored, or the run has no test subject.
    """
    subject_ids = run.split["test"]
    if not subject_ids:
        raise InputError(f"{run.folder / 'split.json'}: no test subject, so that nothing can be scored; split anew")
    rows = []
    bar = tqdm(total=len(subject_ids) * len(run.directions), desc=f"scoring {run.name}", disable=not progress)
    with run.cohort() as cohort, bar:
        for direction in run.directions:
            mean = mean_image(cohort, run.split["train"], direction.target)
            for subject_id in subject_ids:
                rows += _score_subject(run, cohort, direction, subject_id, mean)
                bar.update()
    table = pd.DataFrame(rows, columns=COLUMNS)
    run.write_scores(table)
    return table


def mean_image(cohort, subject_ids, contrast):
    """Voxelwise mean of some subjects' slices, slice by slice.

    The slices of a cohort are registered, so that slices of the same number show the same place. Where the subjects
    have different numbers of slices that is not so, and there is no mean image.

    Args:
        cohort: `ganlib.cohort.Cohort`.
        subject_ids: whose slices; those of the training subjects.
        contrast: which contrast.

    Returns:
        float32 (slices, height, width), in the units of the cohort, or None.
    """
    total = 0.0
    for subject_id in subject_ids:
        images = cohort.images(subject_id, contrast)
        if np.ndim(total) and total.shape != images.shape:
            warnings.warn(
                f"{cohort.path}: training subjects have different numbers of slices ({subject_id}: {len(images)}, "
                f"others: {len(total)}), so that there is no mean image to compare with", stacklevel=2,
            )  # fmt: skip
            return None
        total = total + images.astype(np.float64)
    return np.asarray(total / len(subject_ids), np.float32) if subject_ids else None


def source_in_target_units(source, source_range, target_range):
    """A source image with its intensities moved from its own contrast's range to that of the target.

    A fraction f of the source's range becomes the fraction f of the target's. Protocols that normalise each image by
    itself are blind to this; protocol `masked` needs it, since the units of two contrasts have nothing in common.

    Args:
        source: float array of any shape, in the units of the cohort.
        source_range: `IntensityRange` of the source contrast.
        target_range: `IntensityRange` of the target contrast.

    Returns:
        float32 array of the same shape, in the units of the target contrast.
    """
    return target_range.low + np.float32(target_range.width) * source_range.fraction(source)


def _score_subject(run, cohort, direction, subject_id, mean):
    source, target = (cohort.images(subject_id, contrast) for contrast in direction)
    ranges = cohort.ranges
    candidates = {
        run.label: run.synthetic(subject_id, direction),
        DOING_NOTHING: source_in_target_units(source, ranges[direction.source], ranges[direction.target]),
    }
    if mean is not None and mean.shape == target.shape:
        candidates[MEAN_IMAGE] = mean
    mask = cohort.mask(subject_id)
    rows = []
    for method, synthetic in candidates.items():
        identity = _identity(run, direction, subject_id, method)
        rows += _scores(run, identity, target, synthetic, mask, ranges[direction.target])
    return rows


def _identity(run, direction, subject_id, method):
    """Everything in a row but what was measured."""
    is_baseline = method in BASELINES
    return {
        "subject": subject_id,
        "method": method,
        "run": "baseline" if is_baseline else run.name,
        "direction": direction.name,
        "source": direction.source,
        "target": direction.target,
        "seed": 0 if is_baseline else run.config.seed,
        "phantom": run.config.phantom,
    }


def _scores(run, identity, target, synthetic, mask, intensity_range):
    rows = []
    for protocol in PROTOCOLS.values():
        try:
            scores = protocol.score(target, synthetic, mask=mask, intensity_range=intensity_range)
        except ValueError as error:
            raise InputError(
                f"{run.folder}: subject {identity['subject']}, {identity['direction']}, {identity['method']}, "
                f"protocol {protocol.name}: {error}"
            ) from error
        rows += [
            {**identity, "protocol": protocol.name, "metric": key, "value": value} for key, value in scores.items()
        ]
    return rows
