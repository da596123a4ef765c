"""A synthetic volume to look at: beside its source in three planes, and in nilearn's viewer."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.cohort.slices import PLANES
from ganlib.cohort.volumes import read_volume
from ganlib.display.template import DARK_TEMPLATE
from ganlib.errors import InputError

_UPPER_PERCENTILE = 99.5
_PANEL_PX = 250
_VIEWS = ("axial", "coronal", "sagittal")


def slices_figure(source, synthetic, *, target=None, uncertainty=None):
    """Source, synthetic and real volume in three planes through the middle of the head; radiological convention.

    The synthetic and the real volume share one window.

    Args:
        source: path of the source volume.
        synthetic: path of the synthetic one, on the same grid.
        target: path of the real volume of that contrast on the same grid, or None.
        uncertainty: path of the synthetic volume's standard deviation, or None.

    Raises:
        InputError: a file cannot be used, or `target` lies on another grid.
    """
    columns = {"source": read_volume(source), "SYNTHETIC, not for diagnosis": read_volume(synthetic)}
    if target is not None:
        columns["real"] = read_volume(target)
        if columns["real"].grid.shape != columns["source"].grid.shape:
            raise InputError(f"{target}: not on the grid of {source}; leave `target` out, or register it")
    windows = {name: _upper(volume.data) for name, volume in columns.items()}
    if target is not None:
        windows["SYNTHETIC, not for diagnosis"] = windows["real"]
    if uncertainty is not None:
        columns["uncertainty (SD)"] = read_volume(uncertainty)
        windows["uncertainty (SD)"] = _upper(columns["uncertainty (SD)"].data)
    titles = [f"{name}<br>window 0 – {windows[name]:.4g}" for name in columns]
    figure = make_subplots(len(_VIEWS), len(columns), column_titles=titles, row_titles=[v.title() for v in _VIEWS],
                           horizontal_spacing=0.01, vertical_spacing=0.015)  # fmt: skip
    middle = _middle(columns["source"].data)
    for column, (name, volume) in enumerate(columns.items(), start=1):
        for row, view in enumerate(_VIEWS, start=1):
            scale = "magma" if name.startswith("uncertainty") else "gray"
            picture = _slice(volume.data, view, middle)
            trace = go.Heatmap(z=picture, zmin=0, zmax=windows[name], colorscale=scale, showscale=False, name=name)
            figure.add_trace(trace, row, column)
            row_mm, column_mm, _ = PLANES[view].voxel_mm(volume.grid)
            number = (row - 1) * len(columns) + column
            figure.update_layout({f"yaxis{number}": {"scaleanchor": f"x{number}", "scaleratio": row_mm / column_mm}})
    figure.update_yaxes(visible=False, autorange="reversed")
    figure.update_xaxes(visible=False, constrain="domain")
    size = {"width": 120 + _PANEL_PX * len(columns), "height": 150 + _PANEL_PX * len(_VIEWS)}
    return figure.update_layout(template=DARK_TEMPLATE, title=Path(synthetic).name, margin={"t": 110}, **size)


def interactive_view(path):
    """A volume in nilearn's viewer: an object that a notebook shows, with all that it needs, without internet.

    Args:
        path: the NIfTI file.
    """
    from nilearn.plotting import view_img

    volume = read_volume(path)
    return view_img(
        str(path), bg_img=False, cmap="gray", symmetric_cmap=False, black_bg=True, colorbar=True, vmin=0,
        vmax=_upper(volume.data), resampling_interpolation="nearest", title=f"{Path(path).name}: SYNTHETIC",
    )  # fmt: skip


def _upper(data):
    inside = data[data > 0]
    return float(np.percentile(inside, _UPPER_PERCENTILE)) if inside.size else 1.0


def _middle(data):
    """Voxel in the middle of what is not 0."""
    occupied = data != 0
    return [int(np.median(np.flatnonzero(occupied.any(axis=tuple({0, 1, 2} - {axis}))))) for axis in range(3)]


def _slice(data, view, middle):
    """A slice of an LPS volume, superior or anterior up."""
    plane = PLANES[view]
    picture = plane.slices(data)[middle[plane.slice_axis]]
    return picture if view == "axial" else picture[::-1]
