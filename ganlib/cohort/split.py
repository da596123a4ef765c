"""Splits: which subjects train, validate and test. By person, by family or by site, dealt out or given."""

import csv
import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np

from ganlib import atomic
from ganlib.cohort.sources.people import read_table
from ganlib.errors import InputError

PARTS = ("train", "validation", "test")


def split_subjects(subject_ids, *, validation, test, seed, families=None, strata=None):
    """Divide subjects into training, validation and test, keeping every family together.

    Families are shuffled and dealt to the test part, then to the validation part, until each has at least the number
    asked for; the rest trains. With strata each of these two parts takes its share from every stratum.

    Args:
        subject_ids: list of distinct ids.
        validation: number of validation subjects (int), or fraction of all (float below 1).
        test: number of test subjects (int), or fraction of all (float below 1).
        seed: seed of the shuffle.
        families: dictionary from subject id to family, or None where everybody is unrelated.
        strata: dictionary from subject id to stratum, such as its site and sex; a family belongs to the stratum of
            most of its members. None for a single stratum.

    Returns:
        Dictionary from subject id to `"train"`, `"validation"` or `"test"`.

    Raises:
        InputError: fewer subjects (or families) than the split needs.

    Example:
        >>> sorted(split_subjects(["a", "b", "c"], validation=1, test=1, seed=0).values())
        ['test', 'train', 'validation']
    """
    wanted = {"test": _count(test, len(subject_ids)), "validation": _count(validation, len(subject_ids))}
    groups = {}
    for subject_id in sorted(subject_ids):
        groups.setdefault((families or {}).get(subject_id) or f"\0{subject_id}", []).append(subject_id)
    members = list(groups.values())
    np.random.default_rng(seed).shuffle(members)
    waiting, parts = _by_stratum(members, strata or {}), {}
    for name, number in wanted.items():
        dealt = _dealt(waiting, _quotas(waiting, number))
        parts.update(dict.fromkeys(dealt, name))
        if len(dealt) < number:
            raise _too_few(subject_ids, groups, wanted)
    rest = [subject_id for groups_left in waiting.values() for group in groups_left for subject_id in group]
    if not rest:
        raise _too_few(subject_ids, groups, wanted)
    return parts | dict.fromkeys(rest, "train")


def split_hash(parts):
    """Fingerprint of a split: SHA-256 over every id with its part, whatever their order.

    Args:
        parts: dictionary from subject id to part.

    Example:
        >>> split_hash({"a": "train", "b": "test"})[:12]
        '6ebb8558c2bb'
    """
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()


def write_split(path, parts):
    """Write a split to a file that `read_split` reads: JSON with its hash, or a table by the suffix `.csv` or `.tsv`.

    Args:
        path: the file to make or replace.
        parts: dictionary from subject id to part.

    Raises:
        InputError: the disk is full, or the file cannot be written.
    """
    if Path(path).suffix in (".csv", ".tsv"):
        text = io.StringIO()
        rows = csv.writer(text, delimiter="\t" if Path(path).suffix == ".tsv" else ",", lineterminator="\n")
        rows.writerows([("subject", "split"), *sorted(parts.items())])
        atomic.write_text(path, text.getvalue())
    else:
        record = {part: sorted(i for i, other in parts.items() if other == part) for part in PARTS}
        atomic.write_text(path, json.dumps({"hash": split_hash(parts), **record}, indent=1))


def read_split(path):
    """Read a split from a file: JSON as `write_split` and run folders have it, or a table with `subject` and `split`.

    Returns:
        Dictionary from subject id to part.

    Raises:
        InputError: the file is missing or unusable, a subject stands in two parts, or the hash in the file is another.
    """
    path = Path(path)
    pairs, written = _from_table(path) if path.suffix in (".csv", ".tsv") else _from_json(path)
    parts = {}
    for subject_id, part in pairs:
        if part not in PARTS:
            raise InputError(f"{path}: subject {subject_id!r}: part {part!r} is unknown; use {', '.join(PARTS)}")
        if parts.setdefault(subject_id, part) != part:
            raise InputError(f"{path}: subject {subject_id!r} stands in {parts[subject_id]} and in {part}; keep one")
    if written is not None and written != split_hash(parts):
        raise InputError(f"{path}: its hash is not that of its subjects, so it was changed; remove the hash if meant")
    return parts


