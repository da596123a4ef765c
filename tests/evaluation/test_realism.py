"""Spectra and intensity histograms: known answers, other implementations, and what they must not see."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.stats import wasserstein_distance

from ganlib.cohort import IntensityRange
from ganlib.evaluation.protocols import MEASURES, REALISM, protocol_named
from ganlib.evaluation.realism import RealismProtocol, wasserstein
from ganlib.evaluation.spectrum import radial_spectrum, spectral_ratio_db, spectrum_measures
from ganlib.evaluation.window import FADE_PIXELS, window, windowed

WHOLE = np.ones((64, 48), bool)
MM = {"voxel_mm": (1, 1)}


def test_wasserstein_agrees_with_scipy(brain):
    image, mask = brain
    other = gaussian_filter(image, 2)
    expected = wasserstein_distance(image[mask], other[mask])
    assert wasserstein(image, other, mask=mask) == pytest.approx(expected, abs=1e-6)


@pytest.mark.real_data
def test_wasserstein_agrees_with_scipy_on_real_slices(patient):
    real, made, mask = patient["T2w"], patient["FLAIR"], patient["mask"]
    expected = wasserstein_distance(real[mask], made[mask])
    assert wasserstein(real, made, mask=mask) == pytest.approx(expected, abs=1e-6)


def test_wasserstein_sees_histograms_and_not_places(brain):
    image, mask = brain
    shuffled = image.copy()
    shuffled[mask] = np.random.default_rng(0).permutation(image[mask])
    assert wasserstein(image, shuffled, mask=mask) == 0
    assert wasserstein(image, image + 30, mask=mask) == pytest.approx(30)


def test_the_window_rises_over_its_fade_and_is_0_outside(brain):
    mask = brain[1]
    weights, depth = window(mask), distance_transform_edt(mask)
    assert (weights[~mask] == 0).all()
    assert (weights[depth >= FADE_PIXELS] == 1).all()
    np.testing.assert_allclose(weights[np.isclose(depth, FADE_PIXELS / 2)], 0.5)
    assert (window(mask, margin=4)[depth <= 4] == 0).all()
    assert window(WHOLE)[0, 0] < 0.1  # the picture's own border counts as the mask's
    assert window(WHOLE)[32, 24] == 1


def test_a_windowed_image_has_no_mean_and_no_outside(brain):
    image, mask = brain
    weights = window(mask)
    found = windowed(image, weights)
    np.testing.assert_array_equal(found, windowed(np.where(mask, image, np.nan), weights))
    assert np.abs(windowed(image + 100, weights) - found).max() < 1e-9
    assert found.sum() == pytest.approx(0, abs=1e-6)


def test_the_spectrum_agrees_with_a_full_transform():
    """Every band by its definition, from `numpy.fft.fft2`, frequency by frequency."""
    rng = np.random.default_rng(0)
    for shape in ((40, 32), (41, 33)):
        image, voxel_mm = rng.standard_normal(shape), (0.7, 1.0)
        mask = np.ones(shape, bool)
        found = radial_spectrum(image, mask=mask, voxel_mm=voxel_mm)
        weights = window(mask)
        squares = np.abs(np.fft.fft2(windowed(image, weights))) ** 2 / np.sum(weights**2)
        radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape, voxel_mm), indexing="ij"))
        step = 1 / min(shape[0] * 0.7, shape[1] * 1.0)
        assert found.cycles_per_mm[-1] <= 0.5
        for middle, power in zip(found.cycles_per_mm, found.power, strict=True):
            assert power == pytest.approx(squares[np.rint(radius / step) == round(middle / step)].mean(), rel=1e-9)


def test_a_wave_has_its_power_at_its_frequency():
    wave = np.sin(2 * np.pi * 0.25 * np.arange(48))[None, :] * np.ones((64, 1))
    found = radial_spectrum(wave, mask=WHOLE, **MM)
    assert found.cycles_per_mm[np.argmax(found.power)] == pytest.approx(0.25, abs=0.011)
    in_mm = radial_spectrum(wave, mask=WHOLE, voxel_mm=(0.5, 0.5))
    assert in_mm.cycles_per_mm[np.argmax(in_mm.power)] == pytest.approx(0.5, abs=0.021)


def test_white_noise_is_flat_and_its_power_its_variance():
    image = np.random.default_rng(1).normal(0, 3, (8, 64, 48))
    found = radial_spectrum(image, mask=np.ones(image.shape, bool), **MM)
    np.testing.assert_allclose(found.power[3:], 9, rtol=0.35)
    assert found.power[3:].mean() == pytest.approx(9, rel=0.03)


def test_spectral_ratios_by_hand(brain):
    image, mask = brain
    frequencies, ratio = spectral_ratio_db(image, 2 * image, mask=mask, **MM)
    np.testing.assert_allclose(ratio, 20 * np.log10(2), atol=1e-9)
    assert frequencies[-1] == pytest.approx(0.5, abs=0.01)
    noise = np.random.default_rng(0).standard_normal((20, 64, 48))
    masks = np.ones(noise.shape, bool)
    frequencies, ratio = spectral_ratio_db(noise, gaussian_filter(noise, (0, 1, 1)), mask=masks, **MM)
    middle = (frequencies > 0.1) & (frequencies < 0.3)
    # A Gaussian of σ = 1 pixel multiplies amplitudes by exp(-2 π² f²).
    expected = -20 * np.log10(np.e) * 2 * np.pi**2 * frequencies**2
    np.testing.assert_allclose(ratio[middle], expected[middle], atol=0.3)


def test_smooth_and_noisy_images_differ_in_sign(brain):
    image, mask = brain
    smooth = spectrum_measures(image, gaussian_filter(image, 0.7), mask=mask, **MM)
    noisy = image + np.random.default_rng(0).normal(0, 40, image.shape)
    noisy = spectrum_measures(image, noisy, mask=mask, **MM)
    assert smooth["high_frequency_db"] < -5 < 5 < noisy["high_frequency_db"]
    assert smooth["spectrum_db"] > 4
    assert noisy["spectrum_db"] > 4
    assert spectrum_measures(image, image, mask=mask, **MM) == {"spectrum_db": 0, "high_frequency_db": 0}


def test_a_flat_image_has_a_finite_distance(brain):
    image, mask = brain
    found = spectrum_measures(image, np.full_like(image, 400), mask=mask, **MM)
    assert 50 < found["spectrum_db"] < 110


def test_what_lies_outside_the_mask_changes_nothing(brain):
    image, mask = brain
    intensity_range = IntensityRange(0, 1000)
    made = gaussian_filter(image, 0.5)
    expected = REALISM.score(image, made, mask=mask, intensity_range=intensity_range)
    littered = np.where(mask, made, 9e3)
    assert REALISM.score(image, littered, mask=mask, intensity_range=intensity_range) == expected


def test_the_protocol(brain):
    image, mask = brain
    intensity_range = IntensityRange(0, 1000)
    found = RealismProtocol("realism").score(image, 1.1 * image, mask=mask, intensity_range=intensity_range)
    assert set(found) < set(MEASURES)
    assert found["spectrum_db"] == pytest.approx(20 * np.log10(1.1), abs=1e-4)
    assert found["wasserstein"] == pytest.approx(0.1 * image[mask].mean() / 1000, rel=1e-4)
    assert REALISM.measure_unit("wasserstein") == "fraction of range"
    assert REALISM.measure_unit("spectrum_db") == "dB"
    assert protocol_named("realism") is REALISM
    for word in ("8 pixels", "half the Nyquist", "AUC"):
        assert word in REALISM.description


def test_errors(brain):
    image, mask = brain
    with pytest.raises(ValueError, match="intensity_range is missing; protocol realism"):
        REALISM.score(image, image, mask=mask, intensity_range=None)
    with pytest.raises(ValueError, match="shapes differ"):
        spectral_ratio_db(image, image[:-1], mask=mask, **MM)
    with pytest.raises(ValueError, match="mask is empty"):
        radial_spectrum(image, mask=np.zeros_like(mask), **MM)
    with pytest.raises(ValueError, match="NaN"):
        radial_spectrum(np.where(mask, np.nan, 0), mask=mask, **MM)
