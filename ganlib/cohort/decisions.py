"""What a person decided of the subjects of a cohort: accepted, or rejected with a note. It stands beside the file.

Beside `cohort.h5` lies `cohort.decisions.jsonl`, a journal: one line per decision, appended and never changed, the last
one of a subject holds. The cohort itself keeps its bytes and its fingerprint. Two people who decide at the same time
lose nothing, and a line that was cut off by a crash is passed over.
"""

import os
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganlib.errors import InputError

_MOST_LETTERS = 2000
_MOST_NAMED = 5


class Decision(BaseModel):
    """One decision of one person about one subject.

    Args:
        subject: the subject's id.
        verdict: `"undecided"` takes an earlier decision back.
        note: why, in the person's words.
        by: who decided, or empty.
        made: when, ISO 8601, UTC.
        cohort: fingerprint of the cohort file that was looked at.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    subject: str
    verdict: Literal["accepted", "rejected", "undecided"]
    note: str = Field("", max_length=_MOST_LETTERS)
    by: str = ""
    made: str = ""
    cohort: str


def decisions_path(cohort_path):
    """Where the decisions on a cohort file are kept."""
    return Path(cohort_path).with_suffix(".decisions.jsonl")


def read_decisions(cohort_path, fingerprint):
    """The decision that holds for each subject.

    Decisions on an earlier cohort file of the same name do not hold: its images may have been others.

    Args:
        cohort_path: the cohort file.
        fingerprint: its fingerprint.

    Returns:
        Dictionary from subject id to `Decision`, without those that are undecided.

    Raises:
        InputError: the journal cannot be read.
    """
    path, found = decisions_path(cohort_path), {}
    for decision in _lines(path):
        if decision.cohort == fingerprint:
            found[decision.subject] = decision
    return {name: decision for name, decision in found.items() if decision.verdict != "undecided"}


def earlier_decisions(cohort_path, fingerprint):
    """Ids that were rejected in an earlier cohort file of the same name, and not looked at since."""
    earlier, now = {}, set()
    for decision in _lines(decisions_path(cohort_path)):
        if decision.cohort == fingerprint:
            now.add(decision.subject)
        else:
            earlier[decision.subject] = decision.verdict
    return sorted(name for name, verdict in earlier.items() if verdict == "rejected" and name not in now)


def decide(cohort, subject_id, verdict, note="", *, by=""):
    """Write down a decision; it is on the disk when this returns.

    Args:
        cohort: an open `Cohort`.
        subject_id: whom it is about.
        verdict: `"accepted"`, `"rejected"` or `"undecided"`.
        note: why, up to 2000 characters.
        by: who decides.

    Returns:
        `Decision`.

    Raises:
        InputError: no such subject or verdict, the note is too long, or the journal cannot be written.
    """
    cohort.subject(subject_id)
    try:
        decision = Decision(
            subject=subject_id, verdict=verdict, note=note.strip(), by=by, cohort=cohort.fingerprint,
            made=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"subject {subject_id!r}: {first['loc'][0]}: {first['msg']}") from error
    _append(decisions_path(cohort.path), decision.model_dump_json())
    return decision


def warn_of_rejected(rejected):
    """Warn that subjects are left out because they were rejected, by name; nothing if nobody is.

    Args:
        rejected: ids.
    """
    if not rejected:
        return
    names = ", ".join(sorted(rejected)[:_MOST_NAMED])
    more = f" and {len(rejected) - _MOST_NAMED} more" if len(rejected) > _MOST_NAMED else ""
    number = f"{len(rejected)} subject{'s are' if len(rejected) > 1 else ' is'}"
    warnings.warn(f"{number} left out, rejected in quality control: {names}{more}", stacklevel=3)


def _lines(path):
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); decisions on the cohort are in it") from error
    for line in text.splitlines():
        try:
            yield Decision.model_validate_json(line)
        except ValidationError:  # a line that a crash cut off
            continue


def _append(path, line):
    """One write of one line, on the disk before it returns; it begins a line of its own whatever was there before."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            written = os.write(descriptor, f"\n{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(
            f"{path}: the decision could not be stored ({error.strerror}); free space or rights"
        ) from error
    if written < len(line):
        raise InputError(f"{path}: the decision could not be stored whole; is the disk full?")
