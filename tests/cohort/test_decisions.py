"""Decisions on subjects: kept beside the cohort whatever happens, and heeded by all who ask for its subjects."""

import multiprocessing

import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.decisions import decide, decisions_path, earlier_decisions, read_decisions
from ganlib.errors import InputError
from tests.conftest import write_tiny_cohort


def _decide_many(path, verdict, ids):
    with Cohort(path) as cohort:
        for subject_id in ids:
            decide(cohort, subject_id, verdict, by="somebody")


def test_rejected_subjects_are_in_no_part_and_the_file_keeps_its_bytes(tiny_cohort):
    before = tiny_cohort.read_bytes()
    with Cohort(tiny_cohort) as cohort:
        everybody, hash_before = cohort.ids(), cohort.split_hash
        decide(cohort, "sub-02", "rejected", "  moved in the scanner ")
        decide(cohort, "sub-03", "accepted")
        decide(cohort, "sub-09", "rejected")
        decide(cohort, "sub-09", "undecided")
        assert cohort.ids() == everybody  # as it was when first asked
    assert tiny_cohort.read_bytes() == before
    with Cohort(tiny_cohort) as cohort:
        assert list(cohort.rejected) == ["sub-02"]
        assert cohort.rejected["sub-02"].note == "moved in the scanner"
        assert cohort.ids() == [name for name in everybody if name != "sub-02"]
        assert "sub-02" not in cohort.split()["train"]
        assert cohort.ids("train", rejected=True) == everybody[:6]
        assert cohort.split_hash != hash_before


def test_the_last_decision_holds_and_a_cut_off_line_is_passed_over(tiny_cohort):
    with Cohort(tiny_cohort) as cohort:
        decide(cohort, "sub-01", "rejected", "first")
        with decisions_path(tiny_cohort).open("a") as journal:
            journal.write('{"subject": "sub-05", "verdict": "rej')  # the power went off here
        decide(cohort, "sub-01", "accepted", "looked again")
        found = read_decisions(tiny_cohort, cohort.fingerprint)
    assert {name: decision.verdict for name, decision in found.items()} == {"sub-01": "accepted"}
    assert found["sub-01"].note == "looked again"


def test_two_people_at_once_lose_nothing(tiny_cohort):
    ids = [f"sub-{number:02d}" for number in range(10)]
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=_decide_many, args=(tiny_cohort, "rejected", half)) for half in (ids[:5], ids[5:])]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    with Cohort(tiny_cohort) as cohort:
        assert sorted(cohort.rejected) == ids


def test_decisions_on_an_earlier_file_of_that_name_do_not_hold_but_are_remembered(tiny_cohort):
    with Cohort(tiny_cohort) as cohort:
        decide(cohort, "sub-01", "rejected")
        decide(cohort, "sub-02", "rejected")
    write_tiny_cohort(tiny_cohort, shape=(20, 16))
    with Cohort(tiny_cohort) as cohort:
        assert cohort.rejected == {}
        decide(cohort, "sub-02", "accepted")
        assert earlier_decisions(tiny_cohort, cohort.fingerprint) == ["sub-01"]


def test_what_cannot_be_stored_is_said(tiny_cohort):
    with Cohort(tiny_cohort) as cohort:
        with pytest.raises(InputError, match="no subject 'sub-99'"):
            decide(cohort, "sub-99", "rejected")
        with pytest.raises(InputError, match="verdict"):
            decide(cohort, "sub-01", "perhaps")
        with pytest.raises(InputError, match="note: String should have at most 2000"):
            decide(cohort, "sub-01", "rejected", 2001 * "x")
        decisions_path(tiny_cohort).mkdir()
        with pytest.raises(InputError, match="could not be stored"):
            decide(cohort, "sub-01", "rejected")
