"""Cases: a test subject in one direction, with everything it is scored against, and the baselines of that case."""

import warnings
from dataclasses import dataclass

import numpy as np

from ganlib.cohort import IntensityRange
from ganlib.errors import InputError
from ganlib.evaluation.unscorable import unscorable
from ganlib.evaluation.voxels import require_finite, require_mask, require_same_shape
from ganlib.runs import Direction

#: Method of the rows that score the source image itself against the target.
DOING_NOTHING = "Doing nothing"
#: Method of the rows that score the mean of the training subjects against the target.
MEAN_IMAGE = "Mean image"
#: What a model has to beat before it can be said to have learned anything.
BASELINES = (DOING_NOTHING, MEAN_IMAGE)

#: The slice set that is always scored: every slice of a subject.
ALL_SLICES = "all"


@dataclass(frozen=True)
class Case:
    """What the translations of one test subject in one direction are compared with.

    Args:
        subject_id: whose images.
        direction: `Direction`.
        target: real image of the target contrast, float32 (slices, height, width), in the units of the cohort.
        mask: boolean array of the same shape.
        labels: uint8 array of the same shape, or None.
        intensity_range: `IntensityRange` of the target contrast.
        baselines: dictionary from method to float32 array of the same shape.
    """

    subject_id: str
    direction: Direction
    target: np.ndarray
    mask: np.ndarray
    labels: np.ndarray | None
    intensity_range: IntensityRange
    baselines: dict


def read_case(cohort, direction, subject_id, mean=None):
    """Read a case from its cohort.

    Args:
        cohort: `ganlib.cohort.Cohort`.
        direction: `Direction`.
        subject_id: whose images.
        mean: mean image of the training subjects, as from `mean_image`, or None.

    Returns:
        `Case`.
    """
    source, target = (cohort.images(subject_id, contrast) for contrast in direction)
    ranges = [cohort.ranges[contrast] for contrast in direction]
    baselines = {DOING_NOTHING: source_in_target_units(source, *ranges)}
    if mean is not None and mean.shape == target.shape:
        baselines[MEAN_IMAGE] = mean
    mask, labels = cohort.mask(subject_id), cohort.labels(subject_id)
    return Case(subject_id, direction, target, mask, labels, ranges[1], baselines)


def case_of_run(run, subject_id="", direction=""):
    """One test subject of a run in one direction, and its synthetic image.

    Args:
        run: `ganlib.runs.Run` whose test subjects were translated.
        subject_id: which test subject; empty for the first.
        direction: name of the direction, such as `t1w_to_t2w`; empty for the first.

    Returns:
        case: `Case`, with both baselines.
        synthetic: float32 (slices, height, width), in the units of the cohort's target contrast.

    Raises:
        InputError: no such direction or subject, it was not translated, or one of its images cannot be scored.
    """
    names = [each.name for each in run.directions]
    if direction and direction not in names:
        raise InputError(f"{run.folder}: no direction {direction!r}; use {' or '.join(names)}")
    chosen = run.directions[names.index(direction) if direction else 0]
    if not run.split["test"]:
        raise InputError(f"{run.folder / 'split.json'}: no test subject, so that nothing can be scored; split anew")
    subject_id = subject_id or run.split["test"][0]
    synthetic = run.synthetic(subject_id, chosen)
    with run.cohort() as cohort:
        mean = mean_image(cohort, run.split["train"], chosen.target)
        case = read_case(cohort, chosen, subject_id, mean)
    _require_scorable(run, case, synthetic)
    return case, synthetic


def _require_scorable(run, case, synthetic):
    """Raise an `InputError` that names the file if an image or the mask of a case cannot be used."""
    try:
        require_mask(case.mask)
        require_finite(target=case.target)
    except ValueError as error:
        raise unscorable(error, case, "real image", cohort_path=run.cohort_path) from error
    try:
        require_same_shape(target=case.target, synthetic=synthetic)
        require_finite(synthetic=synthetic)
    except ValueError as error:
        raise unscorable(error, case, run.label, cohort_path=run.cohort_path, run=run) from error


def chosen_slices(case, name, numbers):
    """Which slices of a case belong to a slice set.

    Args:
        case: `Case`.
        name: of the slice set.
        numbers: slice numbers (int, from 0), or None for every slice.

    Returns:
        Something to index the first axis with.

    Raises:
        InputError: the subject does not have such a slice.
    """
    count = len(case.target)
    if numbers is None:
        return slice(None)
    if not numbers or any(not 0 <= number < count for number in numbers):
        raise InputError(
            f"slice set {name!r}: slices {list(numbers)}, but subject {case.subject_id} has slices 0 to {count - 1}"
        )
    return list(numbers)


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
