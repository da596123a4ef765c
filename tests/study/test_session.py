"""A rater at work: what is shown, stored, refused; leaving and coming back; names of all kinds."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ganlib.errors import InputError
from ganlib.runs import Run
from ganlib.study import RatingSession, Study, StudyDatabase, create_study, schema, session, study_design
from ganlib.study.session import TrialView
from tests.study.conftest import DESIGN


def join(study, name="Anna", **also):
    return study.join(name, consent=True, **also)


def stored(study, column="verdict"):
    with study.database.reading() as connection:
        return list(connection.scalars(select(schema.answers.c[column]).order_by(schema.answers.c.id)))


def finish(study, opened, verdict="real"):
    for step in range(study.trials.num_steps):
        opened.answer(step, verdict, 2, 800.0)


class TestTrials:
    def test_a_whole_session_stores_what_was_pressed(self, study):
        opened = RatingSession(study.database, join(study), study)
        pressed = []
        while (view := opened.current()) is not None:
            verdict = ("real", "synthetic")[view.step % 3 == 0]
            pressed.append((view.step, verdict, 1 + view.step % 3))
            opened.answer(*pressed[-1], 500.0 + view.step)
        with study.database.reading() as connection:
            columns = schema.answers.c
            rows = connection.execute(select(columns.step, columns.verdict, columns.confidence)).all()
        assert rows == pressed
        assert len(pressed) == 2 + 32 + 8
        assert opened.state == "finished"

    def test_practice_tells_and_the_study_does_not(self, study):
        opened = RatingSession(study.database, join(study), study)
        truth = study.trials.truth(study.trials.practice[0])
        wrong = {"real": "synthetic", "synthetic": "real"}[truth]
        assert vars(opened.answer(0, truth, 1)) == {"correct": True, "truth": truth}
        other = study.trials.truth(study.trials.practice[1])
        assert opened.answer(1, wrong, 1).correct == (wrong == other)
        assert opened.answer(2, "real", 1) is None

    def test_nothing_but_pixels_distinguishes_views(self, study):
        """Every field of every message is the same function of the step, whatever the image."""
        opened = RatingSession(study.database, join(study), study)
        for step in range(study.trials.num_steps):
            view = opened.current()
            position = step if step < 2 else step - 2
            assert json.loads(json.dumps(view.message())) == {
                "step": step, "practice": step < 2, "position": position + 1, "total": 2 if step < 2 else 40,
                "break_due": False, "height": 24, "width": 20, "pixel_mm": [1.0, 1.5],
                "verdicts": ["real", "synthetic"], "resumed": False, "count": 1,
            }  # fmt: skip
            assert [len(image) for image in view.images] == [480]
            opened.answer(step, "real", 1)
        fields = set(TrialView.__dataclass_fields__)
        assert not fields & {"kind", "method", "subject", "contrast", "truth", "image", "run"}

    def test_score_is_told_only_at_the_end(self, study):
        opened = RatingSession(study.database, join(study), study)
        assert opened.score() is None
        finish(study, opened, "real")
        right = sum(study.trials.truth(trial) == "real" for trial in study.trials.trials)
        assert opened.score() == (right, 40)

    def test_breaks_come_where_the_design_says(self, database, study_runs):
        design = study_design(synthetic_per_cell=3, practice=1, repeats=0, break_every=5, real_from=("train", "test"))
        study = create_study(database, "breaks", study_runs, design)[0]
        opened = RatingSession(database, join(study), study)
        due = []
        while (view := opened.current()) is not None:
            due.append(view.break_due)
            opened.answer(view.step, "real", 1)
        assert [index for index, flag in enumerate(due) if flag] == [6, 11, 16, 21]

    def test_two_alternatives(self, database, study_runs):
        design = study_design("two_alternative", synthetic_per_cell=2, practice=1, real_from=("train", "test"))
        study = create_study(database, "pairs", study_runs, design)[0]
        opened = RatingSession(database, join(study), study)
        view = opened.current()
        assert view.verdicts == ("left", "right")
        assert [len(image) for image in view.images] == [480, 480]
        with pytest.raises(InputError, match="verdict 'real' is unknown; use left or right"):
            opened.answer(0, "real", 1)
        assert opened.answer(0, "left", 1).truth in ("left", "right")


class TestComingBack:
    def test_the_same_trial_waits_on_another_server(self, study, tmp_path):
        token = join(study)
        first = RatingSession(study.database, token, study)
        for step in range(5):
            first.answer(step, "real", 1, 700)
        shown = first.current()
        elsewhere = StudyDatabase(tmp_path / "study.db")
        again = RatingSession(elsewhere, token).current()
        assert (again.step, again.images) == (shown.step, shown.images)
        assert not shown.resumed
        assert again.resumed
        RatingSession(elsewhere, token).answer(5, "real", 1, 700)
        assert stored(study, "resumed") == [False] * 5 + [True]

    def test_an_answer_that_was_not_confirmed_is_sent_again_and_stored_once(self, study):
        token = join(study)
        opened = RatingSession(study.database, token, study)
        opened.answer(0, "real", 2, 600)
        back = RatingSession(study.database, token, study)
        back.answer(0, "synthetic", 1, 600, resumed=False)  # was stored already: the first answer stands
        back.answer(1, "synthetic", 3, 900, resumed=False)  # was not
        assert stored(study) == ["real", "synthetic"]
        assert stored(study, "resumed") == [False, False]
        assert back.current().step == 2

    def test_two_windows_of_one_rater(self, study):
        token = join(study)
        one, two = (RatingSession(study.database, token, study) for _ in range(2))
        one.answer(0, "real", 1)
        one.answer(1, "real", 1)
        two.answer(0, "synthetic", 1)
        assert two.current().step == 2
        assert stored(study) == ["real", "real"]

    def test_an_unknown_token(self, study):
        with pytest.raises(InputError, match="belongs to no rater"):
            RatingSession(study.database, "guess")


class TestRefused:
    @pytest.mark.parametrize(("answer", "said"), [
        ((0, "perhaps", 1), "verdict 'perhaps' is unknown"), ((0, "real", 0), "confidence '0' is unknown"),
        ((0, "real", True), "confidence 'True'"), ((7, "real", 1), "trial 8 is not reached yet; the next one is 1"),
        ((-1, "real", 1), "trial '-1' is unknown"), (("0", "real", 1), "trial '0' is unknown"),
        ((99, "real", 1), "trial '99' is unknown; this study has 42"),
    ])  # fmt: skip
    def test_bad_answers(self, study, answer, said):
        opened = RatingSession(study.database, join(study), study)
        with pytest.raises(InputError, match=said):
            opened.answer(*answer)
        assert stored(study) == []

    @pytest.mark.parametrize("response", [-5, float("nan"), float("inf"), 9e9, "soon", None])
    def test_a_clock_that_jumps_costs_the_time_but_not_the_answer(self, study, response):
        opened = RatingSession(study.database, join(study), study)
        opened.answer(0, "real", 1, response)
        assert stored(study, "response_ms") == [None]

    def test_a_server_clock_that_goes_back_leaves_the_order(self, study, monkeypatch):
        opened = RatingSession(study.database, join(study), study)
        hours = iter(["2026-11-25T12:00:00.000Z", "2026-11-25T09:00:00.000Z", "1970-01-01T00:00:00.000Z"])
        monkeypatch.setattr(session, "utc_now", lambda: next(hours))
        for step in range(3):
            opened.answer(step, "real", 1)
        assert stored(study, "step") == [0, 1, 2]
        assert opened.current().step == 3
        assert study.progress()[0]["answered"] == 1

    def test_closed(self, study):
        opened = RatingSession(study.database, join(study), study)
        opened.answer(0, "real", 1)
        study.close()
        study.close()
        assert opened.state == "closed"
        assert opened.current() is None
        with pytest.raises(
            InputError, match="study 'tiny' is closed and takes no more answers; all answers until then"
        ):
            opened.answer(1, "real", 1)
        with pytest.raises(InputError, match="closed"):
            join(study)
        assert len(stored(study)) == 1

    def test_consent_and_experience(self, study):
        for consent in (False, None, "yes", 1):
            with pytest.raises(InputError, match="only be stored with the rater's consent"):
                study.join("A", consent=consent)
        with pytest.raises(InputError, match="experience 'wizard' is unknown; use one of none, student"):
            study.join("A", experience="wizard", consent=True)


class TestNames:
    def test_two_raters_with_one_name_are_two(self, study):
        for name in ("Anna", "anna", "Bo", ""):
            join(study, name)
        assert [rater.label for rater in study.raters()] == ["Anna", "anna (2)", "Bo", "Rater 4"]
        assert [rater.pseudonym for rater in study.raters()] == ["R01", "R02", "R03", "R04"]

    def test_script_and_sql_in_a_name_are_letters(self, study):
        name = "<script>alert(1)</script>'; DROP TABLE answers;--"
        join(study, name)
        assert study.raters()[0].label == name
        RatingSession(study.database, join(study), study).answer(0, "real", 1)

    @pytest.mark.parametrize(("name", "said"), [
        ("x" * 81, "has 81 characters; use at most 80"), ("a\x00b", "cannot be seen"), ("a\u202eb", "cannot be seen"),
    ])  # fmt: skip
    def test_names_that_cannot_be_used(self, study, name, said):
        with pytest.raises(InputError, match=said):
            join(study, name)

    def test_letters_of_the_world_and_blanks(self, study):
        join(study, "  Åsa   \t 王 ")
        assert study.raters()[0].label == "Åsa 王"


class TestOrganiser:
    def test_only_the_token_opens(self, database, study_runs):
        from tests.study.conftest import DESIGN

        study, token = create_study(database, "own", study_runs, DESIGN)
        study.require_organiser(token)
        for wrong in ("", token[:-1], None, token + " "):
            with pytest.raises(InputError, match="not the organiser's token"):
                study.require_organiser(wrong)
        assert token.encode() not in Path(database.shown).read_bytes()

    def test_progress(self, study):
        opened = RatingSession(study.database, join(study, experience="radiologist"), study)
        join(study, "Bo")
        for step in range(3):
            opened.answer(step, "real", 1)
        first, second = study.progress()
        assert (first["practice"], first["answered"], first["total"], first["finished"]) == (2, 1, 40, False)
        assert (second["answered"], second["last_utc"]) == (0, None)

    def test_runs_that_were_deleted_are_named_and_the_study_goes_on(self, study, study_runs, tmp_path):
        gone = [run.model_copy(update={"folder": str(tmp_path / "gone")}) for run in study.trials.runs[:1]]
        study.trials = study.trials.model_copy(update={"runs": (*gone, *study.trials.runs[1:])})
        [line] = study.missing_runs()
        assert "run cyclegan is no longer in" in line
        opened = RatingSession(study.database, join(study), study)
        assert len(opened.current().images[0]) == 480

    def test_runs_are_found_from_another_folder_too(self, database, study_runs, tmp_path, monkeypatch):
        """The organiser's page runs in a folder of its own, while the command line was given a relative path."""
        monkeypatch.chdir(study_runs[0].folder.parent)
        relative = [Run(run.folder.name) for run in study_runs]
        stored = create_study(database, "relative", relative, DESIGN)[0]
        monkeypatch.chdir(tmp_path)
        assert stored.missing_runs() == []

    def test_one_draw_has_one_fingerprint_wherever_its_runs_lie(self, study, database, study_runs, tmp_path):
        elsewhere = shutil.copytree(study_runs[0].folder.parent, tmp_path / "elsewhere")
        copies = [Run(elsewhere / run.folder.name) for run in study_runs]
        moved = create_study(database, "moved", copies, DESIGN)[0]
        assert moved.trials.runs[0].folder != study.trials.runs[0].folder
        assert moved.fingerprint == study.fingerprint
        other_seed = create_study(database, "other", copies, DESIGN.model_copy(update={"seed": 1}))[0]
        assert other_seed.fingerprint != study.fingerprint

    def test_a_fingerprint_of_the_whole_list_is_read_too(self, study):
        """The first studies have one, folders and all."""
        whole = hashlib.sha256(study.trials.model_dump_json().encode()).hexdigest()
        with study.database.writing() as connection:
            connection.execute(update(schema.studies).values(fingerprint=whole))
        assert Study(study.database).trials == study.trials

    def test_opened_by_name(self, study):
        assert Study(study.database).trials == study.trials
        assert Study(study.database, "tiny").fingerprint == study.fingerprint
