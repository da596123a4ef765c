"""Charts and table of a hallucination audit (Plotly): what the audit counts, beside what a whole-brain measure sees."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.display.palette import method_colour, method_symbol
from ganlib.display.template import FAINT_INK, INK, LIGHT_TEMPLATE
from ganlib.display.wording import phantom_prefix, wrapped
from ganlib.evaluation.audit import REAL
from ganlib.evaluation.audit_summary import free_response_curve, summary_of
from ganlib.evaluation.cases import BASELINES
from ganlib.evaluation.hallucination import ERASED_BELOW, SMALLEST_MM2
from ganlib.evaluation.lesion_reference import FALSE_PER_SUBJECT

#: Title, axis, protocol and metric of each panel, and of which subjects.
_PANELS = (
    ("<b>erased</b>, patients", "share of a patient's lesions", "lesion_erased", "patients"),
    ("<b>invented</b>, healthy subjects", "lesions per subject", "lesion_invented", "healthy"),
    ("<b>SSIM</b>, whole brain", "SSIM, protocol masked", "ssim", "all"),
)
_WHOLE_BRAIN = "SSIM and MAE: whole brain, protocol masked"
_ROW_PX, _LEFT, _TEXT_PX = 34, 190, 70


def audit_figure(found):
    """Erased and invented lesions of every method beside the whole brain's SSIM, a row of panels per direction.

    Every subject is a point; over the points stands the mean with its 95 % bootstrap interval over subjects, and the
    counts in figures.

    Args:
        found: `ganlib.evaluation.audit.Audit`.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    table = summary_of(found)
    methods = [name for name in dict.fromkeys(table["method"]) if name not in BASELINES]
    directions = list(dict.fromkeys(table["direction"]))
    titles = [title for _ in directions for title, *_ in _PANELS]
    figure = make_subplots(
        len(directions), 3, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.1, vertical_spacing=0.19
    )
    for row, direction in enumerate(directions, start=1):
        for column, panel in enumerate(_PANELS, start=1):
            for height, method in enumerate(reversed(methods)):
                _add_method(figure, row, column, found, table, direction, method, panel, height)
            figure.update_xaxes(title_text=panel[1], row=row, col=column)
            if panel[3] != "all":
                figure.update_xaxes(range=_from_zero(figure, row, column), row=row, col=column)
        _label_rows(figure, row, methods, table[table["direction"] == direction].iloc[0])
    _lay_out(figure, found, methods, len(directions))
    return figure


def free_response_figure(found):
    """Lesions found against lesions invented as the threshold of the search falls: a panel per direction.

    A method whose images are as good as real ones has the curve of the real images. The filled mark is at the
    threshold that counts are made at.

    Args:
        found: `ganlib.evaluation.audit.Audit`, searched.

    Returns:
        `plotly.graph_objects.Figure`.
    """
    curves = free_response_curve(found)
    curves = curves[~curves["method"].isin(BASELINES)]
    directions = list(dict.fromkeys(curves["direction"]))
    figure = make_subplots(1, len(directions), shared_yaxes=True, horizontal_spacing=0.06)
    for column, direction in enumerate(directions, start=1):
        mine = curves[curves["direction"] == direction]
        threshold = found.references[mine["target"].iloc[0]].threshold
        for method, curve in mine.groupby("method", sort=False):
            _add_curve(figure, column, method, curve.sort_values("threshold"), threshold)
        title = f"<b>synthetic {mine['target'].iloc[0]}</b> from {mine['source'].iloc[0]}"
        figure.add_annotation(
            text=title, x=0, xref="x domain", xanchor="left", y=1.02, yref="y domain", yanchor="bottom",
            showarrow=False, font={"size": 15}, row=1, col=column,
        )  # fmt: skip
    figure.update_xaxes(title_text="lesions invented per subject<br>← lower is better", rangemode="tozero")
    figure.update_yaxes(title_text="lesions found, share of all<br>higher is better →", range=[-0.03, 1.05], col=1)
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=80 + 480 * len(directions), height=520, showlegend=True,
        margin={"l": 80, "r": 30, "t": 120, "b": 150}, legend={"orientation": "h", "y": -0.24, "x": 0},
        title={
            "text": f"{phantom_prefix(found.subjects)}Free response: lesions found and lesions invented",
            "subtitle": {"text": "thresholds rise from right to left; filled: where counts are made"},
            "yref": "container", "y": 1 - 32 / 520,
        },
    )  # fmt: skip
    return figure


