"""The people who rate: what is kept of them, and what may stand for a name."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from ganlib.errors import InputError

#: What a rater may say of themselves, from least to most used to MR images.
EXPERIENCE = ("none", "student", "researcher", "radiographer", "radiologist")
#: Stands instead for a rater who is none: every result with one of these says so.
SIMULATED = "simulated"
_LONGEST_NAME = 80


class UnknownRaterError(InputError):
    """A token that belongs to no rater of the study. It is not meant where the database is in trouble."""


@dataclass(frozen=True)
class Rater:
    """One rater of a study.

    Args:
        id: key in the database.
        number: 1 for the first who joined; `pseudonym` is made of it.
        label: the name as given, with a number behind it where several have the same name. It may hold anything a
            person can type: escape it before it goes into a page.
        experience: one of `EXPERIENCE`, or `SIMULATED`.
        joined_utc: server's time.
    """

    id: int
    number: int
    label: str
    experience: str
    joined_utc: str

    @property
    def pseudonym(self):
        """`R01`: what stands for the rater wherever answers leave the database."""
        return f"R{self.number:02d}"


def token_hash(token):
    """What is stored of a token: its SHA-256 (hexadecimal)."""
    return hashlib.sha256(str(token).encode(errors="replace")).hexdigest()


def checked_name(given, what):
    """A name with single blanks; `InputError` if it is empty, too long, or holds what cannot be seen."""
    name = re.sub(r"\s+", " ", unicodedata.normalize("NFC", str(given))).strip()
    if not name:
        raise InputError(f"the {what} is empty; write at least one letter")
    if len(name) > _LONGEST_NAME:
        raise InputError(f"the {what} has {len(name)} characters; use at most {_LONGEST_NAME}")
    if not name.isprintable():
        raise InputError(f"the {what} holds a character that cannot be seen; use letters, digits and signs")
    return name


def distinct_labels(names):
    """Names, with a number behind those that occur again."""
    seen, labels = Counter(), []
    for name in names:
        seen[name.casefold()] += 1
        again = seen[name.casefold()]
        labels.append(f"{name} ({again})" if again > 1 else name)
    return labels
