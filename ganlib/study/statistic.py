"""What is estimated from ratings, with its interval over raters and images, and the bootstrap of the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganlib.study import intervals, measures


@dataclass(frozen=True)
class Statistic:
    """A number of one rater's counts, and how its interval is formed.

    Args:
        name: key in tables.
        of: function from counts (…, 2, 6) to values (…).
        interval: function from `Spread` and the number of images to both ends.
        alone: function from the counts (2, 6) of a single rater to both ends of the interval, of which that of one or
            two raters is made; None where `interval` serves there too. The answers of one rater are independent, and
            need no estimate of what raters share.
    """

    name: str
    of: Callable
    interval: Callable
    alone: Callable | None = None


@dataclass(frozen=True)
class Estimate:
    """A mean over raters with its 95 % interval.

    Args:
        value: mean over raters; NaN where nobody can be taken.
        low: lower end, or NaN where there is none.
        high: upper end.
        raters: how many raters it rests on.
        images: how many images (pairs).
        scope: whom the interval holds for: `this rater`, `these raters` or `raters like these`.
    """

    value: float
    low: float
    high: float
    raters: int
    images: int
    scope: str


def _mean(spread, _):
    return intervals.mean_interval(spread)


def _area(spread, _):
    return intervals.area_interval(spread)


def _wilson_of(rate):
    return lambda counts: measures.wilson_interval(float(rate(counts)), counts.sum())


def _z_sum(*weights):
    return lambda counts: measures.z_sum_interval(counts, weights)


CALLED_REAL = Statistic(
    "called_real", measures.yes_rate, intervals.proportion_interval, alone=_wilson_of(measures.yes_rate)
)
ERROR_RATE = Statistic(
    "error_rate", measures.error_rate, intervals.proportion_interval, alone=_wilson_of(measures.error_rate)
)
D_PRIME = Statistic("d_prime", lambda counts: measures.d_prime(*measures.rates(counts)), _mean, _z_sum(1, -1))
CRITERION = Statistic(
    "criterion", lambda counts: measures.criterion(*measures.rates(counts)), _mean, _z_sum(-0.5, -0.5)
)
#: Of two alternatives: z(H) − z(F) is larger by √2, since both images are looked at.
#: Source: Macmillan & Creelman 2005, Detection Theory, 2nd edition, equation 7.2.
D_PRIME_PAIRS = Statistic(
    "d_prime", lambda counts: measures.d_prime(*measures.rates(counts)) / np.sqrt(2), _mean,
    _z_sum(np.sqrt(0.5), -np.sqrt(0.5)),
)  # fmt: skip
ROC_AREA = Statistic("roc_area", measures.roc_area, _area)


def estimate(statistic, ratings):
    """Mean of a statistic over raters, with its interval over raters and images.

    Raters for whom it cannot be had, since they have rated too few images, are left out. A single rater's proportion
    has Wilson's interval, and d′ and criterion have one from the rates of both answers (`measures.z_sum_interval`); of
    two raters both are pooled (`intervals.pooled_interval`).

    Args:
        statistic: `Statistic`.
        ratings: `Ratings`.

    Returns:
        `Estimate`.
    """
    counts, strata = ratings.counted(), _strata(ratings.cells)
    per_rater, left_out = _jackknife(statistic, counts, strata)
    usable = np.isfinite(per_rater) & np.all([np.isfinite(values).all(0) for values in left_out], axis=0)
    images = int((counts[:, usable].sum((1, 2, 3)) > 0).sum())
    if not usable.any():
        return Estimate(np.nan, np.nan, np.nan, 0, images, "")
    per_rater, left_out = per_rater[usable], [values[:, usable] for values in left_out]
    spread = intervals.crossed_spread(per_rater, left_out)
    if len(per_rater) < intervals.MIN_RATERS and statistic.alone is not None:
        low, high = _pooled(statistic, counts[:, usable].sum(0), per_rater, left_out)
    else:
        low, high = (float(end) for end in statistic.interval(spread, images))
    return Estimate(spread.mean, low, high, int(usable.sum()), images, spread.scope)


def difference(statistic, first, second):
    """First minus second, mean over the same raters, with its interval and p-value over raters and images.

    Args:
        statistic: `Statistic`.
        first: `Ratings` of some images.
        second: `Ratings` of other images by the same raters.

    Returns:
        `Estimate` of the difference, and its two-sided p-value (NaN where there is none).
    """
    parts = [_jackknife(statistic, ratings.counted(), _strata(ratings.cells)) for ratings in (first, second)]
    (of_first, without_first), (of_second, without_second) = parts
    per_rater = of_first - of_second
    left_out = [values - of_second for values in without_first] + [of_first - values for values in without_second]
    usable = np.isfinite(per_rater) & np.all([np.isfinite(values).all(0) for values in left_out], axis=0)
    images = len(first.images) + len(second.images)
    if not usable.any():
        return Estimate(np.nan, np.nan, np.nan, 0, images, ""), np.nan
    spread = intervals.crossed_spread(per_rater[usable], [values[:, usable] for values in left_out])
    low, high = intervals.mean_interval(spread)
    p_value = intervals.p_value(spread)
    return Estimate(spread.mean, float(low), float(high), int(usable.sum()), images, spread.scope), p_value


def bootstrap_ends(statistic, ratings, *, resamples=2000, seed=0):
    """Percentile interval of the bootstrap over raters and images: both are drawn anew, images within their kind.

    It is given beside the interval of `estimate` because it is well known. It is too narrow with few raters, where it
    treats those at hand as all there are, and too wide where raters hardly differ (see `ganlib.study.intervals`).

    Args:
        statistic: `Statistic`.
        ratings: `Ratings`.
        resamples: number of bootstrap samples.
        seed: of the drawing.

    Returns:
        Lower and upper end of the 95 % interval (floats).
    """
    counts, rng = ratings.counted(), np.random.default_rng(seed)
    strata, (images, raters) = _strata(ratings.cells), counts.shape[:2]
    means = []
    for _ in range(resamples):
        weights = np.zeros(images)
        for members in strata:
            weights[members] = np.bincount(rng.integers(0, len(members), len(members)), minlength=len(members))
        values = statistic.of(np.tensordot(weights, counts, axes=1)[rng.integers(0, raters, raters)])
        means.append(np.nanmean(values) if np.isfinite(values).any() else np.nan)
    return tuple(float(end) for end in np.nanquantile(means, (0.025, 0.975)))


def _strata(cells):
    """Places of the images of each kind: a study has a fixed number of each."""
    places = {}
    for index, cell in enumerate(cells):
        places.setdefault(cell, []).append(index)
    return [np.array(members) for members in places.values()]


def _jackknife(statistic, counts, strata):
    total = counts.sum(0)
    return statistic.of(total), [statistic.of(total - counts[members]) for members in strata]


def _pooled(statistic, totals, per_rater, left_out):
    """Both ends for one or two raters, whose counts are `totals` (raters, 2, 6)."""
    ends = [statistic.alone(counts) for counts in totals]
    correlation = intervals.rater_correlation(left_out) if len(totals) > 1 else 0.0
    return intervals.pooled_interval(per_rater, ends, correlation)
