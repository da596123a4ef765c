"""Every measure of every protocol against another implementation, on random slices and on real ones, to 1e-6.

The references are written anew from the definitions, on scikit-image, SciPy, scikit-learn and `numpy.fft`, and share no
code with what they check.
"""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.stats import entropy, wasserstein_distance, zscore
from skimage.exposure import rescale_intensity
from skimage.filters import threshold_triangle
from skimage.metrics import (
    normalized_mutual_information,
    peak_signal_noise_ratio,
    structural_similarity,
)
from sklearn.metrics import mean_absolute_error, mutual_info_score

from ganlib.evaluation.protocols import PROTOCOLS, REALISM, score

HIGH = 900.0
GAUSSIAN = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def random_pair():
    rng = np.random.default_rng(12)
    rows, columns = np.mgrid[:70, :61]
    mask = np.hypot((rows - 35) / 31, (columns - 30) / 26) < 1
    texture = 2500 * gaussian_filter(rng.standard_normal(mask.shape), 3) + rng.normal(0, 20, mask.shape)
    real = np.where(mask, 450 + texture, 0)
    return real, np.where(mask, real + rng.normal(0, 60, mask.shape), 0), mask


@pytest.fixture(params=["random", "real"])
def pair(request):
    """Real image, synthetic image and mask; of the patient, FLAIR is taken for T2w."""
    if request.param == "random":
        return random_pair()
    patient = request.getfixturevalue("patient")
    return patient["T2w"], patient["FLAIR"], patient["mask"]


def information(x, y, bins, limits=None):
    counts, _, _ = np.histogram2d(x, y, bins=bins, range=limits)
    occupied = [np.count_nonzero(part) for part in (counts, counts.sum(1), counts.sum(0))]
    marginals = entropy(counts.sum(1)) + entropy(counts.sum(0))
    return {
        "mi_nats": mutual_info_score(None, None, contingency=counts),
        "mi_bias_nats": (occupied[0] - occupied[1] - occupied[2] + 1) / (2 * x.size),
        "nmi": marginals / entropy(counts.ravel()),
    }


def relative(real, made, floor):
    errors = np.abs(made - real) / np.maximum(np.abs(real), floor)
    return {"relative_error_median": np.median(errors), "relative_error_p95": np.percentile(errors, 95)}


def paper(real, made, mask):
    a, b = zscore(real, axis=None), zscore(made, axis=None)
    found = information(a.ravel(), b.ravel(), 256)
    return {
        "mae": mean_absolute_error(a, b), "psnr_db": peak_signal_noise_ratio(a, b, data_range=np.ptp(a)),
        "mi_nats": found["mi_nats"], "mi_bias_nats": found["mi_bias_nats"], **relative(a[mask], b[mask], 0.1),
    }  # fmt: skip


def masked(real, made, mask):
    x, y = ((image / HIGH).astype(np.float32).astype(float) for image in (real, made))
    _, similarity = structural_similarity(np.where(mask, x, 0), np.where(mask, y, 0), full=True, **GAUSSIAN)
    clipped = [np.clip(image[mask], 0, 1) for image in (x, y)]
    return {
        "mae": mean_absolute_error(x[mask], y[mask]),
        "psnr_db": peak_signal_noise_ratio(x[mask], y[mask], data_range=1), "ssim": similarity[mask].mean(),
        **information(*clipped, 64, ((0, 1), (0, 1))), **relative(x[mask], y[mask], 0.05),
    }  # fmt: skip


def own_max(real, made, mask):
    a, b = real / real.max(), made / made.max()
    return {
        "mae": mean_absolute_error(a, b), "psnr_db": peak_signal_noise_ratio(a, b, data_range=1),
        "ssim": structural_similarity(a, b, **GAUSSIAN), **relative(a[mask], b[mask], 0.05),
    }  # fmt: skip


def percentile(real, made, mask):
    a, b = (rescale_intensity(image, tuple(np.percentile(image, (5, 99.5))), (0.0, 1.0)) for image in (real, made))
    cut = [image * (image > threshold_triangle(image)) for image in (a, b)]
    return {
        "mae": mean_absolute_error(a, b), "psnr_db": peak_signal_noise_ratio(*cut, data_range=1),
        "ssim": structural_similarity(a, b, data_range=1), **relative(a[mask], b[mask], 0.05),
    }  # fmt: skip


def realism(real, made, mask):
    """The spectrum from `numpy.fft.fft2`, frequency by frequency."""
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    weights = (1 - np.cos(np.pi * np.clip(depth / 8, 0, 1))) / 2
    x, y = ((image / HIGH).astype(np.float32).astype(float) for image in (real, made))
    squares = [
        np.abs(np.fft.fft2((np.where(mask, image, 0) - np.average(image, weights=weights)) * weights)) ** 2
        for image in (x, y)
    ]
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, mask.shape), indexing="ij"))
    rings = np.rint(radius * min(mask.shape)).astype(int)
    last = min(mask.shape) // 2
    ratios = np.array([
        10 * np.log10(squares[1][rings == ring].mean() / squares[0][rings == ring].mean())
        for ring in range(1, last + 1)
    ])  # fmt: skip
    high = np.arange(1, last + 1) > last / 2
    return {
        "spectrum_db": np.sqrt(np.mean(ratios**2)), "high_frequency_db": ratios[high].mean(),
        "wasserstein": wasserstein_distance(x[mask], y[mask]),
    }  # fmt: skip


REFERENCES = {"paper": paper, "masked": masked, "own-max": own_max, "percentile": percentile, "realism": realism}


@pytest.mark.real_data
@pytest.mark.parametrize("protocol", REFERENCES)
def test_every_measure_agrees_to_1e_6(pair, protocol):
    real, made, mask = pair
    found = score(real, made, mask=mask, protocol=protocol, intensity_range=(0, HIGH))
    expected = REFERENCES[protocol](real, made, mask)
    if protocol != "realism":
        expected["mask_fraction"] = np.count_nonzero(mask) / mask.size
    assert set(found) == set(expected)
    for measure, value in expected.items():
        assert found[measure] == pytest.approx(value, abs=1e-6), measure


def test_no_protocol_is_left_out():
    assert set(REFERENCES) == {*PROTOCOLS, REALISM.name}


@pytest.mark.real_data
def test_normalised_mutual_information_agrees_with_scikit_image(pair):
    """Over each image's own range, as scikit-image bins it."""
    from ganlib.evaluation.metrics import normalised_mutual_information

    x, y = (image[pair[2]] for image in pair[:2])
    limits = tuple((part.min(), part.max()) for part in (x, y))
    found = normalised_mutual_information(*pair[:2], mask=pair[2], bins=100, limits=limits)
    assert found == pytest.approx(normalized_mutual_information(x, y, bins=100), abs=1e-6)
