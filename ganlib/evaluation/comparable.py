"""Whether two runs may be compared: the same subjects, or the difference by name."""

from ganlib.errors import InputError

_SHOWN = 3


def require_comparable(first, second):
    """Raise an `InputError` that names the difference unless two runs have one cohort and the same test subjects.

    Args:
        first: `ganlib.runs.Run`.
        second: `ganlib.runs.Run`.
    """
    names = f"{first.folder} and {second.folder}"
    files = [f"{run.cohort_path.name} {run.config.cohort_fingerprint[:12]}" for run in (first, second)]
    if first.config.cohort_fingerprint != second.config.cohort_fingerprint:
        raise InputError(
            f"{names} were trained on different cohorts ({files[0]}; {files[1]}); compare runs of one cohort"
        )
    tests = [set(run.split["test"]) for run in (first, second)]
    if tests[0] != tests[1]:
        only = [f"{run.name} alone has {_some(tests[k] - tests[1 - k])}" for k, run in enumerate((first, second))]
        raise InputError(f"{names} have different test subjects ({only[0]}, {only[1]}); compare runs of one split")


def require_same_directions(first, second):
    """Raise an `InputError` unless two comparable runs translate between the same contrasts."""
    require_comparable(first, second)
    if set(first.config.contrasts) != set(second.config.contrasts):
        contrasts = [" and ".join(run.config.contrasts) for run in (first, second)]
        raise InputError(
            f"{first.folder} and {second.folder} translate different contrasts ({contrasts[0]}; {contrasts[1]}); "
            "score them one by one"
        )


def _some(subject_ids):
    names = sorted(subject_ids)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
