"""Measures of the difference between a real and a synthetic image: arrays in, number out.

Every function takes the real image first and the synthetic one second, as float arrays (height, width) or
(slices, height, width), and a boolean `mask` of the same shape. Where there are several slices, the score is that of
the subject: voxels are pooled over the masks of all slices, never averaged slice by slice. Nothing outside the mask
has any influence. Nothing here knows of models, files or protocols; `ganlib.evaluation.protocols` says what the
project feeds in.
"""

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

#: Standard deviation in pixels of the Gaussian window of SSIM (Wang et al. 2004).
SSIM_SIGMA = 1.5
#: Smallest height and width of an image that SSIM's window fits into, in pixels.
SSIM_WINDOW = 11


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
    target, synthetic = _inside(target, synthetic, mask)
    return float(np.mean(np.abs(synthetic - target)))


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
    target, synthetic = _inside(target, synthetic, mask)
    data_range = _positive("data_range", data_range)
    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(target, synthetic, data_range=data_range))


def mutual_information(target, synthetic, *, mask, bins, limits):
    """Mutual information of the intensities inside a mask, from their joint histogram.

    It asks how well the intensities of one image tell those of the other, whatever the map between them is. A
    synthetic image made pixel by pixel from a source can never have more of it than that source (data-processing
    inequality), so that an untranslated source image beats every pixel-wise model, and often the others.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape; True where the score counts.
        bins: number of equal bins along each axis of the histogram.
        limits: ((low, high), (low, high)) that the bins span, of the target and of the synthetic image; a value
            beyond them counts in the outermost bin.

    Returns:
        Nats (float); 0 where the images are independent, the entropy of the target's histogram where they are
        identical. Higher is better.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.

    Example:
        >>> halves = np.array([[0.0, 0.0, 1.0, 1.0]])
        >>> round(mutual_information(halves, halves, mask=halves >= 0, bins=2, limits=((0, 1), (0, 1))), 6)
        0.693147

    Source: Cover & Thomas 2006, Elements of Information Theory, 2nd edition, section 2.3.
    """
    counts = _joint_histogram(target, synthetic, mask, bins, limits)
    return max(0.0, _entropy(counts.sum(0)) + _entropy(counts.sum(1)) - _entropy(counts))


def normalised_mutual_information(target, synthetic, *, mask, bins, limits):
    """Mutual information relative to the joint entropy, (H(target) + H(synthetic)) / H(target, synthetic).

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape; True where the score counts.
        bins: number of equal bins along each axis of the histogram.
        limits: ((low, high), (low, high)) that the bins span, of the target and of the synthetic image.

    Returns:
        Float from 1 (independent) to 2 (each image tells the other); 1 where both images fall into one bin. Higher
        is better.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.

    Source: Studholme, Hill & Hawkes 1999, Pattern Recognition 32(1):71.
    """
    counts = _joint_histogram(target, synthetic, mask, bins, limits)
    joint = _entropy(counts)
    return 1.0 if joint == 0 else (_entropy(counts.sum(0)) + _entropy(counts.sum(1))) / joint


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
    _inside(target, synthetic, mask)
    data_range = _positive("data_range", data_range)
    slices = [np.reshape(image, (-1, *np.shape(image)[-2:])) for image in (target, synthetic, mask)]
    if min(slices[0].shape[1:]) < SSIM_WINDOW:
        raise ValueError(f"images of {np.shape(target)} are smaller than SSIM's window of {SSIM_WINDOW} pixels")
    values = [_ssim_inside(*images, data_range) for images in zip(*slices, strict=True) if images[2].any()]
    return float(np.mean(np.concatenate(values)))


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
    return np.abs(synthetic - target) / np.maximum(np.abs(target), _positive("floor", floor))


def _joint_histogram(target, synthetic, mask, bins, limits):
    """Counts of a joint histogram, (bins, bins); `np.bincount` takes a tenth of the time of `np.histogram2d`."""
    target, synthetic = _inside(target, synthetic, mask)
    bins = int(_positive("bins", bins))
    rows = _bin_numbers("target", target, bins, limits[0])
    columns = _bin_numbers("synthetic", synthetic, bins, limits[1])
    return np.bincount(rows * bins + columns, minlength=bins * bins).reshape(bins, bins)


def _bin_numbers(name, values, bins, limits):
    low, high = map(float, limits)
    width = _positive(f"range of the {name} image, {low:g} to {high:g}:", high - low)
    return np.clip((values - low) * (bins / width), 0, bins - 1).astype(np.intp)


def _entropy(counts):
    """Entropy in nats of a histogram of counts."""
    counts = counts[counts > 0]
    total = counts.sum()
    return float(np.log(total) - np.sum(counts * np.log(counts)) / total)


def _ssim_inside(target, synthetic, mask, data_range):
    """SSIM of every mask voxel of one slice; cut to the mask and a window's width around it, which is exact."""
    box = tuple(_extent(mask.any(1 - axis), margin=SSIM_WINDOW) for axis in (0, 1))
    target, synthetic = (np.where(mask[box], image[box], 0).astype(float) for image in (target, synthetic))
    _, values = structural_similarity(
        target, synthetic, data_range=data_range, full=True,
        gaussian_weights=True, sigma=SSIM_SIGMA, use_sample_covariance=False,
    )  # fmt: skip
    return values[mask[box]]


def _extent(occupied, margin):
    where = np.flatnonzero(occupied)
    return slice(max(where[0] - margin, 0), where[-1] + margin + 1)


def _inside(target, synthetic, mask):
    """Both images inside the mask, as vectors of float64."""
    target, synthetic, mask = np.asarray(target), np.asarray(synthetic), np.asarray(mask)
    require_same_shape(target=target, synthetic=synthetic, mask=mask)
    if mask.dtype != bool:
        raise ValueError(f"mask is {mask.dtype}, not boolean; use mask.astype(bool)")
    if not mask.any():
        raise ValueError("the mask is empty: no voxel to score")
    return require_finite(target=target[mask], synthetic=synthetic[mask])


def require_same_shape(**arrays):
    """Raise a `ValueError` that names the shapes if those of the named arrays differ."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError("shapes differ: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items()))


def require_finite(**arrays):
    """The named arrays as float64; a `ValueError` names the one that has a NaN or an infinite value."""
    arrays = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            bad = np.count_nonzero(~np.isfinite(array))
            raise ValueError(f"{name} image: {bad} of {array.size} scored voxels are NaN or infinite")
    return arrays.values()


def _positive(name, value):
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} {value} is not positive")
    return float(value)
