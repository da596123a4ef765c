"""Charts of a perceptual study (Plotly): what was called real, how well it was told apart, beside which measures."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.study.against import beside_measures
from ganlib.study.course import learning
from ganlib.study.results import ALL

_ROW_PX = 40
_WIDTH_PX = 960
_LABELS_PX = 110
#: Of one character of the figures beside the marks.
_CHARACTER_PX = 6.3
_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
_REAL = "real images"
_TOTAL = "all synthetic"
NAMES = {"d_prime": "d′", "criterion": "criterion", "roc_area": "ROC area"}
_LABELLED = "share called real (%)"
_FOOLED = "synthetic image taken for the real one (%)"


def labelled_figure(results):
    """Share of the images called real, in total and per method × contrast: the paper's Figures 1d and 1e.

    Args:
        results: `ganlib.study.results.StudyResults`.

    Returns:
        `plotly.graph_objects.Figure`: a panel for both contrasts together and one for each.
    """
    table = results.labelled()
    kinds = [("pair", ALL, "all pairs")] if results.pairs else [("real", ALL, _REAL), ("synthetic", ALL, _TOTAL)]
    kind = "pair" if results.pairs else "synthetic"
    rows = [*kinds, *((kind, method, method) for method in results.trials.methods)]
    panels = {contrast: [_row(table, *row, contrast) for row in rows] for contrast in (ALL, *results.trials.contrasts)}
    figure = _dots(results, panels, 100, _FOOLED if results.pairs else _LABELLED, digits=0)
    figure.update_xaxes(range=[-2, 102])
    if results.pairs:
        figure.add_vline(x=50, line={"color": FAINT_INK, "dash": "dot", "width": 1.5}, layer="below")
    note = "; dotted line: guessing" if results.pairs else ""
    title = "Synthetic taken for real" if results.pairs else "Called real"
    return _titled(figure, results, title, f"marks: mean over raters with 95 % interval{note}")


def detection_figure(results, statistic="d_prime"):
    """How well each method's images were told from real ones, per contrast.

    Args:
        results: `StudyResults`.
        statistic: `d_prime`, `criterion` or `roc_area`.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    table = results.detection()
    table = table[table["statistic"] == statistic].assign(kind="both")
    rows = [("both", ALL, _TOTAL), *(("both", method, method) for method in results.trials.methods)]
    panels = {contrast: [_row(table, *row, contrast) for row in rows] for contrast in (ALL, *results.trials.contrasts)}
    figure = _dots(results, panels, 1, NAMES[statistic], digits=2)
    guessing = 0.5 if statistic == "roc_area" else 0.0
    figure.add_vline(x=guessing, line={"color": FAINT_INK, "dash": "dot", "width": 1.5}, layer="below")
    says = {"d_prime": "told from real images", "criterion": "bias", "roc_area": "told from real images"}[statistic]
    sides = "; above 0: leaning to synthetic" if statistic == "criterion" else "; dotted line: guessing"
    return _titled(figure, results, f"{NAMES[statistic]}: {says}", f"marks: mean over raters with 95 % interval{sides}")


