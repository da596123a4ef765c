"""Anatomies: where which tissue is, in MNI space. The ICBM152 average head, or individual heads from label maps."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from ganlib.cohort.phantom.tissues import INDEX, TISSUES

#: A turned and warped slice leaves its nominal plane by less than this, in mm.
SLAB_MARGIN_MM = 30.0

#: Centre and half axes in MNI mm (right side; the left is its mirror image) of nuclei near the usual slice.
#: Drawn by eye on the ICBM152 T1 volume, whose tissue maps do not tell nuclei from cortex.
_NUCLEI = {
    "thalamus": ((12.0, -18.0, 8.0), (11.0, 15.0, 11.0)),
    "caudate": ((13.0, 12.0, 10.0), (8.0, 13.0, 13.0)),
    "putamen": ((27.0, 1.0, 3.0), (8.0, 18.0, 14.0)),
    "pallidum": ((19.5, -5.0, 0.0), (6.0, 10.0, 7.0)),
}


@dataclass(frozen=True)
class Anatomy:
    """Tissue fractions of one head.

    Args:
        name: of the head.
        fractions: uint8 array (x, y, z, tissues), 255 where a voxel is all of one tissue; zero outside the brain.
        affine: 4 x 4, voxel index to MNI RAS mm.
        average: true of the average of many heads, whose folds are blurred.
    """

    name: str
    fractions: np.ndarray = field(repr=False)
    affine: np.ndarray = field(repr=False)
    average: bool = False

    def sample(self, points_mm):
        """Tissue fractions at points, linearly interpolated.

        Args:
            points_mm: MNI mm, float array (3, points); points outside the volume take its nearest face.

        Returns:
            float32 array (tissues, points); the sum over tissues is 1 inside the brain and 0 far from it.
        """
        inverse = np.linalg.inv(self.affine)
        index = (inverse[:3, :3] @ points_mm + inverse[:3, 3:]).astype(np.float32)
        index = np.clip(index, 0, np.array(self.fractions.shape[:3])[:, None] - 1.001)
        # Half of a slice is air: interpolate only where the nearest voxel holds anything.
        inside = self.fractions[tuple(np.rint(index).astype(np.intp))].any(1)
        values = np.zeros((len(TISSUES), index.shape[1]), np.float32)
        values[:, inside] = _interpolated(self.fractions, index[:, inside]).T / np.float32(255)
        return values


def _interpolated(volume, index):
    """Trilinear interpolation of all tissues at once: several times as fast as one `map_coordinates` for each.

    Args:
        volume: uint8 array (x, y, z, tissues).
        index: float array (3, points), inside the volume.

    Returns:
        float32 array (points, tissues).
    """
    shape = volume.shape
    corner = index.astype(np.intp)
    after = (index - corner).astype(np.float32)
    weights = np.stack([1 - after, after])
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    flat, first = volume.reshape(-1, volume.shape[3]), strides @ corner
    values = np.zeros((index.shape[1], volume.shape[3]), np.float32)
    for step in np.ndindex(2, 2, 2):
        weight = weights[step[0], 0] * weights[step[1], 1] * weights[step[2], 2]
        values += weight[:, None] * flat[first + strides @ step]
    return values


@lru_cache(maxsize=2)
def icbm152(low_mm, high_mm):
    """The average of 152 heads, from the volumes inside nilearn: no download.

    CSF is what the brain has beside grey and white matter, and deep nuclei are drawn into the grey matter.

    Args:
        low_mm: lowest MNI z that is needed.
        high_mm: highest MNI z that is needed.

    Returns:
        `Anatomy`.

    Source: Fonov et al. 2011, NeuroImage 54:313 (ICBM152 2009a symmetric).
    """
    # Imported here because nilearn takes half a second and every command imports the cohort.
    from nilearn.datasets import load_mni152_gm_template, load_mni152_template, load_mni152_wm_template

    volumes = [load(resolution=1) for load in (load_mni152_template, load_mni152_gm_template, load_mni152_wm_template)]
    affine = volumes[0].affine.copy()
    first, last = (int(z - affine[2, 3]) for z in (np.floor(low_mm), np.ceil(high_mm)))
    first = max(first, 0)
    t1, grey, white = (np.asarray(volume.dataobj, np.float32)[..., first : last + 1] for volume in volumes)
    affine[2, 3] += first
    fractions = np.zeros((len(TISSUES), *t1.shape), np.float32)
    fractions[INDEX["csf"]] = np.clip(1 - grey - white, 0, 1)
    fractions[INDEX["cortex"]] = grey
    fractions[INDEX["white_matter"]] = white
    _draw_nuclei(fractions, affine)
    fractions *= _stripped(t1 > 0) / fractions.sum(0)
    return Anatomy("icbm152", _packed(fractions), affine, average=True)


def _stripped(brain):
    """Brain without its rim of CSF, float32: real skull stripping leaves less of it than the template's mask."""
    core = binary_erosion(brain, iterations=2)
    return np.clip(2 * gaussian_filter(core.astype(np.float32), 1.5) - 0.5, 0, 1) * brain


def _packed(fractions):
    """Fractions (tissues, x, y, z) as `Anatomy` holds them, with its in-plane faces empty."""
    packed = np.rint(255 * np.moveaxis(fractions, 0, -1)).astype(np.uint8, order="C")
    packed[[0, -1]] = 0
    packed[:, [0, -1]] = 0
    return packed


def _draw_nuclei(fractions, affine):
    """Turn the grey matter inside each nucleus into that nucleus, in place."""
    axes = [affine[k, k] * np.arange(fractions.shape[k + 1]) + affine[k, 3] for k in range(3)]
    x_mm, y_mm, z_mm = np.meshgrid(*axes, indexing="ij", sparse=True)
    for name, (centre, half) in _NUCLEI.items():
        offsets = ((np.abs(x_mm) - centre[0]) / half[0], (y_mm - centre[1]) / half[1], (z_mm - centre[2]) / half[2])
        radius = np.sqrt(sum(offset**2 for offset in offsets), dtype=np.float32)
        inside = np.clip((1.1 - radius) / 0.2, 0, 1)
        moved = fractions[INDEX["cortex"]] * inside
        fractions[INDEX["cortex"]] -= moved
        fractions[INDEX[name]] += moved
