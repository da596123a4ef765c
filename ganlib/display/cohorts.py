"""A cohort to look at: in words, as a sheet of pictures, as histograms."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.cohort.store import SPLITS
from ganlib.display.template import DARK_TEMPLATE, LIGHT_TEMPLATE

_SHEET_SUBJECTS = 6
_BINS = 120
_SPLIT_COLOURS = {"train": "#8C959F", "validation": "#0072B2", "test": "#D55E00"}


def describe_cohort(cohort):
    """The cohort in words: a Markdown list.

    Args:
        cohort: an open `Cohort`.
    """
    header = cohort.header
    parts = ", ".join(f"{len(cohort.ids(split))} {split}" for split in SPLITS)
    numbers = [len(subject.slice_mm) for subject in cohort.subjects]
    low = min(min(subject.slice_mm) for subject in cohort.subjects)
    high = max(max(subject.slice_mm) for subject in cohort.subjects)
    ranges = "; ".join(f"{name} {r.low:.4g} to {r.high:.4g}" for name, r in cohort.ranges.items())
    slices = f"{min(numbers)}" if min(numbers) == max(numbers) else f"{min(numbers)}–{max(numbers)}"
    lines = [
        f"**{'PHANTOM, no scanner was involved' if header.phantom else header.name}**",
        f"- {len(cohort)} subjects: {parts}",
        f"- contrasts: {', '.join(cohort.contrasts)}",
        f"- {slices} {header.plane} slice(s) a subject, at {low:.1f} to {high:.1f} mm",
        f"- {cohort.shape[0]} × {cohort.shape[1]} pixels of {header.voxel_mm[0]:.3g} × {header.voxel_mm[1]:.3g} mm",
        f"- intensity ranges, scaled to [−1, 1]: {ranges}",
        f"- labels: {', '.join(header.label_names.values()) or 'none'}",
        f"- file: `{cohort.path}`, fingerprint `{cohort.fingerprint[:12]}`",
    ]
    return "\n".join(lines).replace("\n- ", "\n\n- ", 1)


def subjects_figure(cohort, subject_ids=None):
    """Middle slices of some subjects: a column each, a row per contrast, one window per contrast.

    Args:
        cohort: an open `Cohort`.
        subject_ids: ids to show; default the first ones, test subjects included.
    """
    ids = subject_ids or _some_of_each_part(cohort)
    figure = make_subplots(
        len(cohort.contrasts), len(ids), row_titles=list(cohort.contrasts), horizontal_spacing=0.005,
        vertical_spacing=0.01, column_titles=[f"{name}<br>{cohort.subject(name).split}" for name in ids],
    )  # fmt: skip
    for row, contrast in enumerate(cohort.contrasts, start=1):
        window = cohort.ranges[contrast]
        for column, subject_id in enumerate(ids, start=1):
            slices = cohort.images(subject_id, contrast)
            figure.add_trace(
                go.Heatmap(z=slices[len(slices) // 2], zmin=window.low, zmax=window.high, colorscale="gray",
                           showscale=False, name=f"{subject_id} {contrast}"), row, column,
            )  # fmt: skip
    figure.update_yaxes(visible=False, autorange="reversed")
    figure.update_xaxes(visible=False, constrain="domain")
    rows_mm, columns_mm = cohort.header.voxel_mm[:2]
    for index in range(1, len(cohort.contrasts) * len(ids) + 1):
        figure.update_layout({f"yaxis{index}": {"scaleanchor": f"x{index}", "scaleratio": rows_mm / columns_mm}})
    title = f"{'PHANTOM · ' if cohort.header.phantom else ''}{cohort.header.name}: the middle slice"
    height = 110 + 190 * len(cohort.contrasts)
    return figure.update_layout(template=DARK_TEMPLATE, title=title, width=960, height=height)


def histogram_figure(cohort):
    """Histograms of the intensities inside the mask: a panel per contrast, a curve per subject.

    Args:
        cohort: an open `Cohort`.
    """
    figure = make_subplots(1, len(cohort.contrasts), subplot_titles=list(cohort.contrasts))
    for column, contrast in enumerate(cohort.contrasts, start=1):
        window = cohort.ranges[contrast]
        edges = np.linspace(window.low, window.low + 1.3 * window.width, _BINS + 1)
        for subject in cohort.subjects:
            inside = cohort.images(subject.id, contrast)[cohort.mask(subject.id)]
            density = np.histogram(inside, edges)[0] / inside.size * 100
            figure.add_trace(_curve(edges, density, subject), 1, column)
        for end in (window.low, window.high):
            figure.add_vline(x=end, line={"dash": "dash", "color": "#57606A", "width": 1}, row=1, col=column)
    figure.update_xaxes(title="intensity (units of the cohort)")
    figure.update_yaxes(title="voxels inside the mask (%)", col=1)
    prefix = "PHANTOM · " if cohort.header.phantom else ""
    coloured = ", ".join(f"<span style='color:{colour}'>{split}</span>" for split, colour in _SPLIT_COLOURS.items())
    title = f"{prefix}Intensities, a curve per subject: {coloured}"
    return figure.update_layout(template=LIGHT_TEMPLATE, title=title, width=960, height=360)


def _curve(edges, density, subject):
    line = {"color": _SPLIT_COLOURS[subject.split], "width": 1}
    return go.Scatter(x=(edges[1:] + edges[:-1]) / 2, y=density, mode="lines", line=line, opacity=0.5, name=subject.id)


def _some_of_each_part(cohort):
    ids = [subject_id for split in ("test", "validation", "train") for subject_id in cohort.ids(split)[:3]]
    return ids[:_SHEET_SUBJECTS]
