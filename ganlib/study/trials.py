"""The trial list: which images a study shows, in which trials. Fixed, saved and hashed before the first answer."""

import hashlib
import itertools
import re
from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from ganlib.study.design import StudyDesign

#: An image and its hidden repeat are at least this many trials apart, fewer in a very short study.
MIN_LAG = 10
#: Where a run lies, in a stored trial list. A quotation mark within a name is escaped, so that nothing else is meant.
_FOLDER = re.compile(r'"folder":"(?:[^"\\]|\\.)*"')


class StudyImage(BaseModel):
    """One image of a study. Nothing of this ever reaches a rater but the pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["real", "synthetic"]
    subject: str
    contrast: str
    slice_index: NonNegativeInt
    method: str | None = None
    run: str | None = None
    sha256: str | None = None

    @property
    def cell(self):
        """Kind, method and contrast: what a study is balanced over."""
        return (self.kind, self.method or "", self.contrast)


class Trial(BaseModel):
    """One question: the number of an image, or of the left and the right image of a pair."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: tuple[NonNegativeInt, ...]


class RunSource(BaseModel):
    """The run that synthetic images came from; where it lay (`folder`) is no part of the study's fingerprint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    method: str
    folder: str
    seed: int


class TrialList(BaseModel):
    """Everything that is decided before the first answer. Saved as JSON, of which the study has its `fingerprint`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    design: StudyDesign
    cohort: str
    cohort_fingerprint: str
    phantom: bool
    contrasts: tuple[str, ...]
    windows: dict[str, tuple[float, float]]
    image_shape: tuple[PositiveInt, PositiveInt]
    pixel_mm: tuple[float, float]
    runs: tuple[RunSource, ...]
    images: tuple[StudyImage, ...]
    practice: tuple[Trial, ...]
    trials: tuple[Trial, ...]

    @property
    def methods(self):
        """Names of the methods in print, in the order of the runs."""
        return tuple(run.method for run in self.runs)

    @property
    def num_steps(self):
        """Practice and counted trials together."""
        return len(self.practice) + len(self.trials)

    def trial(self, step, order):
        """The trial at a step of a rater, practice first.

        Args:
            step: 0 for the first practice trial.
            order: the rater's order of the counted trials, from `order`.
        """
        practice = len(self.practice)
        return self.practice[step] if step < practice else self.trials[order[step - practice]]

    def is_practice(self, step):
        """Whether a step is a practice trial."""
        return step < len(self.practice)

    def truth(self, trial):
        """The right answer: `real` or `synthetic`, or for a pair the side of the real image, `left` or `right`."""
        kinds = [self.images[number].kind for number in trial.images]
        return kinds[0] if len(kinds) == 1 else ("left", "right")[kinds.index("real")]

    def subject_image(self, trial):
        """The image that a trial is counted under: the image itself, or the synthetic one of a pair."""
        kinds = {self.images[number].kind: number for number in trial.images}
        return kinds.get("synthetic", trial.images[0])

    def order(self, rater_number):
        """A rater's own order of the counted trials: the same whenever and wherever it is asked for.

        Every cell is spread over the whole session, so that methods are interleaved and neither learning nor fatigue
        favours one; an image and its repeat are `MIN_LAG` trials apart. It rests on SHA-256 and not on a library's
        random numbers, whose sequence may change between versions while a study is running.

        Args:
            rater_number: 1 for the first rater.

        Returns:
            List of indices into `trials`.
        """
        lag = min(MIN_LAG, len(self.trials) // 6)
        tries = (self._spread(f"{self.design.seed}/{rater_number}/{attempt}") for attempt in itertools.count())
        shown = [frozenset(trial.images) for trial in self.trials]
        return next(order for order in tries if _repeats_are_apart([shown[index] for index in order], lag))

    def _spread(self, key):
        """Each cell's trials in random order, one at a random place in each equal part of the session."""
        cells = {}
        for index, trial in enumerate(self.trials):
            cells.setdefault(self.images[self.subject_image(trial)].cell, []).append(index)
        places = {}
        for members in cells.values():
            shuffled = sorted(members, key=lambda index: _uniform(f"{key}/order/{index}"))
            for rank, index in enumerate(shuffled):
                places[index] = (rank + _uniform(f"{key}/place/{index}")) / len(members)
        return sorted(places, key=places.get)

    def check(self):
        """Raise `ValueError` if a constraint of the design does not hold; the message says which."""
        for problem in _problems(self):
            raise ValueError(f"trial list: {problem}")


def fingerprint(text):
    """SHA-256 of a trial list as it is stored (hexadecimal), but for the folders of its runs.

    One draw has one fingerprint, on whatever machine and wherever its runs lie.

    Args:
        text: the list as JSON, from `TrialList.model_dump_json`.
    """
    return _sha256(_FOLDER.sub('"folder":""', text))


def is_unchanged(text, stored):
    """Whether a stored trial list still has the fingerprint that was stored with it.

    Args:
        text: the list as JSON.
        stored: its fingerprint; that of the whole text counts too, which the first studies have.
    """
    return stored in (fingerprint(text), _sha256(text))


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _uniform(key):
    """A number in [0, 1) that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56


def _repeats_are_apart(shown, lag):
    last = {}
    for position, images in enumerate(shown):
        if position - last.get(images, -lag) < lag:
            return False
        last[images] = position
    return True


def _problems(trials):
    main = [trials.images[number] for number in sorted({n for trial in trials.trials for n in trial.images})]
    practice = [trials.images[number] for trial in trials.practice for number in trial.images]
    by_kind = {kind: {image.subject for image in main if image.kind == kind} for kind in ("real", "synthetic")}
    both = by_kind["real"] & by_kind["synthetic"]
    if both:
        yield f"subject {min(both)} is shown both real and synthetic"
    again = {image.subject for image in practice} & {image.subject for image in main}
    if again:
        yield f"subject {min(again)} is shown in practice, where its kind is told, and counted later"
    yield from _imbalances(trials, Counter(image.cell for image in main))
    repeated = Counter(frozenset(trial.images) for trial in trials.trials)
    if max(repeated.values()) > 2:
        yield "an image is shown more than twice"
    wanted = round(trials.design.repeats * len(repeated))
    if len(trials.trials) - len(repeated) != wanted:
        yield f"{len(trials.trials) - len(repeated)} trials are repeated, not {wanted}"
    if len(trials.practice) != trials.design.practice:
        yield f"{len(trials.practice)} practice trials, not {trials.design.practice}"
    if trials.design.mode == "two_alternative":
        yield from _pair_problems(trials)


def _imbalances(trials, counts):
    design, methods = trials.design, trials.methods
    for contrast in trials.contrasts:
        wanted = {("real", "", contrast): design.real_images_per_contrast(len(methods))}
        wanted |= {("synthetic", method, contrast): design.synthetic_per_cell for method in methods}
        for cell, number in wanted.items():
            if counts[cell] != number:
                yield f"{counts[cell]} images of {' '.join(filter(None, cell))}, not {number}"


def _pair_problems(trials):
    sides = Counter()
    for trial in (*trials.practice, *trials.trials):
        pair = [trials.images[number] for number in trial.images]
        if sorted(image.kind for image in pair) != ["real", "synthetic"]:
            yield "a pair is not one real and one synthetic image"
        if len({image.contrast for image in pair}) != 1:
            yield "a pair is of two contrasts"
    for trial in trials.trials[: len({frozenset(trial.images) for trial in trials.trials})]:
        sides[trials.images[trials.subject_image(trial)].cell, trials.truth(trial)] += 1
    for cell in {cell for cell, _ in sides}:
        if abs(sides[cell, "left"] - sides[cell, "right"]) > 1:
            yield f"the real image of {' '.join(filter(None, cell))} is more often on one side"
