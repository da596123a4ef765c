"""Masks: which voxels of a subject count."""

import numpy as np

from ganlib.errors import InputError

#: Above this fraction of non-zero voxels the background is not 0, so that "non-zero" is no mask of a brain.
MAX_NONZERO = 0.95
_CLOSING_STEPS = 2


def nonzero_mask(images, *, subject_id):
    """Voxels that are non-zero in every contrast, with enclosed holes filled: the brain, if images are skull-stripped.

    Negative values count as inside: interpolation rings a little below zero at the brain's edge, while skull stripping
    leaves exact zeros outside.
    Whether images are skull-stripped cannot be told for sure: some scanners write zeros around an unstripped head, and
    then this is a mask of the head. Only images without any empty background are refused.

    Args:
        images: dictionary from contrast to float array (x, y, z).
        subject_id: for the error message.

    Returns:
        Boolean array (x, y, z).

    Raises:
        InputError: no voxel is non-zero everywhere, or nearly all are, as in images that are not skull-stripped.
    """
    mask = np.logical_and.reduce([image != 0 for image in images.values()])
    if mask.mean() > MAX_NONZERO:
        raise InputError(
            f"subject {subject_id!r}: {mask.mean():.0%} of the voxels are non-zero, so it is not skull-stripped; "
            "use mask='computed', or give mask files"
        )
    return _not_empty(filled(mask), subject_id, "no voxel is non-zero in every contrast")


def computed_mask(images, *, subject_id):
    """Head mask: Otsu's threshold on the mean of the contrasts, the largest piece, with holes filled.

    This is a mask of the *head*, scalp and skull included, and not of the brain: scores inside it are not comparable
    with scores inside a brain mask. Air in sinuses and ears stays outside where it is open to the outside.

    Args:
        images: dictionary from contrast to float array (x, y, z).
        subject_id: for the error message.

    Returns:
        Boolean array (x, y, z).

    Raises:
        InputError: the images are constant.

    Source: Otsu 1979, IEEE Transactions on Systems, Man and Cybernetics 9(1):62.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    mean = np.float32(0)
    for image in images.values():
        mean = mean + image / np.float32(len(images) * np.percentile(np.abs(image), 99) or 1)
    if mean.min() == mean.max():
        raise InputError(
            f"subject {subject_id!r}: its images are constant, so that no mask can be computed; check the files"
        )
    # The square root evens out bright fat and dark muscle; Otsu on plain intensities loses the latter.
    root = np.sqrt(np.clip(mean, 0, None, out=mean), out=mean)
    mask = ndimage.binary_closing(largest_piece(root > threshold_otsu(root)), iterations=_CLOSING_STEPS)
    return _not_empty(filled(mask), subject_id, "no voxel is above Otsu's threshold")


def given_mask(volume, *, subject_id, path):
    """Mask from a file: True above one half, so that probability maps serve as well as binary masks.

    Args:
        volume: float array (x, y, z).
        subject_id: for the error message.
        path: the mask's file, for the error message.

    Returns:
        Boolean array (x, y, z).

    Raises:
        InputError: the mask is empty.
    """
    return _not_empty(volume > 0.5, subject_id, f"{path} has no voxel above 0.5")


def largest_piece(mask):
    """The largest connected piece of a boolean array; the array itself if it is empty."""
    from scipy import ndimage

    pieces, number = ndimage.label(mask)
    return pieces == 1 + np.bincount(pieces.ravel())[1:].argmax() if number else mask


def filled(mask):
    """A boolean array with its holes filled: background that does not touch the array's border becomes True."""
    if not mask.any():
        return mask.copy()
    # Whatever lies beyond one voxel around the mask is connected to the border, and need not be labelled.
    around = tuple(slice(max(first - 1, 0), last + 2) for first, last in _extent(mask))
    result = mask.copy()
    result[around] = _filled_box(mask[around])
    return result


def _extent(mask):
    """First and last index with a True, of every axis."""
    for axis in range(mask.ndim):
        occupied = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        yield occupied[0], occupied[-1]


def _filled_box(mask):
    from scipy import ndimage

    background, number = ndimage.label(~mask)
    outside = np.zeros(number + 1, bool)
    for axis in range(mask.ndim):
        outside[np.unique(np.take(background, (0, -1), axis))] = True
    outside[0] = False
    return ~outside[background]


def _not_empty(mask, subject_id, why):
    if not mask.any():
        raise InputError(
            f"subject {subject_id!r}: its mask is empty, since {why}; check the files or choose another mask"
        )
    return mask
