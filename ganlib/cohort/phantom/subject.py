"""One subject of the phantom: a shape, tissues that are its own, and two scans of them."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from ganlib.cohort.phantom.fields import Grid, layered_field
from ganlib.cohort.phantom.lesions import LESION_LABEL, lesion_fraction, lesion_tissue
from ganlib.cohort.phantom.shape import anatomy_points
from ganlib.cohort.phantom.signal import mprage, turbo_spin_echo
from ganlib.cohort.phantom.tissues import INDEX, LABEL_NAMES, TISSUES
from ganlib.errors import InputError

#: Scanner units of a signal of 1: white matter comes to about 600 in T1w, CSF to about 800 in T2w.
UNITS = {"T1w": 3000.0, "T2w": 1200.0}

#: The tissue whose signal the noise is a percentage of: the brightest of each contrast, as in BrainWeb.
_BRIGHTEST = {"T1w": "white_matter", "T2w": "csf"}

# Spreads, as standard deviations of logarithms. Fields are pairs of lattice spacing in mm and standard deviation.
# What T1 and T2 share, and the coil, a network can learn from the surroundings; what they do not, nobody can.
_SHARED_WATER = ((30.0, 0.035), (10.0, 0.03), (3.0, 0.025))
_OWN_T1 = ((20.0, 0.02), (3.0, 0.02))
_OWN_T2 = ((20.0, 0.03), (3.0, 0.03))
_SHARED_DENSITY = ((20.0, 0.05), (7.0, 0.04))
_SHARED_COIL = ((110.0, 0.15), (60.0, 0.10))
_OWN_COIL = ((110.0, 0.02),)
_TISSUE_FACTOR = {"density": 0.01, "t1_ms": 0.03, "t2_ms": 0.04}
_GAIN = 0.04

#: CSF is a liquid: its fields are weaker than those of tissue.
_FIELD_IN_CSF = 0.3

#: Logarithm of how much CSF the borders of tissue hold.
_SULCI_DEVIATION = 0.35

#: Exponent on the tissue probabilities of the average head, which 152 brains have blurred.
_SHARPNESS = 1.8

#: Logarithm of how much more CSF a head's sulci hold than the average head's, its field, and the field of the cortex.
_MORE_SULCI = 0.7
_SULCI_FIELD = ((25.0, 0.3), (6.0, 0.4))
_FOLDS_FIELD = ((12.0, 0.4), (6.0, 0.6))

#: Sulci that the average head has lost: their course, their width as a share of the field's standard deviation, how
#: much CSF they hold, and the reach over which cortex must fill the surroundings.
_NEW_SULCI_FIELD = ((9.0, 1.0),)
_NEW_SULCI_WIDTH = 0.3
_NEW_SULCI_DEPTH = 0.9
_NEW_SULCI_AROUND_MM = 3.5


class Streams(NamedTuple):
    """Random numbers of one subject, apart, so that drawing more for one purpose leaves the others alone."""

    position: np.random.Generator
    shape: np.random.Generator
    tissue: np.random.Generator
    scan: np.random.Generator
    lesions: np.random.Generator

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

    Raises:
        InputError: the slices miss the brain.
    """
    fractions = _fractions(anatomy, grid, streams, settings)
    mask = fractions.sum(0) > 0.5
    if not mask.any():
        raise InputError(f"anatomy {anatomy.name!r}: no brain at z = {grid.middle_mm:.0f} mm; change `slice_mm`")
    inside = fractions.any(0)
    lesion = lesion_fraction(fractions, grid, streams.lesions, settings)
    tissues = (*TISSUES, lesion_tissue(settings.lesion_contrast))
    mixture = np.concatenate([fractions * (1 - lesion), lesion[None]])[:, inside]
    signals = _signals(tissues, mixture, grid, inside, streams.tissue, settings.variation)
    images = {}
    for contrast, coil in zip(signals, _coils(grid, inside, streams.scan, settings), strict=True):
        image = np.zeros(grid.shape, np.float32)
        image[inside] = signals[contrast]
        image = _blurred(np.abs(image) * coil, settings.blur_px)
        noisy = _rician(streams.scan, image, settings.noise_percent / 100 * _reference(contrast))
        images[contrast] = np.where(mask, noisy * np.float32(UNITS[contrast]), np.float32(0))
    labels = np.where(lesion > 0.5, np.uint8(LESION_LABEL), _labels(fractions))
    return Scan(images, mask, np.where(mask, labels, np.uint8(0)))


