"""Mutual information of a real and a synthetic image, from one joint histogram, with its bias.

A plug-in estimate from a histogram is never below zero, so that noise alone counts as information: the fewer voxels
per cell, the more. `miller_madow_bias` costs nothing and is right where there are several voxels per occupied cell;
`chance_information` is exact whatever the histogram, and slow.
"""

import numpy as np

from ganlib.evaluation.voxels import inside, require_positive


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
        Nats (float); 0 where the images are independent, but for the bias of the histogram (see
        `miller_madow_bias`), and the entropy of the target's histogram where they are identical. Higher is better.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.

    Example:
        >>> halves = np.array([[0.0, 0.0, 1.0, 1.0]])
        >>> round(mutual_information(halves, halves, mask=halves >= 0, bins=2, limits=((0, 1), (0, 1))), 6)
        0.693147

    Source: Cover & Thomas 2006, Elements of Information Theory, 2nd edition, section 2.3.
    """
    return information(joint_histogram(target, synthetic, mask=mask, bins=bins, limits=limits))["mi_nats"]


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
    return information(joint_histogram(target, synthetic, mask=mask, bins=bins, limits=limits))["nmi"]


def miller_madow_bias(target, synthetic, *, mask, bins, limits):
    """How much of `mutual_information` is due to the finite number of voxels, to first order.

    (occupied cells - occupied rows - occupied columns + 1) / (2 voxels). It is right where there are several voxels
    per occupied cell. Where there are not (256 x 256 cells and fewer than some 300,000 voxels of noise) it corrects
    too little: use `chance_information`.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape; True where the score counts.
        bins: number of equal bins along each axis of the histogram.
        limits: ((low, high), (low, high)) that the bins span, of the target and of the synthetic image.

    Returns:
        Nats (float), to be subtracted from the mutual information; 0 or a little less for identical images.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.

    Source: Miller 1955, in Quastler (ed.), Information Theory in Psychology, 95; Paninski 2003, Neural Computation
        15(6):1191.
    """
    return information(joint_histogram(target, synthetic, mask=mask, bins=bins, limits=limits))["mi_bias_nats"]


def chance_information(target, synthetic, *, mask, bins, limits):
    """Mutual information to be expected of two images with these histograms that have nothing to do with each other.

    The exact mean over all ways of shuffling the voxels of one image. It takes a second or two with 256 bins.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape; True where the score counts.
        bins: number of equal bins along each axis of the histogram.
        limits: ((low, high), (low, high)) that the bins span, of the target and of the synthetic image.

    Returns:
        Nats (float).

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.

    Source: Vinh, Epps & Bailey 2010, Journal of Machine Learning Research 11:2837; computed by scikit-learn.
    """
    from sklearn.metrics.cluster import expected_mutual_information  # half a second to import, seldom used

    counts = joint_histogram(target, synthetic, mask=mask, bins=bins, limits=limits)
    occupied = counts[np.ix_(counts.any(1), counts.any(0))].astype(np.int64)
    return float(expected_mutual_information(occupied, int(occupied.sum())))


def joint_histogram(target, synthetic, *, mask, bins, limits):
    """Counts of the joint histogram of the intensities inside a mask.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape.
        bins: number of equal bins along each axis.
        limits: ((low, high), (low, high)) that the bins span, of the target and of the synthetic image; a value
            beyond them counts in the outermost bin.

    Returns:
        Integer array (bins, bins), rows for the target.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, or `bins` or a range is not positive.
    """
    return counts_of(*inside(target, synthetic, mask), bins=bins, limits=limits)


def counts_of(target, synthetic, *, bins, limits):
    """The joint histogram of voxels that were checked before; as `joint_histogram`, with vectors for images."""
    bins = int(require_positive("bins", bins))
    rows = _bin_numbers("target", target, bins, limits[0])
    columns = _bin_numbers("synthetic", synthetic, bins, limits[1])
    # A tenth of the time of `np.histogram2d`.
    return np.bincount(rows * bins + columns, minlength=bins * bins).reshape(bins, bins)


def information(counts):
    """What a joint histogram says, in one pass.

    Args:
        counts: integer array (rows, columns), not all 0.

    Returns:
        Dictionary of floats: `mi_nats`, `nmi` and `mi_bias_nats`, as the functions of this module return them.
    """
    rows, columns = counts.sum(1), counts.sum(0)
    marginals, joint = _entropy(rows) + _entropy(columns), _entropy(counts)
    occupied = [int(np.count_nonzero(part)) for part in (counts, rows, columns)]
    return {
        "mi_nats": max(0.0, marginals - joint),
        "nmi": 1.0 if joint == 0 else marginals / joint,
        "mi_bias_nats": (occupied[0] - occupied[1] - occupied[2] + 1) / (2 * int(rows.sum())),
    }


def _bin_numbers(name, values, bins, limits):
    low, high = map(float, limits)
    width = require_positive(f"range of the {name} image, {low:g} to {high:g}:", high - low)
    return np.clip((values - low) * (bins / width), 0, bins - 1).astype(np.intp)


def _entropy(counts):
    """Entropy in nats of a histogram of counts."""
    counts = counts[counts > 0]
    total = counts.sum()
    return float(np.log(total) - np.sum(counts * np.log(counts)) / total)
