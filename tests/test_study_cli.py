"""`ganlib study`: from runs to results on the command line; a mistake is one line and exit code 2."""

import contextlib
import shutil
import sqlite3

import pytest

from ganlib import cli
from ganlib.study import Study, StudyDatabase
from tests.evaluation.fake_runs import write_fake_run
from tests.study.conftest import write_cohort


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    cohort = write_cohort(folder / "cohort.h5")
    for label in ("CycleGAN", "Simple"):
        write_fake_run(folder / label.lower(), cohort, label=label)
    return folder


@pytest.fixture
def ganlib(monkeypatch, capsys):
    """Run a command in this process; returns exit code, output and error output."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["ganlib", "study", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as left:
            code = left.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


SMALL = ("-s", "synthetic_per_cell=3", "-s", "practice=2", "-s", "real_from=[test,train]")


def test_a_study_from_runs_to_results(ganlib, runs, tmp_path):
    database = tmp_path / "study.db"
    code, said, _ = ganlib("create", database, runs, "--name", "pilot", *SMALL)
    assert code == 0
    assert "study 'pilot', 28 trials" in said
    token = said.strip().rsplit(" ", 1)[1]
    Study(StudyDatabase(database)).require_organiser(token)
    assert "is there already" in ganlib("create", database, runs, "--name", "pilot", "--if-missing")[1]
    assert ganlib("simulate", database, "--raters", 2)[0] == 0
    assert "pilot: open, 28 trials, 2 raters, 2 finished" in ganlib("list", database)[1]
    code, said, _ = ganlib("results", database, "-o", tmp_path / "results.html")
    assert said.startswith("SIMULATED RATERS")
    page = (tmp_path / "results.html").read_text()
    assert "In words" in page
    assert "<script src=" not in page and "<link" not in page
    assert ganlib("export", database, tmp_path / "csv")[0] == 0
    assert (tmp_path / "csv" / "answers.csv").is_file()
    assert "is closed" in ganlib("close", database)[1]
    assert Study(StudyDatabase(database)).is_closed


def test_mistakes_are_one_line(ganlib, runs, tmp_path):
    database = tmp_path / "study.db"
    for arguments, named in (
        (("results", tmp_path / "none.db"), "no such study database; create a study first"),
        (("create", database, runs, "--preset", "paper"), "preset 'paper' is unknown"),
        (("create", database, runs, "-s", "practice=many"), "design 'practice'"),
        (("create", database, runs, "-s", "practice"), "not of the form name=value"),
        (("create", database, runs), "too few subjects"),
        (("create", database, tmp_path / "nowhere"), "no run folder"),
        (("create", "mysql://host/x", runs), "'mysql' is not supported"),
    ):
        code, _, error = ganlib(*arguments)
        assert (code, len(error.strip().splitlines())) == (2, 1), error
        assert named in error


def test_trouble_with_the_database_is_one_line(ganlib, runs, tmp_path, monkeypatch):
    database = tmp_path / "study.db"
    assert ganlib("create", database, runs, *SMALL)[0] == 0
    monkeypatch.setitem(StudyDatabase.__init__.__kwdefaults__, "timeout_s", 0.2)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, _, error = ganlib("close", database)
        other.execute("ROLLBACK")
        assert (code, error.strip().splitlines()[1:]) == (2, [])
        assert "locked by another program" in error
        shutil.rmtree(runs / "simple")
        assert "run simple is no longer in" in ganlib("list", database)[1]
        other.execute("UPDATE ganlib_study_version SET version = 2")
    code, _, error = ganlib("list", database)
    assert (code, error.strip().splitlines()[1:]) == (2, [])
    assert "study database version 2, this ganlib uses 1" in error


def test_power_table(ganlib):
    lines = ganlib("power")[1].splitlines()
    assert lines[-1].split()[0] == "30"
