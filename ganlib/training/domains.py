"""Who trains which contrast: everybody, a half each, lists that are given, or subjects drawn by prevalence of lesions.

Both domains of a cohort can so be biased on purpose, as Cohen, Luck & Honari 2018 (arXiv:1805.08841) did: healthy
subjects in one contrast and patients in the other.
"""

from ganlib.cohort.prevalence import draw_by_prevalence, with_lesion
from ganlib.cohort.split import split_subjects
from ganlib.errors import InputError


def training_domains(cohort, contrasts, settings, *, paired):
    """Training subjects of each contrast.

    Args:
        cohort: the open cohort.
        contrasts: domains A and B.
        settings: `TrainingSettings`.
        paired: whether the method learns from pairs, and so needs the same subjects in both contrasts.

    Returns:
        Dictionary from contrast to ids, or None where every training subject is in both.

    Raises:
        InputError: the settings do not go together, with the method or with the cohort.
    """
    if settings.subjects is not None and settings.prevalence is not None:
        raise InputError("settings `subjects` and `prevalence` both say who trains; leave one of them out")
    _require_no_contradiction(settings, paired)
    if settings.subjects is not None:
        return _given(cohort, contrasts, settings, paired=paired)
    if settings.prevalence is not None:
        return _drawn(cohort, contrasts, settings, paired=paired)
    return halves(cohort, contrasts, settings.seed) if settings.unpaired else None


def are_apart(domains):
    """True if no subject was seen in both contrasts."""
    if domains is None:
        return False
    a, b = domains.values()
    return not set(a) & set(b)


def halves(cohort, contrasts, seed):
    """Training subjects of each contrast: two halves without a subject, or a family, in common."""
    ids = cohort.ids("train")
    families = {subject_id: cohort.subject(subject_id).family for subject_id in ids}
    if len({families[subject_id] or subject_id for subject_id in ids}) < 2:
        raise InputError(f"{cohort.path}: unpaired training needs two unrelated training subjects at least")
    parts = split_subjects(ids, validation=0, test=len(ids) // 2, seed=seed, families=families)
    return {
        contrast: [subject_id for subject_id in ids if parts[subject_id] == part]
        for contrast, part in zip(contrasts, ("train", "test"), strict=True)
    }


def _require_no_contradiction(settings, paired):
    if settings.unpaired and paired:
        raise InputError(
            f"method {settings.method!r} learns from pairs, and `unpaired` leaves none; "
            "use cyclegan or unit, or leave `unpaired` out"
        )


def _drawn(cohort, contrasts, settings, *, paired):
    """Lists by prevalence: one list for pairs, two without a subject or family in common for everything else."""
    shares = settings.prevalence
    _require_contrasts("prevalence", shares, contrasts)
    ids = cohort.ids("train")
    affected = with_lesion(cohort, ids, settings.lesion)
    families = {subject_id: cohort.subject(subject_id).family for subject_id in ids}
    wanted = [shares[contrast] for contrast in contrasts]
    if not paired:
        drawn = draw_by_prevalence(affected, wanted, seed=settings.seed, families=families)
        return dict(zip(contrasts, drawn, strict=True))
    if wanted[0] != wanted[1]:
        raise InputError(
            f"prevalence {_in_words(shares)}: method {settings.method!r} learns from pairs, and a pair shows one "
            "subject; give both contrasts the same prevalence, or use cyclegan or unit"
        )
    [drawn] = draw_by_prevalence(affected, wanted[:1], seed=settings.seed)
    return dict.fromkeys(contrasts, drawn)


def _given(cohort, contrasts, settings, *, paired):
    """Lists from the settings, checked against the cohort."""
    _require_contrasts("subjects", settings.subjects, contrasts)
    training = set(cohort.ids("train"))
    for contrast, ids in settings.subjects.items():
        where = f"setting `subjects`, {contrast}"
        strangers = [subject_id for subject_id in ids if subject_id not in training]
        if strangers:
            raise InputError(f"{where}: {strangers[0]!r} is no training subject of {cohort.path}; take it out")
        if not ids or len(set(ids)) < len(ids):
            raise InputError(f"{where}: {'a subject is there twice' if ids else 'nobody is there'}; name each once")
    domains = {contrast: list(settings.subjects[contrast]) for contrast in contrasts}
    a, b = domains.values()
    if paired and a != b:
        raise InputError(
            f"setting `subjects`: method {settings.method!r} learns from pairs, so that both contrasts need the same "
            "subjects in the same order; use cyclegan or unit for lists that differ"
        )
    if settings.unpaired and not are_apart(domains):
        raise InputError("setting `subjects`: a subject is in both contrasts, which `unpaired` forbids; leave one out")
    return domains


def _require_contrasts(setting, values, contrasts):
    if set(values) != set(contrasts):
        has = ", ".join(values) or "no contrast"
        raise InputError(f"setting `{setting}` is of {has}; give it for {' and '.join(contrasts)}")


def _in_words(shares):
    return ", ".join(f"{contrast} {share:g}" for contrast, share in shares.items())
