"""Measures of rating studies: pure functions from counts to numbers.

Signal is the real image (in a pair: the real image on the right), noise the synthetic one. Ratings run from 1, surely
noise, to 6, surely signal; from 4 on the answer is `signal`.
"""

import numpy as np
from scipy.special import betaincinv, ndtri

RATINGS = 6
#: Index of the lowest rating that says `signal`.
_YES = RATINGS // 2


def log_linear_rate(count, trials):
    """Rate of an answer, corrected so that it is never 0 or 1: (count + 1/2) / (trials + 1).

    Args:
        count: how often the answer was given; number or array.
        trials: out of how many; of the same shape.

    Returns:
        Float or array.

    Source: Hautus 1995, Behavior Research Methods, Instruments, & Computers 27(1):46.
    """
    return (np.asarray(count, float) + 0.5) / (np.asarray(trials, float) + 1)


def d_prime(hit_rate, false_alarm_rate):
    """Discriminability d′ = z(H) − z(F): 0 cannot tell, 1 is right in 69 % of the trials without bias, 2 in 84 %.

    Args:
        hit_rate: rate of `signal` on signal trials, between 0 and 1 (exclusive); number or array.
        false_alarm_rate: rate of `signal` on noise trials.

    Example:
        >>> round(float(d_prime(0.8, 0.4)), 3)
        1.095

    Source: Macmillan & Creelman 2005, Detection Theory, 2nd edition, equation 1.5.
    """
    return ndtri(hit_rate) - ndtri(false_alarm_rate)


def criterion(hit_rate, false_alarm_rate):
    """Bias c = −(z(H) + z(F)) / 2: above 0 leans to `noise` (synthetic, or left), below 0 to `signal`.

    Args:
        hit_rate: rate of `signal` on signal trials, between 0 and 1 (exclusive); number or array.
        false_alarm_rate: rate of `signal` on noise trials.

    Example:
        >>> round(float(criterion(0.8, 0.4)), 3)
        -0.294

    Source: Macmillan & Creelman 2005, Detection Theory, 2nd edition, equation 2.1.
    """
    return -0.5 * (ndtri(hit_rate) + ndtri(false_alarm_rate))


def rates(counts):
    """Log-linear hit and false-alarm rates of counted ratings.

    Args:
        counts: array (…, 2, 6): how often each rating was given to noise and to signal.

    Returns:
        hit_rate, false_alarm_rate: arrays (…); NaN where there was no noise or no signal.
    """
    counts = np.asarray(counts, float)
    trials = counts.sum(-1)
    corrected = np.where(trials > 0, log_linear_rate(counts[..., _YES:].sum(-1), trials), np.nan)
    return corrected[..., 1], corrected[..., 0]


def z_sum_interval(counts, weights):
    """95 % interval of a weighted sum of z(H) and z(F) of one rater, such as d′ or the criterion.

    Each rate has Jeffreys's interval, whose middle is the log-linear rate, and which has two ends where an answer never
    occurred; the distances from z of the rate to z of the ends add up as squares, each side for itself.

    Args:
        counts: array (2, 6): how often each rating was given to noise and to signal.
        weights: of z(H) and z(F); (1, -1) for d′, (-1/2, -1/2) for the criterion.

    Returns:
        Lower and upper end (floats).

    Example:
        >>> noise, signal = [5, 4, 3, 4, 2, 2], [2, 1, 1, 6, 6, 4]
        >>> [round(end, 2) for end in z_sum_interval([noise, signal], (1, -1))]
        [0.26, 1.91]

    Source: Zou & Donner 2008, Statistics in Medicine 27(10):1693, for the sum (MOVER); Brown, Cai & DasGupta 2001,
        Statistical Science 16(2):101, for Jeffreys's interval.
    """
    counts = np.asarray(counts, float)
    yes, trials = counts[:, _YES:].sum(1), counts.sum(1)
    middle, below, above = 0.0, 0.0, 0.0
    for count, number, weight in zip(yes[::-1], trials[::-1], weights, strict=True):
        ends = betaincinv(count + 0.5, number - count + 0.5, (0.025, 0.975))
        low, high = sorted(weight * ndtri(ends))
        own = weight * ndtri(log_linear_rate(count, number))
        middle, below, above = middle + own, below + (own - low) ** 2, above + (high - own) ** 2
    return float(middle - np.sqrt(below)), float(middle + np.sqrt(above))


