"""Charts of scores and of training (Plotly), complete: title, units, protocol, reference, uncertainty.

The grey-scale figure is in `ganlib.display.grid`; it, `save`, `show` and the table can be imported from here too.
"""

import itertools

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.grid import image_grid
from ganlib.display.marks import add_method, method_of
from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.tables import score_table
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE, save, show
from ganlib.display.wording import axis_title, direction_title, mi_note, phantom_prefix, wrapped
from ganlib.errors import InputError
from ganlib.evaluation.compare import per_subject, select, summary
from ganlib.evaluation.evaluate import DOING_NOTHING, MEAN_IMAGE
from ganlib.evaluation.protocols import MEASURES, protocol_named

__all__ = ["image_grid", "save", "score_figure", "score_table", "show", "training_curves"]

#: Colours of the lines of part losses (Okabe & Ito), in the order in which they come.
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000")
#: Lines of the baselines, through every method's row.
_REFERENCES = {DOING_NOTHING: "dot", MEAN_IMAGE: "dash"}
_ROW_PX = 38
_CURVE_PX = 340


def score_figure(scores, metric, protocol):
    """Scores of all methods, one panel per synthesised contrast (the paper's Figures 1a to 1c).

    Every subject is a point; over the points stands the mean with its 95 % bootstrap interval, which is also printed.
    Lines carry the means of doing nothing (dotted) and of the mean image (dashed) through the panel. There are no
    bars, so that the axis need not begin at zero.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        metric: such as `psnr_db`.
        protocol: name of the protocol, such as `masked`.

    Returns:
        `plotly.graph_objects.Figure`.

    Raises:
        InputError: the table has no scores of this metric under this protocol.
    """
    points, means = per_subject(scores, metric, protocol), summary(scores, metric, protocol)
    methods, directions = list(dict.fromkeys(means["method"])), list(dict.fromkeys(means["direction"]))
    titles = [direction_title(means, direction) for direction in directions]
    figure = make_subplots(1, len(directions), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.165)
    for column, direction in enumerate(directions, start=1):
        for row in means[means["direction"] == direction].itertuples():
            mine = points[(points["direction"] == direction) & (points["method"] == row.method)]
            add_method(figure, column, row, mine, height=len(methods) - 1 - methods.index(row.method))
        _add_references(figure, column, means[means["direction"] == direction])
        _add_seeds(figure, column, select(scores, metric, protocol), methods, direction)
    _lay_out_scores(figure, methods, len(directions))
    _caption_scores(figure, select(scores, metric, protocol), means, metric, protocol_named(protocol))
    return figure


def training_curves(run):
    """Part losses and validation scores of a run over its epochs.

    Args:
        run: `ganlib.runs.Run`.

    Returns:
        `plotly.graph_objects.Figure`; a panel for the part losses, and one each for the validation MAE and PSNR of
        both directions where the run has validation subjects.

    Raises:
        InputError: no epoch is finished yet.
    """
    history = run.history
    if history.empty:
        raise InputError(f"{run.folder / 'history.csv'}: no finished epoch yet, so that there is nothing to draw")
    panels = _curve_panels(run, history)
    figure = make_subplots(1, len(panels), subplot_titles=[title for title, _ in panels], horizontal_spacing=0.17)
    figure.update_annotations(font_size=15)
    for column, (_, curves) in enumerate(panels, start=1):
        _add_curves(figure, column, history["epoch"], curves)
    kind = "PHANTOM · " if run.config.phantom else ""
    subtitle = f"run {run.name}, {len(history)} epochs, seed {run.config.seed}"
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=60 + 400 * len(panels), height=_CURVE_PX + 160,
        margin={"l": 60, "r": 130, "t": 120, "b": 40},
        title={"text": f"{kind}Training of {run.label}", "subtitle": {"text": subtitle}, "y": 0.95},
    )  # fmt: skip
    return figure


def _add_references(figure, column, means):
    """A line through the panel at the mean of each baseline."""
    for baseline, dash in _REFERENCES.items():
        reference = means.loc[means["method"] == baseline, "mean"]
        if len(reference) and np.isfinite(reference.iloc[0]):
            line = {"color": method_colour(baseline), "dash": dash, "width": 1.5}
            figure.add_vline(x=reference.iloc[0], line=line, layer="below", row=1, col=column)


def _add_seeds(figure, column, rows, methods, direction):
    """An open mark per training seed, above the row of its method, where there are several."""
    mine = rows[rows["direction"] == direction].groupby(["method", "seed"], as_index=False)["value"].mean()
    for method, seeds in mine.groupby("method"):
        if len(seeds) > 1:
            height = len(methods) - 1 - methods.index(method) + 0.36
            figure.add_trace(
                go.Scatter(
                    x=seeds["value"], y=[height] * len(seeds), mode="markers", name=method, meta="seeds",
                    text=[f"seed {seed}" for seed in seeds["seed"]], hovertemplate="%{text}: %{x:.4g}",
                    marker={"symbol": method_symbol(method_of(method)) + "-open", "color": INK, "size": 6},
                ), row=1, col=column,
            )  # fmt: skip