def course_figure(results):
    """Right answers over the session, and each rater's response times.

    Args:
        results: `StudyResults`.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    figure = make_subplots(1, 2, horizontal_spacing=0.16)
    parts = learning(results.counted)
    figure.add_trace(
        go.Scatter(
            x=parts["part"], y=100 * parts["value"], mode="lines+markers", line={"color": INK}, error_y={
                "type": "data", "array": 100 * (parts["high"] - parts["value"]),
                "arrayminus": 100 * (parts["value"] - parts["low"]), "thickness": 2, "color": INK,
            },
        ), row=1, col=1,
    )  # fmt: skip
    figure.update_xaxes(title_text="quarter of the session", tickvals=list(parts["part"]), row=1, col=1)
    figure.update_yaxes(title_text="right answers (%)", range=[0, 102], row=1, col=1)
    timed = results.counted[results.counted["response_ms"].notna() & ~results.counted["resumed"].astype(bool)]
    for rater, group in timed.groupby("rater", sort=False):
        seconds = group["response_ms"].to_numpy() / 1000
        figure.add_trace(
            go.Box(y=seconds, name=rater, line={"color": FAINT_INK}, boxpoints="outliers", marker={"size": 3}),
            row=1, col=2,
        )  # fmt: skip
    figure.update_yaxes(title_text="response time (s)", type="log", tickvals=_SECONDS, row=1, col=2)
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=_WIDTH_PX, height=420, margin={"l": 70, "r": 40, "t": 110, "b": 70}
    )
    return _titled(figure, results, "Over the session", "left: share of right answers; right: one box per rater")


def measures_figure(results):
    """Share called real against each measure of the evaluation, a point per method × contrast.

    Args:
        results: `StudyResults`.

    Returns:
        `plotly.graph_objects.Figure`, or None where no run has a measure.
    """
    table, _ = beside_measures(results)
    if table.empty:
        return None
    measures = list(dict.fromkeys(table["measure"]))
    columns = min(len(measures), 3)
    figure = make_subplots(-(-len(measures) // columns), columns, vertical_spacing=0.2, horizontal_spacing=0.09)
    for index, measure in enumerate(measures):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        mine = table[table["measure"] == measure]
        for (method, contrast), group in mine.groupby(["method", "contrast"], sort=False):
            open_mark = contrast != results.trials.contrasts[0]
            figure.add_trace(_point(method, contrast, group, measure, open_mark), **place)
        better = "higher" if mine["better"].iloc[0] == "higher" else "lower"
        figure.update_xaxes(title_text=f"{measure}, {better} is better", **place)
        figure.update_yaxes(range=[-4, 104], title_text="called real (%)" if place["col"] == 1 else None, **place)
    height = 300 * -(-len(measures) // columns) + 130
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=_WIDTH_PX, height=height, margin={"l": 70, "r": 40, "t": 120, "b": 70}
    )
    first, second = results.trials.contrasts
    return _titled(
        figure, results, "People and measures", f"full marks: {first}, open marks: {second}; hover for names"
    )


def _row(table, kind, method, label, contrast):
    rows = table[(table["kind"] == kind) & (table["method"] == method) & (table["contrast"] == contrast)]
    return label, next(rows.itertuples())


def _dots(results, panels, factor, axis, digits):
    """A row per method, a panel per contrast: mark, interval, and both in figures."""
    titles = ["<b>both contrasts</b>" if name == ALL else f"<b>{name}</b>" for name in panels]
    texts = [_stated(row, factor, digits) for rows in panels.values() for _, row in rows]
    room = 16 + _CHARACTER_PX * max(map(len, texts))
    spacing = room / (_WIDTH_PX - _LABELS_PX - room)
    figure = make_subplots(1, len(panels), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=spacing)
    for column, rows in enumerate(panels.values(), start=1):
        for index, (label, row) in enumerate(rows):
            _add_dot(figure, column, label, row, len(rows) - 1 - index, factor, digits)
    labels = [label for label, _ in next(iter(panels.values()))]
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=_WIDTH_PX, height=_ROW_PX * len(labels) + 200,
        margin={"l": _LABELS_PX, "r": room, "t": 120, "b": 60},
    )  # fmt: skip
    figure.update_xaxes(title_text=axis)
    figure.update_yaxes(range=[-0.6, len(labels) - 0.4], showgrid=False, ticks="", showline=False)
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels[::-1], col=1)
    return figure


def _stated(row, factor, digits):
    """An estimate and its interval: `61 (42–77)`; `to` where a minus sign may stand beside it."""
    value, low, high = (f"{factor * number:.{digits}f}" for number in (row.value, row.low, row.high))
    between = " to " if digits else "–"
    text = f"{value} ({low}{between}{high})" if np.isfinite(row.low) else value
    return text.replace("-", "−")


def _add_dot(figure, column, label, row, height, factor, digits):
    value, low, high = (factor * number for number in (row.value, row.low, row.high))
    known = np.isfinite(low)
    colour, symbol = (INK, "circle") if row.method == ALL else (method_colour(row.method), method_symbol(row.method))
    bars = {"type": "data", "array": [high - value if known else 0], "arrayminus": [value - low if known else 0],
            "thickness": 2.2, "width": 6, "color": INK}  # fmt: skip
    text = _stated(row, factor, digits)
    figure.add_trace(
        go.Scatter(
            x=[value], y=[height], mode="markers", error_x=bars, name=label,
            marker={"symbol": symbol, "color": colour, "size": 11, "line": {"color": INK, "width": 1.2}},
            hovertemplate=f"{label}: {text}<br>{row.images} images, {row.raters} raters<extra></extra>",
        ), row=1, col=column,
    )  # fmt: skip
    figure.add_annotation(
        text=text, x=1.02, xref="x domain", xanchor="left", y=height, showarrow=False,
        font={"size": 11, "color": INK}, row=1, col=column,
    )  # fmt: skip


def _point(method, contrast, group, measure, open_mark):
    symbol = method_symbol(method) + ("-open" if open_mark else "")
    return go.Scatter(
        x=group["value"], y=100 * group["called_real"], mode="markers", name=f"{method} {contrast}",
        marker={"symbol": symbol, "color": method_colour(method), "size": 11, "line": {"width": 2 if open_mark else 1}},
        hovertemplate=f"{method}, {contrast}<br>{measure} %{{x:.3g}}<br>%{{y:.0f}} % called real<extra></extra>",
    )  # fmt: skip


def _titled(figure, results, title, subtitle):
    kinds = [
        word for word, true in (("SIMULATED RATERS", results.simulated), ("PHANTOM", results.trials.phantom)) if true
    ]
    raters = f"{len(results.raters)} {'rater' if len(results.raters) == 1 else 'raters'}"
    figure.update_layout(
        title={
            "text": " · ".join([*kinds, title]), "subtitle": {"text": f"{raters}, {subtitle}"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    return figure
