"""One subject of the phantom: a shape, tissues that are its own, and two scans of them."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from ganlib.cohort.phantom.fields import Grid, layered_field
from ganlib.cohort.phantom.shape import anatomy_points
from ganlib.cohort.phantom.signal import mprage, turbo_spin_echo
from ganlib.cohort.phantom.tissues import INDEX, LABEL_NAMES, TISSUES

#: Scanner units of a signal of 1: white matter comes to about 600 in T1w, CSF to about 800 in T2w.
UNITS = {"T1w": 3000.0, "T2w": 1200.0}

#: The tissue whose signal the noise is a percentage of: the brightest of each contrast, as in BrainWeb.
_BRIGHTEST = {"T1w": "white_matter", "T2w": "csf"}

# Spreads, as standard deviations of logarithms. Fields are pairs of lattice spacing in mm and standard deviation.
# What T1 and T2 share, and the coil, a network can learn from the surroundings; what they do not, nobody can.
_SHARED_WATER = ((30.0, 0.035), (10.0, 0.03), (4.0, 0.02))
_OWN_T1 = ((20.0, 0.02), (5.0, 0.02))
_OWN_T2 = ((20.0, 0.03), (5.0, 0.03))
_SHARED_DENSITY = ((20.0, 0.04), (7.0, 0.03))
_SHARED_COIL = ((110.0, 0.14), (60.0, 0.08))
_OWN_COIL = ((110.0, 0.02),)
_TISSUE_FACTOR = {"density": 0.01, "t1_ms": 0.03, "t2_ms": 0.04}
_GAIN = 0.04

#: CSF is a liquid: its fields are weaker than those of tissue.
_FIELD_IN_CSF = 0.3

#: Logarithm of how much more CSF the sulci hold: of all subjects, its spread between them, and within one.
_SULCI = (0.7, 0.35)
_SULCI_FIELD = ((25.0, 0.3), (6.0, 0.4))

#: The same for cortex: folds where the average head is a blur of grey and white matter.
_FOLDS_FIELD = ((12.0, 0.4), (6.0, 0.6))


class Streams(NamedTuple):
    """Random numbers of one subject, apart, so that drawing more for one purpose leaves the others alone."""

    position: np.random.Generator
    shape: np.random.Generator
    tissue: np.random.Generator
    scan: np.random.Generator

    @classmethod
    def of(cls, *key):
        """Streams that depend on a key of whole numbers, such as seed, split and number, and on nothing else."""
        return cls(*(np.random.default_rng(child) for child in np.random.SeedSequence(key).spawn(len(cls._fields))))


class Scan(NamedTuple):
    """What is stored of one subject."""

    images: dict[str, np.ndarray]
    mask: np.ndarray
    labels: np.ndarray


def subject_grid(streams, settings):
    """Where a subject's slices lie: `settings.slice_mm` and a jitter."""
    jitter_mm = streams.position.uniform(-settings.slice_jitter_mm, settings.slice_jitter_mm)
    middle_mm = settings.slice_mm + jitter_mm
    return Grid(settings.size, settings.voxel_mm, settings.num_slices, settings.slice_spacing_mm, middle_mm)


def scan_subject(anatomy, grid, streams, settings):
    """Both contrasts of one subject.

    Args:
        anatomy: the `Anatomy` it is a variation of.
        grid: its `Grid`.
        streams: its `Streams`.
        settings: `PhantomSettings`.

    Returns:
        `Scan`: images float32, mask bool and labels uint8, all (slices, height, width); all 0 outside the mask.
    """
    fractions = _fractions(anatomy, grid, streams, settings)
    mask = fractions.sum(0) > 0.5
    inside = fractions.any(0)
    signals = _signals(fractions[:, inside], grid, inside, streams.tissue, settings.variation)
    images = {}
    for contrast, coil in zip(signals, _coils(grid, streams.scan, settings.variation), strict=True):
        image = np.zeros(grid.shape, np.float32)
        image[inside] = signals[contrast]
        image = _blurred(np.abs(image) * coil, settings.blur_px)
        noisy = _rician(streams.scan, image, settings.noise_percent / 100 * _reference(contrast))
        images[contrast] = np.where(mask, noisy * np.float32(UNITS[contrast]), np.float32(0))
    return Scan(images, mask, np.where(mask, _labels(fractions), np.uint8(0)))


