"""Structural similarity, in the forms in which it is reported for MR images.

The formula is that of Wang et al. 2004; what differs is the window, what counts, and the estimate of variances.
scikit-image computes the same numbers (the tests hold them together to 1e-9) in two to three times the time.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from ganlib.evaluation.voxels import as_slices, inside, require_finite, require_positive, require_same_shape

#: Standard deviation in pixels of the Gaussian window of SSIM (Wang et al. 2004).
SSIM_SIGMA = 1.5
#: Smallest height and width of an image that SSIM's window fits into, in pixels.
SSIM_WINDOW = 11
#: Edge in pixels of the square window that scikit-image takes where nothing else is asked for.
SQUARE_WINDOW = 7

_RADIUS = SSIM_WINDOW // 2


def ssim(target, synthetic, *, mask, data_range):
    """Structural similarity: the SSIM map of each slice, averaged over the mask voxels of all slices.

    The window is the Gaussian of Wang et al. 2004 (σ 1.5 pixels, 11 × 11) in two dimensions. Both images are set to 0
    outside the mask first: windows at its border would otherwise let the outside into the score.

    Args:
        target: real image, float array (height, width) or (slices, height, width), in the units of `data_range`.
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; True where the score counts.
        data_range: largest minus smallest possible intensity of the population, not of this image.

    Returns:
        Float from -1 to 1; 1 where the images agree. Higher is better.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, `data_range` is not positive, or the
            image is smaller than the window.

    Source: Wang et al. 2004, IEEE Transactions on Image Processing 13(4):600.
    """
    return float(np.mean(ssim_map(target, synthetic, mask=mask, data_range=data_range)[mask]))


def ssim_map(target, synthetic, *, mask, data_range):
    """The SSIM of every mask voxel, as `ssim` averages it; for the scores of regions inside the mask.

    Args:
        target: real image, float array (height, width) or (slices, height, width), in the units of `data_range`.
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; both images are set to 0 outside it.
        data_range: largest minus smallest possible intensity of the population, not of this image.

    Returns:
        float64 array of the same shape, NaN outside the mask.

    Raises:
        ValueError: as `ssim`.
    """
    inside(target, synthetic, mask)
    _require_window(target, SSIM_WINDOW)
    data_range = require_positive("data_range", data_range)
    values = np.full(np.shape(target), np.nan)
    stacks = map(as_slices, (target, synthetic, mask, values))
    for real, made, inner, filled in zip(*stacks, strict=True):
        if inner.any():
            # Cut to the mask and a window's reach around it, which is exact.
            box = tuple(_extent(inner.any(1 - axis)) for axis in (0, 1))
            pair = (np.where(inner[box], image[box], 0).astype(float) for image in (real, made))
            filled[box] = np.where(inner[box], _similarity(*pair, data_range, _gaussian_mean), np.nan)
    return values


def gaussian_ssim(target, synthetic, *, data_range):
    """SSIM of a whole slice, background included, with the Gaussian window of Wang et al. 2004.

    Args:
        target: real image, float array (height, width), in the units of `data_range`.
        synthetic: generated image, same shape and units.
        data_range: range of the intensities.

    Returns:
        Float from -1 to 1: the mean over the slice without its outermost 5 pixels, as scikit-image with
        `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`.

    Raises:
        ValueError: shapes differ, a value is not finite, `data_range` is not positive, or the slice is smaller than
            the window.
    """
    return _whole_slice(target, synthetic, data_range, _gaussian_mean, window=SSIM_WINDOW)


def square_ssim(target, synthetic, *, data_range):
    """SSIM of a whole slice, background included, with scikit-image's default window of 7 × 7 equal weights.

    Args:
        target: real image, float array (height, width), in the units of `data_range`.
        synthetic: generated image, same shape and units.
        data_range: range of the intensities.

    Returns:
        Float from -1 to 1: the mean over the slice without its outermost 3 pixels, variances divided by 48 instead
        of 49, as `skimage.metrics.structural_similarity(target, synthetic, data_range=data_range)`.

    Raises:
        ValueError: shapes differ, a value is not finite, `data_range` is not positive, or the slice is smaller than
            the window.
    """
    count = SQUARE_WINDOW**2
    return _whole_slice(target, synthetic, data_range, _square_mean, window=SQUARE_WINDOW, unbias=count / (count - 1))


def _whole_slice(target, synthetic, data_range, mean, *, window, unbias=1.0):
    require_same_shape(target=target, synthetic=synthetic)
    target, synthetic = require_finite(target=target, synthetic=synthetic)
    _require_window(target, window)
    values = _similarity(target, synthetic, require_positive("data_range", data_range), mean, unbias)
    edge = window // 2
    return float(values[edge:-edge, edge:-edge].mean())


def _similarity(x, y, data_range, mean, unbias=1.0):
    """SSIM of every pixel of a slice; `mean` is the weighted mean over the window around each pixel."""
    luminance, contrast = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_x, mean_y = mean(x), mean(y)
    # In place: new arrays of this size would cost more than the arithmetic.
    product = mean_x * mean_y
    squares = np.square(mean_x, out=mean_x)
    squares += np.square(mean_y, out=mean_y)
    covariance = mean(x * y)
    covariance -= product
    # The sum of both variances is all that is needed of them.
    variances = mean(np.square(x) + np.square(y))
    variances -= squares
    for spread, factor in ((covariance, 2 * unbias), (variances, unbias)):
        spread *= factor
        spread += contrast
    product *= 2
    for level, spread in ((product, covariance), (squares, variances)):
        level += luminance
        level *= spread
    return np.divide(product, squares, out=product)


def _gaussian_mean(image):
    return gaussian_filter(image, SSIM_SIGMA, radius=_RADIUS)


def _square_mean(image):
    return uniform_filter(image, SQUARE_WINDOW)


def _extent(occupied):
    where = np.flatnonzero(occupied)
    return slice(max(where[0] - _RADIUS, 0), where[-1] + _RADIUS + 1)


def _require_window(image, window):
    if min(np.shape(image)[-2:]) < window:
        raise ValueError(f"images of {np.shape(image)} are smaller than SSIM's window of {window} pixels")
