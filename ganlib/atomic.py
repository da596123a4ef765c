"""Files appear whole or not at all: write to a temporary name, then rename."""

import contextlib
import errno
import os
from pathlib import Path

from ganlib.errors import InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ROOM_TEXTS = ("No space left on device", "Disk quota exceeded", "File too large")


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path` that replaces it if the block succeeds, and vanishes if it does not.

    Args:
        path: the file to write; its folder is made if it is missing.

    Yields:
        `pathlib.Path` of the temporary file, with the same suffix.

    Raises:
        InputError: the disk is full or the folder cannot be written; an existing `path` is untouched.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:
        explained = _explained(error, path)
        if explained is None:
            raise
        raise explained from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _explained(error, path):
    if getattr(error, "errno", None) in _NO_ROOM or any(text in str(error) for text in _NO_ROOM_TEXTS):
        return InputError(f"{path}: the disk is full; free space or choose another folder (nothing was changed)")
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        return InputError(f"{path}: cannot be written ({error.strerror}); choose another folder")
    return None
