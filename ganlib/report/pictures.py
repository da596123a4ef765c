"""Figures as they stand in a page: lines as SVG, pixels as PNG, and live charts where nothing can draw a picture."""

import base64
import re
import tempfile
from pathlib import Path

import plotly.io as pio

from ganlib.display.browser import NoBrowserError, drawn

#: A chart with more points than this is embedded as pixels: as lines it would take megabytes.
MOST_POINTS = 6000
_PIXELS_PER_PIXEL = 2


def embedded(pictures):
    """HTML of each picture, with everything it needs.

    Args:
        pictures: list of `ganlib.report.parts.Picture`.

    Returns:
        List of HTML texts. Without a browser to draw with, they are live charts, and the first one holds Plotly's
        program (some 5 MB) for all.
    """
    try:
        return _drawn(pictures)
    except NoBrowserError:
        return [
            pio.to_html(picture.figure, include_plotlyjs=place == 0, full_html=False)
            for place, picture in enumerate(pictures)
        ]


def _drawn(pictures):
    """All of them with one start of the browser."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            Path(folder) / f"{place}.{'png' if _as_pixels(picture) else 'svg'}"
            for place, picture in enumerate(pictures)
        ]
        figures = [picture.figure for picture in pictures]
        sizes = {name: [figure.layout[name] for figure in figures] for name in ("width", "height")}
        drawn("report", lambda: pio.write_images(figures, paths, scale=_PIXELS_PER_PIXEL, **sizes))
        return [_html(path, picture, place) for place, (path, picture) in enumerate(zip(paths, pictures, strict=True))]


def _html(path, picture, place):
    if path.suffix == ".svg":
        return _own_names(path.read_text(encoding="utf-8"), f"picture-{place}")
    width, height = picture.figure.layout.width, picture.figure.layout.height
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="">'


def _own_names(svg, prefix):
    """An SVG that shares a page with others: names that are its own, and a size that the page may change."""
    svg = re.sub(r"^<\?xml.*?\?>|<!DOCTYPE.*?>", "", svg).strip()
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\((&quot;|')?#", rf"url(\1#{prefix}-", svg)
    return re.sub(r'href="#', f'href="#{prefix}-', svg)


def _as_pixels(picture):
    return picture.raster or sum(len(trace.x) for trace in picture.figure.data if trace.x is not None) > MOST_POINTS
