"""Known answers, what must change nothing, what must change something, and agreement with other implementations."""

import numpy as np
import pytest
from scipy.stats import entropy
from skimage.metrics import normalized_mutual_information, peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import mutual_info_score

from ganlib.evaluation import metrics

UNIT = ((0, 1), (0, 1))
SCORES = {
    "mae": lambda real, made, mask: metrics.mae(real, made, mask=mask),
    "psnr": lambda real, made, mask: metrics.psnr(real, made, mask=mask, data_range=1),
    "mi": lambda real, made, mask: metrics.mutual_information(real, made, mask=mask, bins=16, limits=UNIT),
    "nmi": lambda real, made, mask: metrics.normalised_mutual_information(real, made, mask=mask, bins=16, limits=UNIT),
    "ssim": lambda real, made, mask: metrics.ssim(real, made, mask=mask, data_range=1),
}
each_score = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)


@pytest.fixture
def pair():
    """A random real and synthetic image, (3, 24, 20), and a mask of about half of each slice."""
    rng = np.random.default_rng(0)
    real = rng.random((3, 24, 20))
    made = np.clip(real + 0.2 * rng.standard_normal(real.shape), 0, 1)
    mask = np.zeros(real.shape, bool)
    mask[:, 4:20, 3:16] = True
    return real, made, mask


def test_mae_by_hand():
    real, made = np.array([[0.0, 1.0, 2.0]]), np.array([[1.0, 1.0, 7.0]])
    assert metrics.mae(real, made, mask=np.array([[True, True, False]])) == 0.5
    assert metrics.mae(real, made, mask=np.ones((1, 3), bool)) == 2


def test_psnr_by_hand():
    real, made = np.zeros((2, 2)), np.array([[0.2, 0.0], [0.0, 0.0]])
    mask = np.ones((2, 2), bool)
    assert metrics.psnr(real, made, mask=mask, data_range=1) == pytest.approx(20)
    assert metrics.psnr(real, made, mask=mask, data_range=10) == pytest.approx(40)
    assert metrics.psnr(real, real, mask=mask, data_range=1) == np.inf


def test_psnr_pools_the_squared_error_over_slices_before_the_logarithm():
    real = np.zeros((2, 2, 2))
    made = np.stack([np.full((2, 2), 0.2), np.zeros((2, 2))])
    mask = np.ones(real.shape, bool)
    assert metrics.psnr(real, made, mask=mask, data_range=1) == pytest.approx(-10 * np.log10(0.02))


def test_mutual_information_by_hand():
    mask = np.ones((2, 2), bool)
    real, made = np.array([[0.1, 0.1], [0.9, 0.9]]), np.array([[0.1, 0.9], [0.1, 0.9]])
    assert metrics.mutual_information(real, made, mask=mask, bins=2, limits=UNIT) == 0
    assert metrics.normalised_mutual_information(real, made, mask=mask, bins=2, limits=UNIT) == pytest.approx(1)
    assert metrics.mutual_information(real, 1 - real, mask=mask, bins=2, limits=UNIT) == pytest.approx(np.log(2))
    assert metrics.normalised_mutual_information(real, 1 - real, mask=mask, bins=2, limits=UNIT) == pytest.approx(2)


def test_mutual_information_of_identical_images_is_their_entropy(pair):
    real, _, mask = pair
    counts, _ = np.histogram(real[mask], bins=32, range=(0, 1))
    found = metrics.mutual_information(real, real, mask=mask, bins=32, limits=UNIT)
    assert found == pytest.approx(entropy(counts), abs=1e-9)


def test_values_beyond_the_limits_count_in_the_outermost_bin():
    mask = np.ones((1, 4), bool)
    inside, beyond = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[-5.0, 0.0, 1.0, 9.0]])
    found = metrics.mutual_information(inside, beyond, mask=mask, bins=4, limits=UNIT)
    assert found == pytest.approx(np.log(2))


