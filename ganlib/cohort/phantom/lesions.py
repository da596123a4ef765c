"""White-matter lesions: how many a subject has, where they lie, and what they are made of."""

import numpy as np
from scipy.ndimage import minimum_filter

from ganlib.cohort.phantom.tissues import INDEX, TISSUES, Tissue

#: Code of a lesion in a phantom's label maps.
LESION_LABEL = 4

#: Tissue of a lesion at `lesion_contrast` 1. Assumed, not measured: demyelinated white matter, as dark as grey matter
#: in T1w and clearly brighter than it in T2w, as the lesions of patients with multiple sclerosis are.
_LESION = Tissue("lesion", LESION_LABEL, 0.85, 1400.0, 160.0)

#: A lesion's middle has at least this much white matter within `_CLEAR_MM` around it.
_WHITE_MATTER = 0.6
_CLEAR_MM = 2.0

#: A lesion turns into what surrounds it over this distance.
_BORDER_MM = 1.0

#: Longest to shortest axis of a lesion, at most.
_ELONGATION = 1.6


def lesion_tissue(contrast):
    """The tissue of a lesion, between white matter and a full lesion.

    Args:
        contrast: 0 for white matter, 1 for a full lesion, in between or beyond on a logarithmic scale.
    """
    white = TISSUES[INDEX["white_matter"]]
    values = [
        np.exp((1 - contrast) * np.log(a) + contrast * np.log(b)) for a, b in zip(white[2:], _LESION[2:], strict=True)
    ]
    return Tissue("lesion", LESION_LABEL, *map(float, values))


def lesion_fraction(fractions, grid, rng, settings):
    """How much of each voxel is lesion.

    Whether a subject has lesions, how many and where are drawn from `rng` alone, so that the other properties of a
    subject do not depend on it. No two lesions touch; where the white matter has no room left, there are fewer.

    Args:
        fractions: tissue fractions, float32 (tissues, slices, height, width).
        grid: the subject's `Grid`.
        rng: `numpy.random.Generator`.
        settings: `PhantomSettings`.

    Returns:
        float32 array (slices, height, width), 0 to 1; all 0 in a subject without lesions.
    """
    lesion = np.zeros(grid.shape, np.float32)
    if rng.random() >= settings.lesion_prevalence:
        return lesion
    room = _room(fractions[INDEX["white_matter"]], grid)
    for _ in range(rng.integers(1, settings.lesions_per_subject, endpoint=True)):
        places = np.argwhere(room)
        if not len(places):
            break
        diameter_mm = rng.uniform(*settings.lesion_diameter_mm)
        new = _ellipsoid(places[rng.integers(len(places))], diameter_mm, grid, rng)
        lesion = np.maximum(lesion, new)
        room &= _distance_mm(places=np.argmax(new.ravel()), grid=grid) > 2 * settings.lesion_diameter_mm[1]
    return lesion * np.clip(fractions.sum(0), 0, 1)


def _room(white_matter, grid):
    """Voxels with white matter all around them in the slice, bool (slices, height, width)."""
    reach = 2 * int(np.ceil(_CLEAR_MM / grid.voxel_mm)) + 1
    return minimum_filter(white_matter, (1, reach, reach)) > _WHITE_MATTER


def _offsets_mm(centre, grid):
    """Distance of every voxel from a voxel along each axis, mm: three arrays that broadcast to the grid's shape."""
    spacing = (grid.spacing_mm, grid.voxel_mm, grid.voxel_mm)
    axes = [step * (np.arange(n) - c) for n, c, step in zip(grid.shape, centre, spacing, strict=True)]
    return np.meshgrid(*axes, indexing="ij", sparse=True)


def _distance_mm(places, grid):
    return np.sqrt(sum(offset**2 for offset in _offsets_mm(np.unravel_index(places, grid.shape), grid)))


def _ellipsoid(centre, diameter_mm, grid, rng):
    """A turned ellipsoid of the volume of a ball of this diameter, with a soft border."""
    z, y, x = _offsets_mm(centre, grid)
    angle, stretch = rng.uniform(0, np.pi), np.sqrt(rng.uniform(1, _ELONGATION))
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    radius_mm = np.sqrt((along / stretch) ** 2 + (across * stretch) ** 2 + z**2)
    return np.clip((diameter_mm / 2 - radius_mm) / _BORDER_MM + 0.5, 0, 1).astype(np.float32)
