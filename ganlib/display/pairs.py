"""Who differs from whom: every pair of methods on the same subjects, as a matrix."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.display.wording import direction_title, p_text, phantom_prefix, signed, wrapped
from ganlib.evaluation.compare import per_subject, select
from ganlib.evaluation.paired import LEVEL
from ganlib.evaluation.pairwise import compare_pairs, matrix_of
from ganlib.evaluation.protocols import MEASURES, protocol_named

#: Fill of a cell whose row is worse, not different, better (Okabe & Ito's vermilion and blue, lightened).
_FILLS = ("#F6C6A3", "#EEF0F2", "#9CCDEB")
_CELL_PX, _CELL_HEIGHT_PX = 52, 34
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 116, 20, 190, 84, 34
_WIDEST_PX = 880


def pairs_figure(scores, metric, protocol, *, methods=None):
    """Every method against every other, one panel per synthesised contrast, Holm-corrected.

    Above the diagonal stands by how much the row's mean exceeds the column's, below it the corrected P of Wilcoxon's
    signed-rank test. A filled cell says that the row is better or worse than the column; a grey one that the test does
    not tell. Hovering shows interval and effect size.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        metric: such as `psnr_db`.
        protocol: name of the protocol, such as `masked`.
        methods: which methods, the baselines among them; default all.

    Returns:
        `plotly.graph_objects.Figure`.

    Raises:
        InputError: as `ganlib.evaluation.pairwise.compare_pairs`.
    """
    pairs = compare_pairs(scores, metric, protocol, methods=methods)
    values = per_subject(scores, metric, protocol)
    directions = list(dict.fromkeys(values["direction"]))
    names = [name for name in dict.fromkeys(values["method"]) if not methods or name in methods]
    titles = [direction_title(values, direction) for direction in directions]
    figure = make_subplots(1, len(directions), subplot_titles=titles, shared_yaxes=True)
    for column, direction in enumerate(directions, start=1):
        figure.add_trace(_matrix(pairs, direction, names, protocol_named(protocol).measure_unit(metric)), 1, column)
    _lay_out(figure, names, len(directions))
    _caption(figure, select(scores, metric, protocol), pairs, metric, protocol_named(protocol), len(directions))
    return figure


def _matrix(pairs, direction, names, unit):
    """One panel: a heat map whose colour is the verdict, with differences and P as its text."""
    mine = pairs[pairs["direction"] == direction]
    tables = {column: _square(pairs, direction, column, names) for column in ("difference", "p_holm", "rank_biserial")}
    rows = range(len(names))
    decimals = _decimals(mine)
    return go.Heatmap(
        z=[[_verdict(mine, names[row], names[column]) for column in rows] for row in rows],
        text=[[_cell(tables, row, column, decimals) for column in rows] for row in rows],
        hovertext=[[_hover(tables, names, row, column, decimals, unit) for column in rows] for row in rows],
        x=names, y=names, zmin=-1, zmax=1, xgap=2, ygap=2, showscale=False, texttemplate="%{text}", meta="pairs",
        textfont={"size": 11, "color": INK}, hovertemplate="%{hovertext}<extra></extra>", name=direction,
        colorscale=[[0, _FILLS[0]], [0.5, _FILLS[1]], [1, _FILLS[2]]], hoverongaps=False,
    )  # fmt: skip


def _square(pairs, direction, column, names):
    return matrix_of(pairs, direction, column).reindex(index=names, columns=names).to_numpy()


def _verdict(mine, row, column):
    """1 where the row's method is better, -1 where it is worse, 0 where the test does not tell, NaN on the diagonal."""
    if row == column:
        return np.nan
    better = mine.loc[mine["method_a"].isin([row, column]) & mine["method_b"].isin([row, column]), "better"].iloc[0]
    return {row: 1, column: -1}.get(better, 0)


def _cell(tables, row, column, decimals):
    if row == column:
        return ""
    if column > row:
        return signed(tables["difference"][row, column], decimals)
    return p_text(tables["p_holm"][row, column])


def _hover(tables, names, row, column, decimals, unit):
    difference, p, effect = (tables[key][row, column] for key in ("difference", "p_holm", "rank_biserial"))
    if row == column:
        return ""
    return (
        f"{names[row]} − {names[column]}: {signed(difference, decimals)} {unit}<br>P (Holm) {p_text(p)}, "
        f"rank-biserial effect {signed(effect, 2)}"
    )


def _decimals(mine):
    """So many that the narrowest interval's half-width shows one digit, but three at most."""
    half = ((mine["high"] - mine["low"]) / 2).to_numpy(float)
    half = half[np.isfinite(half) & (half > 0)]
    return int(np.clip(np.ceil(-np.log10(np.median(half))), 0, 3)) if half.size else 2


def _lay_out(figure, names, panels):
    count = len(names)
    cell = min(_CELL_PX, (_WIDEST_PX - _LEFT - _RIGHT - (panels - 1) * _GAP) / (panels * count))
    width = round(_LEFT + _RIGHT + panels * count * cell + (panels - 1) * _GAP)
    height = _TOP + _BOTTOM + count * _CELL_HEIGHT_PX
    inner = width - _LEFT - _RIGHT
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=max(width, 640), height=height,
        margin={"l": _LEFT, "r": _RIGHT + max(640 - width, 0), "t": _TOP, "b": _BOTTOM},
    )  # fmt: skip
    figure.update_xaxes(side="top", tickangle=-40, showline=False, ticks="", showgrid=False, tickfont={"size": 12})
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", showgrid=False, tickfont={"size": 13})
    for number in range(panels):
        left = number * (count * cell + _GAP) / inner
        figure.layout[f"xaxis{number + 1 if number else ''}"].domain = [left, min(left + count * cell / inner, 1)]
        figure.layout.annotations[number].update(
            x=left, xanchor="left", y=1, yshift=78, font={"size": 15}, yanchor="bottom"
        )


def _caption(figure, rows, pairs, metric, protocol, panels):
    measure, subjects = MEASURES[metric], rows["subject"].nunique()
    unit = protocol.measure_unit(metric)
    family = len(pairs) // panels
    tests = (
        f"below: P of Wilcoxon's signed-rank test over {subjects} subjects, corrected by Holm's method for {family} "
        "pairs"
        if subjects > 1
        else "one subject: no test"
    )
    better = f" ({measure.better} is better)" if measure.better else ""
    figure.update_layout(
        title={
            "text": f"{phantom_prefix(rows)}Who differs from whom: {measure.label}, protocol {protocol.name}",
            "subtitle": {"text": _legend(), "font": {"size": 13}},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    in_unit = f", {unit}" if unit else ""
    note = f"Above the diagonal: mean of the row's method − mean of the column's{in_unit}{better}; {tests}."
    figure.add_annotation(
        text=wrapped(note, round(figure.layout.width / 5.8)), x=0, xref="paper", xanchor="left", xshift=-_LEFT + 16,
        y=0, yref="paper", yanchor="top", yshift=-16, align="left", showarrow=False,
        font={"size": 12, "color": FAINT_INK},
    )  # fmt: skip


def _legend():
    words = (("row is better", _FILLS[2]), ("row is worse", _FILLS[0]), (f"not told apart (P ≥ {LEVEL:g})", _FILLS[1]))
    return "&nbsp;&nbsp;".join(f"<span style='color:{fill}'>■</span> {word}" for word, fill in words)
