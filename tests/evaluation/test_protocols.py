"""What each protocol counts, normalises and assumes."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import zscore
from sklearn.metrics import mutual_info_score

from ganlib.cohort import IntensityRange
from ganlib.errors import InputError
from ganlib.evaluation.protocols import MASKED, MEASURES, PAPER, PROTOCOLS, WholeSliceProtocol, protocol_named, z_scored

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


def test_both_protocols_are_always_computed():
    assert list(PROTOCOLS) == ["paper", "masked"]
    assert protocol_named("masked") is MASKED
    with pytest.raises(InputError, match="'own-max' is unknown; use one of paper, masked"):
        protocol_named("own-max")


def test_measures(subject):
    both = {"mae", "psnr_db", "mi_nats", "relative_error_median", "relative_error_p95", "mask_fraction"}
    assert set(score(PAPER, *subject)) == both
    assert set(score(MASKED, *subject)) == both | {"nmi", "ssim"}
    assert set(score(MASKED, *subject)) == set(MEASURES)
    assert all(type(value) is float for value in score(MASKED, *subject).values())


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
    assert "0.1 SD" in PAPER.error_label
    assert "5 % of range" in MASKED.error_label


def test_another_protocol_is_another_object(subject):
    real, made, mask = subject
    own_max = WholeSliceProtocol(
        name="own-max", normalise=lambda image: np.asarray(image) / np.max(image), normalisation="own maximum",
        unit="of maximum", peak=lambda image: 1.0, peak_words="1", bins=64, floor=0.05,
    )  # fmt: skip
    assert score(own_max, real, 1.15 * real, mask)["mae"] == pytest.approx(0)
    assert score(own_max, real, made, mask)["psnr_db"] < 60


def test_z_scored():
    found = z_scored(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_array_equal(z_scored(np.full(3, 0.1)), 0)
