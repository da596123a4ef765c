"""Bias of mutual information: independent images have none once it is taken off, identical ones have their entropy."""

import numpy as np
import pytest
from scipy.stats import entropy

from ganlib.evaluation.information import chance_information, miller_madow_bias, mutual_information

UNIT = ((0, 1), (0, 1))


def independent(count, seed=0):
    real, made = np.random.default_rng(seed).random((2, 1, count))
    return real, made, {"mask": np.ones(real.shape, bool), "limits": UNIT}


def test_independent_images_have_no_information_once_the_bias_is_taken_off():
    real, made, settings = independent(40_000)
    found = mutual_information(real, made, bins=64, **settings)
    assert found > 0.045
    assert found - miller_madow_bias(real, made, bins=64, **settings) == pytest.approx(0, abs=0.005)
    assert found - chance_information(real, made, bins=64, **settings) == pytest.approx(0, abs=0.005)


def test_with_few_voxels_per_cell_only_the_exact_bias_is_enough():
    real, made, settings = independent(4_000)
    found = mutual_information(real, made, bins=64, **settings)
    assert found > 0.5
    assert found - miller_madow_bias(real, made, bins=64, **settings) > 0.2
    assert found - chance_information(real, made, bins=64, **settings) == pytest.approx(0, abs=0.02)


def test_the_bias_by_hand():
    real, made = np.array([[0.1, 0.1, 0.9, 0.9]]), np.array([[0.1, 0.9, 0.1, 0.9]])
    settings = {"mask": np.ones((1, 4), bool), "bins": 2, "limits": UNIT}
    assert miller_madow_bias(real, made, **settings) == (4 - 2 - 2 + 1) / 8
    # Of the 6 ways to pair two of a kind with two of a kind, 2 are one-to-one (log 2 each) and 4 are independent.
    assert chance_information(real, made, **settings) == pytest.approx(np.log(2) / 3)


@pytest.mark.real_data
def test_identical_real_images_have_their_entropy_and_next_to_no_bias(patient):
    image, mask = np.clip(patient["T1w"] / patient["T1w"].max(), 0, 1), patient["mask"]
    settings = {"mask": mask, "bins": 64, "limits": UNIT}
    counts, _ = np.histogram(image[mask], bins=64, range=(0, 1))
    assert mutual_information(image, image, **settings) == pytest.approx(entropy(counts), abs=1e-6)
    assert abs(miller_madow_bias(image, image, **settings)) < 0.005
    shuffled = image.copy()
    shuffled[mask] = np.random.default_rng(0).permutation(image[mask])
    found = mutual_information(image, shuffled, **settings)
    assert found - chance_information(image, shuffled, **settings) == pytest.approx(0, abs=0.01)
