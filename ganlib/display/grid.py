"""Real and synthetic images of one slice with their error maps, laid out as the paper's Figure 2."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ganlib.display.palette import method_colour
from ganlib.display.template import DARK_TEMPLATE, FAINT_LIGHT_INK, LIGHT_INK
from ganlib.display.wording import wrapped
from ganlib.errors import InputError
from ganlib.evaluation.protocols import protocol_named

#: Pixels around the grid, between its panels, and between the real images and the synthetic ones.
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP, _ARROWS = 130, 130, 84, 74, 4, 92
_PANEL_PX = 190
#: Pixels of the image kept around the mask.
_MARGIN = 5
_SCALE_BAR_MM = 50
#: Marks at the left and right edge of a picture, as stored.
_SIDES = {"axial": ("R", "L"), "coronal": ("R", "L"), "sagittal": ("A", "P")}


@dataclass(frozen=True)
class _Layout:
    """Where the panels are, in pixels from the upper left corner; row 0 holds the real images."""

    rows: int
    panel: tuple[float, float]

    @property
    def size(self):
        width, height = self.panel
        return _LEFT + 4 * width + 3 * _GAP + _RIGHT, self.corner(self.rows, 0)[1] + height + _BOTTOM

    def corner(self, row, column):
        width, height = self.panel
        extra = _ARROWS if row else 0
        return _LEFT + column * (width + _GAP), _TOP + row * (height + _GAP) + extra

    def paper(self, x, y):
        """Pixels to Plotly's paper coordinates (the margins are 0, so that paper is the whole figure)."""
        width, height = self.size
        return x / width, 1 - y / height


def image_grid(cohort, runs, subject_id, *, slice_index=None, protocol="masked", error_max=1.0, windows=None):
    """Real images above, and per run the synthetic images with their relative-error maps in the outer columns.

    The arrows lead from the real images to what was made from them. All images of a contrast have one window.

    Args:
        cohort: `ganlib.cohort.Cohort`.
        runs: list of `ganlib.runs.Run` on this cohort and one pair of contrasts; a row each.
        subject_id: a test subject.
        slice_index: number of the stored slice; default the one with the largest mask.
        protocol: protocol of the error maps, `masked` or `paper`.
        error_max: error at the upper end of the colour map.
        windows: dictionary from contrast to (low, high), in the units of the cohort; default the training range.

    Returns:
        `plotly.graph_objects.Figure`.

    Raises:
        InputError: there is no run, no such slice, a run of other contrasts, or a translation is missing.
    """
    contrasts = _contrasts(runs)
    chosen = protocol_named(protocol)
    mask = cohort.mask(subject_id)
    index = _slice_number(mask, slice_index, subject_id)
    windows = {name: (cohort.ranges[name].low, cohort.ranges[name].high) for name in contrasts} | (windows or {})
    box = box_around(mask[index])
    layout = _Layout(len(runs), _panel_size(mask[index][box].shape, cohort.header.voxel_mm))
    figure = go.Figure()
    add = _Panels(figure, layout, cohort.header.voxel_mm)
    for column, contrast in enumerate(contrasts, start=1):
        add.grey(0, column, cohort.images(subject_id, contrast)[index][box], windows[contrast], f"real {contrast}")
    for row, run in enumerate(runs, start=1):
        _add_run(add, row, run, cohort, subject_id, index, box, windows, chosen)
    _dress(figure, layout, cohort, subject_id, index, contrasts, windows)
    _label_rows(figure, layout, runs)
    _label_columns(figure, layout, contrasts)
    _lay_out(figure, layout, chosen, error_max)
    return figure


