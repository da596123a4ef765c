import subprocess
import sys
import textwrap

import h5py
import pytest

from ganlib import atomic
from ganlib.errors import InputError

#: Replace an HDF5 file in a process whose files may not grow beyond a limit, as on a full disk.
FULL_DISK = """
import resource, sys
import numpy as np
from ganlib import atomic
from ganlib.errors import InputError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with atomic.replacing_hdf5(sys.argv[1]) as file:
        for index in range(20):
            file.create_dataset(str(index), data=np.random.default_rng(index).random(10_000))
except InputError as error:
    sys.exit(f"refused: {error}")
"""


def left(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_whole_in_a_new_folder(tmp_path):
    atomic.write_text(tmp_path / "new" / "a.txt", "é")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "é"
    assert left(tmp_path / "new") == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic.replacing(path) as partial:
        partial.write_text("half")
        assert partial.suffix == ".txt"
        raise error("stop")
    assert path.read_text() == "old"
    assert left(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["folder", "file/a.txt", "file/deeper/a.txt"])
def test_places_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for write in (lambda path: atomic.write_text(path, "x"), lambda path: atomic.replacing_hdf5(path).__enter__()):
        with pytest.raises(InputError) as caught:
            write(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_trouble_with_another_file_is_not_blamed_on_this_one(tmp_path):
    with pytest.raises(FileNotFoundError), atomic.replacing(tmp_path / "a.txt"):
        (tmp_path / "other.txt").read_text()
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError), atomic.replacing(tmp_path / "a.txt"):
        (tmp_path / "file" / "other.txt").read_text()


def test_hdf5_is_written_read_back_and_replaced(tmp_path):
    for number in (1, 2):
        with atomic.replacing_hdf5(tmp_path / "a.h5") as file:
            file["x"] = [number] * 1000
            assert file["x"][999] == number
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x"][0] == 2
    assert left(tmp_path) == ["a.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to set")
@pytest.mark.parametrize("limit", [100, 3_000, 200_000, 1_600_000])
def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path, limit):
    (tmp_path / "a.h5").write_text("old")
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path / "a.h5"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == f"refused: {tmp_path / 'a.h5'}: the disk is full; free space or choose another folder (nothing was changed)"
    )
    assert (tmp_path / "a.h5").read_text() == "old"
    assert left(tmp_path) == ["a.h5"]
