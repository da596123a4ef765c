"""Hallucinations: lesions that a translation keeps, erases or invents. Arrays in, numbers out.

Whole-brain measures hardly see a lesion: it is too small. Here every lesion of the truth is looked at by itself, and
the synthetic image is searched for what looks like a lesion where the truth has none. The idea of counting is that of
Cohen, Luck & Honari 2018 (MICCAI, arXiv:1805.08841), who had a classifier call images healthy or not; the search and
its free-response curve replace the classifier, so that a count belongs to a place.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt, gaussian_filter, label

from ganlib.evaluation.voxels import as_slices, require_finite, require_same_shape

#: A lesion that keeps less than this share of its contrast is counted as erased.
ERASED_BELOW = 0.5
#: Smallest cross-section of what is counted as a lesion, mm².
SMALLEST_MM2 = 25.0
#: Thresholds of the free-response curve, standard deviations of healthy tissue.
THRESHOLDS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)

#: Width of the smoothing before the search (standard deviation), and distances of a lesion's surround, mm.
_SMOOTHING_MM = 2.0
_RIM_MM, _REACH_MM = 2.5, 12.0
_FEWEST_AROUND = 12
#: Makes the median absolute deviation of normal values their standard deviation.
_MAD_TO_SD = 1.4826
_ALL_NEIGHBOURS = np.ones((3, 3, 3), bool)
_IN_PLANE = np.ones((1, 3, 3), bool)


class Lesion(NamedTuple):
    """One lesion of the truth, in a real image and in its synthetic counterpart.

    Args:
        number: in `lesion_components`, from 1.
        largest_mm2: largest cross-section.
        contrast_real: mean inside minus median around, in the real image, in its units.
        contrast_synthetic: the same in the synthetic image.
    """

    number: int
    largest_mm2: float
    contrast_real: float
    contrast_synthetic: float

    @property
    def recovered(self):
        """Contrast kept, as a share of the real one: 1 kept, 0 gone, negative inverted."""
        return self.contrast_synthetic / self.contrast_real

    @property
    def erased(self):
        """Whether less than `ERASED_BELOW` of the contrast was kept."""
        return self.recovered < ERASED_BELOW


class Counts(NamedTuple):
    """What a search found at one threshold: lesions of the truth, and places that look like one and are none."""

    threshold: float
    found: int
    invented: int


def lesion_components(region, *, voxel_mm, smallest_mm2=SMALLEST_MM2):
    """Connected parts of a region, numbered from 1; parts with too small a cross-section are left out.

    Args:
        region: boolean array (height, width) or (slices, height, width).
        voxel_mm: row, column and slice spacing.
        smallest_mm2: of the largest cross-section.

    Returns:
        int array (slices, height, width); 0 outside.
    """
    found, number = label(as_slices(region), _ALL_NEIGHBOURS)
    areas = _largest_mm2(found, number, voxel_mm)
    kept = np.flatnonzero(areas >= smallest_mm2 * (1 - 1e-9)) + 1
    renumbered = np.zeros(number + 1, int)
    renumbered[kept] = np.arange(1, len(kept) + 1)
    return renumbered[found]


def lesion_contrasts(target, synthetic, lesions, *, tissue, voxel_mm):
    """Contrast of every lesion to the healthy tissue around it, in the real and in the synthetic image.

    The surround is the healthy tissue from 2.5 to 12 mm away from any lesion's border, or all of it where there is
    hardly any so near. An offset changes no contrast; a gain changes it by its factor.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        lesions: int array of the same shape, as from `lesion_components`.
        tissue: boolean array, True in the healthy tissue that lesions lie in.
        voxel_mm: row, column and slice spacing.

    Returns:
        List of `Lesion`.

    Raises:
        ValueError: shapes differ, there is no healthy tissue, or a value inside either is not finite.
    """
    require_same_shape(target=target, synthetic=synthetic, lesions=lesions, tissue=tissue)
    target, synthetic, lesions, tissue = map(as_slices, (target, synthetic, lesions, tissue))
    healthy = tissue & (lesions == 0)
    if not healthy.any():
        raise ValueError("no healthy tissue to compare lesions with")
    scored = healthy | (lesions > 0)
    require_finite(target=target[scored], synthetic=synthetic[scored])
    areas = _largest_mm2(lesions, lesions.max(initial=0), voxel_mm)
    clear = healthy & (_distance_mm(lesions > 0, voxel_mm) >= _RIM_MM) if lesions.any() else healthy
    found = []
    for number in range(1, len(areas) + 1):
        inside = lesions == number
        around = clear & (_distance_mm(inside, voxel_mm) <= _REACH_MM)
        around = around if np.count_nonzero(around) >= _FEWEST_AROUND else healthy
        contrasts = [float(image[inside].mean() - np.median(image[around])) for image in (target, synthetic)]
        found.append(Lesion(number, float(areas[number - 1]), *contrasts))
    return found


def search_room(tissue, lesions):
    """Where lesions are searched for: healthy tissue and lesions without their rim of one voxel in the slice.

    Voxels at the rim hold several tissues, and grey matter and CSF beside it would pass for lesions.

    Args:
        tissue: boolean array (height, width) or (slices, height, width), True in the tissue that lesions lie in.
        lesions: int array of the same shape, as from `lesion_components`.

    Returns:
        Boolean array (slices, height, width).
    """
    whole = as_slices(tissue) | (as_slices(lesions) > 0)
    return binary_erosion(whole, _IN_PLANE)


def departures(image, room, *, voxel_mm):
    """By how much an image departs from its own healthy tissue, smoothed within the room.

    Args:
        image: float array (height, width) or (slices, height, width).
        room: boolean array (slices, height, width), as from `search_room`.
        voxel_mm: row, column and slice spacing.

    Returns:
        float array (slices, height, width), in the units of the image, 0 outside the room; its median in the room
        is 0, so that an offset of the image changes nothing.

    Raises:
        ValueError: shapes differ, the room is empty, or a value in it is not finite.
    """
    image = as_slices(image)
    require_same_shape(image=image, room=room)
    if not room.any():
        raise ValueError("no healthy tissue to search for lesions in")
    require_finite(searched=image[room])
    widths = (0, *(_SMOOTHING_MM / spacing for spacing in voxel_mm[:2]))
    inside = room.astype(float)
    smooth = gaussian_filter(np.where(room, image, 0).astype(float), widths)
    smooth = smooth / np.maximum(gaussian_filter(inside, widths), 1e-6)
    return np.where(room, smooth - np.median(smooth[room]), 0)


def spread_of(values):
    """Standard deviation of healthy tissue from the median absolute deviation, which a few odd voxels do not move."""
    return float(_MAD_TO_SD * np.median(np.abs(np.asarray(values) - np.median(values))))


def lesion_like(deviations, threshold, *, voxel_mm, smallest_mm2=SMALLEST_MM2):
    """What looks like a lesion: connected places that depart from healthy tissue by more than a threshold.

    Args:
        deviations: `departures`, divided by the standard deviation of healthy tissue, and with the sign that makes
            lesions positive.
        threshold: standard deviations of healthy tissue.
        voxel_mm: row, column and slice spacing.
        smallest_mm2: of the largest cross-section.

    Returns:
        int array (slices, height, width), numbered from 1.
    """
    return lesion_components(deviations > threshold, voxel_mm=voxel_mm, smallest_mm2=smallest_mm2)


def free_response(deviations, lesions, *, voxel_mm, counted=None, thresholds=THRESHOLDS):
    """Lesions found, and lesions invented, at several thresholds (free-response receiver operating characteristic).

    A lesion is found where a lesion-like place touches it or a voxel beside it; a lesion-like place that touches no
    lesion of the truth is invented.

    Args:
        deviations: as for `lesion_like`.
        lesions: int array of the same shape, as from `lesion_components`.
        voxel_mm: row, column and slice spacing.
        counted: numbers of the lesions that count as found; by default all. A place that touches another lesion is
            neither found nor invented.
        thresholds: standard deviations of healthy tissue.

    Returns:
        List of `Counts`, one per threshold.

    Source: Chakraborty 1989, Medical Physics 16(4):561.
    """
    lesions = as_slices(lesions)
    counted = range(1, lesions.max(initial=0) + 1) if counted is None else counted
    near = [binary_dilation(lesions == number, _IN_PLANE) for number in counted]
    anywhere = binary_dilation(lesions > 0, _IN_PLANE)
    counts = []
    for threshold in thresholds:
        places = lesion_like(deviations, threshold, voxel_mm=voxel_mm)
        touching = set(np.unique(places[anywhere])) - {0}
        found = sum(bool(places[region].any()) for region in near)
        counts.append(Counts(float(threshold), found, int(places.max(initial=0)) - len(touching)))
    return counts


def invented_places(deviations, lesions, threshold, *, voxel_mm):
    """Lesion-like places that touch no lesion of the truth, at one threshold.

    Args:
        deviations: as for `lesion_like`.
        lesions: int array of the same shape, as from `lesion_components`.
        threshold: standard deviations of healthy tissue.
        voxel_mm: row, column and slice spacing.

    Returns:
        List of boolean arrays (slices, height, width).
    """
    places = lesion_like(deviations, threshold, voxel_mm=voxel_mm)
    touching = np.unique(places[binary_dilation(as_slices(lesions) > 0, _IN_PLANE)])
    return [places == number for number in range(1, places.max(initial=0) + 1) if number not in touching]


def _distance_mm(region, voxel_mm):
    """Distance of every voxel from a region, mm; 0 inside."""
    row, column, slice_mm = voxel_mm
    return distance_transform_edt(~region, sampling=(slice_mm, row, column))


def _largest_mm2(numbered, number, voxel_mm):
    """Largest cross-section of each numbered part, mm²: float (number,)."""
    counts = [np.bincount(plane.ravel(), minlength=number + 1)[1 : number + 1] for plane in numbered]
    return np.max(counts, axis=0) * voxel_mm[0] * voxel_mm[1]
