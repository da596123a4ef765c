"""Discriminability, criteria and lapses from six-point ratings, by maximum likelihood.

Lapses pull d′ towards 0 in a way that no formula on two rates can undo. In ratings they show: surely wrong answers are
commoner than Gaussian noise allows. The
model is that of `ganlib.study.simulation`: equal-variance Gaussian impressions,
five criteria and a d′ for each rater, and one lapse rate for all, with which any of the six keys is pressed. Where real
images differ more among each other than synthetic ones, or the other way round, it takes that for lapses.

Source: Wichmann & Hill 2001, Perception & Psychophysics 63(8):1293 (lapses); Dorfman & Alf 1969, Journal of
Mathematical Psychology 6(3):487 (ratings); Venzon & Moolgavkar 1988, Applied Statistics 37(1):87 (profile intervals).
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from ganlib.study.measures import RATINGS, log_linear_rate

_SIDES = np.array([-0.5, 0.5])[:, None]
#: Gaps between criteria, log of: an empty rating would let its gap shrink for ever.
_GAP_BOUNDS = (-5.0, 3.0)
_MOST_LAPSES = 0.9
#: Half the 95 % quantile of chi-square with one degree of freedom.
_DROP = 1.9207294103470620


@dataclass(frozen=True)
class RatingModel:
    """What the model says of some raters.

    Args:
        lapse: share of the trials answered without looking, common to all raters.
        lapse_low: lower end of its 95 % profile-likelihood interval.
        lapse_high: upper end.
        d_prime: of each rater, lapses set apart, float array (raters,).
        bias: criterion between `noise` and `signal` of each rater, float array (raters,).
    """

    lapse: float
    lapse_low: float
    lapse_high: float
    d_prime: np.ndarray
    bias: np.ndarray


def fit_rating_model(counts):
    """Fit the model to the ratings of some raters.

    Args:
        counts: array (raters, 2, 6): how often each rater gave each rating to noise and to signal.

    Returns:
        `RatingModel`.

    Raises:
        ValueError: the shape is another, or a rater has no noise or no signal trials.
    """
    counts = np.asarray(counts, float)
    if counts.ndim != 3 or counts.shape[1:] != (2, RATINGS) or not counts.shape[0]:
        raise ValueError(f"counts have shape {counts.shape}, not (raters, 2, {RATINGS})")
    if not counts.sum(-1).all():
        raise ValueError("a rater has no noise or no signal trials")
    profile = _Profile(counts)
    best = optimize.minimize_scalar(profile, bounds=(0, _MOST_LAPSES), method="bounded", options={"xatol": 1e-4})
    lapse, least = min(((0.0, profile(0.0)), (best.x, best.fun)), key=lambda point: point[1])
    above = least + _DROP
    low = _crossing(profile, above, 0.0, lapse) if profile(0.0) > above else 0.0
    high = _crossing(profile, above, _MOST_LAPSES, lapse) if profile(_MOST_LAPSES) > above else _MOST_LAPSES
    found = profile.fit(lapse)[1]
    return RatingModel(float(lapse), float(low), float(high), found[:, 0], _criteria(found)[:, RATINGS // 2 - 1])


class _Profile:
    """Negative log-likelihood at a lapse rate, everything else fitted from the same start."""

    def __init__(self, counts):
        self.counts = counts
        self.start = _start(counts)

    def __call__(self, lapse):
        return self.fit(lapse)[0]

    def fit(self, lapse):
        """The loss, and per rater d′, the first criterion, and the logarithms of the gaps to the others."""
        bounds = [(-8, 8), (-8, 8), *[_GAP_BOUNDS] * (RATINGS - 2)] * len(self.counts)
        fitted = optimize.minimize(
            self._loss, self.start.ravel(), args=(lapse,), jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-12, "gtol": 1e-5, "maxcor": 20},
        )  # fmt: skip
        return float(fitted.fun), fitted.x.reshape(self.start.shape)

    def _loss(self, parameters, lapse):
        """Negative log-likelihood of all raters, and its gradient."""
        parameters = parameters.reshape(self.start.shape)
        edges = _criteria(parameters)[:, None, :] - _SIDES * parameters[:, :1, None]
        density = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
        probability = (1 - lapse) * np.diff(_padded(ndtr(edges), 1.0), axis=-1) + lapse / RATINGS
        probability = np.maximum(probability, 1e-12)
        weight = self.counts / probability
        # Moving an edge up gives to the rating below it what it takes from the one above.
        by_edge = (1 - lapse) * density * (weight[..., :-1] - weight[..., 1:])
        slope = np.empty_like(parameters)
        slope[:, 0] = -(by_edge * _SIDES).sum((1, 2))
        above = by_edge.sum(1)[:, ::-1].cumsum(1)[:, ::-1]  # each gap moves all criteria above it
        slope[:, 1] = above[:, 0]
        slope[:, 2:] = above[:, 1:] * np.exp(parameters[:, 2:])
        return -(self.counts * np.log(probability)).sum(), -slope.ravel()


def _start(counts):
    """What the rates say without lapses."""
    below = counts.cumsum(-1)[..., :-1]
    edges = ndtri(log_linear_rate(below, counts.sum(-1, keepdims=True)))
    gaps = np.log(np.maximum(np.diff(edges.mean(1)), 0.05))
    d_prime = np.clip((edges[:, 0] - edges[:, 1]).mean(-1), -4, 4)
    return np.column_stack([d_prime, edges.mean(1)[:, 0], gaps])


def _criteria(parameters):
    """The five criteria of each rater."""
    return np.cumsum(np.concatenate([parameters[:, 1:2], np.exp(parameters[:, 2:])], 1), 1)


def _padded(below, end):
    ends = np.zeros((*below.shape[:-1], 1))
    return np.concatenate([ends, below, ends + end], -1)


def _crossing(profile, above, outer, inner):
    return optimize.brentq(lambda lapse: profile(lapse) - above, *sorted((outer, inner)), xtol=1e-4)
