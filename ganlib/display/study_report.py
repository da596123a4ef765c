"""The results of a study as one page that opens without internet: summary in words, figures, tables."""

import html

import plotly.io as pio

from ganlib import __version__
from ganlib.display.study_figures import (
    NAMES,
    course_figure,
    detection_figure,
    labelled_figure,
    measures_figure,
)
from ganlib.study.against import beside_measures
from ganlib.study.agreement import agreement, reliability
from ganlib.study.course import response_times
from ganlib.study.summary import summary

_STYLE = """
body { font: 15px/1.5 system-ui, "Helvetica Neue", sans-serif; color: #1b1f24; background: #fff; margin: 24px auto;
       max-width: 1180px; padding: 0 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 8px; }
.warning { background: #ffb454; padding: 6px 12px; font-weight: 600; margin: 8px 0; }
.quiet { color: #57606a; } li { margin: 4px 0; } .figure { overflow-x: auto; }
@media (max-width: 1050px) { body { margin: 12px auto; padding: 0 12px; } }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 12px; text-align: right; border-bottom: 1px solid #e4e7eb; }
th { font-weight: 600; } td:first-child, th:first-child { text-align: left; }
"""


def html_report(results):
    """The page.

    Args:
        results: `ganlib.study.results.StudyResults`.

    Returns:
        Text of an HTML file; it holds pseudonyms only, and everything that it shows.
    """
    study = results.study
    state = "closed" if study.is_closed else "still open: figures may change"
    lines = summary(results)
    warnings = [line for line in lines if line.startswith(("SIMULATED", "PHANTOM"))]
    said = "".join(f"<li>{html.escape(line)}</li>" for line in lines if line not in warnings)
    shown = "".join(f'<div class="warning">{html.escape(line)}</div>' for line in warnings)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(study.name)}</title>"
        f"<style>{_STYLE}</style><h1>{html.escape(study.name)}</h1>"
        f'<p class="quiet">Perceptual study, {state}. Trials {study.fingerprint[:12]}, ganlib {__version__}. '
        f"Synthetic images, not for diagnosis.</p>{shown}"
        f"<h2>In words</h2><ul>{said}</ul>{_figures(results)}{_tables(results)}</html>"
    )


def _figures(results):
    found = [labelled_figure(results), detection_figure(results), course_figure(results), measures_figure(results)]
    parts, first = [], True
    for figure in found:
        if figure is not None:
            drawn = pio.to_html(figure, full_html=False, include_plotlyjs=first, config={"displaylogo": False})
            parts.append(f'<div class="figure">{drawn}</div>')
            first = False
    return "".join(parts)


def _tables(results):
    again, between = reliability(results.counted), agreement(results.ratings)
    agreements = [
        ("Repeats answered alike", again.same, again.low, again.high, f"{again.repeats} repeats"),
        ("Cohen’s κ of the repeats", again.kappa, None, None, ""),
        ("Fleiss’ κ between raters", between.kappa, between.low, between.high,
         f"{between.raters} raters, {between.images} images that all have rated"),
    ]  # fmt: skip
    detection = results.detection()
    detected = [
        (row.method, row.contrast, NAMES[row.statistic], row.value, row.low, row.high, row.raters, row.images)
        for row in detection.itertuples()
    ]
    _, notes = beside_measures(results)
    times = [tuple(row) for row in response_times(results.counted).itertuples(index=False)]
    ends = ["low", "high"]
    return "".join([
        _table("Every rater", ["rater", "experience", "answers", "right", "called real"], _raters(results)),
        _table("Detection", ["method", "contrast", "measure", "value", *ends, "raters", "images"], detected),
        _table("Agreement", ["", "value", *ends, "of"], agreements),
        _table("Response times (s), geometric mean of raters’ medians",
               ["truth", "right", "seconds", *ends, "raters", "answers"], times),
        "".join(f'<p class="quiet">{html.escape(note)}</p>' for note in dict.fromkeys(notes)),
    ])  # fmt: skip


def _raters(results):
    for rater, group in results.counted.groupby("rater", sort=False):
        real = (group["rating"] > 3).mean()
        yield rater, group["experience"].iloc[0], len(group), group["correct"].mean(), real


def _table(title, header, rows):
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{_shown(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<h2>{html.escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _shown(value):
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".replace("-", "−")
    return html.escape(str(value))
