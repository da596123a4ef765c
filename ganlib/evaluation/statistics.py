"""Uncertainty of scores: what the subjects at hand say of subjects like them."""

import numpy as np
from scipy import stats

#: Resamples of a bootstrap; the ends of a 95 % interval then move by about 1 % of its width from seed to seed.
RESAMPLES = 9999


def bootstrap_interval(values, *, level=0.95, resamples=RESAMPLES, seed=0):
    """Bootstrap interval of the mean over subjects, bias-corrected and accelerated (BCa).

    Args:
        values: one number per subject, float array (subjects,).
        level: coverage of the interval, between 0 and 1.
        resamples: number of bootstrap samples.
        seed: seed of the resampling, so that the same scores give the same interval.

    Returns:
        Lower and upper end (floats), in the units of `values`. Both are NaN where there is no interval to give: with
        fewer than two subjects, or where a value is not finite (the PSNR of an exact copy is infinite). Where all
        values are equal, both are that value.

    Raises:
        ValueError: `values` is not one-dimensional, or `level` is not between 0 and 1.

    Example:
        >>> bootstrap_interval([2.0, 2.0, 2.0])
        (2.0, 2.0)

    Source: Efron 1987, Journal of the American Statistical Association 82(397):171.
    """
    values = np.asarray(values, float)
    if values.ndim != 1:
        raise ValueError(f"values have shape {values.shape}; one number per subject is needed")
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    if values.size < 2 or not np.isfinite(values).all():
        return np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    result = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=resamples, rng=np.random.default_rng(seed)
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
