"""A user's mistake on the command line is one line, names what is wrong, and ends with an exit code."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from ganlib import cli
from ganlib.cohort import Cohort
from ganlib.cohort.split import read_split
from tests.cohort.conftest import head, write_volume

ROOT = Path(__file__).resolve().parents[1]


def _ganlib(*arguments):
    command = [sys.executable, "-m", "ganlib", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epochs=two"), "parameter 'epochs' must be int"),
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epoch=2"), "parameter 'epoch' is unknown"),
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epochs"), "not of the form name=value"),
        (("notebook", "notebooks/09_none.ipynb", "out.ipynb"), "09_none.ipynb: no such notebook"),
        (("notebook", "README.md", "out.ipynb"), "README.md: not a readable notebook"),
    ],
)
def test_mistake_is_one_line(arguments, named):
    result = _ganlib(*arguments)
    assert result.returncode == 2
    assert named in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("import", "."), "--output is missing"),
        (("import", "none", "-o", "c.h5", "-c", "T1w={subject}.nii"), "none: no such folder"),
        (("import", ".", "-o", "c.h5", "--layout", "dicom"), "source 'dicom' is unknown"),
        (("import", ".", "-o", "c.h5", "--layout", "hcp", "-O", "tabel=x.csv"), "'tabel': Extra inputs"),
        (("import", ".", "-o", "c.h5", "-c", "T1w={subject}.nii", "-s", "slice_mn=3"), "'slice_mn': Extra inputs"),
        (("import", ".", "--dry-run", "--layout", "ixi"), "is named as IXI's T1"),
        (("dashboard", ".", "--study", "none.db"), "none.db: no such study database"),
        (("fetch", "hcp", "."), "data 'hcp' cannot be fetched"),
        (("fetch", "ixi", ".", "-c", "DTI"), "no archive of 'DTI'"),
    ],
)
def test_mistake_in_a_command_is_one_line(arguments, named, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["ganlib", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capfd.readouterr().err
    assert stopped.value.code == 2
    assert named in said
    assert len(said.strip().splitlines()) == 1


def test_the_command_line_starts_without_what_takes_long_to_import():
    heavy = ("numpy", "pandas", "scipy", "h5py", "nibabel", "matplotlib", "keras")
    script = f"import sys, ganlib.cli; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_error_inside_a_notebook_is_one_line_and_the_copy_shows_where(tmp_path):
    result = _ganlib("notebook", "notebooks/03_evaluate.ipynb", tmp_path / "out.ipynb", "-p", f"run={tmp_path}/none")
    assert result.returncode == 2
    assert "config.json: not found" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    errors = [
        output for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells if cell.cell_type == "code"
        for output in cell.outputs if output.output_type == "error"
    ]  # fmt: skip
    assert [error.ename for error in errors] == ["InputError"]
    assert len(errors[0].traceback) == 1


@pytest.mark.slow
def test_parameters_are_checked_by_the_notebook_too(tmp_path):
    import papermill

    with pytest.raises(papermill.PapermillExecutionError, match="parameter 'epohcs' is unknown"):
        papermill.execute_notebook(
            ROOT / "notebooks/02_train.ipynb", tmp_path / "out.ipynb", {"epohcs": 3}, progress_bar=False
        )


@pytest.fixture
def study(tmp_path):
    """Three subjects of two contrasts."""
    for number in (1, 2, 3):
        for name, data in (("T1w", head(number)), ("T2w", 2 * head(number))):
            write_volume(tmp_path / "study" / f"sub-{number}" / f"{name}.nii.gz", data)
    return tmp_path / "study"


@pytest.fixture
def import_arguments(study):
    patterns = {name: f"{{subject}}/{name}.nii.gz" for name in ("T1w", "T2w")}
    contrasts = [f"--contrast={name}={pattern}" for name, pattern in patterns.items()]
    return ["import", study, *contrasts, "-s", "slice_mm=0", "-s", "validation=1", "-s", "test=1"]


def test_import_lists_first_makes_the_cohort_and_writes_the_split(import_arguments, tmp_path):
    dry = _ganlib(*import_arguments, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "3 subjects, 3 complete" in dry.stdout
    assert not list(tmp_path.glob("*.h5"))
    done = _ganlib(*import_arguments, "-o", tmp_path / "c.h5", "--split-file", tmp_path / "s.csv", "--name", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    with Cohort(tmp_path / "c.h5") as cohort:
        assert done.stdout.startswith(dry.stdout)
        assert cohort.fingerprint[:12] in done.stdout
        assert cohort.header.name == "mine"
        assert read_split(tmp_path / "s.csv") == {subject.id: subject.split for subject in cohort.subjects}
    again = _ganlib(*import_arguments, "-o", tmp_path / "d.h5", "-s", f"split={tmp_path / 's.csv'}")
    assert (again.returncode, again.stderr) == (0, "")
    assert Cohort(tmp_path / "d.h5").split_hash == Cohort(tmp_path / "c.h5").split_hash
    assert str(tmp_path).encode() not in (tmp_path / "d.h5").read_bytes()


def test_a_dry_run_tells_everything_and_fails_where_an_import_would(import_arguments, study):
    (study / "sub-2/T2w.nii.gz").unlink()
    dry = _ganlib(*import_arguments, "--dry-run")
    assert dry.returncode == 2
    assert "sub-2: no T2w file" in dry.stdout
    assert "'sub-2' has no T2w file" in dry.stderr
    assert len(dry.stderr.strip().splitlines()) == 1
    skipping = ["-s", "incomplete=skip", "-s", "validation=0", "-o", study.parent / "c.h5"]
    done = _ganlib(*import_arguments, *skipping)
    assert (done.returncode, done.stderr) == (0, "")
    assert "note: 1 subjects left out: sub-2 (no T2w file)" in done.stdout