def test_ssim_by_hand():
    """Two constant images differ in luminance alone: (2 a b + C1) / (a² + b² + C1), C1 = 0.01²."""
    real, made = np.full((12, 12), 0.5), np.full((12, 12), 0.25)
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert metrics.ssim(real, made, mask=np.ones((12, 12), bool), data_range=1) == pytest.approx(expected)


def test_relative_error_map_by_hand():
    real, made = np.array([[2.0, -2.0, 0.0, 0.05]]), np.array([[1.0, -1.0, 0.2, 0.05]])
    np.testing.assert_allclose(metrics.relative_error_map(real, made, floor=0.1), [[0.5, 0.5, 2.0, 0.0]])


def test_mutual_information_agrees_with_scikit_learn_and_scikit_image(pair):
    real, made, mask = pair
    x, y = real[mask], made[mask]
    limits = ((x.min(), x.max()), (y.min(), y.max()))
    counts, _, _ = np.histogram2d(x, y, bins=20)
    found = metrics.mutual_information(real, made, mask=mask, bins=20, limits=limits)
    assert found == pytest.approx(mutual_info_score(None, None, contingency=counts), abs=1e-6)
    found = metrics.normalised_mutual_information(real, made, mask=mask, bins=20, limits=limits)
    assert found == pytest.approx(normalized_mutual_information(x, y, bins=20), abs=1e-6)


def test_ssim_agrees_with_scikit_image_over_whole_slices(pair):
    real, made, _ = pair
    settings = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    expected = np.mean([structural_similarity(a, b, **settings)[1] for a, b in zip(real, made, strict=True)])
    found = metrics.ssim(real, made, mask=np.ones(real.shape, bool), data_range=1)
    assert found == pytest.approx(expected, abs=1e-6)


def test_ssim_is_the_same_where_it_is_cut_to_the_mask():
    rng = np.random.default_rng(1)
    real, made = rng.random((2, 60, 70))
    mask = np.zeros(real.shape, bool)
    mask[20:33, 30:50] = True
    settings = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    _, values = structural_similarity(np.where(mask, real, 0), np.where(mask, made, 0), **settings)
    assert metrics.ssim(real, made, mask=mask, data_range=1) == pytest.approx(values[mask].mean(), abs=1e-9)


def test_psnr_and_mae_agree_with_numpy(pair):
    real, made, mask = pair
    difference = (real - made)[mask]
    assert metrics.mae(real, made, mask=mask) == pytest.approx(np.abs(difference).mean(), abs=1e-6)
    expected = 10 * np.log10(0.8**2 / np.mean(difference**2))
    found = metrics.psnr(real, made, mask=mask, data_range=0.8)
    assert found == pytest.approx(expected, abs=1e-6)
    assert found == pytest.approx(peak_signal_noise_ratio(real[mask], made[mask], data_range=0.8), abs=1e-9)


def test_ssim_of_whole_slices_agrees_with_scikit_image(pair):
    real, made = (100 * image[0] for image in pair[:2])
    found = metrics.square_ssim(real, made, data_range=100)
    assert found == pytest.approx(structural_similarity(real, made, data_range=100), abs=1e-9)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    found = metrics.gaussian_ssim(real, made, data_range=100)
    assert found == pytest.approx(structural_similarity(real, made, data_range=100, **settings), abs=1e-9)


@pytest.mark.parametrize("function", [metrics.square_ssim, metrics.gaussian_ssim])
def test_errors_of_ssim_of_whole_slices(function):
    image = np.zeros((12, 12))
    with pytest.raises(ValueError, match=r"shapes differ: target \(12, 12\), synthetic \(12, 11\)"):
        function(image, image[:, :-1], data_range=1)
    with pytest.raises(ValueError, match="NaN"):
        function(image, image + np.nan, data_range=1)
    with pytest.raises(ValueError, match="data_range 0 is not positive"):
        function(image, image, data_range=0)
    with pytest.raises(ValueError, match="smaller than SSIM's window"):
        function(image[:6], image[:6], data_range=1)


@each_score
def test_what_lies_outside_the_mask_changes_nothing(pair, score):
    real, made, mask = pair
    elsewhere = np.random.default_rng(9).random((2, *real.shape)) * 50
    elsewhere[:, 0, 0, 0] = np.nan
    changed = [np.where(mask, image, other) for image, other in zip((real, made), elsewhere, strict=True)]
    assert score(*changed, mask) == score(real, made, mask)