def roc_area(counts):
    """Area under the ROC curve through the ratings: how often a signal is rated above a noise, ties counting half.

    Args:
        counts: array (…, 2, 6): how often each rating was given to noise and to signal.

    Returns:
        Array (…): 0.5 cannot tell, 1 always right; NaN where there was no noise or no signal.

    Source: Hanley & McNeil 1982, Radiology 143(1):29.
    """
    counts = np.asarray(counts, float)
    noise, signal = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(noise, -1) - 0.5 * noise
    pairs = noise.sum(-1) * signal.sum(-1)
    with np.errstate(invalid="ignore"):
        return np.where(pairs > 0, (signal * below).sum(-1) / np.where(pairs > 0, pairs, 1), np.nan)


def yes_rate(counts):
    """Share of the trials, of noise and signal together, that were answered `signal`.

    Args:
        counts: array (…, 2, 6): how often each rating was given to noise and to signal.

    Returns:
        Array (…); NaN where there was no trial.
    """
    return _share(np.asarray(counts, float)[..., _YES:].sum((-1, -2)), counts)


def error_rate(counts):
    """Share of the trials that were answered wrongly; in a pair, how often the synthetic image was taken for the real.

    Args:
        counts: array (…, 2, 6): how often each rating was given to noise and to signal.

    Returns:
        Array (…); NaN where there was no trial.
    """
    counts = np.asarray(counts, float)
    return _share(counts[..., 0, _YES:].sum(-1) + counts[..., 1, :_YES].sum(-1), counts)


def fleiss_kappa(votes):
    """Agreement between raters beyond chance: 1 is complete, 0 is what chance gives.

    Args:
        votes: array (images, answers): how many raters gave each answer to each image; every image has as many votes.

    Returns:
        Float; NaN where all votes are for one answer, so that chance agreement is complete too.

    Raises:
        ValueError: images have different numbers of votes, or fewer than two.

    Source: Fleiss 1971, Psychological Bulletin 76(5):378.
    """
    votes = np.asarray(votes, float)
    raters = votes.sum(1)
    if not len(votes) or np.ptp(raters) or raters[0] < 2:
        raise ValueError("every image needs the same number of votes, at least two")
    observed = np.mean(((votes**2).sum(1) - raters) / (raters * (raters - 1)))
    chance = np.sum((votes.sum(0) / votes.sum()) ** 2)
    return float((observed - chance) / (1 - chance)) if chance < 1 else float("nan")


def wilson_interval(proportion, trials, quantile=1.959963984540054):
    """Score interval of a proportion.

    Args:
        proportion: between 0 and 1.
        trials: number of independent trials, which need not be whole (an effective number).
        quantile: of the standard normal distribution, or of Student's t; the default is for 95 %.

    Returns:
        Lower and upper end (floats).

    Example:
        >>> [round(end, 2) for end in wilson_interval(6 / 12, 12)]
        [0.25, 0.75]

    Source: Wilson 1927, Journal of the American Statistical Association 22(158):209.
    """
    shrink = quantile**2 / trials
    middle = (proportion + shrink / 2) / (1 + shrink)
    half = quantile / (1 + shrink) * np.sqrt(proportion * (1 - proportion) / trials + shrink / (4 * trials))
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def _share(count, counts):
    trials = np.asarray(counts, float).sum((-1, -2))
    return np.where(trials > 0, count / np.where(trials > 0, trials, 1), np.nan)
