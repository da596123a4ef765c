"""How protocols bring an image to one scale by itself, and what that hides."""

import numpy as np

#: Percentiles of a slice that the 2025 benchmark clips at.
PERCENTILES = (5, 99.5)


def z_scored(image):
    """Subtract an image's mean and divide by its standard deviation.

    Args:
        image: float array of any shape.

    Returns:
        float64 array of the same shape, mean 0 and standard deviation 1; all 0 where the image is constant, since it
        then has no contrast to normalise.
    """
    image = np.asarray(image, np.float64)
    centred = image - image.mean()
    return centred / centred.std() if np.ptp(image) > 0 else np.zeros_like(image)


def of_own_maximum(image):
    """Divide an image by its largest intensity: a gain error disappears, and one bright voxel dims all others.

    Args:
        image: float array of any shape, 0 where there is no signal.

    Returns:
        float64 array of the same shape, largest intensity 1; all 0 where nothing is above 0.
    """
    image = np.asarray(image, np.float64)
    highest = image.max()
    return image / highest if highest > 0 else np.zeros_like(image)


def percentile_scaled(image):
    """Clip an image at its 5th and 99.5th percentile, then map these to 0 and 1.

    Args:
        image: float array of any shape.

    Returns:
        float64 array of the same shape, 0 to 1; all 0 where both percentiles are equal.
    """
    image = np.asarray(image, np.float64)
    low, high = np.percentile(image, PERCENTILES)
    return np.clip((image - low) / (high - low), 0, 1) if high > low else np.zeros_like(image)


def above_triangle(image):
    """Set to 0 what lies below an image's own threshold by the triangle method.

    Args:
        image: float array of any shape.

    Returns:
        float64 array of the same shape.

    Source: Zack, Rogers & Latt 1977, Journal of Histochemistry & Cytochemistry 25(7):741.
    """
    from skimage.filters import threshold_triangle  # half a second to import, and dashboards score nothing

    image = np.asarray(image, np.float64)
    return np.where(image > threshold_triangle(image), image, 0)


def own_range(image):
    """Smallest and largest intensity; a constant image gets a range of 1, so that it falls into one bin."""
    low, high = float(image.min()), float(image.max())
    return (low, high) if high > low else (low, low + 1)