def audit_table(found):
    """Counts of every method and direction, in words.

    Args:
        found: `ganlib.evaluation.audit.Audit`.

    Returns:
        `pandas` Styler for a notebook, whose `data` is the table of texts, one row per direction and method.
    """
    rows = []
    for row in summary_of(found).itertuples():
        erased, invented = _text(row, "lesion_erased"), _text(row, "lesion_invented")
        rows.append({
            "direction": f"{row.source} → {row.target}",
            "method": row.method,
            "contrast kept": _with_interval(row.recovered, row.recovered_low, row.recovered_high),
            "erased": erased,
            "erased, share": _with_interval(row.erased_share, row.erased_share_low, row.erased_share_high),
            "found by search": "–" if np.isnan(row.found_share) else f"{row.found:.0f} of {row.lesions}",
            "invented in healthy subjects": invented,
            "invented per healthy subject": _with_interval(
                row.invented_healthy, row.invented_healthy_low, row.invented_healthy_high
            ),
            "SSIM": f"{row.ssim:.3f}",
            "MAE": f"{row.mae:.4f}",
        })  # fmt: skip
    table = pd.DataFrame(rows).set_index(["direction", "method"])
    return table.style.set_caption(phantom_prefix(found.subjects) + caption_of(found))


def caption_of(found):
    """How the counts were made, and what stands beside them, in a few sentences."""
    alone = _without_interval(summary_of(found))
    return f"{counting_caption(found)}In brackets 95 % bootstrap intervals over subjects{alone}; {_WHOLE_BRAIN}."


def counting_caption(found):
    """How many subjects there are, and what counts as erased and invented, in a few sentences."""
    number, patients, healthy = summary_of(found)[["subjects", "patients", "healthy"]].max()
    return (
        f"{number} test subject{'s' if number != 1 else ''}, {patients} with lesions, {healthy} without. Erased: less "
        f"than {100 * ERASED_BELOW:.0f} % of the real lesion's contrast to the tissue around it. "
        f"{_caption_of_search(found)}{_caption_of_seeds(found)}"
    )


def _caption_of_search(found):
    thresholds = ", ".join(
        f"{name} {each.threshold:g} SD" for name, each in found.references.items() if np.isfinite(each.threshold)
    )
    if not thresholds:
        return ""
    return (
        f"Invented: at least {SMALLEST_MM2:g} mm² that stand out of healthy tissue half as much as lesions do, or "
        f"more, where the truth has none; threshold {thresholds} of real healthy tissue, at which real training "
        f"images have at most {FALSE_PER_SUBJECT:g} per subject. "
    )


def _caption_of_seeds(found):
    runs = found.subjects[~found.subjects["method"].isin((REAL, *BASELINES))]
    number = runs.groupby("method")["seed"].nunique().max()
    return f"Counts of a method are sums over its training seeds ({number}), means are over all. " if number > 1 else ""


def _without_interval(table):
    """Who is alone, and so has no interval."""
    alone = [word for word, name in (("patient", "patients"), ("healthy subject", "healthy")) if table[name].max() == 1]
    return f" (one {' and one '.join(alone)}: no interval)" if alone else ""


def _add_method(figure, row, column, found, table, direction, method, panel, height):
    """Points of the subjects, and over them the mean with its interval and the count in figures."""
    _, _, metric, who = panel
    points = found.subjects[
        (found.subjects["method"] == method) & (found.subjects["direction"] == direction)
        & (found.subjects["metric"] == metric)
    ]  # fmt: skip
    points = points[{"patients": points["lesions"] > 0, "healthy": points["healthy"]}.get(who, points["seed"] >= 0)]
    points = points.groupby("subject", sort=False, as_index=False)["value"].mean().dropna()
    if points.empty:
        return
    summary = table[(table["method"] == method) & (table["direction"] == direction)].iloc[0]
    colour = _colour(method)
    figure.add_trace(
        go.Scatter(
            x=points["value"], y=height + _jitter(len(points)), mode="markers", text=points["subject"], name=method,
            hovertemplate="%{text}: %{x:.3g}<extra>" + method + "</extra>", meta="subjects",
            marker={"color": colour, "size": 5, "opacity": 0.4},
        ), row=row, col=column,
    )  # fmt: skip
    mean = points["value"].mean()
    low, high = _ends(summary, metric, mean)
    interval = {
        "type": "data", "array": [high - mean], "arrayminus": [mean - low], "thickness": 2.2, "width": 6, "color": INK,
    }  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[mean], y=[height], mode="markers", name=method, meta="mean", error_x=interval,
            hovertemplate=f"{method}: mean {mean:.3g}<extra></extra>",
            marker={"symbol": _symbol(method), "color": colour, "size": 10, "line": {"color": INK, "width": 1.2}},
        ), row=row, col=column,
    )  # fmt: skip
    figure.add_annotation(
        text=_text(summary, metric), x=1.02, xref="x domain", xanchor="left", y=height, showarrow=False,
        font={"size": 12, "color": INK}, row=row, col=column,
    )  # fmt: skip


