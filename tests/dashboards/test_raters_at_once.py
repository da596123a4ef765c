"""Thirty raters on one server, 40 answers each: none lost, none double, and quick; on SQLite and on PostgreSQL."""

import pytest

from benchmarks import study_load
from ganlib.study import StudyDatabase

RATERS, ANSWERS = 30, 40
#: The bound of the study's design; on a quiet machine it is 12 to 16 ms (docs/study.md).
P95_MS = 300


def assert_all_there(found):
    assert found["rows"] == RATERS * ANSWERS == 1200
    assert (found["lost"], found["double"]) == (0, 0)
    assert found["as_pressed"]
    assert found["p95_ms"] <= P95_MS, found


@pytest.mark.slow
def test_thirty_raters_on_sqlite(tmp_path):
    database = StudyDatabase(tmp_path / "study.db", create=True)
    study = study_load.make_study(tmp_path, database, answers=ANSWERS)
    assert_all_there(study_load.load(study, raters=RATERS, answers=ANSWERS))


@pytest.mark.slow
def test_thirty_raters_on_postgresql(tmp_path, postgresql):
    database = StudyDatabase(postgresql, create=True)
    study = study_load.make_study(tmp_path, database, answers=ANSWERS)
    assert_all_there(study_load.load(study, raters=RATERS, answers=ANSWERS))
