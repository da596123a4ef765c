"""One image under every protocol: how far apart its scores lie."""

import numpy as np
import plotly.graph_objects as go

from ganlib.display.template import FAINT_INK, GRID, INK, LIGHT_TEMPLATE
from ganlib.display.wording import measure_heading, wrapped
from ganlib.evaluation.protocols import MEASURES, PROTOCOLS, protocol_named

#: Mark and fill of each protocol; the headline is filled.
_MARKS = {
    "paper": ("circle", "white", "○"), "masked": ("diamond", "#0072B2", "◆"), "own-max": ("square", "white", "□"),
    "percentile": ("triangle-up", "white", "△"),
}  # fmt: skip
#: From this PSNR on the difference is rounding, and the protocol has seen no error.
NO_ERROR_DB = 100
_ROW_PX = 48
#: Marks of a row stand below each other by this fraction of it, so that none hides another.
_STEP = 0.17
_MARGIN = {"l": 250, "r": 130, "t": 120, "b": 150}
_WIDTH = 880


def protocol_figure(table, *, title, phantom, metric="psnr_db"):
    """A row per image and a mark per protocol, with the distance between the outermost marks in figures.

    Args:
        table: as from `ganlib.evaluation.spread.images_under_every_protocol`; rows are images, columns protocols.
        title: of the figure, in words.
        phantom: whether the images are those of a phantom.
        metric: the measure in the table, one whose unit is the same under all protocols, such as `psnr_db`.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    values = table.where(table < NO_ERROR_DB) if metric == "psnr_db" else table
    finite = values.to_numpy(float)[np.isfinite(values.to_numpy(float))]
    room = 0.05 * (np.ptp(finite) or 1)
    beyond = finite.max() + 3 * room
    heights = len(table) - 1 - np.arange(len(table))
    figure = go.Figure()
    for height, (_, row) in zip(heights, values.iterrows(), strict=True):
        _add_span(figure, height, row.fillna(beyond))
    for place, protocol in enumerate(table.columns):
        above = heights + _STEP * ((len(table.columns) - 1) / 2 - place)
        _add_marks(figure, protocol, values[protocol].fillna(beyond), table[protocol], above, table.index)
    for height, (_, row) in zip(heights, values.iterrows(), strict=True):
        _add_words(figure, height, row, protocol_named("masked").measure_unit(metric))
    unseen = bool(values.isna().any(axis=None))
    _lay_out(figure, table, heights, [finite.min() - room, (beyond if unseen else finite.max()) + room])
    if unseen:
        _mark_unseen(figure, beyond)
    _caption(figure, table, title, phantom, metric)
    return figure


def describe_protocols(names=tuple(PROTOCOLS)):
    """What each protocol counts and assumes: a Markdown table.

    Args:
        names: of the protocols.
    """
    rows = [f"| `{name}` | {protocol_named(name).description} |" for name in names]
    return "\n".join(["| protocol | what it counts and assumes |", "|---|---|", *rows])


def spread_of(row):
    """Largest minus smallest finite value of a row of the table; NaN where there are not two.

    Args:
        row: `pandas.Series` of one image, a value per protocol.
    """
    seen = row[row < NO_ERROR_DB]
    return float(seen.max() - seen.min()) if len(seen) > 1 else float("nan")


def _add_span(figure, height, row):
    figure.add_trace(
        go.Scatter(
            x=[row.min(), row.max()], y=[height, height], mode="lines", line={"color": "#C3C9D0", "width": 5},
            hoverinfo="skip", meta="span",
        )
    )  # fmt: skip


def _add_marks(figure, protocol, places, values, heights, names):
    symbol, fill, _ = _MARKS.get(protocol, ("x", "white", "×"))
    figure.add_trace(
        go.Scatter(
            x=places, y=heights, mode="markers", name=protocol, meta="protocol", text=list(names), customdata=values,
            marker={"symbol": symbol, "size": 10, "color": fill, "line": {"color": INK, "width": 1.6}},
            hovertemplate="%{text}: %{customdata:.2f}<extra>" + protocol + "</extra>",
        )
    )  # fmt: skip


def _add_words(figure, height, row, unit):
    distance = spread_of(row)
    unseen = int(row.isna().sum())
    words = f"{distance:.1f} {unit} apart" if np.isfinite(distance) else ""
    if unseen:
        words = f"{words}<br>" * bool(words) + f"unseen by {unseen}"
    figure.add_annotation(
        text=words, x=1.02, xref="paper", xanchor="left", y=height, yanchor="middle", align="left", showarrow=False,
        font={"size": 12, "color": INK},
    )  # fmt: skip


def _mark_unseen(figure, beyond):
    figure.add_vline(x=beyond, line={"color": GRID, "width": 14}, layer="below")
    figure.add_annotation(
        text="no error<br>seen", x=beyond, y=1, yref="paper", yanchor="bottom", showarrow=False,
        font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip


def _lay_out(figure, table, heights, ends):
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=_WIDTH, margin=_MARGIN,
        height=_MARGIN["t"] + _MARGIN["b"] + _ROW_PX * len(table),
    )  # fmt: skip
    figure.update_xaxes(range=ends)
    figure.update_yaxes(
        tickvals=list(heights), ticktext=[wrapped(name, 34) for name in table.index], range=[-0.6, len(table) - 0.4],
        showgrid=False, ticks="", showline=False, automargin=False,
    )  # fmt: skip


def _caption(figure, table, title, phantom, metric):
    marks = "&nbsp;&nbsp;&nbsp;".join(f"{_MARKS.get(name, ('', '', '×'))[2]} {name}" for name in table.columns)
    figure.update_layout(
        title={
            "text": f"{'PHANTOM · ' if phantom else ''}{title}", "subtitle": {"text": f"protocol: {marks}"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    figure.update_xaxes(title_text=measure_heading(metric, protocol_named("masked")))
    words = [wrapped(f"{name}: {_short(protocol_named(name), metric)}.", 145) for name in table.columns]
    figure.add_annotation(
        text="<br>".join(words), x=0, xref="paper", xanchor="left", xshift=-_MARGIN["l"] + 16, y=0, yref="paper",
        yanchor="top", yshift=-58, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip


def _short(protocol, metric):
    """The parts of a protocol's description that decide about a measure."""
    parts = protocol.description.split("; ")
    label = MEASURES[metric].label
    return "; ".join(part for place, part in enumerate(parts) if place < 2 or label in part)
