"""Does a synthetic volume lie where its source does? Header against header, and anatomy against anatomy."""

from typing import NamedTuple

import numpy as np

from ganlib.cohort.volumes import file_header, read_volume
from ganlib.errors import InputError
from ganlib.evaluation.window import windowed

#: A shift is found to this fraction of a voxel.
UPSAMPLING = 20
_EDGE_SIGMA = 1.0
_FADE = 0.1
#: The outline of a stripped head is left out as deep as this, voxels, and what follows fades in over the second.
_OUTLINE, _OUTLINE_FADE = 3, 6


class Placement(NamedTuple):
    """How a volume lies against another.

    Fields:
        shape: whether the shapes are equal.
        affine: whether the affines are equal, bit for bit.
        codes: whether sform and qform codes and units are equal.
        orientation: axis codes of both files.
        shift_voxels: how far the anatomy of the second lies from that of the first along the first file's axes.
    """

    shape: bool
    affine: bool
    codes: bool
    orientation: tuple[str, str]
    shift_voxels: tuple[float, float, float]

    @property
    def same_place(self):
        """True if every header field agrees."""
        return self.shape and self.affine and self.codes and self.orientation[0] == self.orientation[1]

    def __str__(self):
        words = {True: "equal", False: "**different**"}
        shift = ", ".join(f"{value:+.2f}" for value in self.shift_voxels)
        rows = [("shape", words[self.shape]), ("affine", words[self.affine]), ("codes and units", words[self.codes]),
                ("orientation", " and ".join(self.orientation)), ("shift of the edges, voxels", shift)]  # fmt: skip
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def placement(first, second):
    """Compare where two NIfTI files lie; their contrasts may differ.

    Args:
        first: path of one, such as the source.
        second: path of the other.

    Returns:
        `Placement`.

    Raises:
        InputError: a file cannot be used.
    """
    headers = [file_header(path) for path in (first, second)]
    codes = [_codes(header) for header in headers]
    volumes = [read_volume(path, "RAS") for path in (first, second)]
    equal_shapes = headers[0].get_data_shape() == headers[1].get_data_shape()
    if volumes[0].grid.shape != volumes[1].grid.shape:
        raise InputError(f"{second}: {volumes[1].grid}, but {first} is {volumes[0].grid}; they cannot be laid together")
    return Placement(
        shape=equal_shapes,
        affine=bool(np.array_equal(headers[0].get_best_affine(), headers[1].get_best_affine())),
        codes=codes[0] == codes[1],
        orientation=tuple(volume.file_orientation for volume in volumes),
        shift_voxels=shift_3d(volumes[0].data, volumes[1].data),
    )


def shift_3d(target, moved):
    """How far a volume lies from another along each axis, voxels, by the cross-correlation of their edges.

    Where the target is 0 outside a stripped head, the head's outline does not count: it is the edge of a mask, sharp in
    a real image and blurred in a synthetic one, and was seen to add 0.2 voxels to the shift of the anatomy.

    Args:
        target: float array (x, y, z).
        moved: the same shape, of any contrast.

    Returns:
        Three floats; NaN where a volume has no edge.

    Source: Guizar-Sicairos, Thurman & Fienup 2008, Optics Letters 33(2):156, as in scikit-image.
    """
    from scipy.ndimage import gaussian_gradient_magnitude
    from skimage.registration import phase_cross_correlation

    target, moved = (np.asarray(image, np.float32) for image in (target, moved))
    edges = [gaussian_gradient_magnitude(image, _EDGE_SIGMA) for image in (target, moved)]
    weights, inside = _window(target.shape), target != 0
    if inside.all():
        edges = [edge * weights for edge in edges]
    else:
        edges = [windowed(edge, weights * _away_from_outline(inside)) for edge in edges]
    if not all(edge.any() for edge in edges):
        return (float("nan"),) * 3
    shift, _, _ = phase_cross_correlation(*edges, upsample_factor=UPSAMPLING, normalization=None)
    return tuple(float(-value) for value in shift)


def _away_from_outline(inside):
    """0 outside and at the border of a mask, rising to 1 further inside."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(inside).astype(np.float32)
    return np.sin(np.clip((depth - _OUTLINE) / _OUTLINE_FADE, 0, 1) * np.pi / 2) ** 2


def _window(shape):
    """1 in the middle, falling to 0 at the faces of the volume: what ends there would count as an edge."""
    window = np.ones(shape, np.float32)
    for axis, length in enumerate(shape):
        reach = max(1, int(_FADE * length))
        rise = np.minimum(np.arange(length), np.arange(length)[::-1]) / reach
        rise = np.sin(np.clip(rise, 0, 1) * np.pi / 2) ** 2
        window *= rise.reshape([-1 if axis == other else 1 for other in range(len(shape))]).astype(np.float32)
    return window


def _codes(header):
    return int(header["sform_code"]), int(header["qform_code"]), header.get_xyzt_units()
