"""An image that cannot be scored: which file it is in, what is wrong with it, and what mends it."""

from ganlib.errors import InputError


def unscorable(error, case, method, *, cohort_path, run=None):
    """The `InputError` of an image that cannot be scored.

    Real images and baselines come from the cohort file and are scored first, so that what is wrong with a run's image
    alone is wrong with its `synthetic.h5`.

    Args:
        error: what a measure said of its arrays, a `ValueError`.
        case: `ganlib.evaluation.cases.Case`.
        method: the method's name in print, or of a baseline.
        cohort_path: the cohort file.
        run: `ganlib.runs.Run` that made the image; None for a real image or a baseline.

    Returns:
        `InputError`, to be raised from `error`.
    """
    if run is not None:
        where = f"{run.folder / 'synthetic.h5'}: {case.direction.name}/{case.subject_id}"
        return InputError(f"{where} ({method}): {error}; translate anew with 03_evaluate.ipynb")
    where = f"{cohort_path}: subject {case.subject_id}, {case.direction.label} ({method})"
    return InputError(f"{where}: {error}; mend the subject's files and make the cohort anew, or reject the subject")
