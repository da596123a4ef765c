"""Splits: which subjects train, validate and test. Always by subject, and by family where there are families."""

import numpy as np

from ganlib.errors import InputError


def split_subjects(subject_ids, *, validation, test, seed, families=None):
    """Divide subjects into training, validation and test, keeping every family together.

    Families are shuffled and dealt to the test part, then to the validation part, until each has at least the number
    asked for; the rest trains.

    Args:
        subject_ids: list of distinct ids.
        validation: number of validation subjects (int), or fraction of all (float below 1).
        test: number of test subjects (int), or fraction of all (float below 1).
        seed: seed of the shuffle.
        families: dictionary from subject id to family, or None where everybody is unrelated.

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
    parts = {}
    for name, number in wanted.items():
        taken = 0
        while taken < number and members:
            group = members.pop()
            taken += len(group)
            parts.update(dict.fromkeys(group, name))
        if taken < number:
            raise _too_few(subject_ids, groups, wanted)
    if not members:
        raise _too_few(subject_ids, groups, wanted)
    parts.update({subject_id: "train" for group in members for subject_id in group})
    return parts


def _count(part, total):
    return round(part * total) if isinstance(part, float) and part < 1 else int(part)


def _too_few(subject_ids, groups, wanted):
    return InputError(
        f"{len(subject_ids)} subjects in {len(groups)} families are too few for {wanted['validation']} validation, "
        f"{wanted['test']} test and at least 1 training subject; add subjects or lower `validation` and `test`"
    )
