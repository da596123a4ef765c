"""A user's mistake, through the real front doors: one line with file and remedy, and nothing that was there changes.

Every case goes through `ganlib import`; some of them, and whatever meets a run, through the notebooks as well.
"""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest

from ganlib import cli
from ganlib.cohort import Cohort
from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.sources import FolderSource
from tests.cohort.conftest import AFFINE, head, write_volume
from tests.evaluation.fake_runs import write_fake_run

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = {"T1w": "{subject}/{subject}_T1w.nii.gz", "T2w": "{subject}/{subject}_T2w.nii.gz"}
SETTINGS = {"slice_mm": 0, "validation": 1, "test": 1}


def t2w(folder):
    return folder / "sub-2" / "sub-2_T2w.nii.gz"


def rewrite(path, change, affine=AFFINE):
    data = change(nib.as_closest_canonical(nib.load(path)).get_fdata(dtype=np.float32).copy())
    nib.save(nib.Nifti1Image(data, affine), path)


def put(where, value):
    def change(data):
        data[where] = value
        return data

    return change


def shifted():
    affine = AFFINE.copy()
    affine[0, 3] += 4
    return affine


#: What is done to the folder, what is asked for beyond the usual, and words of the line that is expected.
CASES = {
    "truncated": (lambda f: t2w(f).write_bytes(t2w(f).read_bytes()[:-300]), {},
                  ["sub-2_T2w.nii.gz: truncated or damaged", "copy or download the file again"]),
    "text": (lambda f: t2w(f).write_text("hello\n" * 99), {}, ["sub-2_T2w.nii.gz: named .gz, but not", "check what"]),
    "4-D": (lambda f: rewrite(t2w(f), lambda d: np.stack([d] * 3, -1)), {}, ["sub-2_T2w.nii.gz: 4-D", "split it"]),
    "NaN": (lambda f: rewrite(t2w(f), put((3, 3, 3), np.nan)), {}, ["sub-2_T2w.nii.gz: 1 of 7680 voxels", "replace"]),
    "infinite": (lambda f: rewrite(t2w(f), put((3, 3, 3), np.inf)), {}, ["sub-2_T2w.nii.gz: 1 of 7680", "replace"]),
    "empty slice": (lambda f: rewrite(t2w(f), put(np.s_[:, :, 8], 0)), {},
                    ["sub-2_T2w.nii.gz is empty in slice 8 (+0.0 mm)", "choose other slices"]),
    "affines": (lambda f: rewrite(t2w(f), lambda d: d, shifted()), {},
                ["'sub-2': two grids", "sub-2_T1w.nii.gz", "sub-2_T2w.nii.gz", "register them"]),
    "zero affine": (lambda f: zero_affine(t2w(f)), {}, ["sub-2_T2w.nii.gz: its affine is singular", "set the affine"]),
    "contrast lacking": (lambda f: t2w(f).unlink(), {}, ["'sub-2' has no T2w file", "incomplete='skip'"]),
    "two files": (lambda f: shutil.copy(t2w(f), t2w(f).with_name("sub-2_acq-x_T2w.nii.gz")),
                  {"contrasts": PATTERNS | {"T2w": "{subject}/*_T2w.nii.gz"}},
                  ["sub-2/sub-2_T2w.nii.gz and sub-2/sub-2_acq-x_T2w.nii.gz", "narrower"]),
    "pattern without match": (lambda f: None, {"contrasts": PATTERNS | {"T2w": "{subject}/*_PD.nii.gz"}},
                              ["none of its 8", "'{subject}/*_PD.nii.gz' (T2w)", "relative to that folder"]),
    "too few": (lambda f: None, {"settings": SETTINGS | {"test": 3}}, ["4 subjects", "too few", "lower `validation`"]),
    "link out": (lambda f: link_out(f), {}, ["sub-9: a link that leads out of the folder", "follow_links=True"]),
    "path out": (lambda f: None, {"contrasts": PATTERNS | {"T2w": "../{subject}.nii.gz"}}, ["leads out of the folder"]),
    "person in two parts": (lambda f: None, {"settings": {"split": dict.fromkeys(["sub-1", "sub-2"], "train")}},
                            ["'sub-3' is not in `split`", "name every subject"]),
}  # fmt: skip
BY_NOTEBOOK = ["truncated", "too few"]


def zero_affine(path):
    image = nib.load(path)
    image.header.set_sform(np.zeros((4, 4)), 2)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)


