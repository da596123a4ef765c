"""What stands beside numbers and pictures: names, units, protocol, direction of goodness, and that a phantom is one."""

import math
import textwrap

from ganlib.evaluation.protocols import MEASURES

_ARROWS = {"higher": "higher is better →", "lower": "← lower is better", "": ""}


def measure_heading(metric, protocol):
    """Name of a measure with its unit, and which way is better: `PSNR (dB, higher is better)`.

    Args:
        metric: such as `psnr_db`.
        protocol: protocol object.
    """
    measure = MEASURES[metric]
    notes = [protocol.measure_unit(metric), f"{measure.better} is better" if measure.better else ""]
    return f"{measure.label} ({', '.join(note for note in notes if note)})"


def axis_title(metric, protocol):
    """Title of an axis: quantity, unit and protocol, and an arrow to where better is.

    Args:
        metric: such as `psnr_db`.
        protocol: protocol object.
    """
    measure, unit = MEASURES[metric], protocol.measure_unit(metric)
    notes = f"{unit}, protocol {protocol.name}" if unit else f"protocol {protocol.name}"
    return f"{measure.label} ({notes})<br>{_ARROWS[measure.better]}"


def phantom_prefix(scores):
    """`PHANTOM · ` where scores come from a phantom, else nothing.

    Args:
        scores: table of scores.
    """
    return "PHANTOM · " if scores["phantom"].any() else ""


def of_subjects(count, interval="95 % intervals"):
    """Of how many test subjects something is the mean, and of which interval: one subject has none, which is said.

    Args:
        count: test subjects.
        interval: what stands with the mean where there are several.

    Example:
        >>> of_subjects(16), of_subjects(1)
        ('mean over 16 test subjects with 95 % intervals', 'one test subject: no interval')
    """
    return f"mean over {count} test subjects with {interval}" if count > 1 else "one test subject: no interval"


def mi_note():
    """What has to be said wherever mutual information is shown."""
    return "Mutual information: but for binning, no pixel-wise map can have more than doing nothing."


def wrapped(text, characters):
    """Text broken into lines for a Plotly annotation.

    Args:
        text: plain text.
        characters: longest line.
    """
    return "<br>".join(textwrap.wrap(text, characters))


def direction_title(rows, direction):
    """Heading of the panel of a direction: `**synthetic T2w** from T1w`, for Plotly.

    Args:
        rows: table with the columns direction, source and target.
        direction: name of the direction.
    """
    row = rows[rows["direction"] == direction].iloc[0]
    return f"<b>synthetic {row['target']}</b> from {row['source']}"


def signed(number, decimals):
    """A number with its sign, the minus a true one; `–` where it is not finite.

    Args:
        number: float.
        decimals: how many.

    Example:
        >>> signed(-1.25, 1), signed(3, 2)
        ('−1.2', '+3.00')
    """
    return f"{number:+.{decimals}f}".replace("-", "−") if math.isfinite(number) else "–"


def p_text(p):
    """A P-value in print: `< 0.001`, three decimals below 0.01, else two; `–` where there is none.

    Args:
        p: probability, or NaN.
    """
    if not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.01 else f"{p:.2f}"


def p_words(p):
    """A P-value within a sentence: `P = 0.03`, `P < 0.001`.

    Args:
        p: probability, or NaN.
    """
    text = p_text(p)
    return f"P {text}" if text.startswith("<") else f"P = {text}"
