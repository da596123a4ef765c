"""Known errors move the measures that should see them, by these amounts, and leave alone those that should not."""

import numpy as np
import pytest

from ganlib.evaluation import degradations
from ganlib.evaluation.protocols import score, score_under_all

RANGE = (0, 1000)
LESION, LEVEL = (47, 40), 900


@pytest.fixture(scope="module")
def images(brain):
    """The brain with one bright lesion of 29 pixels, each known error of it, and its mask."""
    plain, mask = brain
    real = degradations.with_disc(plain, LESION, 3, LEVEL)
    made = {
        "gain": degradations.with_gain(real, 1.15),
        "shift": degradations.shifted(real, 1),
        "blur": degradations.blurred(real, 1),
        "background": degradations.with_background(real, mask, 300),
        "erased": plain,
        "invented": degradations.with_disc(real, (60, 30), 3, LEVEL),
    }
    return real, made, mask


#: PSNR in dB under each protocol; None where the error is invisible (above 100 dB).
PSNR = {
    #              paper, masked, own-max, percentile
    "gain": (None, 21.32, None, None),
    "shift": (19.96, 20.07, 19.96, 19.34),
    "blur": (25.95, 26.55, 25.86, 25.07),
    "background": (17.25, None, 13.54, 16.54),
    "erased": (32.77, 31.46, 29.47, 33.72),
    "invented": (29.04, 27.69, 28.98, 25.85),
}

#: Measures inside the mask: SSIM and MAE (protocol masked), spectrum in dB, high frequencies in dB, Wasserstein-1
#: (realism), shift in mm (registration).
INSIDE = {
    "gain": (0.982, 0.0798, 1.21, 1.21, 0.0798, 0),
    "shift": (0.806, 0.0512, 0.156, 0.0462, 0.0074, 1),
    "blur": (0.931, 0.0290, 14.38, -19.24, 0.0173, 0),
    "background": (1, 0, 0, 0, 0, 0),
    "erased": (0.986, 0.0020, 1.14, -1.26, 0.0020, 0),
    "invented": (0.980, 0.0032, 1.68, 1.92, 0.0032, 0),
}


@pytest.mark.parametrize("error", PSNR)
def test_psnr_under_every_protocol(images, error):
    real, made, mask = images
    found = score_under_all(real, made[error], mask=mask, intensity_range=RANGE)["psnr_db"]
    for value, expected in zip(found, PSNR[error], strict=True):
        assert value > 100 if expected is None else value == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("error", INSIDE)
def test_other_measures(images, error):
    real, made, mask = images
    scores = {}
    for protocol in ("registration", "realism", "masked"):
        scores |= score(real, made[error], mask=mask, protocol=protocol, intensity_range=RANGE)
    names = ("ssim", "mae", "spectrum_db", "high_frequency_db", "wasserstein", "shift_mm")
    found = [scores[name] for name in names]
    np.testing.assert_allclose(found, INSIDE[error], rtol=0.02, atol=6e-4)


def test_one_image_spreads_over_many_decibels(images):
    """A blurred image that is also 15 % too bright: what the protocol alone does to one number."""
    real, made, mask = images
    found = score_under_all(real, 1.15 * made["blur"], mask=mask, intensity_range=RANGE)["psnr_db"]
    assert np.ptp(found) == pytest.approx(4.80, abs=0.02)


@pytest.mark.real_data
def test_an_erased_real_lesion_is_invisible_to_the_whole_brain_and_not_to_its_region(patient):
    real, mask, lesion = patient["T2w"], patient["mask"], patient["lesion"] > 0
    erased = np.where(lesion, np.median(real[mask & ~lesion]), real)
    scores = score(real, erased, mask=mask, intensity_range=(0, 891))
    assert scores["ssim"] > 0.995
    assert scores["psnr_db"] > 45
    assert np.mean((erased - real)[lesion]) / 891 < -0.05
