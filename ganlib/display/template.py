"""The look of every chart, and how a chart leaves the notebook: as a file, or as a picture in the notebook itself."""

import contextlib
import warnings
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio

from ganlib import atomic
from ganlib.display import browser
from ganlib.display.browser import NoBrowserError, drawn
from ganlib.errors import InputError

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK = "#1B1F24"
FAINT_INK = "#57606A"
GRID = "#E4E7EB"
#: Near-black behind grey-scale images, and the ink on it.
DARK = "#0B0C0E"
LIGHT_INK = "#E8EAED"
FAINT_LIGHT_INK = "#A3A9B2"

#: A picture is drawn with this many pixels per pixel of the figure: 900 across become 2700, 300 dpi on a 9 inch page.
PICTURE_SCALE = 3
#: The same for a picture inside a notebook, where its bytes are part of the notebook.
NOTEBOOK_SCALE = 2
PICTURES = (".png", ".svg", ".pdf")

_AXIS = {
    "showline": True, "linecolor": FAINT_INK, "linewidth": 1, "ticks": "outside", "ticklen": 4, "tickcolor": FAINT_INK,
    "gridcolor": GRID, "zeroline": False, "automargin": True, "title": {"standoff": 10, "font": {"size": 13}},
}  # fmt: skip

#: Charts: dark ink on white, so that they print and read on any page.
LIGHT_TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "title": {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 16}, "font": {"size": 17}},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"font": {"family": FONT}},
        "showlegend": False,
    }
)

#: Grey-scale images: no axes, near-black.
DARK_TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": LIGHT_INK},
        "paper_bgcolor": DARK,
        "plot_bgcolor": DARK,
        "title": {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 16}, "font": {"size": 17}},
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "showlegend": False,
    }
)


def save(figure, *paths):
    """Write a figure, in one format per path; all pictures together take as long as one (some 5 s).

    HTML files hold everything they need and open without internet.

    Args:
        figure: `plotly.graph_objects.Figure`.
        paths: files to write, by suffix `.html`, `.png`, `.svg` or `.pdf`.

    Raises:
        InputError: a suffix is unknown, a file cannot be written, or there is no browser to draw pictures with.
    """
    paths = [Path(path) for path in paths]
    for path in paths:
        if path.suffix not in (".html", *PICTURES):
            raise InputError(f"{path}: unknown format {path.suffix!r}; use .html, .png, .svg or .pdf")
    with contextlib.ExitStack() as stack:
        partials = [stack.enter_context(atomic.replacing(path)) for path in paths]
        pictures = [partial for partial in partials if partial.suffix in PICTURES]
        if pictures:
            where = ", ".join(str(path) for path in paths)
            settings = {"scale": PICTURE_SCALE, **_size(figure)}
            drawn(where, lambda: pio.write_images([figure] * len(pictures), pictures, **settings))
        for partial in set(partials) - set(pictures):
            pio.write_html(figure, partial, include_plotlyjs=True)


def save_all(figures, folder, suffixes=(".html", *PICTURES)):
    """Write several figures in all formats; without a browser to draw pictures with, as HTML alone, and say so.

    Args:
        figures: dictionary from file name, without suffix, to figure.
        folder: where; made if missing.
        suffixes: of the formats, as for `save`.

    Returns:
        List of the paths that were written.

    Raises:
        InputError: as `save`, but for the browser.
    """
    for name, figure in figures.items():
        paths = [Path(folder) / f"{name}{suffix}" for suffix in suffixes]
        try:
            save(figure, *paths)
        except NoBrowserError as error:
            suffixes = [suffix for suffix in suffixes if suffix not in PICTURES]
            warnings.warn(f"{error}; figures are written as HTML alone", stacklevel=2)
            save(figure, *(path for path in paths if path.suffix in suffixes))
    return [Path(folder) / f"{name}{suffix}" for name in figures for suffix in suffixes]


def show(figure, *, interactive=True):
    """Show a figure in a notebook, as a picture (which GitHub and nbconvert can show) and as a live chart.

    Without a browser to draw the picture with, there is the live chart only.

    Args:
        figure: `plotly.graph_objects.Figure`.
        interactive: whether the live chart goes into the notebook too; it holds all of the figure's data.
    """
    renderer = "plotly_mimetype+png" if interactive else "png"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The kopts argument")
            drawn("this notebook", lambda: pio.show(figure, renderer, scale=NOTEBOOK_SCALE, **_size(figure)))
        browser.keep()
    except NoBrowserError:
        pio.show(figure, "plotly_mimetype")


def _size(figure):
    """Pixels across and down; Plotly would otherwise put its default size before the layout's."""
    return {"width": figure.layout.width, "height": figure.layout.height}
