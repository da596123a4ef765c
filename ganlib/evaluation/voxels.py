"""The voxels that are scored: checked, and taken out of their images."""

import numpy as np


def inside(target, synthetic, mask):
    """Both images inside the mask.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape.

    Returns:
        Two float64 vectors, voxel by voxel.

    Raises:
        ValueError: shapes differ, the mask is not boolean or is empty, or a value inside it is not finite.
    """
    target, synthetic, mask = np.asarray(target), np.asarray(synthetic), np.asarray(mask)
    require_same_shape(target=target, synthetic=synthetic, mask=mask)
    require_mask(mask)
    return require_finite(target=target[mask], synthetic=synthetic[mask])


def require_mask(mask):
    """The mask as an array; a `ValueError` if it is not boolean or has no voxel."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(f"mask is {mask.dtype}, not boolean; use mask.astype(bool)")
    if not mask.any():
        raise ValueError("the mask is empty: no voxel to score")
    return mask


def require_same_shape(**arrays):
    """Raise a `ValueError` that names the shapes if those of the named arrays differ."""
    shapes = {name: np.shape(array) for name, array in arrays.items()}
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


def require_positive(name, value):
    """The value as a float; a `ValueError` that names it if it is not positive and finite."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} {value} is not positive")
    return float(value)


def as_slices(image):
    """An image as a stack of slices, (slices, height, width)."""
    image = np.asarray(image)
    return image[None] if image.ndim == 2 else image


def scored_slices(target, synthetic, mask):
    """Slices that have any mask voxel, one by one.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape.
        mask: boolean array of the same shape.

    Returns:
        List of (target, synthetic, mask), each (height, width), images as float64.

    Raises:
        ValueError: shapes differ, the mask is not boolean or is empty, or a value, inside the mask or outside, is not
            finite.
    """
    require_same_shape(target=target, synthetic=synthetic, mask=mask)
    mask = require_mask(mask)
    target, synthetic = require_finite(target=target, synthetic=synthetic)
    stacks = map(as_slices, (target, synthetic, mask))
    return [images for images in zip(*stacks, strict=True) if images[2].any()]
