"""Drawing a trial list: subjects are dealt to real, synthetic and practice images, and every constraint is met."""

from dataclasses import dataclass

import numpy as np

from ganlib.errors import InputError
from ganlib.study.design import require_methods
from ganlib.study.trials import RunSource, StudyImage, Trial, TrialList


@dataclass(frozen=True)
class ImagePool:
    """The images that a study can be drawn from.

    Args:
        runs: the runs as they will be recorded; the methods' names are distinct.
        contrasts: names of both contrasts.
        synthetic_subjects: ids of the subjects that every run has translated in both directions.
        real_subjects: ids of the subjects whose real images may be shown.
        slices: per subject, indices of the slices to choose from, all equally many.
    """

    runs: tuple[RunSource, ...]
    contrasts: tuple[str, ...]
    synthetic_subjects: tuple[str, ...]
    real_subjects: tuple[str, ...]
    slices: dict[str, tuple[int, ...]]


def draw_trials(design, pool, **recorded):
    """Draw a trial list.

    Real and synthetic images come from different subjects, practice images from yet others; real and synthetic
    subjects are shown equally often, so that seeing a brain again tells nothing.

    Args:
        design: `StudyDesign`.
        pool: `ImagePool`.
        recorded: the other fields of `TrialList`.

    Returns:
        `TrialList`, checked; its images have no hash yet.

    Raises:
        InputError: there are too few subjects (the message says how many are needed), or the number of methods is not
            that of the preset.
    """
    methods = [run.method for run in pool.runs]
    require_methods(design, methods)
    rng = np.random.default_rng(design.seed)
    demands = _demands(design, methods, pool.contrasts, rng)
    per_subject = _images_per_subject(design, demands, pool)
    groups = _deal(demands, per_subject, pool, rng)
    images = [image for group in groups.values() for image in group]
    ends = np.cumsum([len(group) for group in groups.values()])
    numbers = {name: np.arange(end - len(group), end) for (name, group), end in zip(groups.items(), ends, strict=True)}
    build = _pairs if design.mode == "two_alternative" else _singles
    trials = build(images, numbers["real"], numbers["synthetic"], rng)
    drawn = TrialList(
        design=design, contrasts=pool.contrasts, runs=pool.runs, images=images,
        practice=build(images, numbers["practice real"], numbers["practice synthetic"], rng),
        trials=[*trials, *_repeats(trials, images, design, rng)], **recorded,
    )  # fmt: skip
    drawn.check()
    return drawn


def subjects_needed(design, num_methods, images_per_subject):
    """Number of different subjects that each part of a study needs.

    Args:
        design: `StudyDesign`.
        num_methods: number of methods.
        images_per_subject: images shown of one subject.

    Returns:
        Dictionary: `real` and `synthetic`, practice included.
    """
    demands = _demands(design, [str(index) for index in range(num_methods)], ("A", "B"), np.random.default_rng(0))
    return _needed(demands, images_per_subject)