def _lay_out_scores(figure, methods, panels):
    height = _ROW_PX * len(methods)
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=160 + 360 * panels, height=height + 254,
        margin={"l": 122, "r": 100, "t": 120, "b": 134},
    )  # fmt: skip
    figure.update_xaxes(matches="x", showticklabels=True)
    figure.update_annotations(font_size=15, selector={"showarrow": False, "yanchor": "bottom"})
    figure.update_yaxes(range=[-0.6, len(methods) - 0.4], showgrid=False, ticks="", showline=False)
    figure.update_yaxes(tickvals=list(range(len(methods))), ticktext=methods[::-1], tickfont={"size": 13}, col=1)


def _caption_scores(figure, rows, means, metric, protocol):
    """Title, what the marks mean, and the protocol in words beneath."""
    count = rows["subject"].nunique()
    points = f"points: {count} test subjects" if count > 1 else "point: one test subject"
    marks = "marks: mean with 95 % bootstrap interval over subjects" if count > 1 else "no interval"
    seeds = ", small open marks: training seeds" if (means["seeds"] > 1).any() else ""
    figure.update_layout(
        title={
            "text": f"{phantom_prefix(rows)}{MEASURES[metric].label}, protocol {protocol.name}",
            "subtitle": {"text": f"{points}, {marks}{seeds}{_lines(means)}"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    figure.update_xaxes(title_text=axis_title(metric, protocol))
    note = f"Protocol {protocol.name}: {protocol.description}."
    note += " " + mi_note() if metric in ("mi_nats", "nmi") else ""
    figure.add_annotation(
        text=wrapped(note, 148), x=0, xref="paper", xanchor="left", xshift=-106, y=0, yref="paper", yanchor="top",
        yshift=-70, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip


def _lines(means):
    """What the lines are, of the baselines that there are."""
    words = {"dot": "dotted", "dash": "dashed"}
    there = [
        f"{words[dash]} line: {name.lower()}" for name, dash in _REFERENCES.items() if (means["method"] == name).any()
    ]
    return "; " * bool(there) + ", ".join(there)


def _curve_panels(run, history):
    """Title and curves of each panel: (title, [(label, values, colour, dash)])."""
    losses = [name for name in history if name not in ("epoch", "seconds", "loss") and not name.startswith("val_")]
    colours = itertools.cycle(_LINES)
    curves = [(name.replace("_", " "), history[name], next(colours), "solid") for name in losses]
    panels = [
        ("<b>part losses</b>, training", curves),
        ("<b>MAE</b>, validation, fraction of range", _validation_curves(run, history, "val_mae")),
        ("<b>PSNR</b>, validation, dB", _validation_curves(run, history, "val_psnr_db")),
    ]
    return [(title, curves) for title, curves in panels if curves]


def _validation_curves(run, history, metric):
    dashes = zip(run.directions, ("solid", "dash"), strict=True)
    return [
        (direction.label, history[f"{metric}_{direction.name}"], method_colour(run.label), dash)
        for direction, dash in dashes
        if f"{metric}_{direction.name}" in history
    ]


def _add_curves(figure, column, epochs, curves):
    """Lines of one panel with their names at their ends, on a logarithmic axis where they span decades."""
    values = np.concatenate([curve.to_numpy(float) for _, curve, _, _ in curves])
    values = values[np.isfinite(values)]
    logarithmic = values.min() > 0 and values.max() / values.min() > 30
    scale = np.log10 if logarithmic else np.asarray
    low, high = scale(values.min()), scale(values.max())
    low, high = low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)
    for name, curve, colour, dash in curves:
        figure.add_trace(
            go.Scatter(
                x=epochs, y=curve, mode="lines+markers" if len(epochs) < 3 else "lines", name=name,
                line={"color": colour, "dash": dash, "width": 2}, hovertemplate="epoch %{x}: %{y:.4g}",
            ), row=1, col=column,
        )  # fmt: skip
    ends = np.array([(scale(curve.iloc[-1]) - low) / (high - low) for _, curve, _, _ in curves])
    for (name, _, colour, _), height in zip(curves, _spread(np.nan_to_num(ends), 17 / _CURVE_PX), strict=True):
        figure.add_annotation(
            text=name, x=1.02, xref="x domain", xanchor="left", y=height, yref="y domain", yanchor="middle",
            showarrow=False, font={"color": colour, "size": 12}, row=1, col=column,
        )  # fmt: skip
    figure.update_xaxes(title_text="epoch", row=1, col=column)
    figure.update_yaxes(type="log" if logarithmic else "linear", range=[low, high], row=1, col=column)


def _spread(heights, gap):
    """Move labels apart until neighbours are a gap away from each other; their order stays."""
    order = np.argsort(heights)
    spread = np.array(heights, float)[order]
    for index in range(1, len(spread)):
        spread[index] = max(spread[index], spread[index - 1] + gap)
    spread -= max(spread[-1] - 1, 0)
    placed = np.empty_like(spread)
    placed[order] = spread
    return placed
