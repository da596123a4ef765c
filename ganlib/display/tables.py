"""Tables of scores, with no more digits than the uncertainty supports."""

import math

import pandas as pd

from ganlib.display.wording import measure_heading, mi_note, phantom_prefix
from ganlib.evaluation.compare import summary
from ganlib.evaluation.protocols import MEASURES, protocol_named


def score_table(scores, protocol):
    """Mean of every measure of a protocol, per method and synthesised contrast.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        protocol: name of the protocol, such as `masked`.

    Returns:
        `pandas` Styler for a notebook, whose `data` is the table of texts: one row per method; columns (measure with
        its unit, synthesised contrast); `mean ± half the width of the 95 % bootstrap interval over subjects`.

    Raises:
        InputError: the protocol is unknown.
    """
    chosen = protocol_named(protocol)
    rows = scores[scores["protocol"] == protocol]
    metrics = [metric for metric in MEASURES if MEASURES[metric].better and metric in set(rows["metric"])]
    columns = {}
    for metric in metrics:
        heading = measure_heading(metric, chosen)
        for row in summary(rows, metric, protocol).itertuples():
            text = with_uncertainty(row.mean, row.low, row.high)
            columns.setdefault((heading, f"synthetic {row.target}"), {})[row.method] = text
    table = pd.DataFrame(columns).fillna("–").rename_axis("method")
    return table.style.set_caption(_caption(rows, chosen))


def with_uncertainty(mean, low, high):
    """A mean with the half-width of its interval: two digits of the half-width if it begins with 1, else one.

    Args:
        mean: the mean.
        low: lower end of its interval, or NaN where there is none.
        high: upper end.

    Returns:
        Text such as `23.5 ± 0.4`; the mean alone, with three digits, where there is no interval.

    Example:
        >>> with_uncertainty(23.4567, 23.05, 23.87), with_uncertainty(0.16123, 0.1501, 0.1722)
        ('23.5 ± 0.4', '0.161 ± 0.011')
    """
    half = (high - low) / 2
    if not math.isfinite(mean):
        return "∞" if mean > 0 else "–"
    if not (math.isfinite(half) and half > 0):
        return f"{mean:.{_decimals(abs(mean), 3)}f}"
    leading = f"{half:e}"[0]
    decimals = _decimals(half, 2 if leading == "1" else 1)
    return f"{mean:.{decimals}f} ± {half:.{decimals}f}".replace("-", "−")


def _decimals(number, digits):
    """Decimals that show this many leading digits of a number."""
    return max(digits - 1 - math.floor(math.log10(number)), 0) if number > 0 else digits - 1


def _caption(rows, protocol):
    count = rows["subject"].nunique()
    spread = "One subject, so that there is no interval"
    if count > 1:
        spread = f"Mean ± half the 95 % bootstrap interval over {count} subjects"
    return f"{phantom_prefix(rows)}Protocol {protocol.name}: {protocol.description}. {spread}. {mi_note()}"