def _demands(design, methods, contrasts, rng):
    """What is to be shown: per group a list of (method or None, contrast), the contrasts taking turns."""
    synthetic, practice = design.synthetic_per_cell, design.practice
    pairs = design.mode == "two_alternative"
    practised = practice if pairs else practice // 2
    queues = [rng.permutation(np.repeat(methods, synthetic)) for _ in contrasts]
    order = rng.permutation(methods)
    return {
        "real": [(None, contrast) for contrast in contrasts] * design.real_images_per_contrast(len(methods)),
        "synthetic": [(str(method), contrast) for turn in zip(*queues, strict=True)
                      for method, contrast in zip(turn, contrasts, strict=True)],
        "practice real": [(None, contrasts[turn % 2]) for turn in range(practice if pairs else practice - practised)],
        "practice synthetic": [(str(order[turn // 2 % len(order)]), contrasts[turn % 2]) for turn in range(practised)],
    }  # fmt: skip


def _needed(demands, per_subject):
    counts = {name: -(-len(group) // per_subject) for name, group in demands.items()}
    return {kind: counts[kind] + counts[f"practice {kind}"] for kind in ("real", "synthetic")}


def _images_per_subject(design, demands, pool):
    """The fewest images per subject with which the subjects suffice."""
    most = len(pool.contrasts) * design.slices_per_subject
    tried = [design.images_per_subject] if design.images_per_subject else range(1, most + 1)
    if max(tried) > most:
        raise InputError(
            f"design 'images_per_subject': {max(tried)} is more than {len(pool.contrasts)} contrasts × "
            f"{design.slices_per_subject} slices; raise `slices_per_subject` or lower it to {most}"
        )
    for per_subject in tried:
        needed = _needed(demands, per_subject)
        together = set(pool.synthetic_subjects) | set(pool.real_subjects)
        enough = needed["synthetic"] <= len(pool.synthetic_subjects) and sum(needed.values()) <= len(together)
        if enough and needed["real"] <= len(pool.real_subjects):
            return per_subject
    raise _too_few(design, pool, needed, max(tried))


def _too_few(design, pool, needed, per_subject):
    have, pooled = len(pool.synthetic_subjects), len(set(pool.synthetic_subjects) | set(pool.real_subjects))
    return InputError(
        f"too few subjects: with {per_subject} images of each the study needs {sum(needed.values())}, "
        f"{needed['synthetic']} of them translated by every run for the synthetic images and {needed['real']} others "
        f"for the real ones; there are {have} translated and {pooled} in all. Lower `synthetic_per_cell`, "
        f"`real_per_contrast` or `practice`, or take real images from more splits than {', '.join(design.real_from)} "
        "(`real_from`)"
    )


def _deal(demands, per_subject, pool, rng):
    """Images of each group, every subject in one group only.

    Synthetic groups choose first, since they can only take translated subjects, and among these first the ones that
    the real groups cannot take.
    """
    shuffled = rng.permutation(pool.synthetic_subjects).tolist()
    free = {"synthetic": sorted(shuffled, key=lambda subject: subject in pool.real_subjects)}
    groups = {name: _take(demands[name], per_subject, free["synthetic"], pool, rng)
              for name in ("synthetic", "practice synthetic")}  # fmt: skip
    taken = {image.subject for group in groups.values() for image in group}
    rest = [subject for subject in rng.permutation(pool.real_subjects).tolist() if subject not in taken]
    return groups | {name: _take(demands[name], per_subject, rest, pool, rng) for name in ("real", "practice real")}


def _take(wanted, per_subject, free, pool, rng):
    """Images of one group; their subjects are taken off the front of the list of free ones."""
    shares = [wanted[start : start + per_subject] for start in range(0, len(wanted), per_subject)]
    subjects, free[:] = free[: len(shares)], free[len(shares) :]
    return [image for subject, share in zip(subjects, shares, strict=True)
            for image in _subject_images(subject, share, pool, rng)]  # fmt: skip


def _subject_images(subject, wanted, pool, rng):
    """Images of one subject; a contrast that is wanted again is shown at another slice."""
    runs = {run.method: run.name for run in pool.runs}
    slices = rng.permutation(pool.slices[subject])
    shown = dict.fromkeys(pool.contrasts, 0)
    for method, contrast in wanted:
        yield StudyImage(
            kind="synthetic" if method else "real", subject=subject, contrast=contrast,
            slice_index=int(slices[shown[contrast]]), method=method, run=runs[method] if method else None,
        )  # fmt: skip
        shown[contrast] += 1


def _singles(images, real, synthetic, rng):
    return [Trial(images=(int(number),)) for number in rng.permutation([*real, *synthetic])]


def _pairs(images, real, synthetic, rng):
    """Each synthetic image beside a real one of its contrast, which is on the left in half of the pairs of a cell."""
    waiting, left_next, trials = {}, {}, []
    for number in rng.permutation(real):
        waiting.setdefault(images[number].contrast, []).append(int(number))
    for number in rng.permutation(synthetic):
        image = images[number]
        pair = (waiting[image.contrast].pop(), int(number))
        real_is_left = left_next.get(image.cell, bool(rng.integers(2)))
        left_next[image.cell] = not real_is_left
        trials.append(Trial(images=pair if real_is_left else pair[::-1]))
    return trials


def _repeats(trials, images, design, rng):
    """Repeated trials, from every cell in proportion; a pair comes back with its sides exchanged."""
    count = round(design.repeats * len(trials))
    by_cell = sorted(trials, key=lambda trial: sorted(images[number].cell for number in trial.images))
    places = (np.arange(count) + rng.random()) * len(trials) / max(count, 1)
    return [Trial(images=by_cell[int(place)].images[::-1]) for place in places]