def _fractions(anatomy, grid, streams, settings):
    """Tissue fractions of a subject, float32 (tissues, slices, height, width)."""
    points = anatomy_points(streams.shape, grid, settings)
    fractions = anatomy.sample(points.reshape(3, -1)).reshape(len(TISSUES), *grid.shape)
    odds = _sharpened(fractions, grid, streams.shape, settings.variation) if anatomy.average else fractions.copy()
    deviation = settings.variation * _SULCI_DEVIATION * streams.shape.standard_normal()
    odds[INDEX["csf"]] *= np.exp(np.float32(deviation))
    return odds * (np.minimum(fractions.sum(0), 1) / np.maximum(odds.sum(0), np.float32(1e-6)))


def _sharpened(fractions, grid, rng, variation):
    """The average head with crisp borders and folds of its own, as odds of the tissues."""
    odds = fractions ** np.float32(_SHARPNESS)
    sulci, folds = (np.float32(variation) * layered_field(rng, grid, layers) for layers in (_SULCI_FIELD, _FOLDS_FIELD))
    odds[INDEX["csf"]] *= np.exp(np.float32(_MORE_SULCI) + sulci)
    odds[INDEX["csf"]] += _new_sulci(odds[INDEX["cortex"]], grid, rng)
    odds[INDEX["cortex"]] *= np.exp(folds)
    return odds


def _new_sulci(cortex, grid, rng):
    """CSF along the zero lines of a random field, where cortex is thicker than it ever is in one head.

    The average head has lost the sulci that lie differently in everybody, and shows a broad band of grey instead.
    """
    lines = np.exp(-((layered_field(rng, grid, _NEW_SULCI_FIELD) / _NEW_SULCI_WIDTH) ** 2))
    around_px = _NEW_SULCI_AROUND_MM / grid.voxel_mm
    around = gaussian_filter(cortex, (0, around_px, around_px), truncate=2)
    return np.float32(_NEW_SULCI_DEPTH) * cortex * lines * np.clip((around - 0.4) / 0.2, 0, 1)


def _signals(tissues, fractions, grid, inside, rng, variation):
    """Signals of voxels of mixed tissues.

    Args:
        tissues: `TISSUES` and the tissue of a lesion.
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
    own = [_own_factors(rng, variation) for _ in TISSUES]
    # A lesion was white matter once.
    own.append(own[INDEX["white_matter"]])
    for tissue, factors, fraction in zip(tissues, own, fractions, strict=True):
        strength = np.float32(_FIELD_IN_CSF if tissue.name == "csf" else 1)
        density, t1_ms, t2_ms = (np.float32(getattr(tissue, name) * factor) for name, factor in factors.items())
        density = density * np.exp(strength * density_field)
        t1_ms = t1_ms * np.exp(strength * (water + own_t1))
        t2_ms = t2_ms * np.exp(strength * (water + own_t2))
        signals["T1w"] += fraction * mprage(density, t1_ms)
        signals["T2w"] += fraction * turbo_spin_echo(density, t1_ms, t2_ms)
    return signals


def _own_factors(rng, variation):
    """Factors on a tissue's density, T1 and T2 in this subject, by name."""
    return {name: np.exp(variation * sd * rng.standard_normal()) for name, sd in _TISSUE_FACTOR.items()}


def _coils(grid, inside, rng, settings):
    """Sensitivity times gain for each contrast: mostly the same coil, and so the same field."""
    shared = layered_field(rng, grid, _SHARED_COIL)
    for _ in UNITS:
        field = np.float32(settings.bias_field) * shared + layered_field(rng, grid, _OWN_COIL)
        # A scanner's prescan evens out the mean, so that subjects differ by their gain alone.
        gain = _GAIN * rng.standard_normal() - field[inside].mean()
        yield np.exp(np.float32(settings.variation) * (field + np.float32(gain)))


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
