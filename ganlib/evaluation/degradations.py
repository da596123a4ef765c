"""Known errors, to see what a measure sees: each function makes one of a real image.

A measure is worth what it tells apart. The tests of the package hold down which of these errors move which measure, and
by how much; notebook 05 shows it on one image.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as interpolated_shift


def with_gain(image, factor=1.15):
    """The image with every intensity multiplied: 15 % too bright by default."""
    return np.asarray(image) * factor


def shifted(image, pixels=1.0):
    """The image moved to the right, linearly interpolated; (…, height, width), what comes in from outside is 0."""
    image = np.asarray(image, float)
    return interpolated_shift(image, [0] * (image.ndim - 1) + [pixels], order=1)


def blurred(image, sigma=1.0):
    """The image under a Gaussian of this standard deviation in pixels, slice by slice: the look of MAE training."""
    image = np.asarray(image, float)
    return gaussian_filter(image, [0] * (image.ndim - 2) + [sigma, sigma])


def with_background(image, mask, level):
    """The image with everything outside the mask set to an intensity."""
    return np.where(mask, image, level)


def with_disc(image, centre, radius, level):
    """The image with a disc of one intensity, in every slice: a lesion invented, or, at the level around it, erased.

    Args:
        image: float array (…, height, width).
        centre: row and column of the middle, pixels.
        radius: of the disc, pixels.
        level: its intensity.

    Returns:
        Array of the same shape.
    """
    rows, columns = np.ogrid[: np.shape(image)[-2], : np.shape(image)[-1]]
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2
    return np.where(inside, level, image)


def known_errors(target, *, mask, intensity_range):
    """One real image with one error at a time.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        mask: boolean array of the same shape.
        intensity_range: `IntensityRange` of the contrast.

    Returns:
        Dictionary from the error in words to the image with it.
    """
    target = np.asarray(target, float)
    middle = tuple(np.mean(np.nonzero(mask), axis=1)[-2:])
    radius = 3
    return {
        "15 % too bright": with_gain(target),
        "one pixel to the right": shifted(target),
        "blurred, σ 1 pixel": blurred(target),
        "background at 30 % of the range": with_background(
            target, mask, intensity_range.low + 0.3 * intensity_range.width
        ),
        f"a disc of {2 * radius + 1} pixels invented": with_disc(target, middle, radius, intensity_range.high),
    }