class _Panels:
    """Adds one panel at a time to a figure; coordinates within a panel are mm."""

    def __init__(self, figure, layout, voxel_mm):
        self.figure, self.layout, self.voxel_mm = figure, layout, voxel_mm
        self.count = 0

    def grey(self, row, column, image, window, name):
        low, high = window
        style = {"colorscale": "gray", "zmin": low, "zmax": high, "showscale": False}
        self._add(row, column, image, name, style)

    def error(self, row, column, image, name):
        self._add(row, column, image, name, {"coloraxis": "coloraxis"})

    def _add(self, row, column, image, name, style):
        self.count += 1
        key = "" if self.count == 1 else str(self.count)
        dy, dx, _ = self.voxel_mm
        self.figure.add_trace(
            go.Heatmap(
                z=np.asarray(image, np.float32), x0=0, dx=dx, y0=0, dy=dy, name=name, hoverongaps=False,
                hovertemplate="%{z:.3g}<extra>" + name + "</extra>", xaxis=f"x{key}", yaxis=f"y{key}", **style,
            )
        )  # fmt: skip
        (x0, y0), (width, height) = self.layout.corner(row, column), self.layout.panel
        left, top = self.layout.paper(x0, y0)
        right, bottom = self.layout.paper(x0 + width, y0 + height)
        rows, columns = image.shape
        self.figure.update_layout({
            f"xaxis{key}": {"domain": [left, right], "anchor": f"y{key}", "range": [-dx / 2, (columns - 0.5) * dx]},
            f"yaxis{key}": {
                "domain": [bottom, top], "anchor": f"x{key}", "range": [(rows - 0.5) * dy, -dy / 2],
                "scaleanchor": f"x{key}", "constrain": "domain",
            },
        })  # fmt: skip


def _add_run(add, row, run, cohort, subject_id, index, box, windows, protocol):
    """Error map, both synthetic images, error map: the columns of one run."""
    made = {direction.target: run.synthetic(subject_id, direction)[index] for direction in run.directions}
    mask = cohort.mask(subject_id)[index]
    for contrast, synthetic_column, error_column in zip(run.config.contrasts, (1, 2), (0, 3), strict=True):
        add.grey(row, synthetic_column, made[contrast][box], windows[contrast], f"{run.label}, synthetic {contrast}")
        real = cohort.images(subject_id, contrast)[index]
        errors = protocol.error_map(real, made[contrast], mask=mask, intensity_range=cohort.ranges[contrast])
        add.error(row, error_column, errors[box], f"{run.label}, relative error of {contrast}")


def _dress(figure, layout, cohort, subject_id, index, contrasts, windows):
    """Title, the slice's place and the grey-scale windows in the empty corners, sides, scale bar and warning."""
    header, subject = cohort.header, cohort.subject(subject_id)
    phantom = "PHANTOM · " if header.phantom else ""
    axis = {"axial": "z", "coronal": "y", "sagittal": "x"}[header.plane]
    title = f"{phantom}Real and synthetic images of subject {subject_id}"
    figure.update_layout(title={"text": title, "y": 1 - 34 / layout.size[1], "yref": "container"})
    place = f"{header.name}<br>{header.plane}, {axis} = {subject.slice_mm[index]:+.1f} mm".replace("-", "−")
    _text(figure, layout, *layout.corner(0, 0), place, color=FAINT_LIGHT_INK)
    lines = ["grey scale,", "real and synthetic,", "units of the cohort:"]
    lines += [f"{name}: {windows[name][0]:.4g} to {windows[name][1]:.4g}" for name in contrasts]
    x, y = layout.corner(0, 3)
    _text(figure, layout, x + 10, y, "<br>".join(lines), color=FAINT_LIGHT_INK)
    for column, contrast in enumerate(contrasts, start=1):
        x, y = layout.corner(0, column)
        for side, inset, anchor in zip(_SIDES[header.plane], (6, layout.panel[0] - 6), ("left", "right"), strict=True):
            _text(figure, layout, x + inset, y + 4, side, xanchor=anchor)
        _text(figure, layout, x + layout.panel[0] / 2, y - 24, f"<b>real {contrast}</b>", xanchor="center")
    _scale_bar(figure, layout)
    warning = f"Synthetic images{', phantom data' if header.phantom else ''}: not for diagnosis."
    _text(figure, layout, _LEFT, layout.size[1] - 40, warning, color=FAINT_LIGHT_INK)


def _label_rows(figure, layout, runs):
    labels = [run.label for run in runs]
    for row, run in enumerate(runs, start=1):
        colour = method_colour(run.label)
        text = f"<span style='color:{colour}'>■</span> <b>{run.label}</b>"
        if labels.count(run.label) > 1:
            text += f"<br><span style='color:{FAINT_LIGHT_INK}'>{run.name}</span>"
        _text(figure, layout, 16, layout.corner(row, 0)[1] + layout.panel[1] / 2 - 10, text)


