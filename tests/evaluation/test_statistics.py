"""Bootstrap intervals: known answers, coverage, and where there is no interval."""

import numpy as np
import pytest

from ganlib.evaluation.statistics import bootstrap_interval


def test_it_agrees_with_the_normal_interval_on_many_subjects():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_it_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.normal(0, 1, 30), resamples=499)
        hits += low <= 0 <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_a_lower_level_is_narrower_and_the_seed_settles_it():
    values = np.random.default_rng(2).random(16)
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap_interval(values) == wide
    assert bootstrap_interval(values, seed=1) != wide


@pytest.mark.parametrize("values", [[], [3.0], [1.0, np.inf], [1.0, np.nan]])
def test_there_is_no_interval(values):
    assert np.isnan(bootstrap_interval(values)).all()


def test_equal_values_have_an_interval_of_no_width():
    assert bootstrap_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


def test_errors():
    with pytest.raises(ValueError, match="level 1 is not between 0 and 1"):
        bootstrap_interval([1.0, 2.0], level=1)
    with pytest.raises(ValueError, match="shape"):
        bootstrap_interval(np.zeros((2, 2)))