@each_score
def test_what_lies_inside_the_mask_does_change_the_score(pair, score):
    real, made, mask = pair
    assert score(real, made, mask) != score(real, np.where(mask, made[::-1], made), mask)


@each_score
def test_a_slice_alone_and_as_a_stack_of_one_are_the_same(pair, score):
    real, made, mask = pair
    assert score(real[0], made[0], mask[0]) == score(real[:1], made[:1], mask[:1])


@each_score
def test_a_slice_without_mask_changes_nothing(pair, score):
    real, made, mask = pair
    mask = mask.copy()
    mask[1] = False
    assert score(real, made, mask) == pytest.approx(score(real[::2], made[::2], mask[::2]), abs=1e-12)


@each_score
def test_single_precision_is_enough(pair, score):
    real, made, mask = pair
    real, made = real.astype(np.float32), made.astype(np.float32)
    assert score(real, made, mask) == pytest.approx(score(real.astype(float), made.astype(float), mask), abs=1e-12)


def test_a_gain_error_lowers_psnr_and_ssim_but_not_mutual_information(pair):
    real, _, mask = pair
    brighter = 1.15 * real
    own = (float(real[mask].min()), float(real[mask].max()))
    for score in (SCORES["psnr"], SCORES["ssim"]):
        assert score(real, brighter, mask) < score(real, 1.05 * real, mask) < score(real, real, mask)
    settings = {"mask": mask, "bins": 16}
    found = metrics.mutual_information(real, brighter, limits=(own, (1.15 * own[0], 1.15 * own[1])), **settings)
    assert found == pytest.approx(metrics.mutual_information(real, real, limits=(own, own), **settings), abs=0.02)


@each_score
def test_errors_say_what_is_wrong(pair, score):
    real, made, mask = pair
    with pytest.raises(ValueError, match=r"shapes differ: target \(3, 24, 20\), synthetic \(2, 24, 20\)"):
        score(real, made[:2], mask)
    with pytest.raises(ValueError, match=r"shapes differ.*mask \(24, 20\)"):
        score(real, made, mask[0])
    with pytest.raises(ValueError, match="mask is empty"):
        score(real, made, np.zeros_like(mask))
    with pytest.raises(ValueError, match="mask is float64, not boolean"):
        score(real, made, mask.astype(float))
    broken = made.copy()
    broken[0, 10, 10] = np.nan
    with pytest.raises(ValueError, match="synthetic image: 1 of 624 scored voxels are NaN"):
        score(real, broken, mask)


@pytest.mark.parametrize("data_range", [0, -1, np.nan])
def test_a_range_that_is_not_positive_is_an_error(pair, data_range):
    real, made, mask = pair
    for function in (metrics.psnr, metrics.ssim):
        with pytest.raises(ValueError, match=f"data_range {data_range} is not positive"):
            function(real, made, mask=mask, data_range=data_range)
    with pytest.raises(ValueError, match="range of the synthetic image"):
        metrics.mutual_information(real, made, mask=mask, bins=4, limits=((0, 1), (1, 1)))
    with pytest.raises(ValueError, match="bins 0 is not positive"):
        metrics.mutual_information(real, made, mask=mask, bins=0, limits=UNIT)
    with pytest.raises(ValueError, match="floor 0 is not positive"):
        metrics.relative_error_map(real, made, floor=0)


def test_mask_and_range_have_to_be_given(pair):
    real, made, mask = pair
    with pytest.raises(TypeError, match="mask"):
        metrics.mae(real, made)
    with pytest.raises(TypeError, match="data_range"):
        metrics.psnr(real, made, mask=mask)


def test_an_image_smaller_than_the_window_is_an_error():
    image = np.zeros((8, 30))
    with pytest.raises(ValueError, match="smaller than SSIM's window"):
        metrics.ssim(image, image, mask=np.ones(image.shape, bool), data_range=1)