def link_out(folder):
    (folder / "sub-9").symlink_to(ROOT, target_is_directory=True)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Four subjects, the cohort made of them, and a run on it whose weights are there."""
    folder = tmp_path_factory.mktemp("good")
    for number in range(1, 5):
        t1w, subject = head(number), f"sub-{number}"
        write_volume(folder / "data" / subject / f"{subject}_T1w.nii.gz", t1w)
        write_volume(folder / "data" / subject / f"{subject}_T2w.nii.gz", (300 - t1w) * (t1w > 0))
    import_cohort(FolderSource(folder / "data", PATTERNS), folder / "c.h5", ImportSettings(**SETTINGS), progress=False)
    write_fake_run(folder / "run", folder / "c.h5")
    return folder


@pytest.fixture
def place(good, tmp_path):
    """A copy of all that, to be broken."""
    shutil.copytree(good, tmp_path / "place")
    return tmp_path / "place"


def contents(folder):
    """Bytes of everything that is not hidden."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not any(p[0] == "." for p in path.parts[-2:]))
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def one_line(stderr, *words):
    assert len(stderr.strip().splitlines()) == 1, stderr
    for word in words:
        assert word in stderr
    return stderr


def run_notebook(name, place, limit=None, **parameters):
    """The executed copy goes beside the folder, and is not among what must not change."""
    arguments = [f"--parameter={key}={json.dumps(value)}" for key, value in parameters.items()]
    command = [sys.executable, "-m", "ganlib", "notebook", f"notebooks/{name}.ipynb", str(place.parent / "out.ipynb")]
    limited = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    return subprocess.run(
        command + arguments, capture_output=True, text=True, check=False, cwd=ROOT, preexec_fn=limited
    )


def refused_by_notebook(name, place, *words, **parameters):
    before = contents(place)
    done = run_notebook(name, place, **parameters)
    assert done.returncode == 2
    one_line(done.stderr, f"notebooks/{name}.ipynb: ", *words)
    assert contents(place) == before


@pytest.mark.parametrize("case", CASES)
def test_import_says_what_is_wrong_in_one_line_and_leaves_the_cohort(place, case, monkeypatch, capfd):
    change, options, words = CASES[case]
    change(place / "data")
    before = contents(place)
    arguments = ["import", str(place / "data"), "-o", str(place / "c.h5")]
    arguments += [f"--contrast={name}={pattern}" for name, pattern in options.get("contrasts", PATTERNS).items()]
    for name, value in options.get("settings", SETTINGS).items():
        arguments += ["--setting", f"{name}={json.dumps(value)}"]
    monkeypatch.setattr(sys, "argv", ["ganlib", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    one_line(capfd.readouterr().err, *words)
    assert contents(place) == before


@pytest.mark.slow
@pytest.mark.parametrize("case", BY_NOTEBOOK)
def test_the_notebook_says_the_same(place, case):
    change, options, words = CASES[case]
    change(place / "data")
    parameters = {"source": "pattern", "folder": str(place / "data"), "output": str(place / "c.h5")}
    parameters |= {"contrasts": PATTERNS, "settings": SETTINGS} | options
    refused_by_notebook("01_prepare", place, *words, **parameters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "named"), [(60_000, "c.h5: the disk is full"), (5_000, "out.ipynb: cannot be written")]
)
def test_a_full_disk_is_one_line_and_leaves_the_cohort(place, limit, named):
    """At 60 kB the executed notebook still fits; at 5 kB not even that."""
    before = contents(place)
    done = run_notebook(
        "01_prepare", place, limit=limit, source="pattern", folder=str(place / "data"), output=str(place / "c.h5"),
        contrasts=PATTERNS, settings=SETTINGS | {"slice_mm": [-18, 18]},
    )  # fmt: skip
    assert done.returncode == 2
    one_line(done.stderr, named, "free space or choose another folder")
    assert contents(place) == before


@pytest.mark.slow
def test_training_refuses_a_cohort_of_another_version(place):
    with h5py.File(place / "c.h5", "r+") as file:
        file.attrs["format_version"] = 99
    words = ["c.h5: cohort format version 99", "make it anew with notebooks/01_prepare.ipynb"]
    refused_by_notebook("02_train", place, *words, cohort=str(place / "c.h5"), run=str(place / "new"), method="simple")
    assert not (place / "new").exists()


@pytest.mark.slow
def test_evaluation_refuses_a_cohort_that_changed(place):
    settings = ImportSettings(**SETTINGS | {"slice_mm": 3})
    old = Cohort(place / "c.h5").fingerprint
    assert import_cohort(FolderSource(place / "data", PATTERNS), place / "c.h5", settings).fingerprint != old
    words = ["c.h5: changed since", "restore it, or train anew"]
    refused_by_notebook("03_evaluate", place, *words, run=str(place / "run"))


@pytest.mark.slow
def test_evaluation_refuses_a_run_without_weights(place):
    words = ["generators.keras: not found, so the run has no weights", "02_train.ipynb"]
    refused_by_notebook("03_evaluate", place, *words, run=str(place / "run"))


@pytest.mark.slow
def test_comparison_refuses_a_run_without_scores(place):
    words = ["scores.parquet: not found", "03_evaluate.ipynb"]
    refused_by_notebook("04_compare", place, *words, runs=[str(place / "run")], output=str(place / "comparison"))