def check_leakage(parts, subjects, *, by=None):
    """Refuse a split that has one person, one family or one site in two parts.

    Args:
        parts: dictionary from subject id to part.
        subjects: `SubjectFiles`.
        by: `"subject"` tolerates families in two parts, `"site"` refuses sites in two parts.

    Raises:
        InputError: naming two subjects and what they share.
    """
    for subject in subjects:
        if subject.id not in parts:
            raise InputError(f"import settings: split: subject {subject.id!r} is not in `split`; name every subject")
    _check_together(parts, {s.id: s.person for s in subjects}, "one person")
    if by != "subject":
        _check_together(parts, {s.id: s.family for s in subjects}, "one family")
    if by == "site":
        _check_together(parts, {s.id: s.site for s in subjects}, "one site")
    if "train" not in parts.values():
        raise InputError("import settings: split: no subject trains; give at least one the part 'train'")


def _check_together(parts, groups, what):
    first = {}
    for subject_id, group in groups.items():
        other = first.setdefault(group, subject_id)
        if group is not None and parts[other] != parts[subject_id]:
            raise InputError(
                f"import settings: split: {other!r} ({parts[other]}) and {subject_id!r} ({parts[subject_id]}) "
                f"are of {what}, {group!r}; put them in one part"
            )


def _by_stratum(members, strata):
    """Groups of each stratum, in the order in which they are dealt."""
    waiting = {}
    for group in members:
        counts = Counter(strata.get(subject_id) for subject_id in group)
        stratum = max(sorted(counts, key=repr), key=counts.get)
        waiting.setdefault(stratum, []).append(group)
    return dict(sorted(waiting.items(), key=lambda item: repr(item[0])))


def _quotas(waiting, number):
    """How many subjects of each stratum a part takes, by largest remainders."""
    sizes = {stratum: sum(map(len, groups)) for stratum, groups in waiting.items()}
    total = sum(sizes.values())
    if number >= total:
        return sizes
    exact = {stratum: number * size / total for stratum, size in sizes.items()}
    quotas = {stratum: int(share) for stratum, share in exact.items()}
    by_remainder = sorted(exact, key=lambda stratum: exact[stratum] - quotas[stratum], reverse=True)
    for stratum in by_remainder[: number - sum(quotas.values())]:
        quotas[stratum] += 1
    return quotas


def _dealt(waiting, quotas):
    """Take groups out of the strata until every quota is reached."""
    dealt = []
    for stratum, quota in quotas.items():
        taken = 0
        while taken < quota and waiting[stratum]:
            group = waiting[stratum].pop()
            taken += len(group)
            dealt += group
    return dealt


def _count(part, total):
    return round(part * total) if isinstance(part, float) and part < 1 else int(part)


def _too_few(subject_ids, groups, wanted):
    return InputError(
        f"{len(subject_ids)} subjects in {len(groups)} families are too few for {wanted['validation']} validation, "
        f"{wanted['test']} test and at least 1 training subject; add subjects or lower `validation` and `test`"
    )


def _from_table(path):
    columns, rows = read_table(path, "splits")
    for column in ("subject", "split"):
        if column not in columns:
            raise InputError(f"{path}: no column {column!r}; a split has the columns subject and split")
    return [(row["subject"], row["split"]) for row in rows], None


def _from_json(path):
    if not path.is_file():
        raise InputError(f"{path}: no such split; give an existing .json, .csv or .tsv file")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pairs = [(str(subject_id), part) for part in PARTS for subject_id in record.get(part, ())]
        return pairs, record.get("hash")
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not a split; give JSON with the lists {', '.join(PARTS)}, or a table") from error
