"""Measures of the difference between a real and a synthetic image: arrays in, number out.

Every function takes the real image first and the synthetic one second, as float arrays (height, width) or
(slices, height, width), and a boolean `mask` of the same shape. Where there are several slices, the score is that of
the subject: voxels are pooled over the masks of all slices, never averaged slice by slice. Nothing outside the mask
has any influence. Nothing here knows of models, files or protocols; `ganlib.evaluation.protocols` says what the
project feeds in.
"""

import math

import numpy as np

from ganlib.evaluation.information import (
    chance_information,
    miller_madow_bias,
    mutual_information,
    normalised_mutual_information,
)
from ganlib.evaluation.similarity import SSIM_SIGMA, SSIM_WINDOW, gaussian_ssim, square_ssim, ssim
from ganlib.evaluation.voxels import inside, require_finite, require_positive, require_same_shape

__all__ = [
    "SSIM_SIGMA", "SSIM_WINDOW", "chance_information", "error_measures", "gaussian_ssim", "mae", "miller_madow_bias",
    "mutual_information", "normalised_mutual_information", "psnr", "relative_error_map", "square_ssim", "ssim",
]  # fmt: skip


def mae(target, synthetic, *, mask):
    """Mean absolute error inside a mask.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; True where the score counts.

    Returns:
        Mean absolute difference (float), in the units of the images; 0 where they agree. Lower is better.

    Raises:
        ValueError: shapes differ, the mask is empty, or a value is not finite.

    Example:
        >>> mae(np.array([[1.0, 2.0]]), np.array([[2.0, 0.0]]), mask=np.array([[True, True]]))
        1.5
    """
    return error_measures(*inside(target, synthetic, mask), data_range=1)["mae"]


def psnr(target, synthetic, *, mask, data_range):
    """Peak signal-to-noise ratio inside a mask.

    Squared errors are pooled over the mask before the logarithm, so that empty slices cannot inflate the score.

    Args:
        target: real image, float array (height, width) or (slices, height, width), in the units of `data_range`.
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; True where the score counts.
        data_range: largest minus smallest possible intensity of the population, not of this image.

    Returns:
        Decibels (float); `inf` where the images agree exactly. Higher is better.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `data_range` is not positive.

    Example:
        >>> psnr(np.zeros((2, 2)), np.full((2, 2), 0.1), mask=np.ones((2, 2), bool), data_range=1)
        20.0

    Source: Wang & Bovik 2009, IEEE Signal Processing Magazine 26(1):98.
    """
    return error_measures(*inside(target, synthetic, mask), data_range=data_range)["psnr_db"]


def error_measures(target, synthetic, *, data_range):
    """Mean error, mean absolute error and PSNR of voxels that were checked before, in one pass.

    Args:
        target: real intensities, float array of any shape.
        synthetic: generated intensities, same shape.
        data_range: largest minus smallest possible intensity.

    Returns:
        Dictionary of floats: `bias` (synthetic minus real), `mae` and `psnr_db`, as the functions of this module
        return them.

    Raises:
        ValueError: `data_range` is not positive.
    """
    data_range = require_positive("data_range", data_range)
    difference = (synthetic - target).ravel()
    mean_square = float(np.dot(difference, difference)) / difference.size
    psnr_db = 10 * math.log10(data_range**2 / mean_square) if mean_square > 0 else math.inf
    bias = float(difference.mean())
    return {"mae": float(np.abs(difference, out=difference).mean()), "psnr_db": psnr_db, "bias": bias}


def relative_error_map(target, synthetic, *, floor):
    """Relative absolute error of every voxel, |synthetic - target| / max(|target|, floor).

    Without a floor, voxels whose true intensity is next to zero dominate: the quotient has been seen to reach 40,000.
    Do not sum the map up by its mean; use the median and the 95th percentile inside the mask.

    Args:
        target: real image, float array of any shape.
        synthetic: generated image, same shape and units.
        floor: smallest divisor, positive, in the units of the images.

    Returns:
        Float array of the same shape, 0 where the images agree.

    Raises:
        ValueError: shapes differ, a value is not finite, or `floor` is not positive.

    Example:
        >>> relative_error_map(np.array([2.0, 0.0]), np.array([1.0, 0.2]), floor=0.1)
        array([0.5, 2. ])

    Source: Welander, Karlsson & Eklund 2018, arXiv:1806.07777, section 2.2; the floor is ours.
    """
    target, synthetic = np.asarray(target), np.asarray(synthetic)
    require_same_shape(target=target, synthetic=synthetic)
    target, synthetic = require_finite(target=target, synthetic=synthetic)
    return np.abs(synthetic - target) / np.maximum(np.abs(target), require_positive("floor", floor))
