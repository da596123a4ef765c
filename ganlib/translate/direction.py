"""Which way a file is to be translated: as it is told, or as its name says."""

import re

from ganlib.errors import InputError

_ALIASES = {"t1": "t1w", "t2": "t2w", "pd": "pdw"}


def choose_direction(run, path, name=None):
    """Direction of a run for a source file.

    Args:
        run: `Run`.
        path: the source file.
        name: such as `t1w_to_t2w`, or only the source contrast; None infers it from the file's name.

    Returns:
        `Direction`.

    Raises:
        InputError: no such direction, or the file's name names none of the run's contrasts, or both.
    """
    known = ", ".join(direction.name for direction in run.directions)
    if name is not None:
        for direction in run.directions:
            if name.lower() in (direction.name, direction.source.lower()):
                return direction
        raise InputError(f"direction {name!r}: {run.folder} translates {known}")
    source = named_contrast(path, run.config.contrasts)
    if source is None:
        raise InputError(
            f"{path}: its name does not tell which of {', '.join(run.config.contrasts)} it is; "
            f"say it by direction (--direction), one of {known}"
        )
    return next(direction for direction in run.directions if direction.source == source)


def named_contrast(path, contrasts):
    """The one contrast that a file's name has as a word, or None if there is none or more than one.

    Case does not matter, and `T1` is `T1w`.

    Example:
        >>> named_contrast("a/sub-01_space-MNI_T1w.nii.gz", ["T1w", "T2w"])
        'T1w'
    """
    words = re.split(r"[^A-Za-z0-9]+", str(path).replace("\\", "/").rsplit("/", 1)[-1].lower())
    for spelt in (str.lower, _plain):
        found = [contrast for contrast in contrasts if spelt(contrast) in {spelt(word) for word in words}]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _plain(word):
    return _ALIASES.get(word.lower(), word.lower())
