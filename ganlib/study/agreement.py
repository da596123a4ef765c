"""Do raters agree with themselves, and with each other?"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganlib.study.measures import RATINGS, fleiss_kappa, wilson_interval


@dataclass(frozen=True)
class Reliability:
    """How often the same answer was given to a hidden repeat.

    Args:
        same: share of the repeats that were answered alike; NaN where there is none.
        low: lower end of its 95 % interval (Wilson's; over raters from three on), or NaN.
        high: upper end.
        kappa: Cohen's κ of first and second answer, all raters together; NaN where one answer only was given.
        repeats: number of repeats.
    """

    same: float
    low: float
    high: float
    kappa: float
    repeats: int


@dataclass(frozen=True)
class Agreement:
    """Fleiss' κ between raters: 1 is complete agreement, 0 what chance gives.

    Args:
        kappa: NaN with fewer than two raters, or where one answer only was given.
        low: lower end of the 95 % interval over images (jackknife), for these raters.
        high: upper end.
        raters: number of raters.
        images: number of images that all of them have rated.
    """

    kappa: float
    low: float
    high: float
    raters: int
    images: int


def reliability(table):
    """Agreement of raters with themselves, from the hidden repeats.

    In a pair the sides are exchanged when it comes again, hence `alike` means that the same image was chosen.

    Args:
        table: counted answers, as from `StudyResults.counted`.

    Returns:
        `Reliability`.
    """
    index = ["rater", "image"]
    both = table.pivot_table(index=index, columns="showing", values="correct", aggfunc="first")
    both = both.reindex(columns=[1, 2]).dropna().astype(bool)
    if both.empty:
        return Reliability(np.nan, np.nan, np.nan, np.nan, 0)
    same = both[1] == both[2]
    low, high = _interval(same.groupby(level="rater").agg(["sum", "size"]).to_numpy(float))
    # Whether the image was taken for real: the truth of an image is the same both times.
    real = _is_real(table).reindex(both.index).to_numpy(bool)
    first, second = (both[showing].to_numpy(bool) == real for showing in (1, 2))
    return Reliability(float(same.mean()), low, high, _cohen(first, second), len(same))


def agreement(ratings):
    """Agreement between raters on the images that all of them have rated.

    Args:
        ratings: `Ratings`.

    Returns:
        `Agreement`.
    """
    chosen = ratings.complete()
    raters, images = chosen.values.shape
    if raters < 2 or images < 2:
        return Agreement(np.nan, np.nan, np.nan, raters, images)
    real = chosen.values > RATINGS // 2
    if chosen.pairs:
        real = real == chosen.is_signal  # whether the real image was chosen, whichever its side
    votes = np.stack([real.sum(0), (~real).sum(0)], axis=1)
    kappa = fleiss_kappa(votes)
    left_out = np.array([fleiss_kappa(np.delete(votes, image, axis=0)) for image in range(images)])
    half = stats.t.ppf(0.975, images - 1) * np.sqrt((images - 1) / images * ((left_out - left_out.mean()) ** 2).sum())
    return Agreement(kappa, float(kappa - half), float(min(kappa + half, 1)), raters, images)


def _is_real(table):
    """Whether the image is real; of a pair, always: what counts is whether the real one was chosen."""
    truth = table[table["showing"] == 1].set_index(["rater", "image"])["truth"]
    return truth != "synthetic"


def _interval(per_rater):
    """Wilson's interval of a pooled share, with the number of trials that has the variance between raters."""
    alike, trials = per_rater.T
    share, number = alike.sum() / trials.sum(), trials.sum()
    raters = len(per_rater)
    if raters >= 3:
        variance = np.sum((alike - share * trials) ** 2) * raters / (raters - 1) / number**2
        floor = share * (1 - share) / number
        quantile = stats.t.ppf(0.975, raters - 1)
        if variance > floor > 0:
            return wilson_interval(share, share * (1 - share) / variance, float(quantile))
    return wilson_interval(share, number)


def _cohen(first, second):
    """Cohen's κ of two lists of yes and no. Source: Cohen 1960, Educ. and Psychological Measurement 20(1):37."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    observed = np.mean(first == second)
    chance = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    return float((observed - chance) / (1 - chance)) if chance < 1 else float("nan")