def _label_columns(figure, layout, contrasts):
    """Names of the columns, and arrows from the real images to what was made from them."""
    first, second = contrasts
    names = (f"error, {first}", f"<b>synthetic {first}</b>", f"<b>synthetic {second}</b>", f"error, {second}")
    width, height = layout.panel
    for column, name in enumerate(names):
        x, y = layout.corner(1, column)
        _text(figure, layout, x + width / 2, y - 24, name, xanchor="center")
    (left, _), (right, _) = layout.corner(0, 1), layout.corner(0, 2)
    top = layout.corner(0, 1)[1] + height + 4
    bottom = layout.corner(1, 1)[1] - 28
    for start, end in ((left, right), (right, left)):
        x, y = layout.paper(end + width / 2, bottom)
        figure.add_annotation(
            x=x, y=y, xref="paper", yref="paper", ax=start - end, ay=top - bottom, showarrow=True, text="",
            arrowhead=2, arrowsize=1.1, arrowwidth=1.6, arrowcolor=LIGHT_INK,
        )  # fmt: skip


def _scale_bar(figure, layout):
    axis = figure.layout.xaxis
    length = _SCALE_BAR_MM * layout.panel[0] / (axis.range[1] - axis.range[0])
    x, y = layout.corner(0, 3)
    y += layout.panel[1] - 8
    (x0, y0), (x1, _) = layout.paper(x + 10, y), layout.paper(x + 10 + length, y)
    line = {"color": LIGHT_INK, "width": 3}
    figure.add_shape(type="line", xref="paper", yref="paper", x0=x0, x1=x1, y0=y0, y1=y0, line=line)
    _text(figure, layout, x + 10, y - 24, f"{_SCALE_BAR_MM} mm")


def _lay_out(figure, layout, protocol, error_max):
    width, height = layout.size
    x, y = layout.paper(width - _RIGHT + 16, layout.corner(1, 0)[1])
    title = f"relative<br>absolute error,<br>floor<br>{protocol.floor_label}<br>&nbsp;"
    length = min(2, layout.rows) * layout.panel[1]
    figure.update_layout(
        template=DARK_TEMPLATE, width=round(width), height=round(height), margin={"l": 0, "r": 0, "t": 0, "b": 0},
        coloraxis={
            "colorscale": "Magma", "cmin": 0, "cmax": error_max,
            "colorbar": {
                "x": x, "y": y, "xanchor": "left", "yanchor": "top", "len": length, "lenmode": "pixels",
                "thickness": 14, "outlinewidth": 0, "ypad": 0,
                "title": {"text": title, "side": "top", "font": {"size": 12}},
                "tickvals": [0, error_max / 2, error_max],
                "ticktext": ["0", f"{error_max / 2:g}", f"≥ {error_max:g}"],
            },
        },
    )  # fmt: skip
    _text(figure, layout, _LEFT, height - 62, "error = " + wrapped(protocol.error_label, 120), color=FAINT_LIGHT_INK)


def _text(figure, layout, x, y, text, *, xanchor="left", color=LIGHT_INK):
    """Text whose upper edge is at y, in pixels from the upper left corner of the figure."""
    left, top = layout.paper(x, y)
    figure.add_annotation(
        text=text, x=left, y=top, xref="paper", yref="paper", xanchor=xanchor, yanchor="top", align="left",
        showarrow=False, font={"size": 13, "color": color},
    )  # fmt: skip


def _contrasts(runs):
    if not runs:
        raise InputError("no run to show; give at least one translated run")
    for run in runs[1:]:
        if run.config.contrasts != runs[0].config.contrasts:
            raise InputError(f"{runs[0].folder} and {run.folder} translate different contrasts; show them apart")
    return runs[0].config.contrasts


def _slice_number(mask, slice_index, subject_id):
    if slice_index is None:
        return int(np.argmax(mask.sum((1, 2))))
    if not 0 <= slice_index < len(mask):
        raise InputError(f"subject {subject_id!r} has no slice {slice_index}; use 0 to {len(mask) - 1}")
    return slice_index


def box_around(mask):
    """Slices of rows and columns around a mask, with a margin; everything where the mask is empty."""
    if not mask.any():
        return slice(None), slice(None)
    ends = [np.flatnonzero(mask.any(axis)) for axis in (1, 0)]
    return tuple(slice(max(where[0] - _MARGIN, 0), where[-1] + _MARGIN + 1) for where in ends)


def _panel_size(shape, voxel_mm):
    """Width and height of a panel in pixels of the figure, in the true aspect ratio."""
    rows, columns = shape
    return _PANEL_PX, _PANEL_PX * rows * voxel_mm[0] / (columns * voxel_mm[1])
