"""Pixels as a rater sees them: real and synthetic images by one path, so that the picture alone tells them apart.

Five tells are removed. Generators leave small values in the background where real images are exactly 0: outside the
subject's mask every image is 0. Real images come in steps where the scanner stored whole numbers: the subject's step is
taken on by the synthetic image too. Generators that end in a hyperbolic tangent never reach the upper end of the
training range, real images do: the window ends below it, so that both are clipped. Generators smear the hard edge that
skull-stripping cuts: the mask's outermost pixels are taken off. And all are 8 bits of one size.
"""

import numpy as np

#: Real images with more different values than this are taken as continuous.
_MOST_STEPS = 4096


def intensity_step(values):
    """Step between the intensities of an image that was stored in whole numbers.

    Args:
        values: real image, any shape, in the units of the cohort.

    Returns:
        The step (float), of which every value is a multiple; 0 if there is none, as in an image that was interpolated.

    Example:
        >>> intensity_step(np.array([0.0, 2.5, 7.5]))
        2.5
    """
    distinct = np.unique(np.asarray(values, float))
    if not 2 < len(distinct) <= _MOST_STEPS:
        return 0.0
    step = float(np.diff(distinct).min())
    multiples = distinct / step
    # Intensities are stored in single precision.
    off = np.abs(multiples - np.rint(multiples)) > 1e-6 * np.maximum(np.abs(multiples), 1) + 1e-3
    return 0.0 if off.any() else step


def trimmed(mask, pixels):
    """A mask without its outermost pixels, and without what lies at the edge of the picture.

    Args:
        mask: bool array (height, width).
        pixels: how many to take off; 0 leaves the mask as it is.
    """
    from scipy.ndimage import binary_erosion  # slow to import, and the rating page renders nothing

    return binary_erosion(mask, iterations=pixels) if pixels else np.asarray(mask, bool)


def render(image, *, mask, intensity_range, window, step=0.0):
    """A slice as 8-bit grey levels.

    Args:
        image: float array (height, width), real or synthetic, in the units of the cohort.
        mask: bool array of the same shape; outside it everything is 0.
        intensity_range: `IntensityRange` of the contrast.
        window: fractions of the range shown black and white.
        step: step between intensities of the subject's real image, from `intensity_step`.

    Returns:
        uint8 array (height, width).

    Raises:
        ValueError: the shapes differ, the mask is empty, or a value inside it is not finite.
    """
    image, mask = np.asarray(image, float), np.asarray(mask, bool)
    if image.shape != mask.shape:
        raise ValueError(f"image {image.shape} and mask {mask.shape} differ in shape")
    if not mask.any():
        raise ValueError("the mask of this slice is empty, so that there is nothing to show")
    if not np.isfinite(image[mask]).all():
        raise ValueError("the image has values that are not finite")
    if step:
        image = np.rint(image / step) * step
    low, high = window
    fraction = (intensity_range.fraction(np.where(mask, image, 0)) - low) / (high - low)
    return np.where(mask, np.rint(255 * np.clip(fraction, 0, 1)), 0).astype(np.uint8)
