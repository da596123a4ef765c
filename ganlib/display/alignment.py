"""Pictures by which a reader sees whether two images lie on each other: a checkerboard, and edges on grey."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm.auto import tqdm

from ganlib import atomic
from ganlib.cohort.registration.images import from_itk
from ganlib.cohort.registration.settings import TEMPLATE
from ganlib.cohort.registration.subject import result_path
from ganlib.cohort.registration.template import template
from ganlib.cohort.slices import PLANES
from ganlib.cohort.volumes import read_volume, resampled
from ganlib.display.template import DARK

#: Edge of a field of the checkerboard, mm.
FIELD_MM = 20.0
EDGE_COLOUR = (255, 176, 0)
_INK = (232, 234, 237)
_QUIET = (163, 169, 178)
_PANEL_PX = 300
_GAP, _HEAD, _LABEL = 6, 58, 22
_EDGE_SHARE = 8
_EDGE_SIGMA_MM = 1.0


def checkerboard(first, second, field_px):
    """Fields of two grey pictures in turn: where they lie on each other, edges run on across the fields.

    Args:
        first: uint8 array (height, width).
        second: the same.
        field_px: rows and columns of a field.

    Returns:
        uint8 array (height, width).
    """
    rows, columns = (
        np.arange(length) // max(1, round(size)) for length, size in zip(first.shape, field_px, strict=True)
    )
    return np.where((rows[:, np.newaxis] + columns) % 2, second, first)


def edges(image, voxel_mm):
    """The strongest edges of an image: boolean array (height, width).

    Args:
        image: float array (height, width).
        voxel_mm: row and column spacing.
    """
    from scipy.ndimage import gaussian_gradient_magnitude

    sigma = [max(_EDGE_SIGMA_MM / size, 0.7) for size in voxel_mm]
    strength = gaussian_gradient_magnitude(np.asarray(image, float), sigma)
    if not strength.any():
        return np.zeros(strength.shape, bool)
    return strength > max(np.percentile(strength, 100 - _EDGE_SHARE), 1e-3 * strength.max())


def edge_overlay(grey, edge):
    """A grey picture with edges of another one on it: uint8 (height, width, 3)."""
    return np.where(edge[..., np.newaxis], np.array(EDGE_COLOUR, np.uint8), grey[..., np.newaxis])


def grey_levels(image, low, high):
    """An image in a window: uint8 array of its shape."""
    return np.clip((np.asarray(image, float) - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)


def write_pictures(source, report, *, progress=True):
    """A picture per registered subject, before and after: `<subject>/<subject>_registration.png`.

    Args:
        source: the source whose files were registered.
        report: `RegistrationReport`.
        progress: whether to show a progress bar.

    Returns:
        List of the pictures' paths.
    """
    files = {subject.id: subject for subject in source.find(incomplete="skip", conflicts="skip",
                                                            incomplete_labels="skip").subjects}  # fmt: skip
    paths = []
    for subject_id, record in tqdm(report.records.items(), "Pictures", unit="subject", disable=not progress):
        path = Path(report.folder) / subject_id / f"{subject_id}_registration.png"
        paths.append(path)
        if path.is_file() and subject_id not in report.fresh:
            continue
        picture = registration_picture(files[subject_id], record, report.folder)
        with atomic.replacing(path) as partial:
            picture.save(partial)
    return paths


def registration_picture(files, record, folder):
    """Before and after, for every contrast that was moved: `PIL.Image.Image`.

    Args:
        files: `SubjectFiles` of the subject.
        record: its record, as in `registration.json`.
        folder: where the results are.
    """
    fixed = _fixed(record, folder)
    rows = []
    for name, after_nmi in record["nmi_after"].items():
        raw = read_volume(files.contrasts[name])
        before = resampled(raw, fixed.grid, order=1)
        after = read_volume(result_path(folder, files.id, name)).data
        rows.append((f"{name} before", record["nmi_before"][name], before))
        rows.append((f"{name} after", after_nmi, after))
    title = f"{files.id}: onto {record['nmi_against']}"
    return _sheet(title, fixed, rows)


class _Fixed:
    """What the others were laid on: voxels, grid, and where the middle of the head is."""

    def __init__(self, data, grid):
        self.data, self.grid = data, grid
        self.window = _window(data)
        strong = data > self.window[1] * 0.15
        self.middle = [int(np.median(np.flatnonzero(strong.any(axis=tuple({0, 1, 2} - {axis}))))) for axis in range(3)]


def _fixed(record, folder):
    if record["nmi_against"] == TEMPLATE:
        after = read_volume(result_path(folder, record["subject"], record["reference"]))
        data, grid = from_itk(template()[0])
        as_volume = type(after)(**{**vars(after), "data": data, "grid": grid})
        return _Fixed(resampled(as_volume, after.grid, order=1), after.grid)
    volume = read_volume(result_path(folder, record["subject"], record["reference"]))
    return _Fixed(volume.data, volume.grid)


def _window(data):
    inside = data[data > 0]
    return 0.0, float(np.percentile(inside, 99.5)) if inside.size else 1.0


def _sheet(title, fixed, rows):
    panels = [[_panel(fixed, data, *view) for view in _VIEWS] for _, _, data in rows]
    widths = [max(row[column].width for row in panels) for column in range(len(_VIEWS))]
    height = sum(_LABEL + max(panel.height for panel in row) + _GAP for row in panels)
    sheet = Image.new("RGB", (sum(widths) + _GAP * (len(widths) + 1), _HEAD + height), DARK)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, 6), title, _INK, ImageFont.load_default(17))
    legend = (
        f"checkerboard {FIELD_MM:.0f} mm; yellow: its edges on the image it was laid on. R on the left of axial views"
    )
    draw.text((_GAP, 32), legend, _QUIET, ImageFont.load_default(12))
    top = _HEAD
    for (name, nmi, _), row in zip(rows, panels, strict=True):
        measured = "" if nmi is None else f"   NMI {nmi:.3f}"
        draw.text((_GAP, top + 2), f"{name}{measured}", _INK, ImageFont.load_default(14))
        left = _GAP
        for panel, width in zip(row, widths, strict=True):
            sheet.paste(panel, (left, top + _LABEL))
            left += width + _GAP
        top += _LABEL + max(panel.height for panel in row) + _GAP
    return sheet


#: Plane and kind of each panel of a row.
_VIEWS = (("axial", "checkerboard"), ("axial", "edges"), ("sagittal", "edges"), ("coronal", "edges"))


def _panel(fixed, data, plane_name, kind):
    plane = PLANES[plane_name]
    row_mm, column_mm, _ = plane.voxel_mm(fixed.grid)
    pictures = [_slice(volume, fixed, plane_name) for volume in (fixed.data, data)]
    grey = [
        grey_levels(picture, *_window(volume)) for picture, volume in zip(pictures, (fixed.data, data), strict=True)
    ]
    if kind == "checkerboard":
        made = checkerboard(*grey, (FIELD_MM / row_mm, FIELD_MM / column_mm))
    else:
        made = edge_overlay(grey[0], edges(pictures[1], (row_mm, column_mm)))
    per_mm = _PANEL_PX / max(made.shape[0] * row_mm, made.shape[1] * column_mm)
    size = max(1, round(made.shape[1] * column_mm * per_mm)), max(1, round(made.shape[0] * row_mm * per_mm))
    return Image.fromarray(made).convert("RGB").resize(size, Image.Resampling.BILINEAR)


def _slice(volume, fixed, plane_name):
    """The middle slice of an LPS volume, superior up."""
    plane = PLANES[plane_name]
    picture = plane.slices(volume)[fixed.middle[plane.slice_axis]]
    return picture if plane_name == "axial" else picture[::-1]
