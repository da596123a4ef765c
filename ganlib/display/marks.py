"""The marks of a method: a point per subject, and over them the mean with its interval."""

import numpy as np
import plotly.graph_objects as go

from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.tables import with_uncertainty
from ganlib.display.template import INK


def add_method(figure, column, row, points, height):
    """Draw the points of the subjects, and over them the mean with its interval; both also in figures, at the right.

    Args:
        figure: figure with subplots.
        column: number of the panel, from 1.
        row: row of a table as from `ganlib.evaluation.compare.summary`.
        points: values of the subjects: `pandas.DataFrame` with the columns subject and value.
        height: where on the vertical axis.
    """
    colour = method_colour(method_of(row.method))
    figure.add_trace(
        go.Scatter(
            x=points["value"], y=height + _jitter(len(points)), mode="markers", name=row.method,
            text=points["subject"], hovertemplate="%{text}: %{x:.4g}<extra>" + row.method + "</extra>",
            marker={"color": colour, "size": 5, "opacity": 0.45}, meta="subjects",
        ), row=1, col=column,
    )  # fmt: skip
    interval = {
        "type": "data", "array": [row.high - row.mean], "arrayminus": [row.mean - row.low], "thickness": 2.2,
        "width": 6, "color": INK,
    }  # fmt: skip
    text = with_uncertainty(row.mean, row.low, row.high)
    figure.add_trace(
        go.Scatter(
            x=[row.mean], y=[height], mode="markers", name=row.method, error_x=interval, meta="mean",
            hovertemplate=f"{row.method}: mean {text}, n = {row.n}<extra></extra>",
            marker={
                "symbol": method_symbol(method_of(row.method)), "color": colour, "size": 10,
                "line": {"color": INK, "width": 1.2},
            },
        ), row=1, col=column,
    )  # fmt: skip
    figure.add_annotation(
        text=text, x=1.02, xref="x domain", xanchor="left", y=height,
        showarrow=False, font={"size": 12, "color": INK}, row=1, col=column,
    )  # fmt: skip


def method_of(label):
    """The method's name without the run's, which stands in brackets where settings are compared.

    Args:
        label: such as `CycleGAN (wide)`.
    """
    return label.split(" (")[0]


def _jitter(count):
    """Heights of points around a row, the same for a subject in every row (golden-ratio sequence)."""
    return ((np.arange(count) * 0.618034) % 1 - 0.5) * 0.44
