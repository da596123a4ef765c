"""Power over spatial frequency: the smooth look of error-trained methods, made a number."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft

from ganlib.evaluation.voxels import as_slices, require_finite, require_mask, require_same_shape
from ganlib.evaluation.window import window, windowed

#: Least power that a ratio is taken of, as a fraction of the real image's largest: a flat image has none at all.
POWER_FLOOR = 1e-10


class Spectrum(NamedTuple):
    """Radially averaged power spectrum.

    Args:
        cycles_per_mm: middle of each band, float array (bands,), rising to the Nyquist frequency; the mean intensity
            (frequency 0) is left out.
        power: mean power in each band, float array (bands,), squared units of the image.
    """

    cycles_per_mm: np.ndarray
    power: np.ndarray


def radial_spectrum(image, *, mask, voxel_mm):
    """Radially averaged power spectrum of an image inside a mask.

    The mean is subtracted and the border of the mask faded out first (`ganlib.evaluation.window`). Bands are one cycle
    per shorter side of the picture wide. Power is averaged over all directions, and over slices.

    Args:
        image: float array (height, width) or (slices, height, width).
        mask: boolean array of the same shape.
        voxel_mm: row and column spacing in mm.

    Returns:
        `Spectrum`.

    Raises:
        ValueError: shapes differ, the mask is empty or too thin for its window, or a value inside is not finite.

    Source: van der Schaaf & van Hateren 1996, Vision Research 36(17):2759, for radial averaging.
    """
    image, mask = np.asarray(image), require_mask(mask)
    require_same_shape(image=image, mask=mask)
    require_finite(image=image[mask])
    bands, middles, number = _bands(image.shape[-2:], tuple(map(float, voxel_mm)))
    power, weight = np.zeros(number), 0.0
    for picture, inner in zip(as_slices(image), as_slices(mask), strict=True):
        weights = window(inner)
        amplitudes = fft.rfft2(windowed(picture, weights))
        squares = np.square(amplitudes.real) + np.square(amplitudes.imag)
        power += np.bincount(bands.ravel(), squares.ravel() * _multiplicity(image.shape[-1], squares.shape), number)
        weight += float(np.square(weights).sum())
    if not weight > 0:
        raise ValueError("the mask is too thin for a power spectrum: nothing is left inside its faded border")
    counts = np.bincount(bands.ravel(), _multiplicity(image.shape[-1], bands.shape), number)
    return Spectrum(middles, (power / counts / weight)[1:-1])


def spectral_ratio_db(target, synthetic, *, mask, voxel_mm):
    """Power of a synthetic image relative to the real one's, band by band.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape.
        voxel_mm: row and column spacing in mm.

    Returns:
        cycles_per_mm: middle of each band, float array (bands,).
        ratio_db: 10 log10 of the ratio of powers, float array (bands,); negative where the synthetic image is
            smoother.

    Raises:
        ValueError: as `radial_spectrum`.
    """
    require_same_shape(target=target, synthetic=synthetic, mask=mask)
    real, made = (radial_spectrum(image, mask=mask, voxel_mm=voxel_mm) for image in (target, synthetic))
    floor = POWER_FLOOR * real.power.max() or np.finfo(float).tiny
    return real.cycles_per_mm, 10 * np.log10(np.maximum(made.power, floor) / np.maximum(real.power, floor))


def spectrum_measures(target, synthetic, *, mask, voxel_mm):
    """Two numbers of the spectral ratio: how far from 0 it is, and how it is at high frequencies.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape.
        voxel_mm: row and column spacing in mm.

    Returns:
        Dictionary of floats: `spectrum_db`, the root mean square of the ratio over all bands, 0 for an exact copy;
        `high_frequency_db`, its mean over bands above half the Nyquist frequency, negative where the synthetic image is
        smoother than the real one and positive where it is noisier.

    Raises:
        ValueError: as `radial_spectrum`.
    """
    frequencies, ratio_db = spectral_ratio_db(target, synthetic, mask=mask, voxel_mm=voxel_mm)
    high = frequencies > 0.5 * frequencies[-1]
    return {
        "spectrum_db": float(np.sqrt(np.mean(np.square(ratio_db)))),
        "high_frequency_db": float(ratio_db[high].mean()),
    }


@lru_cache(maxsize=8)
def _bands(shape, voxel_mm):
    """Band of every coefficient of a real transform, and the middle of each band; the last band is beyond Nyquist."""
    height, width = shape
    rows, columns = np.meshgrid(fft.fftfreq(height, voxel_mm[0]), fft.rfftfreq(width, voxel_mm[1]), indexing="ij")
    step = 1 / min(height * voxel_mm[0], width * voxel_mm[1])
    last = int(0.5 / max(voxel_mm) / step)
    bands = np.minimum(np.rint(np.hypot(rows, columns) / step).astype(np.intp), last + 1)
    return bands, step * np.arange(1, last + 1), last + 2


def _multiplicity(width, shape):
    """How many coefficients of the full transform each one of the real transform stands for, flattened."""
    counts = np.full(shape[1], 2.0)
    counts[0] = 1
    if width % 2 == 0:
        counts[-1] = 1
    return np.broadcast_to(counts, shape).ravel()
