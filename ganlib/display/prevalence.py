"""The chart of Cohen et al. 2018: erased and invented lesions against how common lesions are in the training images."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.audit import counting_caption
from ganlib.display.palette import display_order, method_colour, method_symbol
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.display.wording import direction_title, phantom_prefix, wrapped
from ganlib.evaluation.audit import REAL
from ganlib.evaluation.audit_summary import summary_of
from ganlib.evaluation.prevalence_curve import prevalence_curve

#: Title, axis, column of `prevalence_curve` and of its interval.
_PANELS = (
    ("<b>erased</b>, patients", "share of a patient's lesions<br>← lower is better", "erased_share"),
    ("<b>invented</b>, healthy subjects", "lesions per healthy subject<br>← lower is better", "invented_healthy"),
)
_PANEL_PX, _LEFT, _RIGHT, _TOP, _BOTTOM = 300, 90, 40, 150, 150
#: Methods stand beside each other by this much, seeds of a method within it, percent.
_BESIDE, _SEED_BESIDE = 1.6, 0.7


def prevalence_figure(found):
    """Lesions erased and invented against the share of lesions in the target's training images.

    Rows are directions. A large mark is the mean over subjects and training seeds with its 95 % bootstrap interval over
    subjects; small marks are the seeds one by one.

    Args:
        found: `ganlib.evaluation.audit.Audit` of runs, at least two of one method with different shares.

    Returns:
        `plotly.graph_objects.Figure`, or None where no method was trained at two shares.
    """
    curves, seeds = prevalence_curve(found), prevalence_curve(found, by_seed=True)
    if curves.empty:
        return None
    directions = [name for name in found.subjects["direction"].unique() if name in set(curves["direction"])]
    titles = [title for _ in directions for title, *_ in _PANELS]
    figure = make_subplots(len(directions), 2, subplot_titles=titles, horizontal_spacing=0.12, vertical_spacing=0.22)
    for row, direction in enumerate(directions, start=1):
        mine, of_seeds = (table[table["direction"] == direction] for table in (curves, seeds))
        for column, (_, axis, name) in enumerate(_PANELS, start=1):
            _add_panel(figure, row, column, mine, of_seeds, name)
            figure.update_yaxes(title_text=axis, row=row, col=column)
        _add_search_on_truth(figure, row, found, direction)
        _head(figure, row, found, direction)
    _lay_out(figure, found, curves, len(directions))
    return figure


def _add_panel(figure, row, column, means, of_seeds, name):
    """Every method's curve of one measure in one direction."""
    means, of_seeds = (table.dropna(subset=name) for table in (means, of_seeds))
    if means.empty:  # nobody is healthy, or nothing was searched
        return
    methods = sorted(means["method"].unique(), key=display_order)
    for place, method in enumerate(methods):
        beside = _BESIDE * (place - (len(methods) - 1) / 2)
        _add_seeds(figure, row, column, of_seeds[of_seeds["method"] == method], name, beside)
        _add_method(figure, row, column, means[means["method"] == method], name, beside)
        _label(figure, row, column, means, method, name)
    figure.update_yaxes(range=_from_zero(means, of_seeds, name), row=row, col=column)
    figure.update_xaxes(
        title_text=f"training subjects with lesions in the target, {means['target'].iloc[0]} (%)", row=row, col=column,
        range=[-7, 107], tickvals=[100 * share for share in sorted(means["target_share"].unique())],
    )  # fmt: skip


def _add_seeds(figure, row, column, rows, name, beside):
    """Each training seed as a small open mark, beside the others of its share."""
    numbers = {seed: place for place, seed in enumerate(sorted(rows["seed"].unique()))}
    if len(numbers) < 2:
        return
    method = rows["method"].iloc[0]
    offsets = _SEED_BESIDE * (rows["seed"].map(numbers) - (len(numbers) - 1) / 2)
    figure.add_trace(
        go.Scatter(
            x=100 * rows["target_share"] + beside + offsets, y=rows[name], mode="markers", name=method, meta="seeds",
            text=rows["seed"], hovertemplate=f"{method}, seed %{{text}}: %{{y:.2f}}<extra></extra>",
            marker={"symbol": method_symbol(method) + "-open", "color": method_colour(method), "size": 6},
        ), row=row, col=column,
    )  # fmt: skip


