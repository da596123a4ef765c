"""Scores of regions: grey matter, white matter, CSF, lesion, whatever the cohort's labels name."""

from plotly.subplots import make_subplots

from ganlib.display.marks import add_method
from ganlib.display.template import FAINT_INK, GRID, INK, LIGHT_TEMPLATE
from ganlib.display.wording import axis_title, direction_title, phantom_prefix, wrapped
from ganlib.errors import InputError
from ganlib.evaluation.compare import per_subject, summary
from ganlib.evaluation.protocols import MEASURES, protocol_named
from ganlib.evaluation.regions import SMALLEST_REGION

_ROW_PX = 23
#: Rows that the name of a region takes above those of its methods.
_HEADING = 1.35
_MARGIN = {"l": 130, "r": 104, "t": 124, "b": 114}
_WIDTH = 880


def region_figure(table, metric, *, methods=None):
    """Scores of every region, one below the other, one panel per synthesised contrast.

    Points, means and intervals are those of `ganlib.display.figures.score_figure`. All regions of a panel have one
    axis, so that it is seen where a method errs most.

    Args:
        table: table of regions, as from `ganlib.evaluation.compare.load_scores(runs, "regions")`.
        metric: `mae`, `psnr_db`, `bias` or `ssim`.
        methods: which methods, the baselines among them; default all.

    Returns:
        `plotly.graph_objects.Figure`.

    Raises:
        InputError: there is no region, or no such metric.
    """
    regions = list(dict.fromkeys(table["region"]))
    if not regions:
        raise InputError("no region was scored: the test subjects' labels are empty inside the mask; check the labels")
    chosen = table[table["method"].isin(methods)] if methods else table
    parts = {region: chosen[chosen["region"] == region] for region in regions}
    means = {region: summary(part, metric, "masked") for region, part in parts.items()}
    names = list(dict.fromkeys(name for table in means.values() for name in table["method"]))
    heights, headings = _heights(regions, names)
    first = means[regions[0]]
    directions = list(dict.fromkeys(first["direction"]))
    titles = [direction_title(first, direction) for direction in directions]
    figure = make_subplots(1, len(directions), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.15)
    for region, part in parts.items():
        points = per_subject(part, metric, "masked")
        for row in means[region].itertuples():
            mine = points[(points["direction"] == row.direction) & (points["method"] == row.method)]
            add_method(figure, directions.index(row.direction) + 1, row, mine, heights[region, row.method])
    _lay_out(figure, heights, headings, means)
    _caption(figure, chosen, metric)
    return figure


def _heights(regions, names):
    """Where each method of each region stands, and the heading of each region; the first is on top."""
    block = len(names) + _HEADING
    heights, headings = {}, {}
    for place, region in enumerate(regions):
        top = (len(regions) - place) * block
        headings[region] = top - 0.35
        heights |= {(region, name): top - _HEADING - number for number, name in enumerate(names)}
    return heights, headings


def _lay_out(figure, heights, headings, means):
    low, high = min(heights.values()) - 0.7, max(headings.values()) + 0.6
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=_WIDTH, margin=_MARGIN,
        height=round(_MARGIN["t"] + _MARGIN["b"] + _ROW_PX * (high - low)),
    )  # fmt: skip
    figure.update_xaxes(matches="x", showticklabels=True)
    figure.update_annotations(font_size=15, selector={"showarrow": False, "yanchor": "bottom"})
    figure.update_yaxes(range=[low, high], showgrid=False, ticks="", showline=False)
    labels = {height: name for (_, name), height in heights.items()}
    figure.update_yaxes(tickvals=list(labels), ticktext=list(labels.values()), tickfont={"size": 11}, col=1)
    for region, height in headings.items():
        number = int(means[region]["n"].max())
        figure.add_annotation(
            text=f"<b>{region}</b>, {number} subject{'s' * (number != 1)}", x=0, xref="paper", xanchor="left",
            xshift=-_MARGIN["l"] + 16, y=height, yref="y", yanchor="middle", showarrow=False,
            font={"size": 13, "color": INK},
        )  # fmt: skip
        figure.add_shape(
            type="line", xref="paper", x0=-_MARGIN["l"] / 700, x1=1, yref="y", y0=height + 0.55, y1=height + 0.55,
            line={"color": GRID, "width": 1}, layer="below",
        )  # fmt: skip


def _caption(figure, rows, metric):
    protocol = protocol_named("masked")
    figure.update_layout(
        title={
            "text": f"{phantom_prefix(rows)}{MEASURES[metric].label} by region, protocol masked",
            "subtitle": {"text": "points: test subjects that have the region; marks: mean, 95 % bootstrap interval"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    figure.update_xaxes(title_text=axis_title(metric, protocol))
    note = (
        f"Errors pooled over a region's voxels, in fractions of the contrast's training range; regions of fewer than "
        f"{SMALLEST_REGION} voxels are left out. SSIM: the map of the whole mask, averaged over the region."
    )
    figure.add_annotation(
        text=wrapped(note, 145), x=0, xref="paper", xanchor="left", xshift=-_MARGIN["l"] + 16, y=0, yref="paper",
        yanchor="top", yshift=-72, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip
