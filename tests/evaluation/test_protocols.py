"""What each protocol counts, normalises and assumes."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import entropy, zscore
from skimage.exposure import rescale_intensity
from skimage.filters import threshold_triangle
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import mutual_info_score

from ganlib.cohort import IntensityRange
from ganlib.errors import InputError
from ganlib.evaluation.protocols import (
    MASKED,
    MEASURES,
    OWN_MAX,
    PAPER,
    PERCENTILE,
    PROTOCOLS,
    WholeSliceProtocol,
    protocol_named,
    score_under_all,
    z_scored,
)
from ganlib.evaluation.protocols import score as public_score

RANGE = IntensityRange(0, 200)


@pytest.fixture
def subject():
    """A head-like real image, a synthetic one and a mask, (2, 40, 32); background 0."""
    rng = np.random.default_rng(3)
    mask = np.zeros((2, 40, 32), bool)
    mask[:, 6:34, 5:27] = True
    real = np.where(mask, 60 + 400 * (gaussian_filter(rng.random(mask.shape), (0, 2, 2)) - 0.5), 0)
    made = np.where(mask, real + rng.normal(0, 8, real.shape), 0)
    return real, made, mask


def score(protocol, real, made, mask):
    return protocol.score(real, made, mask=mask, intensity_range=RANGE)


def test_the_protocols_that_are_always_computed():
    assert list(PROTOCOLS) == ["paper", "masked", "own-max", "percentile"]
    assert protocol_named("masked") is MASKED
    with pytest.raises(InputError, match="'mine' is unknown; use one of paper, masked, own-max, percentile, realism"):
        protocol_named("mine")


def test_measures(subject):
    everywhere = {"mae", "psnr_db", "relative_error_median", "relative_error_p95", "mask_fraction"}
    assert set(score(PAPER, *subject)) == everywhere | {"mi_nats", "mi_bias_nats"}
    assert set(score(MASKED, *subject)) == everywhere | {"mi_nats", "mi_bias_nats", "nmi", "ssim"}
    assert set(score(OWN_MAX, *subject)) == set(score(PERCENTILE, *subject)) == everywhere | {"ssim"}
    assert set(score(MASKED, *subject)) < set(MEASURES)
    assert all(type(value) is float for value in score(MASKED, *subject).values())


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_measure_has_its_unit_and_protocols_say_what_they_do(protocol, subject):
    assert {protocol.measure_unit(measure) for measure in ("psnr_db", "mi_nats", "ssim")} == {"dB", "nats", ""}
    assert protocol.measure_unit("mae") == protocol.unit
    assert f"protocol {protocol.name}" in protocol.error_label
    assert "PSNR" in protocol.description
    for measure in score(protocol, *subject):
        assert MEASURES[measure].label


def test_own_max_by_its_formulas(subject):
    """As SynDiff and ResViT compute PSNR, written anew: each image by its own maximum, peak 1."""
    real, made, mask = (image[0] for image in subject)
    a, b = real / real.max(), made / made.max()
    found = score(OWN_MAX, real, made, mask)
    assert found["psnr_db"] == pytest.approx(peak_signal_noise_ratio(a, b, data_range=1), abs=1e-6)
    assert found["mae"] == pytest.approx(np.abs(a - b).mean(), abs=1e-6)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert found["ssim"] == pytest.approx(structural_similarity(a, b, data_range=1, **settings), abs=1e-6)


def test_percentile_by_its_formulas(subject):
    """As the benchmark of 2025 computes them, written anew: 5th and 99.5th percentile, triangle threshold, 7 × 7."""
    real, made, mask = (image[0] for image in subject)
    a, b = (rescale_intensity(image, tuple(np.percentile(image, (5, 99.5))), (0.0, 1.0)) for image in (real, made))
    cut = [image * (image > threshold_triangle(image)) for image in (a, b)]
    found = score(PERCENTILE, real, made, mask)
    assert found["psnr_db"] == pytest.approx(peak_signal_noise_ratio(*cut, data_range=1), abs=1e-6)
    assert found["mae"] == pytest.approx(np.abs(a - b).mean(), abs=1e-6)
    assert found["ssim"] == pytest.approx(structural_similarity(a, b, data_range=1), abs=1e-6)


def test_the_public_score_takes_a_name_an_object_and_a_pair(subject):
    real, made, mask = subject
    expected = MASKED.score(real, made, mask=mask, intensity_range=RANGE)
    assert public_score(real, made, mask=mask, intensity_range=(0, 200)) == expected
    assert public_score(real, made, mask=mask, protocol=MASKED, intensity_range=RANGE) == expected
    assert public_score(real, made, mask=mask, protocol="paper") == score(PAPER, real, made, mask)
    with pytest.raises(ValueError, match="intensity_range is missing"):
        public_score(real, made, mask=mask)
    with pytest.raises(InputError, match="protocol 'mine' is unknown"):
        public_score(real, made, mask=mask, protocol="mine")


def test_one_image_under_all_protocols(subject):
    real, made, mask = subject
    table = score_under_all(real, made, mask=mask, intensity_range=RANGE)
    assert list(table.index) == list(PROTOCOLS)
    for name, protocol in PROTOCOLS.items():
        found = table.loc[name].dropna().to_dict()
        assert found == score(protocol, real, made, mask)


def test_paper_by_its_formulas(subject):
    real, made, mask = (image[0] for image in subject)
    a, b = zscore(real, axis=None), zscore(made, axis=None)
    found = score(PAPER, real, made, mask)
    assert found["mae"] == pytest.approx(np.abs(a - b).mean(), abs=1e-6)
    assert found["psnr_db"] == pytest.approx(10 * np.log10((a.max() - a.min()) ** 2 / np.mean((a - b) ** 2)), abs=1e-6)
    counts, _, _ = np.histogram2d(a.ravel(), b.ravel(), bins=256)
    assert found["mi_nats"] == pytest.approx(mutual_info_score(None, None, contingency=counts), abs=1e-6)
    errors = (np.abs(b - a) / np.maximum(np.abs(a), 0.1))[mask]
    assert found["relative_error_median"] == pytest.approx(np.median(errors), abs=1e-6)
    assert found["relative_error_p95"] == pytest.approx(np.percentile(errors, 95), abs=1e-6)
    assert found["mask_fraction"] == pytest.approx(28 * 22 / (40 * 32))


def test_masked_by_its_formulas(subject):
    real, made, mask = subject
    a, b = real[mask] / 200, made[mask] / 200
    found = score(MASKED, *subject)
    assert found["mae"] == pytest.approx(np.abs(a - b).mean(), abs=1e-6)
    assert found["psnr_db"] == pytest.approx(-10 * np.log10(np.mean((a - b) ** 2)), abs=1e-5)
    counts, _, _ = np.histogram2d(np.clip(a, 0, 1), np.clip(b, 0, 1), bins=64, range=((0, 1), (0, 1)))
    assert found["mi_nats"] == pytest.approx(mutual_info_score(None, None, contingency=counts), abs=1e-5)
    errors = np.abs(b - a) / np.maximum(np.abs(a), 0.05)
    assert found["relative_error_p95"] == pytest.approx(np.percentile(errors, 95), abs=1e-5)


def test_a_gain_error_costs_under_masked_and_is_hidden_under_paper(subject):
    real, made, mask = subject
    brighter = 1.15 * made + 4
    assert score(MASKED, real, brighter, mask)["psnr_db"] < score(MASKED, real, made, mask)["psnr_db"] - 1
    assert score(MASKED, real, brighter, mask)["mae"] > 1.3 * score(MASKED, real, made, mask)["mae"]
    plain, hidden = score(PAPER, real, made, mask), score(PAPER, real, brighter, mask)
    for name in ("mae", "psnr_db", "relative_error_median"):
        assert hidden[name] == pytest.approx(plain[name], rel=1e-9)


def test_the_background_counts_under_paper_and_not_under_masked(subject):
    real, made, mask = subject
    littered = np.where(mask, made, 30)
    assert score(MASKED, real, littered, mask) == score(MASKED, real, made, mask)
    assert score(PAPER, real, littered, mask)["mae"] != score(PAPER, real, made, mask)["mae"]


def test_paper_scores_each_slice_alone_and_reports_the_mean(subject):
    real, made, mask = subject
    single = [score(PAPER, real[i], made[i], mask[i]) for i in (0, 1)]
    both = score(PAPER, real, made, mask)
    assert both["psnr_db"] == pytest.approx(np.mean([one["psnr_db"] for one in single]))
    mask = mask.copy()
    mask[1] = False
    real = real.copy()
    real[1] = 0
    assert score(PAPER, real, made, mask) == pytest.approx(single[0])


def test_masked_pools_over_slices(subject):
    real, made, mask = subject
    made = made.copy()
    made[1] = real[1]
    alone = score(MASKED, real[0], made[0], mask[0])["psnr_db"]
    assert score(MASKED, real, made, mask)["psnr_db"] == pytest.approx(alone + 10 * np.log10(2), abs=1e-4)


def test_the_largest_intensity_range_gives_the_psnr(subject):
    real, made, mask = subject
    wide = MASKED.score(real, made, mask=mask, intensity_range=IntensityRange(0, 400))["psnr_db"]
    assert wide == pytest.approx(score(MASKED, real, made, mask)["psnr_db"] + 20 * np.log10(2), abs=1e-4)


def test_a_constant_synthetic_image_scores_badly_but_scores(subject):
    real, _, mask = subject
    flat = np.full(real.shape, 70.0)
    found = score(PAPER, real, flat, mask)
    assert found["mae"] == pytest.approx(np.mean([np.abs(zscore(image, axis=None)).mean() for image in real]))
    assert found["mi_nats"] == 0
    assert np.isfinite(list(score(MASKED, real, flat, mask).values())).all()


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_errors(subject, protocol):
    real, made, mask = subject
    with pytest.raises(ValueError, match="shapes differ"):
        score(protocol, real, made[:1], mask)
    with pytest.raises(ValueError, match="mask is empty"):
        score(protocol, real, made, np.zeros_like(mask))
    broken = made.copy()
    broken[0, 20, 20] = np.nan
    with pytest.raises(ValueError, match=r"synthetic image: 1 of .* NaN"):
        score(protocol, real, broken, mask)


def test_error_maps(subject):
    real, made, mask = subject
    inside = MASKED.error_map(real, made, mask=mask, intensity_range=RANGE)
    assert np.isnan(inside[~mask]).all()
    assert np.median(inside[mask]) == pytest.approx(score(MASKED, *subject)["relative_error_median"])
    whole = PAPER.error_map(real[0], made[0], mask=mask[0], intensity_range=RANGE)
    assert whole.shape == (40, 32)
    a, b = zscore(real[0], axis=None), zscore(made[0], axis=None)
    np.testing.assert_allclose(whole, np.abs(b - a) / np.maximum(np.abs(a), 0.1))


def test_descriptions_state_the_choices():
    for word in ("whole slice", "z-scored", "max − min", "256 bins", "0.1 SD"):
        assert word in PAPER.description
    for word in ("mask only", "training range", "range 1", "64 bins", "5 % of range"):
        assert word in MASKED.description
    for word in ("own maximum", "range 1", "Gaussian"):
        assert word in OWN_MAX.description
    for word in ("5th and 99.5th percentile", "triangle", "7 × 7"):
        assert word in PERCENTILE.description
    assert "0.1 SD" in PAPER.error_label
    assert "5 % of range" in MASKED.error_label


def test_another_protocol_is_another_object(subject):
    real, made, mask = subject
    own_mean = WholeSliceProtocol(
        name="own-mean", normalise=lambda image: np.asarray(image) / np.mean(image), normalisation="own mean",
        unit="of mean", peak=lambda image: 1.0, peak_words="1", floor=0.05,
    )  # fmt: skip
    assert public_score(real, 1.15 * real, mask=mask, protocol=own_mean)["mae"] == pytest.approx(0)
    assert public_score(real, made, mask=mask, protocol=own_mean)["psnr_db"] < 60


@pytest.mark.parametrize("protocol", (OWN_MAX, PERCENTILE), ids=lambda protocol: protocol.name)
def test_a_synthetic_image_without_signal_scores_badly_but_scores(subject, protocol):
    real, made, mask = subject
    found = score(protocol, real, np.zeros_like(real), mask)
    assert np.isfinite(list(found.values())).all()
    assert found["psnr_db"] < score(protocol, real, made, mask)["psnr_db"] - 5


@pytest.mark.real_data
def test_protocols_agree_with_other_implementations_on_a_real_patient(patient):
    """FLAIR taken for T2w: the numbers of scikit-image, SciPy and scikit-learn to 1e-6."""
    real, made, mask = patient["T2w"], patient["FLAIR"], patient["mask"]
    found = score_under_all(real, made, mask=mask, intensity_range=(0, 900))
    a, b = zscore(real, axis=None), zscore(made, axis=None)
    assert found.loc["paper", "psnr_db"] == pytest.approx(peak_signal_noise_ratio(a, b, data_range=np.ptp(a)), abs=1e-6)
    counts, _, _ = np.histogram2d(a.ravel(), b.ravel(), bins=256)
    assert found.loc["paper", "mi_nats"] == pytest.approx(mutual_info_score(None, None, contingency=counts), abs=1e-6)
    x, y = ((image / 900).astype(np.float32).astype(float) for image in (real, made))
    expected = peak_signal_noise_ratio(x[mask], y[mask], data_range=1)
    assert found.loc["masked", "psnr_db"] == pytest.approx(expected, abs=1e-6)
    settings = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    _, values = structural_similarity(np.where(mask, x, 0), np.where(mask, y, 0), **settings)
    assert found.loc["masked", "ssim"] == pytest.approx(values[mask].mean(), abs=1e-6)
    clipped = [np.clip(image[mask], 0, 1) for image in (x, y)]
    counts, _, _ = np.histogram2d(*clipped, bins=64, range=((0, 1), (0, 1)))
    assert found.loc["masked", "mi_nats"] == pytest.approx(mutual_info_score(None, None, contingency=counts), abs=1e-6)
    ratio = (entropy(counts.sum(0)) + entropy(counts.sum(1))) / entropy(counts.ravel())
    assert found.loc["masked", "nmi"] == pytest.approx(ratio, abs=1e-6)
    own = peak_signal_noise_ratio(real / real.max(), made / made.max(), data_range=1)
    assert found.loc["own-max", "psnr_db"] == pytest.approx(own, abs=1e-6)


def test_z_scored():
    found = z_scored(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_array_equal(z_scored(np.full(3, 0.1)), 0)
