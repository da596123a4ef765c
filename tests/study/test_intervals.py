"""Intervals over raters and images: known answers, exact coverage, and what must and must not change them."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from benchmarks import study_coverage
from ganlib.study import intervals
from ganlib.study.intervals import Part, Spread, crossed_spread, pooled_interval, rater_correlation
from ganlib.study.ratings import Ratings
from ganlib.study.simulation import SimulatedRaters
from ganlib.study.statistic import CALLED_REAL, CRITERION, D_PRIME, estimate


def spread(*parts, mean=0.0):
    return Spread(mean, tuple(Part(*part) for part in parts), "")


def without_each(values):
    """The mean of each rater without each image in turn, from values (images, raters)."""
    return (values.sum(0) - values) / (len(values) - 1)


class TestQuantile:
    def test_of_one_part_is_students(self):
        assert spread((1.0, 2)).quantile() == pytest.approx(4.302653, abs=1e-6)
        assert spread((7.0, 10)).quantile(0.05) == pytest.approx(1.812461, abs=1e-6)

    def test_of_two_parts_is_weighted_by_them(self):
        # By hand, from a table of t: (3 × 4.3027 + 1 × 2.2281) / 4.
        assert spread((3.0, 2), (1.0, 10)).quantile() == pytest.approx(3.78400, abs=1e-4)

    def test_of_parts_with_the_same_degrees_of_freedom_is_theirs(self):
        assert spread((0.2, 5), (0.7, 5)).quantile() == pytest.approx(stats.t.ppf(0.975, 5))

    def test_is_not_a_number_where_nothing_varies(self):
        assert np.isnan(spread((0.0, 2), (0.0, 0)).quantile())


class TestExactCoverage:
    """Three raters, the images' part known: the variance between raters is chi-square with two degrees of freedom."""

    DRAWS = stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, 2) / 2

    def coverage(self, share, half):
        """Chance that the interval holds the truth where the raters' part is this share of the variance."""
        return np.mean([2 * ndtr(half(share * draw, 1 - share)) - 1 for draw in self.DRAWS])

    def weighted(self, raters, images):
        found = spread((images, 1e9), (raters, 2))
        return found.quantile() * found.standard_error

    def satterthwaite(self, raters, images):
        variance = raters + images
        return stats.t.ppf(0.975, variance**2 / (raters**2 / 2)) * np.sqrt(variance)

    @pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0])
    def test_lies_between_95_and_97_percent_whatever_the_parts_are(self, share):
        assert 0.949 < self.coverage(share, self.weighted) < 0.972

    def test_one_quantile_for_the_sum_would_not(self):
        assert self.coverage(0.8, self.satterthwaite) < 0.925


class TestPValue:
    def test_is_the_level_at_which_the_interval_ends_at_0(self):
        found = spread((0.3, 2), (0.1, 20))
        edge = found.quantile() * found.standard_error
        assert intervals.p_value(spread((0.3, 2), (0.1, 20), mean=-edge)) == pytest.approx(0.05)
        assert intervals.mean_interval(spread((0.3, 2), (0.1, 20), mean=edge))[0] == pytest.approx(0)

    @pytest.mark.parametrize("mean", [0.0, 0.7, 3.0, 25.0])
    def test_of_one_part_is_students(self, mean):
        assert intervals.p_value(spread((1.0, 12), mean=mean)) == pytest.approx(2 * stats.t.sf(mean, 12))

    def test_of_what_cannot_be_is_small_and_of_nothing_not_a_number(self):
        assert 0 < intervals.p_value(spread((1e-30, 1e6), mean=1.0)) < 1e-100
        assert np.isnan(intervals.p_value(spread((0.0, 2), mean=1.0)))


