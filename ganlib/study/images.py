"""From runs to a pool of images, and from a trial list to pixels."""

import hashlib

from ganlib.errors import InputError
from ganlib.study.draw import ImagePool
from ganlib.study.rendering import intensity_step, render, trimmed
from ganlib.study.trials import RunSource


def image_pool(runs, cohort, design):
    """The images that a study of these runs can be drawn from.

    Args:
        runs: list of `ganlib.runs.Run`, all translated, on one cohort and pair of contrasts.
        cohort: their open `Cohort`.
        design: `StudyDesign`.

    Returns:
        `ImagePool`; subjects with fewer slices than the design asks for are left out, and of a person who was scanned
        several times the later ones.

    Raises:
        InputError: a run has no translations.
    """
    translated = [set(run.synthetic_ids(direction)) for run in runs for direction in run.directions]
    slices = {subject.id: _slices(len(subject.slice_indices), design) for subject in cohort.subjects}
    usable = [subject_id for subject_id in _one_per_person(cohort) if slices[subject_id]]
    labels = [run.label for run in runs]
    return ImagePool(
        runs=tuple(
            RunSource(
                name=run.name, folder=str(run.folder.resolve()), seed=run.config.seed,
                method=run.label if labels.count(run.label) == 1 else f"{run.label} ({run.name})",
            ) for run in runs
        ),
        contrasts=runs[0].config.contrasts,
        synthetic_subjects=tuple(name for name in usable if all(name in names for names in translated)),
        real_subjects=tuple(name for name in usable if cohort.subject(name).split in design.real_from),
        slices=slices,
    )  # fmt: skip


def require_one_cohort(runs):
    """Raise `InputError` unless there are runs, all of one cohort and one pair of contrasts, and no run twice."""
    if not runs:
        raise InputError("no run to show; give at least one translated run")
    for index, run in enumerate(runs):
        names = f"{runs[0].folder} and {run.folder}"
        if run.config.cohort_fingerprint != runs[0].config.cohort_fingerprint:
            raise InputError(f"{names} were trained on different cohorts; show runs of one cohort in a study")
        if set(run.config.contrasts) != set(runs[0].config.contrasts):
            raise InputError(f"{names} translate different contrasts; show runs of one pair in a study")
        if run.folder.resolve() in [other.folder.resolve() for other in runs[:index]]:
            raise InputError(f"{run.folder} is given twice; give every run once")


def render_images(trials, runs, cohort):
    """Pixels of all images of a trial list.

    Args:
        trials: `TrialList`.
        runs: the runs that it was drawn from, in the same order.
        cohort: their open `Cohort`.

    Returns:
        List of uint8 arrays (height, width), one per image, in order.

    Raises:
        InputError: an image cannot be shown; run, subject and contrast are named.
    """
    by_name = {source.name: run for source, run in zip(trials.runs, runs, strict=True)}
    return [_render(image, trials, by_name, cohort) for image in trials.images]


def pixel_hash(pixels):
    """SHA-256 of an image's pixels (hexadecimal)."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def _one_per_person(cohort):
    people = {}
    for subject in cohort.subjects:
        people.setdefault(subject.person or ("subject", subject.id), subject.id)
    return list(people.values())


def _slices(number, design):
    """Indices of slices spread evenly over a subject; one is the middle one."""
    wanted = design.slices_per_subject
    return tuple((2 * index + 1) * number // (2 * wanted) for index in range(wanted)) if number >= wanted else ()


def _render(image, trials, runs, cohort):
    real = cohort.images(image.subject, image.contrast)[image.slice_index]
    shown = real if image.kind == "real" else _synthetic(runs[image.run], image)
    mask = trimmed(cohort.mask(image.subject)[image.slice_index], trials.design.trim_px)
    try:
        return render(
            shown, mask=mask, intensity_range=cohort.ranges[image.contrast],
            window=trials.design.window, step=intensity_step(real),
        )  # fmt: skip
    except ValueError as error:
        where = runs[image.run].folder if image.run else cohort.path
        raise InputError(
            f"{where}: subject {image.subject}, {image.contrast}, slice {image.slice_index}: {error}"
        ) from error


def _synthetic(run, image):
    [direction] = [direction for direction in run.directions if direction.target == image.contrast]
    return run.synthetic(image.subject, direction)[image.slice_index]
