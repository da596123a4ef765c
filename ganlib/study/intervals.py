"""Intervals over raters and images, both of which are samples: what would other raters say of other images?

Every statistic is taken per rater and averaged. Its variance has a part from the raters, the variance between them, and
a part from the images, the covariance between raters that comes from rating the same images; the latter is estimated by
leaving out one image at a time. This is the analysis of variance that radiology uses for reader studies.

A plain bootstrap that draws raters and images anew and takes percentiles was tried and left: on simulated raters its
95 % intervals held the truth in 88 % (three raters) to 99.7 % (raters who differ in nothing) of the studies.

Source: Obuchowski & Rockette 1995, Communications in Statistics: Simulation and Computation 24(2):285; Hillis 2007,
Statistics in Medicine 26(3):596.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganlib.study.measures import wilson_interval

#: With fewer raters than this, nothing can be said of other raters: the interval is for these raters.
MIN_RATERS = 3
SCOPES = {1: "this rater", 2: "these raters"}
_SCOPE = "raters like these"


@dataclass(frozen=True)
class Spread:
    """Mean of a statistic over raters, and how well it is known.

    Args:
        mean: mean over raters.
        variance: of the mean.
        degrees_of_freedom: of the variance.
        scope: whom it holds for: `this rater`, `these raters` or `raters like these`.
        rater_variance: variance between the raters' values (NaN with one).
        image_covariance: covariance between raters that comes from the images; not below 0 where it is used.
    """

    mean: float
    variance: float
    degrees_of_freedom: float
    scope: str
    rater_variance: float
    image_covariance: float

    @property
    def standard_error(self):
        """Of the mean."""
        return float(np.sqrt(self.variance))

    @property
    def quantile(self):
        """Of Student's t, for 95 %."""
        return float(stats.t.ppf(0.975, self.degrees_of_freedom)) if self.degrees_of_freedom > 0 else float("nan")


def crossed_spread(per_rater, left_out, least=None):
    """Mean over raters, with its variance over raters and images.

    To Hillis's degrees of freedom, which are those of the raters alone, we add the images': a cell of a perceptual
    study may have a dozen images, where a reader study has a hundred cases.

    Args:
        per_rater: the statistic of each rater, float array (raters,).
        left_out: per stratum of the images (a kind of image, of which the study has a fixed number) a float array
            (images, raters): the statistic without that image.
        least: per stratum, the variance of each rater's statistic that counting alone gives, float array (raters,).
            Where an answer never occurred, leaving out images shows no variance; this is used instead. It matters to
            two raters only: one alone has an interval of another kind (`Statistic.alone`).

    Returns:
        `Spread`.

    Raises:
        ValueError: there is no rater.
    """
    per_rater = np.asarray(per_rater, float)
    raters = len(per_rater)
    if not raters:
        raise ValueError("no rater, so that there is nothing to average")
    least = least or [np.zeros(raters)] * len(left_out)
    covariances = [_jackknife(values, floor) for values, floor in zip(left_out, least, strict=True)]
    images = np.array([len(values) for values in left_out])
    mean, between = float(per_rater.mean()), float(per_rater.var(ddof=1)) if raters > 1 else float("nan")
    shared = np.array([_off_diagonal(covariance) for covariance in covariances])
    if raters < MIN_RATERS:
        parts = np.array([covariance.mean() for covariance in covariances])
        variance, denominator = parts.sum(), (parts**2 / np.maximum(images - 1, 1)).sum()
    else:
        parts = shared if shared.sum() > 0 else np.zeros_like(shared)
        variance = between / raters + parts.sum()
        denominator = (between / raters) ** 2 / (raters - 1) + (parts**2 / np.maximum(images - 1, 1)).sum()
    freedom = variance**2 / denominator if denominator > 0 else 0.0
    scope = SCOPES.get(raters, _SCOPE)
    return Spread(mean, float(variance), float(freedom), scope, between, float(shared.sum()))


def mean_interval(spread):
    """Interval of a statistic without bounds, such as d′: mean ± t × standard error; NaN where nothing varies."""
    half = spread.quantile * spread.standard_error
    return spread.mean - half, spread.mean + half


def p_value(spread):
    """Two-sided p-value of the mean being 0, by Student's t; NaN where nothing varies."""
    if not (spread.variance > 0 and spread.degrees_of_freedom > 0):
        return float("nan")
    return float(2 * stats.t.sf(abs(spread.mean) / spread.standard_error, spread.degrees_of_freedom))


def proportion_interval(spread, images):
    """Interval of a proportion: Wilson's, with the number of independent trials that has this variance.

    Args:
        spread: `Spread` of a proportion.
        images: number of images, which stands for the number of trials where all answers are alike.

    Source: Korn & Graubard 1998, Survey Methodology 24(2):193 (effective number of trials).
    """
    if not (spread.variance > 0 and 0 < spread.mean < 1):
        return wilson_interval(spread.mean, images)
    return wilson_interval(spread.mean, spread.mean * (1 - spread.mean) / spread.variance, spread.quantile)


def area_interval(spread):
    """Interval of an ROC area, symmetric on the logit scale; NaN where all raters separate perfectly.

    Source: Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.3.
    """
    if not (spread.variance > 0 and 0 < spread.mean < 1):
        return float("nan"), float("nan")
    half = spread.quantile * spread.standard_error / (spread.mean * (1 - spread.mean))
    logit = np.log(spread.mean / (1 - spread.mean))
    return tuple(float(1 / (1 + np.exp(-(logit + side * half)))) for side in (-1, 1))


def _jackknife(values, least):
    """Covariance between raters (raters, raters), from the values without each image in turn."""
    values = np.asarray(values, float)
    away = values - values.mean(0)
    covariance = (len(values) - 1) / len(values) * (away.T @ away)
    np.fill_diagonal(covariance, np.maximum(covariance.diagonal(), least))
    return covariance


def _off_diagonal(covariance):
    raters = len(covariance)
    if raters < 2:
        return float("nan")
    return (covariance.sum() - np.trace(covariance)) / (raters * (raters - 1))