def _fractions(anatomy, grid, streams, settings):
    """Tissue fractions of a subject, float32 (tissues, slices, height, width), with sulci as wide as its own."""
    points = anatomy_points(streams.shape, grid, settings)
    fractions = anatomy.sample(points.reshape(3, -1)).reshape(len(TISSUES), *grid.shape)
    total = fractions.sum(0)
    mean, deviation = _SULCI
    sulci = mean + np.float32(settings.variation * deviation * streams.shape.standard_normal())
    sulci = sulci + np.float32(settings.variation) * layered_field(streams.shape, grid, _SULCI_FIELD)
    folds = np.float32(settings.variation) * layered_field(streams.shape, grid, _FOLDS_FIELD)
    sharp = fractions ** np.float32(anatomy.sharpness)
    sharp[INDEX["csf"]] *= np.exp(sulci)
    sharp[INDEX["cortex"]] *= np.exp(folds)
    return sharp * (np.minimum(total, 1) / np.maximum(sharp.sum(0), np.float32(1e-6)))


def _signals(fractions, grid, inside, rng, variation):
    """Signals of voxels of mixed tissues.

    Args:
        fractions: (tissues, voxels).
        grid: the subject's `Grid`.
        inside: bool (slices, height, width), True at those voxels.
        rng: `numpy.random.Generator`.
        variation: factor on every spread.

    Returns:
        Dictionary from contrast to float32 (voxels,), negative where the magnetisation is.
    """
    density_field, water, own_t1, own_t2 = (
        np.float32(variation) * layered_field(rng, grid, layers)[inside]
        for layers in (_SHARED_DENSITY, _SHARED_WATER, _OWN_T1, _OWN_T2)
    )
    signals = {contrast: np.zeros(fractions.shape[1], np.float32) for contrast in UNITS}
    for tissue, fraction in zip(TISSUES, fractions, strict=True):
        strength = np.float32(_FIELD_IN_CSF if tissue.name == "csf" else 1)
        density, t1_ms, t2_ms = (np.float32(value) for value in _own_tissue(tissue, rng, variation))
        density = density * np.exp(strength * density_field)
        t1_ms = t1_ms * np.exp(strength * (water + own_t1))
        t2_ms = t2_ms * np.exp(strength * (water + own_t2))
        signals["T1w"] += fraction * mprage(density, t1_ms)
        signals["T2w"] += fraction * turbo_spin_echo(density, t1_ms, t2_ms)
    return signals


def _own_tissue(tissue, rng, variation):
    """Density, T1 and T2 of a tissue in this subject."""
    return [
        getattr(tissue, name) * np.exp(variation * deviation * rng.standard_normal())
        for name, deviation in _TISSUE_FACTOR.items()
    ]


def _coils(grid, rng, variation):
    """Sensitivity times gain for each contrast: mostly the same coil, and so the same field."""
    shared = layered_field(rng, grid, _SHARED_COIL)
    for _ in UNITS:
        own = layered_field(rng, grid, _OWN_COIL) + np.float32(_GAIN * rng.standard_normal())
        yield np.exp(np.float32(variation) * (shared + own))


def _reference(contrast):
    tissue = TISSUES[INDEX[_BRIGHTEST[contrast]]]
    if contrast == "T1w":
        return mprage(tissue.density, tissue.t1_ms)
    return turbo_spin_echo(tissue.density, tissue.t1_ms, tissue.t2_ms)


def _blurred(image, blur_px):
    return gaussian_filter(image, (0, blur_px, blur_px), truncate=3) if blur_px else image


def _rician(rng, image, deviation):
    """Magnitude of a complex image with normal noise in both parts (Gudbjartsson & Patz 1995, MRM 34:910)."""
    real, imaginary = np.float32(deviation) * rng.standard_normal((2, *image.shape), np.float32)
    return np.hypot(image + real, imaginary)


def _labels(fractions):
    """Code of the tissue a voxel holds most of, uint8 (slices, height, width)."""
    codes = sorted(LABEL_NAMES)
    shares = [sum(fractions[number] for number, tissue in enumerate(TISSUES) if tissue.label == code) for code in codes]
    return np.array(codes, np.uint8)[np.argmax(shares, axis=0)]
