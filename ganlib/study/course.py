"""How the answers come about in time: response times, and learning or fatigue over the session."""

import numpy as np
import pandas as pd
from scipy import stats

from ganlib.study.measures import wilson_interval

PARTS = 4


def response_times(table):
    """Response times by truth and by whether the answer was right.

    Trials that were seen on an earlier visit, and times that are not known, are left out. Times are skewed, hence each
    rater's median, and the geometric mean of these over raters.

    Args:
        table: counted answers, as from `StudyResults.counted`.

    Returns:
        `pandas.DataFrame`: `truth`, `correct`, `seconds` with its 95 % interval over raters (`low`, `high`, NaN with
        fewer than three), `raters`, `answers`.
    """
    timed = table[table["response_ms"].notna() & (table["response_ms"] > 0) & ~table["resumed"].astype(bool)]
    rows = []
    for (truth, correct), group in timed.groupby(["truth", "correct"]):
        medians = np.log(group.groupby("rater")["response_ms"].median() / 1000)
        mean, low, high = _mean_interval(medians.to_numpy())
        rows.append((truth, bool(correct), *np.exp((mean, low, high)), len(medians), len(group)))
    return pd.DataFrame(rows, columns=["truth", "correct", "seconds", "low", "high", "raters", "answers"])


def learning(table, parts=PARTS):
    """Share of right answers in each part of the session.

    Args:
        table: counted answers, as from `StudyResults.counted`.
        parts: number of equal parts that each rater's session is divided into.

    Returns:
        `pandas.DataFrame`: `part` (1 is the first), `value`, `low`, `high` (95 %, over raters from three on, else
        Wilson's), `answers`.
    """
    last = table.groupby("rater")["position"].transform("max")
    part = np.ceil(table["position"] * parts / last).astype(int)
    rows = []
    for number, group in table.groupby(part):
        shares = group.groupby("rater")["correct"].mean().to_numpy(float)
        share = float(group["correct"].mean())
        low, high = wilson_interval(share, len(group))
        if len(shares) >= 3:
            share, low, high = _mean_interval(shares)
        rows.append((int(number), share, max(low, 0.0), min(high, 1.0), len(group)))
    return pd.DataFrame(rows, columns=["part", "value", "low", "high", "answers"])


def trend(table):
    """Change of the share of right answers from the beginning to the end of the session.

    The slope of right and wrong on the place in the session, of each rater on their own.

    Args:
        table: counted answers, as from `StudyResults.counted`.

    Returns:
        change, low, high: fractions, 95 % interval over raters (of one or two: from the scatter of the answers).
    """
    slopes, errors = [], []
    for _, group in table.groupby("rater"):
        place = group["position"].to_numpy(float) / group["position"].max()
        if len(place) > 2:
            fitted = stats.linregress(place, group["correct"].to_numpy(float))
            slopes.append(fitted.slope)
            errors.append(fitted.stderr)
    if not slopes:
        return (float("nan"),) * 3
    if len(slopes) >= 3:
        return _mean_interval(np.array(slopes))
    half = 1.959964 * np.sqrt(np.sum(np.square(errors))) / len(slopes)
    return float(np.mean(slopes)), float(np.mean(slopes) - half), float(np.mean(slopes) + half)


def _mean_interval(values):
    """Mean and Student's 95 % interval; NaN for the ends with fewer than three values."""
    mean = float(np.mean(values))
    if len(values) < 3:
        return mean, float("nan"), float("nan")
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return mean, float(mean - half), float(mean + half)
