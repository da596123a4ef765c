"""Hidden information: what a cycle knows more than its intermediate image shows, as noise is added to that image."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.marks import method_of
from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.display.wording import of_subjects, phantom_prefix, wrapped
from ganlib.evaluation.steganography import advantages

_WIDTH, _HEIGHT = 880, 482
_MARGIN = {"l": 76, "r": 130, "t": 120, "b": 142}
_GAP = 0.2
_LABEL_PX = 15


def hidden_figure(table):
    """Advantage of the cycle over the real image against noise on the intermediate image, one line per method.

    Args:
        table: as from `ganlib.evaluation.joined.load_joined(runs, "steganography")`.

    Returns:
        `plotly.graph_objects.Figure`, one panel per cycle.
    """
    means = advantages(table)
    directions = list(dict.fromkeys(means["direction"]))
    titles = [_title(means, direction) for direction in directions]
    figure = make_subplots(1, len(directions), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=_GAP)
    ends = [means[["advantage", "low"]].min(axis=None), means[["advantage", "high"]].max(axis=None)]
    room = 0.06 * (ends[1] - ends[0] or 1)
    ends = [min(ends[0], 0) - room, max(ends[1], 0) + room]
    for column, direction in enumerate(directions, start=1):
        mine = means[means["direction"] == direction]
        for method, part in mine.groupby("method", sort=False):
            _add_line(figure, column, method, part)
        _add_labels(figure, column, mine, ends)
    _lay_out(figure, means, ends)
    _caption(figure, table, means)
    return figure


def _title(means, direction):
    row = means[means["direction"] == direction].iloc[0]
    return f"<b>{row['source']} → {row['target']} → {row['source']}</b>"


def _add_line(figure, column, method, part):
    """A line over equally spaced strengths, since they are chosen and not evenly apart."""
    colour = method_colour(method_of(method))
    figure.add_trace(
        go.Scatter(
            x=list(range(len(part))), y=part["advantage"], mode="lines+markers", name=method, meta="advantage",
            error_y={
                "type": "data", "array": part["high"] - part["advantage"],
                "arrayminus": part["advantage"] - part["low"], "thickness": 1.2, "width": 3, "color": colour,
            },
            line={"color": colour, "width": 2},
            marker={"symbol": method_symbol(method_of(method)), "size": 9, "line": {"color": INK, "width": 1}},
            customdata=part[["cycle_mae", "direct_mae"]],
            hovertemplate="%{y:.4f}: cycle %{customdata[0]:.4f}, from the real image %{customdata[1]:.4f}"
            f"<extra>{method}</extra>",
        ), row=1, col=column,
    )  # fmt: skip


def _add_labels(figure, column, rows, ends):
    """Names where the lines begin at the right, moved apart."""
    height = _HEIGHT - _MARGIN["t"] - _MARGIN["b"]
    last = rows[rows["noise"] == rows["noise"].max()].sort_values("advantage")
    below = -float("inf")
    for row in last.itertuples():
        at = max(height * (row.advantage - ends[0]) / (ends[1] - ends[0]), below + _LABEL_PX)
        below = at
        figure.add_annotation(
            text=row.method, x=1.02, xref=f"x{column if column > 1 else ''} domain", xanchor="left", y=at / height,
            yref=f"y{column if column > 1 else ''} domain", yanchor="middle", showarrow=False,
            font={"size": 12, "color": method_colour(method_of(row.method))},
        )  # fmt: skip


def _lay_out(figure, means, ends):
    strengths = sorted(means["noise"].unique())
    figure.update_layout(template=LIGHT_TEMPLATE, width=_WIDTH, height=_HEIGHT, margin=_MARGIN)
    figure.update_xaxes(
        tickvals=list(range(len(strengths))), ticktext=[f"{100 * value:g}" for value in strengths],
        title_text="noise on the intermediate image, SD in % of range",
    )  # fmt: skip
    figure.update_yaxes(range=ends, showticklabels=True, zeroline=True, zerolinecolor=FAINT_INK)
    figure.update_yaxes(title_text="advantage of the cycle<br>(MAE, fraction of range)", col=1)
    for note in figure.layout.annotations[: means["direction"].nunique()]:
        note.font.size = 15


def _caption(figure, table, means):
    figure.update_layout(
        title={
            "text": f"{phantom_prefix(table)}Hidden information: what a cycle knows more than the real image shows",
            "subtitle": {"text": f"{of_subjects(means['n'].max())}; 0: nothing more"},
            "yref": "container", "y": 1 - 34 / figure.layout.height,
        }
    )  # fmt: skip
    note = (
        "Advantage: mean absolute error of the source made from the real intermediate image, less that of the cycle, "
        "inside the mask. A line that falls to 0 at noise that nobody sees (1 % or less): the network had written the "
        "source into its synthetic image where it cannot be seen, and read it back (Chu et al. 2017). The same noise "
        "is added to the real image, so that what the noise itself spoils does not count."
    )
    figure.add_annotation(
        text=wrapped(note, 140), x=0, xref="paper", xanchor="left", xshift=-_MARGIN["l"] + 16, y=0, yref="paper",
        yanchor="top", yshift=-60, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip
