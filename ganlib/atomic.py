"""Files appear whole or not at all: write to a temporary name, then rename."""

import contextlib
import errno
import os
from pathlib import Path

import h5py

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
        InputError: the disk is full, `path` is a folder or cannot be written; an existing `path` is untouched.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file in it")
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        explained = _explained(error, path, partial)
        if explained is None:
            raise
        raise explained from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_hdf5(path):
    """Yield a new HDF5 file, open for writing, that replaces `path` if the block succeeds, and vanishes if it does not.

    Equal content gives equal bytes: the oldest file format is used, since newer ones stamp groups with the time.

    Args:
        path: the file to write; its folder is made if it is missing.

    Yields:
        `h5py.File`, whose `check()` raises the first error of the disk; to be called now and then in a long block.

    Raises:
        InputError: as `replacing`.
    """
    with replacing(path) as partial, partial.open("w+b", buffering=0) as raw:
        disk = _PatientDisk(raw)
        try:
            with _CheckedFile(disk, "w") as file:
                yield file
        finally:
            disk.check()


def write_text(path, text):
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


class _PatientDisk:
    """A file that notes its first write error and lets everything after it vanish.

    HDF5 must not see a write fail: it cannot close the file after that, prints hundreds of lines and ends the process
    with a segmentation fault.
    """

    def __init__(self, raw):
        self._raw = raw
        self._error = None
        self.seek, self.tell, self.read, self.readinto = raw.seek, raw.tell, raw.read, raw.readinto

    def check(self):
        if self._error is not None:
            raise self._error

    def write(self, data):
        with self._noting():
            rest = memoryview(data).cast("B")
            while rest and self._error is None:
                rest = rest[self._raw.write(rest) :]
        return len(data)

    def truncate(self, size):
        with self._noting():
            self._raw.truncate(size)
        return size

    def flush(self):
        """Nothing is buffered."""

    @contextlib.contextmanager
    def _noting(self):
        try:
            yield
        except OSError as error:
            self._error = self._error or error


class _CheckedFile(h5py.File):
    """An `h5py.File` on a `_PatientDisk`."""

    def __init__(self, disk, mode):
        super().__init__(disk, mode, libver=("earliest", "v112"))
        self.check = disk.check


def _explained(error, path, partial):
    name = getattr(error, "filename", None)
    if name is not None and Path(os.fsdecode(name)) not in (partial, path, *path.parents):
        return None  # an error of another file that the block used
    if getattr(error, "errno", None) in _NO_ROOM or any(text in str(error) for text in _NO_ROOM_TEXTS):
        return InputError(f"{path}: the disk is full; free space or choose another folder (nothing was changed)")
    if name is not None and isinstance(error, OSError):
        return InputError(f"{path}: cannot be written ({error.strerror}); choose another folder")
    return None
