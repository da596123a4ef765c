"""Realism against error: the paper's finding that they disagree, in one picture."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.marks import method_of
from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.display.wording import direction_title, measure_heading, of_subjects, phantom_prefix, wrapped
from ganlib.evaluation.cases import BASELINES
from ganlib.evaluation.protocols import MEASURES, REALISM, protocol_named

_WIDTH, _HEIGHT = 880, 500
_MARGIN = {"l": 70, "r": 24, "t": 120, "b": 120}
_GAP = 0.12
#: Height of a label and how far beside its mark it stands, in pixels.
_LABEL_PX, _BESIDE_PX = 15, 12
#: Half the width of a mark, and the width of a letter.
_MARK_PX, _LETTER_PX = 8, 7.2
#: On an axis whose largest value is so many times its smallest, the axis is logarithmic.
_DECADES = 6
#: What the realism of real images is, where there is one number for it.
_IDEAL = {"auc": 0.5, "high_frequency_db": 0.0, "spectrum_db": 0.0, "wasserstein": 0.0}


def realism_figure(table, *, baselines=True):
    """Mean realism over mean error, one mark with two intervals per method, one panel per synthesised contrast.

    If low error were realism, the marks would lie on a rising line.

    Args:
        table: as from `ganlib.evaluation.tradeoff.realism_against_error`.
        baselines: whether doing nothing and the mean image are shown.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    rows = table if baselines else table[~table["method"].isin(BASELINES)]
    directions = list(dict.fromkeys(rows["direction"]))
    titles = [direction_title(rows, direction) for direction in directions]
    figure = make_subplots(1, len(directions), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=_GAP)
    axes = [_Axis(rows, name) for name in ("error", "realism")]
    for column, direction in enumerate(directions, start=1):
        mine = rows[rows["direction"] == direction]
        for row in mine.itertuples():
            _add_mark(figure, column, row)
        _add_labels(figure, column, mine, axes, len(directions))
    _lay_out(figure, axes)
    _caption(figure, rows)
    return figure


class _Axis:
    """Range of an axis over all panels, and where on it a value lies."""

    def __init__(self, rows, name):
        ends = rows[[name, f"{name}_low", f"{name}_high"]].to_numpy(float)
        ends = ends[np.isfinite(ends)]
        self.logarithmic = ends.min() > 0 and ends.max() / ends.min() > _DECADES
        low, high = self._scale(ends.min()), self._scale(ends.max())
        room = 0.09 * (high - low or 1)
        self.range = [low - room, high + room]

    @property
    def type(self):
        return "log" if self.logarithmic else "linear"

    def _scale(self, value):
        return np.log10(value) if self.logarithmic else value

    def place(self, value):
        """Fraction of the axis, 0 to 1."""
        return (self._scale(value) - self.range[0]) / (self.range[1] - self.range[0])


def _add_mark(figure, column, row):
    name = method_of(row.method)
    interval = {"type": "data", "thickness": 1.6, "width": 4, "color": INK}
    figure.add_trace(
        go.Scatter(
            x=[row.error], y=[row.realism], mode="markers", name=row.method, meta="method",
            error_x={**interval, "array": [row.error_high - row.error], "arrayminus": [row.error - row.error_low]},
            error_y={
                **interval, "array": [row.realism_high - row.realism], "arrayminus": [row.realism - row.realism_low],
            },
            marker={
                "symbol": method_symbol(name), "color": method_colour(name), "size": 12,
                "line": {"color": INK, "width": 1.2},
            },
            hovertemplate=f"{row.method}: error %{{x:.4g}}, realism %{{y:.4g}}<extra></extra>",
        ), row=1, col=column,
    )  # fmt: skip


