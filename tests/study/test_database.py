"""The database: what it keeps, what it refuses, and what it says when it is in trouble."""

import importlib.util
import os
import sqlite3
import threading

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from ganlib.errors import InputError
from ganlib.study import RatingSession, Study, StudyDatabase, create_study, schema, study_names
from ganlib.study.database import utc_now
from tests.study.conftest import DESIGN


def joined(study, name="Anna"):
    return RatingSession(study.database, study.join(name, consent=True), study)


def rows(study):
    with study.database.reading() as connection:
        query = select(schema.answers.c.rater_id, schema.answers.c.step, schema.answers.c.verdict)
        return connection.execute(query.order_by(schema.answers.c.id)).all()


class TestSqlite:
    def test_is_in_wal_mode_and_every_commit_reaches_the_disk(self, study):
        with study.database.reading() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL

    @pytest.mark.parametrize("deed", ["update", "delete"])
    def test_answers_cannot_be_changed_or_removed(self, study, deed):
        joined(study).answer(0, "real", 2)
        statement = update(schema.answers).values(verdict="synthetic") if deed == "update" else delete(schema.answers)
        with pytest.raises(DBAPIError, match="append-only"), study.database.writing() as connection:
            connection.execute(statement)
        assert [row.verdict for row in rows(study)] == ["real"]

    def test_an_answer_is_there_for_a_program_that_knows_nothing_of_us(self, study, tmp_path):
        joined(study).answer(0, "synthetic", 3)
        with sqlite3.connect(tmp_path / "study.db") as other:
            assert other.execute("SELECT step, verdict, confidence FROM answers").fetchall() == [(0, "synthetic", 3)]


class TestTrouble:
    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"none\.db: no such study database; create a study first"):
            StudyDatabase(tmp_path / "none.db")

    def test_not_a_database_and_not_ours(self, tmp_path):
        (tmp_path / "text.db").write_text("hello, this is not a database " * 50)
        with pytest.raises(InputError, match="not an SQLite database"):
            StudyDatabase(tmp_path / "text.db")
        with sqlite3.connect(tmp_path / "other.db") as other:
            other.execute("CREATE TABLE things (id INTEGER)")
        for create in (False, True):
            with pytest.raises(InputError, match="not a database of ganlib studies"):
                StudyDatabase(tmp_path / "other.db", create=create)

    def test_a_folder_and_a_file_that_cannot_be_made(self, tmp_path):
        with pytest.raises(InputError, match="cannot be opened; check the path and its permissions"):
            StudyDatabase(tmp_path, create=True)
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match=r"cannot be made \(.*\); choose another folder"):
            StudyDatabase(tmp_path / "file" / "study.db", create=True)

    def test_another_version(self, study, tmp_path):
        with study.database.writing() as connection:
            connection.execute(update(schema.version).values(version=9))
        with pytest.raises(
            InputError, match="study database version 9, this ganlib uses 1; open it with the ganlib that"
        ):
            StudyDatabase(tmp_path / "study.db")

    def test_locked(self, study, tmp_path):
        session = RatingSession(StudyDatabase(tmp_path / "study.db", timeout_s=0.2), study.join(consent=True))
        other = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match=r"study\.db: locked by another program for more than 0\.2 s; end it"):
            session.answer(0, "real", 1)
        other.execute("ROLLBACK")
        assert session.current().step == 0  # the same trial waits
        session.answer(0, "real", 1)
        assert len(rows(study)) == 1

    def test_full(self, study):
        session = joined(study)
        with study.database.writing() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar()
        engine = study.database._engine
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        said = None
        for step in range(study.trials.num_steps):
            try:
                session.answer(step, "real", 1)
            except InputError as error:
                said = str(error)
                break
        if said is None:  # the last page had room for all of them: fill it by raters
            with pytest.raises(InputError, match="the disk of the database is full") as caught:
                for _ in range(2000):
                    study.join("x" * 80, consent=True)
            said = str(caught.value)
        assert "the disk of the database is full; free space and try again (earlier answers are stored)" in said
        stored = len(rows(study))
        assert session.current() is None or session.current().step == stored

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
    def test_read_only(self, study, tmp_path):
        (tmp_path / "study.db").chmod(0o400)
        with pytest.raises(InputError, match="cannot be written; check the permissions"):
            joined(study)

    def test_urls(self):
        with pytest.raises(InputError, match="database 'mysql' is not supported; use SQLite or PostgreSQL"):
            StudyDatabase("mysql://me@host/x")

    def test_a_server_that_is_not_there(self):
        missing = importlib.util.find_spec("psycopg") is None
        said = r"pip install 'ganlib\[postgresql\]'" if missing else "the server cannot be reached; check that it runs"
        with pytest.raises(InputError, match=said):
            StudyDatabase("postgresql://me:secret@127.0.0.1:1/x", timeout_s=2)

    def test_a_password_is_never_shown(self):
        with pytest.raises(InputError) as caught:
            StudyDatabase("postgresql://me:secret@127.0.0.1:1/x", timeout_s=2)
        assert "secret" not in str(caught.value)

    def test_images_and_trials_that_were_changed_are_noticed(self, study, tmp_path):
        with study.database.writing() as connection:
            connection.execute(update(schema.images).values(pixels=b"\0" * 480))
        with pytest.raises(InputError, match="image 0 was changed; restore the database from a copy"):
            study.pixels(0)
        with study.database.writing() as connection:
            changed = study.trials.model_dump_json().replace('"real"', '"synthetic"', 1)
            connection.execute(update(schema.studies).values(trials=changed))
        with pytest.raises(InputError, match="were changed after it was made"):
            Study(study.database)

    def test_names_of_studies(self, study, study_runs):
        with pytest.raises(InputError, match="there is already a study 'tiny'; choose another name"):
            create_study(study.database, "tiny", study_runs, DESIGN)
        create_study(study.database, "second", study_runs, DESIGN)
        assert study_names(study.database) == ["tiny", "second"]
        with pytest.raises(InputError, match="several studies, so that one must be named; it has 'tiny', 'second'"):
            Study(study.database)


