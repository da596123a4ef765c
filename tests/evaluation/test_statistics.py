"""Bootstrap intervals and components of spread: known answers, other implementations, coverage by simulation."""

import numpy as np
import pytest
from scipy import special, stats

from ganlib.evaluation.statistics import (
    bootstrap_interval,
    bootstrap_intervals,
    components_of_spread,
    intervals_of,
)


def raised(level, number):
    """The level at which a plain bootstrap interval of so many subjects is as wide as Student's t."""
    return 1 - 2 * special.ndtr(np.sqrt(number / (number - 1)) * stats.t.ppf((1 - level) / 2, number - 1))


@pytest.mark.parametrize("number", [8, 30, 213])
def test_it_agrees_with_scipy_at_the_raised_level(number):
    # Sums of 64ths are exact, so that both see the same ties.
    values = np.round(64 * np.random.default_rng(number).exponential(size=number)) / 64
    result = stats.bootstrap(
        (values,), np.mean, confidence_level=raised(0.95, number), n_resamples=999, rng=np.random.default_rng(3)
    )
    found = bootstrap_interval(values, resamples=999, seed=3)
    np.testing.assert_allclose(found, result.confidence_interval, rtol=1e-6)


def test_it_agrees_with_the_normal_interval_on_many_subjects():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


DISTRIBUTIONS = {
    "normal": (lambda rng, size: rng.normal(5, 2, size), 5),
    "uniform": (lambda rng, size: rng.random(size), 0.5),
    "skewed": (lambda rng, size: rng.gamma(4, size=size), 4),
}


@pytest.mark.parametrize("number", [16, 30, 213])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_nominal_interval_of_95_percent_covers_93_to_97(name, number):
    """3,000 intervals each; their share that covers is known to ± 0.4 %."""
    draw, truth = DISTRIBUTIONS[name]
    rng = np.random.default_rng(1)
    hits = []
    for seed in range(10):
        low, high = bootstrap_intervals(draw(rng, (number, 300)), resamples=999, seed=seed)
        hits.append((low <= truth) & (truth <= high))
    assert 0.93 <= np.mean(hits) <= 0.97


def test_columns_and_groups_are_as_each_alone():
    rng = np.random.default_rng(4)
    values = rng.random((12, 3))
    alone = np.array([bootstrap_interval(column) for column in values.T])
    np.testing.assert_allclose(np.transpose(bootstrap_intervals(values)), alone, rtol=1e-12)
    groups = [values[:, 0], values[:5, 1], values[:, 2], np.array([1.0]), np.array([])]
    found = intervals_of(groups)
    np.testing.assert_allclose(found[0], alone[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], bootstrap_interval(values[:5, 1]), rtol=1e-12)
    assert np.isnan(found[3:]).all()


def test_a_lower_level_is_narrower_and_the_seed_settles_it():
    values = np.random.default_rng(2).random(16)
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap_interval(values) == wide
    assert bootstrap_interval(values, seed=1) != wide


@pytest.mark.parametrize("values", [[], [3.0], [1.0, np.inf], [1.0, np.nan]])
def test_there_is_no_interval(values):
    assert np.isnan(bootstrap_interval(values)).all()


def test_one_column_without_an_interval_leaves_the_others_theirs():
    values = np.random.default_rng(5).random((9, 2))
    expected = bootstrap_interval(values[:, 1])
    low, high = bootstrap_intervals(np.column_stack([np.full(9, np.inf), values[:, 1], np.full(9, 2.0)]))
    np.testing.assert_allclose([low, high], [[np.nan, expected[0], 2], [np.nan, expected[1], 2]])


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0, 0.0, 0.0, 1.0], [1e9, 1e9 + 1, 1e9 + 2]])
def test_very_few_subjects_still_have_an_interval_within_their_values(values):
    low, high = bootstrap_interval(values)
    assert min(values) <= low <= np.mean(values) <= high <= max(values)


def test_equal_values_have_an_interval_of_no_width():
    assert bootstrap_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


def test_errors():
    with pytest.raises(ValueError, match="level 1 is not between 0 and 1"):
        bootstrap_interval([1.0, 2.0], level=1)
    with pytest.raises(ValueError, match="shape"):
        bootstrap_interval(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="shape"):
        bootstrap_intervals(np.zeros(2))
    with pytest.raises(ValueError, match="shape"):
        components_of_spread(np.zeros(2))


def test_components_of_spread_are_recovered():
    """Subjects 2, seeds 0.5, residual 1: means over 400 tables of 20 subjects and 4 seeds."""
    rng = np.random.default_rng(0)
    found = [
        components_of_spread(rng.normal(0, 2, (20, 1)) + rng.normal(0, 0.5, (1, 4)) + rng.normal(0, 1, (20, 4)))
        for _ in range(400)
    ]
    variances = np.mean(np.square(found), axis=0)
    np.testing.assert_allclose(variances, [4, 0.25, 1], rtol=0.1)


def test_seeds_that_only_differ_by_noise_have_no_spread_of_their_own():
    """The deviation of the seeds' means would be 0.24 here, all of it residual."""
    rng = np.random.default_rng(1)
    found = [components_of_spread(rng.normal(0, 2, (18, 1)) + rng.normal(0, 1, (18, 3))).seed_sd for _ in range(300)]
    assert np.median(found) < 0.06


def test_components_by_hand():
    found = components_of_spread([[1.0, 3.0], [5.0, 7.0]])
    np.testing.assert_allclose(found, [np.sqrt(8), np.sqrt(2), 0])
    np.testing.assert_allclose(components_of_spread([[1.0], [5.0]]), [np.sqrt(8), np.nan, np.nan])
    assert np.isnan(components_of_spread([[1.0, 2.0]])).all()
