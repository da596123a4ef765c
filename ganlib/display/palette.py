"""Colours and marks of the methods: the same in every figure and on every dashboard.

The colours are those of Okabe and Ito (safe for colour-blind readers), and every method has its own mark as well, so
that nothing is told by colour alone.

Source: Okabe & Ito 2008, "Color Universal Design", https://jfly.uni-koeln.de/color/.
"""

#: Methods in the order in which they are shown.
ORDER = ("Simple", "Generators_s", "CycleGAN_s", "CycleGAN", "UNIT", "pix2pix")

#: Label of the baseline that returns the source image unchanged.
BASELINE = "Doing nothing"

#: Label of the baseline that returns the mean training image.
MEAN_IMAGE = "Mean image"

_COLOURS = {
    "Simple": "#999999",
    "Generators_s": "#0072B2",
    "CycleGAN_s": "#E69F00",
    "CycleGAN": "#D55E00",
    "UNIT": "#009E73",
    "pix2pix": "#CC79A7",
    BASELINE: "#8A8F98",
    MEAN_IMAGE: "#6B7079",
}
_SYMBOLS = {
    "Simple": "circle",
    "Generators_s": "square",
    "CycleGAN_s": "triangle-up",
    "CycleGAN": "diamond",
    "UNIT": "triangle-down",
    "pix2pix": "cross",
    BASELINE: "line-ns",
    MEAN_IMAGE: "line-ew",
}
_SPARE_COLOURS = ("#56B4E9", "#F0E442")
_SPARE_SYMBOLS = ("x", "star", "pentagon", "hexagon")


def method_colour(label):
    """Colour of a method as `#RRGGBB`; a method that is not in the list gets one of two spare colours, always the same.

    Args:
        label: the method's name in print, such as `CycleGAN`.
    """
    return _COLOURS.get(label) or _spare(label, _SPARE_COLOURS)


def method_symbol(label):
    """Mark of a method, by Plotly's name for it; a method that is not in the list gets a spare one, always the same.

    Args:
        label: the method's name in print, such as `CycleGAN`.
    """
    return _SYMBOLS.get(label) or _spare(label, _SPARE_SYMBOLS)


def display_order(label):
    """Sort key that brings methods into `ORDER`, others after them by name."""
    return (ORDER.index(label) if label in ORDER else len(ORDER), label)


def _spare(label, choices):
    return choices[sum(label.encode()) % len(choices)]