def _many_at_once(study, raters=8, answers=10):
    """Raters in threads with connections of their own; returns what each has pressed, by rater's key."""
    pressed, errors = {}, []

    def work(number):
        try:
            database = StudyDatabase(study.database._url.render_as_string(hide_password=False)
                                     if not study.database.is_sqlite else study.database.shown)  # fmt: skip
            own = Study(database, study.name)
            session = RatingSession(database, own.join(f"R{number}", consent=True), own)
            mine = pressed.setdefault(session._rater_id, [])
            for step in range(answers):
                verdict = ("real", "synthetic")[(step + number) % 2]
                session.answer(step, verdict, 1 + step % 3)
                session.answer(step, "real", 3)  # a key that bounces
                mine.append((step, verdict))
            database.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(raters)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return pressed


def assert_all_stored(study, pressed):
    stored = {}
    for row in rows(study):
        stored.setdefault(row.rater_id, []).append((row.step, row.verdict))
    assert stored == pressed
    numbers = [rater.number for rater in study.raters()]
    assert numbers == list(range(1, len(pressed) + 1))


def test_raters_at_once_lose_nothing(study):
    assert_all_stored(study, _many_at_once(study))


class TestPostgresql:
    @pytest.fixture
    def stored(self, postgresql, study_runs):
        database = StudyDatabase(postgresql, create=True)
        name = f"study {utc_now()} {os.urandom(3).hex()}"
        yield create_study(database, name, study_runs, DESIGN)[0]
        database.close()

    def test_raters_at_once_lose_nothing(self, stored):
        before = len(rows(stored))
        pressed = _many_at_once(stored)
        own = {rater.id for rater in stored.raters()}
        found = {}
        for row in rows(stored)[before:]:
            if row.rater_id in own:
                found.setdefault(row.rater_id, []).append((row.step, row.verdict))
        assert found == pressed

    def test_answers_cannot_be_changed_removed_or_truncated(self, stored):
        joined(stored).answer(0, "real", 2)
        before = rows(stored)
        for statement in (update(schema.answers).values(verdict="synthetic"), delete(schema.answers),
                          text("TRUNCATE answers")):  # fmt: skip
            with pytest.raises(DBAPIError, match="append-only"), stored.database.writing() as connection:
                connection.execute(statement)
        assert rows(stored) == before

    def test_images_come_back_as_they_were(self, stored, study):
        assert stored.trials.images == study.trials.images
        assert [stored.pixels(n) for n in range(5)] == [study.pixels(n) for n in range(5)]

    def test_a_database_that_is_not_there(self, postgresql):
        with pytest.raises(InputError, match="there is no such database or user"):
            StudyDatabase(postgresql.replace("/postgres?", "/absent?"))

    def test_a_closed_study_takes_nothing(self, stored):
        session = joined(stored)
        stored.close()
        with pytest.raises(InputError, match="is closed and takes no more answers"):
            session.answer(0, "real", 2)


def test_insert_of_two_answers_to_one_trial_is_impossible(study):
    session = joined(study)
    session.answer(0, "real", 2)
    values = {"rater_id": session._rater_id, "step": 0, "verdict": "real", "confidence": 1, "resumed": False,
              "answered_utc": utc_now()}  # fmt: skip
    with pytest.raises(DBAPIError, match="UNIQUE"), study.database.writing() as connection:
        connection.execute(insert(schema.answers).values(**values))
