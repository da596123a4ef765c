"""A window that fades out towards the border of the mask, so that the border itself is not measured."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt

#: Distance from the mask's border over which the window rises from 0 to 1, in pixels.
FADE_PIXELS = 8


def window(mask, *, margin=0):
    """Raised cosine of the distance from the border of a mask.

    Both images of a pair have the same border, the edge of the mask; whatever looks at edges (a spectrum, a
    registration) would find it first, and find it equal.

    Args:
        mask: boolean array (height, width); what lies beyond the picture counts as outside.
        margin: pixels inside the border that are left out altogether, for what looks at the neighbours of a pixel.

    Returns:
        float64 array of the same shape, read-only: 0 outside the mask and in the margin, 1 from `FADE_PIXELS` further
        inside.
    """
    mask = np.asarray(mask, bool)
    return _window(np.packbits(mask).tobytes(), mask.shape, margin)


def windowed(image, weights):
    """An image without its mean inside a window, times the window.

    Args:
        image: float array (height, width).
        weights: as from `window`, same shape; what lies where it is 0 has no influence, NaN included.

    Returns:
        float64 array of the same shape; all 0 where the window is.
    """
    total = weights.sum()
    image = np.where(weights > 0, image, 0)
    return (image - np.vdot(image, weights) / total) * weights if total > 0 else np.zeros(np.shape(image))


@lru_cache(maxsize=32)  # the mask of a subject serves every method, in both directions
def _window(packed, shape, margin):
    mask = np.unpackbits(np.frombuffer(packed, np.uint8), count=shape[0] * shape[1]).reshape(shape)
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    weights = 0.5 - 0.5 * np.cos(np.pi * np.clip((depth - margin) / FADE_PIXELS, 0, 1))
    weights.setflags(write=False)
    return weights
