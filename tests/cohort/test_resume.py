"""An import that is stopped goes on where it was, side by side or one by one, and the bytes are always the same."""

import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from ganlib.cohort import Cohort, build
from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.sources import FolderSource
from ganlib.errors import InputError
from tests.cohort.conftest import head, write_volume

SUBJECTS = 8
PATTERNS = {"T1w": "{subject}/T1w.nii.gz", "T2w": "{subject}/T2w.nii.gz"}
SETTINGS = ImportSettings(slice_mm=0, validation=1, test=1)


@pytest.fixture
def tree(tmp_path):
    for number in range(SUBJECTS):
        t1w = head(number)
        write_volume(tmp_path / "tree" / f"s{number}" / "T1w.nii.gz", t1w)
        write_volume(tmp_path / "tree" / f"s{number}" / "T2w.nii.gz", (300 - t1w) * (t1w > 0))
    return tmp_path / "tree"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "c.h5"


@pytest.fixture
def read(monkeypatch):
    """Ids of the subjects whose volumes were read."""
    ids, extract = [], build.extract

    def counting(plan, *arguments):
        ids.append(plan.files.id)
        return extract(plan, *arguments)

    monkeypatch.setattr(build, "extract", counting)
    return ids


def imported(tree, target, settings=SETTINGS, **options):
    import_cohort(FolderSource(tree, PATTERNS), target, settings, progress=False, **options).close()
    return target.read_bytes()


def damage(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    return whole


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_does_not_show_in_the_file(tree, target, workers):
    one = imported(tree, target, workers=1)
    assert imported(tree, target.with_name("many.h5"), workers=workers) == one


def test_after_a_damaged_file_only_what_is_missing_is_read(tree, target, read):
    expected = imported(tree, target.with_name("whole.h5"))
    whole = damage(tree / "s5" / "T2w.nii.gz")
    read.clear()
    with pytest.raises(InputError, match=r"s5/T2w\.nii\.gz: truncated"):
        imported(tree, target, workers=2)
    before = set(read) - {"s5"}
    assert {"s0", "s1", "s2", "s3", "s4"} <= before
    (tree / "s5" / "T2w.nii.gz").write_bytes(whole)
    read.clear()
    assert imported(tree, target, workers=2) == expected
    assert set(read) == {f"s{number}" for number in range(SUBJECTS)} - before
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


def test_what_has_changed_since_is_read_anew(tree, target, read):
    whole = damage(tree / "s7" / "T1w.nii.gz")
    with pytest.raises(InputError):
        imported(tree, target, workers=1)
    (tree / "s7" / "T1w.nii.gz").write_bytes(whole)
    write_volume(tree / "s2" / "T1w.nii.gz", head(99))
    read.clear()
    imported(tree, target, workers=1)
    assert read == ["s2", "s7"]
    shown = Cohort(target).images("s2", "T1w")[0]
    np.testing.assert_array_equal(shown, head(99)[::-1, ::-1, 8].T)


@pytest.mark.parametrize(
    "change", [{"slice_mm": 3}, {"mask": "computed"}, {"normalise": "subject"}, {"size": (16, 16)}]
)
@pytest.mark.filterwarnings("ignore:size 16")
def test_other_settings_reuse_nothing_and_another_split_everything(tree, target, read, change):
    whole = damage(tree / "s7" / "T1w.nii.gz")
    with pytest.raises(InputError):
        imported(tree, target, workers=1)
    (tree / "s7" / "T1w.nii.gz").write_bytes(whole)
    read.clear()
    imported(tree, target.with_name("other.h5"))  # another cohort has a folder of its own
    assert len(read) == SUBJECTS
    read.clear()
    with pytest.raises(RuntimeError):
        import_with_failure(tree, target, SETTINGS.model_copy(update={"seed": 3}))
    assert read == ["s7"]
    read.clear()
    options = SETTINGS.model_dump(exclude_unset=True) | change
    imported(tree, target, ImportSettings(**options))
    assert len(read) == SUBJECTS


def import_with_failure(tree, target, settings):
    """An import that fails at the very end, so that what was done is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build.CohortWriter, "_finish", lambda writer: (_ for _ in ()).throw(RuntimeError("stop")))
        imported(tree, target, settings)


def test_a_damaged_file_of_what_was_done_is_read_anew(tree, target, read):
    whole = damage(tree / "s7" / "T1w.nii.gz")
    with pytest.raises(InputError):
        imported(tree, target, workers=1)
    (tree / "s7" / "T1w.nii.gz").write_bytes(whole)
    done = sorted((target.parent / ".c.h5.importing").glob("*.npz"))
    assert len(done) == SUBJECTS - 1
    done[0].write_bytes(done[0].read_bytes()[:100])
    with zipfile.ZipFile(done[1], "w") as archive:
        archive.writestr("mask.npy", b"not an array")
    done[2].write_bytes(b"")
    read.clear()
    expected = imported(tree, target.with_name("whole.h5"))
    read.clear()
    assert imported(tree, target, workers=1) == expected
    assert len(read) == 4


HANGING = """
import sys, time
from ganlib import cli
from ganlib.cohort import build

extract = build.extract

def hang_at_the_last(plan, *arguments):
    if plan.files.id == "s7":
        time.sleep(600)
    return extract(plan, *arguments)

build.extract = hang_at_the_last
sys.argv[0] = "ganlib"
cli.main()
"""


@pytest.mark.slow
def test_killed_and_started_again_it_goes_on(tree, target):
    expected = imported(tree, target.with_name("whole.h5"))
    arguments = ["import", str(tree), "-o", str(target), "-s", "slice_mm=0", "-s", "validation=1", "-s", "test=1"]
    arguments += [f"--contrast={name}={pattern}" for name, pattern in PATTERNS.items()]
    process = subprocess.Popen([sys.executable, "-c", HANGING, *arguments], stdout=subprocess.DEVNULL)
    staging = target.parent / ".c.h5.importing"
    deadline = time.monotonic() + 200
    while len(list(staging.glob("*.npz"))) < SUBJECTS - 1:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    done = subprocess.run([sys.executable, "-m", "ganlib", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert target.read_bytes() == expected
    assert sorted(path.name for path in target.parent.iterdir()) == ["c.h5", "whole.h5"]


def test_the_same_image_under_two_names_is_reported(tree, target):
    (tree / "s4" / "T1w.nii.gz").write_bytes((tree / "s1" / "T1w.nii.gz").read_bytes())
    write_volume(tree / "s6" / "T2w.nii.gz", head(6))  # its T1w again, in a file of other bytes
    split = {f"s{number}": "train" for number in range(SUBJECTS)} | {"s4": "test"}
    source = FolderSource(tree, PATTERNS)
    with pytest.warns(UserWarning) as caught:
        cohort = import_cohort(source, target, ImportSettings(slice_mm=0, split=split), progress=False)
    assert cohort.header.provenance["duplicates"] == [["s1", "T1w", "s4", "T1w"], ["s6", "T1w", "s6", "T2w"]]
    assert [str(warning.message) for warning in caught] == [
        "2 images are there twice: s1 T1w (train) and s4 T1w (test), s6 T1w (train) and s6 T2w (train)"
    ]


def test_memory_decides_how_many_are_read_side_by_side(monkeypatch):
    monkeypatch.setattr(build, "_cores", lambda: 16)
    for needed, workers in [(1, 16), (100 << 20, 7), (400 << 20, 1), (4000 << 20, 1)]:
        monkeypatch.setattr(build, "memory_needed", lambda plan, settings, needed=needed: needed)
        assert build._workers([None], None) == workers