def _add_curve(figure, column, method, curve, threshold):
    sizes = np.where(curve["threshold"] == threshold, 11, 4)
    figure.add_trace(
        go.Scatter(
            x=curve["invented_per_subject"], y=curve["found_share"], mode="lines+markers", name=method,
            legendgroup=method, showlegend=column == 1, text=curve["threshold"],
            hovertemplate="threshold %{text} SD: %{y:.2f} found, %{x:.2f} invented<extra>" + method + "</extra>",
            line={"color": _colour(method), "width": 2, "dash": "dot" if method == REAL else "solid"},
            marker={"symbol": _symbol(method), "size": sizes, "line": {"color": INK, "width": 1.2 * (sizes > 4)}},
        ), row=1, col=column,
    )  # fmt: skip


def _from_zero(figure, row, column):
    """A range from 0 on, with room for half a mark on either side."""
    most = max((max(trace.x) for trace in figure.select_traces(row=row, col=column)), default=1)
    return [-0.06 * max(most, 1), 1.06 * max(most, 1)]


def _label_rows(figure, row, methods, first):
    labels = [name.replace(" (", "<br>(") if len(name) > 22 else name for name in reversed(methods)]
    figure.update_yaxes(
        tickvals=list(range(len(methods))), ticktext=labels, range=[-0.6, len(methods) - 0.4], showgrid=False,
        ticks="", showline=False, row=row,
    )  # fmt: skip
    figure.add_annotation(
        text=f"<b>synthetic {first['target']}</b> from {first['source']}", x=0, xref="paper", xshift=-_LEFT + 16,
        xanchor="left", y=1, yref="y domain", yanchor="bottom", yshift=26, showarrow=False,
        font={"size": 15, "color": INK}, row=row, col=1,
    )  # fmt: skip
    figure.layout.annotations[-1].update(xref="paper")


def _lay_out(figure, found, methods, rows):
    height = 190 + rows * (_ROW_PX * len(methods) + 130) + 60
    figure.update_layout(
        template=LIGHT_TEMPLATE, width=1180, height=height, margin={"l": _LEFT, "r": _TEXT_PX + 20, "t": 160, "b": 150},
        title={
            "text": f"{phantom_prefix(found.subjects)}Hallucination audit: what whole-brain measures do not see",
            "subtitle": {"text": "points: test subjects; marks: mean with 95 % bootstrap interval over subjects"},
            "yref": "container", "y": 1 - 32 / height,
        },
    )  # fmt: skip
    figure.add_annotation(
        text=wrapped(caption_of(found), 170), x=0, xref="paper", xanchor="left", xshift=-_LEFT + 16, y=0, yref="paper",
        yanchor="top", yshift=-64, align="left", showarrow=False, font={"size": 11, "color": FAINT_INK},
    )  # fmt: skip


def _text(row, metric):
    """A count or a mean in figures, as it stands beside its row."""
    if metric == "lesion_erased":
        return "–" if not row.lesions or np.isnan(row.erased_share) else f"{row.erased:.0f} of {row.lesions}"
    if metric == "lesion_invented":
        return "–" if np.isnan(row.invented) else f"{row.invented:.0f}"
    return f"{row.ssim:.3f}"


def _ends(summary, metric, mean):
    names = {"lesion_erased": "erased_share", "lesion_invented": "invented_healthy", "ssim": "ssim"}
    name = names[metric]
    low, high = summary[f"{name}_low"], summary[f"{name}_high"]
    return (low, high) if np.isfinite(low) else (mean, mean)


def _with_interval(mean, low, high):
    if np.isnan(mean):
        return "–"
    return f"{mean:.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")


def _colour(method):
    return INK if method == REAL else method_colour(method.split(" (")[0])


def _symbol(method):
    return "star" if method == REAL else method_symbol(method.split(" (")[0])


def _jitter(count):
    return ((np.arange(count) * 0.618034) % 1 - 0.5) * 0.44
