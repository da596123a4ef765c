"""Which subjects have lesions, and training subjects drawn so that a stated share of them does."""

import numpy as np

from ganlib.errors import InputError


def lesion_code(cohort, lesion="lesion"):
    """Code of the lesion label of a cohort.

    Args:
        cohort: the open cohort.
        lesion: name of the label.

    Raises:
        InputError: the cohort has no such label; the message says which it has.
    """
    codes = [code for code, name in cohort.header.label_names.items() if name == lesion]
    if not codes:
        has = ", ".join(cohort.header.label_names.values()) or "none"
        remedy = "import a label map with it, or set `lesion_prevalence` of a phantom"
        raise InputError(f"{cohort.path}: no label {lesion!r} (labels: {has}); {remedy}")
    return codes[0]


def with_lesion(cohort, subject_ids, lesion="lesion"):
    """Which of some subjects have a lesion in their stored slices: dictionary from id to bool.

    Raises:
        InputError: the cohort has no such label.
    """
    code = lesion_code(cohort, lesion)
    return {subject_id: bool((cohort.labels(subject_id) == code).any()) for subject_id in subject_ids}


def draw_by_prevalence(affected, prevalences, *, seed, families=None):
    """Draw as many subjects as possible, so that a stated share of each list has lesions, to the nearest subject.

    The lists have the same length, and no subject or family in common.

    Args:
        affected: dictionary from subject id to whether it has a lesion.
        prevalences: share of the subjects with lesions in each list, 0 to 1.
        seed: seed of the draw.
        families: dictionary from subject id to family or None, or None where everybody is unrelated.

    Returns:
        A list of ids for each prevalence, in the order of `affected`.

    Raises:
        InputError: a prevalence is not between 0 and 1, or there are too few subjects with, or without, lesions.

    Example:
        >>> draw_by_prevalence({"a": True, "b": False, "c": True, "d": False}, [0, 1], seed=0)
        [['b', 'd'], ['a', 'c']]
    """
    for share in prevalences:
        if not 0 <= share <= 1:
            raise InputError(f"prevalence {share:g} is not a share of the subjects; give a number from 0 to 1")
    groups = _families(affected, families or {})
    np.random.default_rng(seed).shuffle(groups)
    for number in range(len(affected) // len(prevalences), 0, -1):
        drawn = _dealt(groups, affected, _quotas(prevalences, number))
        if drawn is not None:
            return [[subject_id for subject_id in affected if subject_id in members] for members in drawn]
    found = sum(affected.values())
    wanted = " and ".join(f"{100 * share:g} %" for share in prevalences)
    raise InputError(
        f"{found} training subjects with lesions and {len(affected) - found} without are too few for a prevalence of "
        f"{wanted}; make a cohort with both kinds, or choose another prevalence"
    )


def _families(affected, families):
    groups = {}
    for subject_id in affected:
        groups.setdefault(families.get(subject_id) or f"\0{subject_id}", []).append(subject_id)
    return list(groups.values())


def _quotas(prevalences, number):
    """Subjects with and without lesions that each list takes: list of {True: …, False: …}."""
    with_lesions = [int(share * number + 0.5) for share in prevalences]
    return [{True: wanted, False: number - wanted} for wanted in with_lesions]


def _dealt(groups, affected, quotas):
    """Deal families out until every quota is met: a set of ids for each, or None if one stays unmet."""
    drawn = [set() for _ in quotas]
    for group in groups:
        has = {kind: sum(affected[subject_id] == kind for subject_id in group) for kind in (True, False)}
        fits = [sum(min(has[kind], quota[kind]) for kind in has) for quota in quotas]
        chosen = int(np.argmax(fits))
        for subject_id in group:
            if quotas[chosen][affected[subject_id]] > 0:
                quotas[chosen][affected[subject_id]] -= 1
                drawn[chosen].add(subject_id)
    return drawn if not any(left for quota in quotas for left in quota.values()) else None
