"""The rating page without a browser: what a rater hears who comes back while the database is in trouble."""

import sqlite3

import pytest
from sqlalchemy import text

from ganlib.display.rating import RatingPage
from ganlib.errors import InputError
from ganlib.study import Study, StudyDatabase, create_study, study_design
from tests.evaluation.fake_runs import write_fake_run
from tests.study.conftest import write_cohort

DESIGN = study_design(synthetic_per_cell=2, practice=1, repeats=0, real_from=("train", "test"))
PENDING = {"step": 0, "verdict": "real", "confidence": 2, "response_ms": 900.0, "resumed": False}


@pytest.fixture
def page(tmp_path):
    """A page of a study whose database waits for nobody."""
    run = write_fake_run(tmp_path / "simple", write_cohort(tmp_path / "cohort.h5"), label="Simple")
    database = StudyDatabase(tmp_path / "study.db", create=True, timeout_s=0.1)
    create_study(database, "tiny", [run], DESIGN)
    create_study(database, "other", [run], DESIGN.model_copy(update={"seed": 1}))
    yield RatingPage(Study(database, "tiny"))
    database.close()


def hello(page, token, pending=None):
    return page._respond({"kind": "hello", "token": token, "pending": pending})[0]


def joined(page):
    return page._respond({"kind": "join", "name": "Anna", "experience": "none", "consent": True})[0]["token"]


def test_a_locked_database_is_trouble_and_no_reason_to_forget_the_rater(page):
    token = joined(page)
    other = sqlite3.connect(page._study.database.shown, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match="locked by another program"):
        hello(page, token, PENDING)
    other.execute("ROLLBACK")
    other.close()
    reply = hello(page, token, PENDING)
    # The answer that was not stored is, and the next trial waits.
    assert (reply["kind"], reply["step"]) == ("trial", 1)
    assert "correct" in reply["feedback"]


def test_so_is_a_full_one(page):
    token = joined(page)
    with page._study.database._engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InputError, match="the disk of the database is full; free space and try again"):
        for _ in range(2000):  # until the last page has no room for another visit
            hello(page, token)
    with page._study.database._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert hello(page, token)["kind"] == "trial"


def test_a_token_of_nobody_or_of_another_study_begins_anew(page):
    elsewhere = Study(page._study.database, "other").join("Bo", consent=True)
    for token, said in (("guess", "belongs to no rater"), (elsewhere, "belongs to another study")):
        reply = hello(page, token)
        assert reply["kind"] == "start"
        assert said in reply["text"]
