"""First ratings of a study as arrays: who gave which image which rating. What the statistics are made from."""

from dataclasses import dataclass

import numpy as np

from ganlib.study.measures import RATINGS


@dataclass(frozen=True)
class Ratings:
    """Ratings of some images (or pairs) by some raters; hidden repeats and practice are left out.

    Args:
        raters: pseudonyms.
        images: numbers of the images in the trial list; of a pair, the synthetic one.
        cells: kind, method and contrast of each image, list of tuples.
        values: float array (raters, images), 1 to 6; NaN where a rater has not rated an image.
        is_signal: bool array (raters, images): whether the image is real (the right one of the pair is).
        pairs: whether they are pairs.
    """

    raters: tuple[str, ...]
    images: tuple[int, ...]
    cells: tuple[tuple[str, str, str], ...]
    values: np.ndarray
    is_signal: np.ndarray
    pairs: bool = False

    def counted(self):
        """How often each rater gave each rating to noise and signal, image by image: (images, raters, 2, 6)."""
        rated = np.isfinite(self.values)
        counts = np.zeros((len(self.images), len(self.raters), 2, RATINGS))
        rater, image = np.nonzero(rated)
        counts[image, rater, self.is_signal[rated].astype(int), self.values[rated].astype(int) - 1] = 1
        return counts

    def of(self, chosen):
        """The same for some images only.

        Args:
            chosen: function from a cell to whether it is wanted.
        """
        return self._at([index for index, cell in enumerate(self.cells) if chosen(cell)])

    def complete(self):
        """The same for the images that every rater has rated."""
        return self._at(np.flatnonzero(np.isfinite(self.values).all(0)).tolist())

    def _at(self, places):
        return Ratings(
            self.raters, tuple(self.images[place] for place in places), tuple(self.cells[place] for place in places),
            self.values[:, places], self.is_signal[:, places], self.pairs,
        )  # fmt: skip


def first_ratings(table, trials, raters=None):
    """Arrays of the counted answers' first showings.

    Args:
        table: as from `answers_table`.
        trials: the study's `TrialList`.
        raters: whose answers; default everybody who has counted ones.

    Returns:
        `Ratings`.
    """
    first = table[~table["practice"].astype(bool) & (table["showing"] == 1)]
    raters = tuple(raters if raters is not None else dict.fromkeys(first["rater"]))
    numbers = sorted({trials.subject_image(trial) for trial in trials.trials})
    row_of, column_of = ({name: index for index, name in enumerate(names)} for names in (raters, numbers))
    values = np.full((len(raters), len(numbers)), np.nan)
    signal = np.zeros(values.shape, bool)
    for answer in first[first["rater"].isin(raters)].itertuples():
        place = row_of[answer.rater], column_of[answer.image]
        values[place], signal[place] = answer.rating, answer.truth in ("real", "right")
    cells, pairs = tuple(trials.images[number].cell for number in numbers), trials.design.mode == "two_alternative"
    return Ratings(raters, tuple(numbers), cells, values, signal, pairs)