class TestCrossedSpread:
    def test_is_the_analysis_of_variance(self):
        """Of a mean of ratings: (MS raters + MS images − MS rest) / number of ratings, in two parts."""
        rng = np.random.default_rng(0)
        values = rng.normal(size=(40, 1)) + rng.normal(size=(1, 4)) + rng.normal(size=(40, 4))
        found = crossed_spread(values.mean(0), [without_each(values)])
        rows, columns = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
        of_raters, of_images = 40 * columns.var(ddof=1), 4 * rows.var(ddof=1)
        rest = ((values - rows - columns + values.mean()) ** 2).sum() / (39 * 3)
        images, raters = found.parts
        assert raters == Part(pytest.approx(of_raters / 160), 3)
        assert images == Part(pytest.approx((of_images - rest) / 160), pytest.approx(39))
        assert found.scope == "raters like these"

    def test_of_two_raters_is_that_over_images(self):
        values = np.random.default_rng(1).normal((0, 50), size=(30, 2))  # how far the two are apart says nothing
        found = crossed_spread(values.mean(0), [without_each(values)])
        assert found.parts == (Part(pytest.approx(values.mean(1).var(ddof=1) / 30), pytest.approx(29)),)
        assert found.scope == "these raters"

    def test_kinds_of_images_add_up(self):
        values = np.random.default_rng(2).normal(size=(20, 3))
        once, twice = (crossed_spread(values.mean(0), [without_each(values)] * times).parts[0] for times in (1, 2))
        assert twice.variance == pytest.approx(2 * once.variance)
        assert twice.degrees_of_freedom == pytest.approx(2 * once.degrees_of_freedom)

    def test_without_raters_there_is_nothing_to_average(self):
        with pytest.raises(ValueError, match="no rater"):
            crossed_spread([], [])


class TestTwoRaters:
    ENDS = ((0.4, 1.6), (1.2, 2.8))

    def test_pooled(self):
        assert pooled_interval([1.0], [self.ENDS[0]], 0.0) == pytest.approx(self.ENDS[0])
        # By hand: both halves 0.6 and 0.8, of the mean half as much; 0.5 independent, 0.7 wholly correlated.
        assert pooled_interval([1.0, 2.0], self.ENDS, 0.0) == pytest.approx((1.0, 2.0))
        assert pooled_interval([1.0, 2.0], self.ENDS, 1.0) == pytest.approx((0.8, 2.2))

    def test_correlation(self):
        values = np.random.default_rng(3).normal(size=(50, 2))
        assert rater_correlation([without_each(values[:, [0, 0]])]) == pytest.approx(1)
        assert rater_correlation([without_each(values * [1, -1] + values[:, :1])]) < 0.75
        assert rater_correlation([without_each(values[:, [0, 0]] * [1, -1])]) == 0
        assert rater_correlation([np.zeros((5, 2))]) == 0

    @pytest.mark.parametrize("statistic", [CALLED_REAL, D_PRIME, CRITERION])
    def test_a_rater_who_is_counted_twice_adds_nothing_and_another_one_does(self, statistic):
        cells = study_coverage.cells_of(48, 12)
        is_real = np.array([cell[0] == "real" for cell in cells])
        both = SimulatedRaters(d_prime_sd=0.01, bias_sd=0.01).rate(is_real, 2, np.random.default_rng(0)).astype(float)

        def found(values):
            names = tuple(f"R{number}" for number in range(len(values)))
            shown = Ratings(names, tuple(range(len(cells))), cells, values, np.tile(is_real, (len(values), 1)))
            return estimate(statistic, shown)

        one, same, other = found(both[:1]), found(both[[0, 0]]), found(both)
        assert (same.low, same.high) == pytest.approx((one.low, one.high))
        assert other.high - other.low < 0.9 * (one.high - one.low)


class TestSimulated:
    @pytest.mark.parametrize(("label", "raters"), [
        ("typical", 2), ("typical", 3), ("raters alike", 3), ("lapsing", 3), ("good", 10),
    ])  # fmt: skip
    def test_intervals_hold_the_truth(self, label, raters):
        """Cheap form of `benchmarks/study_coverage.py`: 1,000 studies, so that 93 to 97 % becomes 93.2 to 98 %.

        One quantile of Student's t for the sum of both parts held d′ and ROC area in 92 to 93 % with three raters.
        """
        population = study_coverage.POPULATIONS[label]
        found = study_coverage.coverage(population, "paper", raters, studies=1000, seed=3)
        for name in ("called_real", "d_prime", "d_prime_cell", "criterion", "roc_area", "difference"):
            assert 0.932 <= found[name] <= 0.98, found