def _add_labels(figure, column, rows, axes, panels):
    """Names beside the marks, where they lie neither on a mark nor on each other."""
    size = (
        (_WIDTH - _MARGIN["l"] - _MARGIN["r"]) * (1 - _GAP * (panels - 1)) / panels,
        _HEIGHT - _MARGIN["t"] - _MARGIN["b"],
    )
    marks = [(size[0] * axes[0].place(row.error), size[1] * axes[1].place(row.realism)) for row in rows.itertuples()]
    taken = [(x - _MARK_PX, y - _MARK_PX, x + _MARK_PX, y + _MARK_PX) for x, y in marks]
    for (x, y), name in zip(marks, rows["method"], strict=True):
        box = _free_box(x, y, _LETTER_PX * len(name), taken, size)
        taken.append(box)
        key = "" if column == 1 else str(column)
        figure.add_annotation(
            text=name, xref=f"x{key} domain", yref=f"y{key} domain", x=box[0] / size[0],
            y=(box[1] + box[3]) / 2 / size[1], xanchor="left", yanchor="middle", showarrow=False,
            font={"size": 12, "color": INK},
        )  # fmt: skip


def _free_box(x, y, width, taken, size):
    """Left, lower, right and upper edge of a label beside a mark: the nearest place that is free, in pixels."""
    steps = [9, -9, *(way * step for step in range(17, 120, 8) for way in (1, -1))]
    for up in steps:
        for left in (x + _BESIDE_PX, x - _BESIDE_PX - width):
            box = (left, y + up - _LABEL_PX / 2, left + width, y + up + _LABEL_PX / 2)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]
            if inside and not any(_overlap(box, other) for other in taken):
                return box
    return (x + _BESIDE_PX, y, x + _BESIDE_PX + width, y + _LABEL_PX)


def _overlap(first, second):
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _lay_out(figure, axes):
    figure.update_layout(template=LIGHT_TEMPLATE, width=_WIDTH, height=_HEIGHT, margin=_MARGIN)
    figure.update_xaxes(type=axes[0].type, range=axes[0].range)
    figure.update_yaxes(type=axes[1].type, range=axes[1].range, showticklabels=True)
    for axis, update in zip(axes, (figure.update_xaxes, figure.update_yaxes), strict=True):
        if axis.logarithmic:
            update(tickvals=_ticks(axis.range), ticktext=[f"{value:g}" for value in _ticks(axis.range)])
    for note in figure.layout.annotations[: len(list(figure.select_xaxes()))]:
        note.font.size = 15


def _ticks(ends):
    """1, 2 and 5 of every decade within a logarithmic range."""
    values = [step * 10.0**decade for decade in range(-6, 7) for step in (1, 2, 5)]
    return [value for value in values if ends[0] <= np.log10(value) <= ends[1]]


def _caption(figure, rows):
    first = rows.iloc[0]
    error = measure_heading(first["error_metric"], protocol_named(first["error_protocol"]))
    realism = MEASURES[first["realism_metric"]]
    unit = REALISM.measure_unit(first["realism_metric"])
    corner = "; best is the lower left corner" if realism.better == "lower" else ""
    figure.update_layout(
        title={
            "text": f"{phantom_prefix(rows)}Realism against error",
            "subtitle": {"text": f"{of_subjects(first['n'])}{corner}"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    figure.update_xaxes(title_text=f"{error},<br>protocol {first['error_protocol']}")
    ideal = f"{_IDEAL[first['realism_metric']]:g} is best" if first["realism_metric"] in _IDEAL else ""
    notes = ", ".join(part for part in (unit, ideal) if part)
    figure.update_yaxes(title_text=f"{realism.label} ({notes})", col=1)
    note = "If low error were realism, the marks would lie on a line that rises to the right."
    figure.add_annotation(
        text=wrapped(note, 140), x=0, xref="paper", xanchor="left", xshift=-_MARGIN["l"] + 16, y=0, yref="paper",
        yanchor="top", yshift=-84, align="left", showarrow=False, font={"size": 12, "color": FAINT_INK},
    )  # fmt: skip
