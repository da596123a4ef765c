"""What stands beside numbers and pictures: names, units, protocol, direction of goodness, and that a phantom is one."""

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