def _add_method(figure, row, column, rows, name, beside):
    method, colour = rows["method"].iloc[0], method_colour(rows["method"].iloc[0])
    low, high = (rows[f"{name}_{end}"].fillna(rows[name]) for end in ("low", "high"))
    figure.add_trace(
        go.Scatter(
            x=100 * rows["target_share"] + beside, y=rows[name], mode="lines+markers", name=method, meta="mean",
            hovertemplate=f"{method}: %{{y:.2f}}<extra></extra>", line={"color": colour, "width": 2},
            error_y={
                "type": "data", "array": high - rows[name], "arrayminus": rows[name] - low, "color": colour,
                "thickness": 1.6, "width": 4,
            },
            marker={"symbol": method_symbol(method), "size": 10, "line": {"color": INK, "width": 1}},
        ), row=row, col=column,
    )  # fmt: skip


def _label(figure, row, column, rows, method, name):
    """A method's name at its curve, where that is farthest from the others."""
    wide = rows.pivot_table(name, "target_share", "method")
    others = wide.drop(columns=method)
    gaps = (wide[[method]].to_numpy() - others.to_numpy()) if others.size else np.zeros((len(wide), 1))
    place = int(np.nanargmax(np.abs(gaps).min(1)))
    above, right = gaps[place].sum() >= 0, wide.index[place] > 0.6
    figure.add_annotation(
        text=f"<b>{method}</b>", x=100 * wide.index[place], y=wide[method].iloc[place], showarrow=False,
        xanchor="right" if right else "left", xshift=-10 if right else 10, yanchor="bottom" if above else "top",
        yshift=8 if above else -8,
        font={"color": method_colour(method), "size": 13}, row=row, col=column,
    )  # fmt: skip


def _add_search_on_truth(figure, row, found, direction):
    """What the search itself invents in real images, as a dotted line."""
    table = summary_of(found)
    real = table[(table["method"] == REAL) & (table["direction"] == direction)]["invented_healthy"]
    if real.empty or np.isnan(real.iloc[0]):
        return
    figure.add_hline(real.iloc[0], line={"color": FAINT_INK, "dash": "dot", "width": 1.4}, row=row, col=2)
    figure.add_annotation(
        text="real images: the search itself", x=0.01, xref="x domain", xanchor="left", y=real.iloc[0], yanchor="top",
        yshift=-5, showarrow=False, font={"color": FAINT_INK, "size": 11}, row=row, col=2,
    )  # fmt: skip


def _from_zero(rows, of_seeds, name):
    most = np.nanmax([rows[f"{name}_high"].max(), rows[name].max(), of_seeds[name].max(), 1.0])
    return [-0.16 * most, 1.12 * most]


def _head(figure, row, found, direction):
    figure.add_annotation(
        text=direction_title(found.subjects, direction), x=0, xref="x domain", xanchor="left", y=1, yref="y domain",
        yanchor="bottom", xshift=-_LEFT + 16, yshift=28, showarrow=False, font={"size": 15, "color": INK}, row=row,
        col=1,
    )  # fmt: skip


def _lay_out(figure, found, curves, rows):
    height = _TOP + _BOTTOM + rows * _PANEL_PX + (rows - 1) * 90
    seeds = int(curves["seeds"].max())
    marks = "large marks: means with 95 % bootstrap intervals over subjects"
    marks += f"; small marks: the {seeds} training seeds" if seeds > 1 else "; one training seed"
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=1040, height=height,
        margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM},
        title={
            "text": f"{phantom_prefix(found.subjects)}Who follows the share of lesions in the training images?",
            "subtitle": {"text": marks}, "yref": "container", "y": 1 - 32 / height,
        },
    )  # fmt: skip
    figure.add_annotation(
        text=wrapped(counting_caption(found), 170), x=0, xref="paper", xanchor="left", xshift=-_LEFT + 16, y=0,
        yref="paper", yanchor="top", yshift=-70, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip
