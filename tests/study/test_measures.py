"""Classical formulas against published worked examples, and what must and must not change them."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from ganlib.study import measures

#: Fleiss 1971, table 1 (as in Fleiss, Levin & Paik 2003, and on Wikipedia): 10 subjects, 14 raters, 5 categories.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def counts(noise, signal):
    return np.array([noise, signal])


class TestPublished:
    def test_fleiss_kappa(self):
        assert measures.fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)

    def test_d_prime_and_criterion_of_macmillan_and_creelman(self):
        # Detection Theory, 2nd edition, chapters 1 and 2: face recognition, 20 hits in 25 and 10 false alarms in 25.
        assert measures.d_prime(0.8, 0.4) == pytest.approx(1.095, abs=5e-4)
        assert measures.criterion(0.8, 0.4) == pytest.approx(-0.294, abs=5e-4)

    def test_wilson_interval(self):
        # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        for count, trials, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
                                         (1, 29, 0.0061, 0.1718)):  # fmt: skip
            found = measures.wilson_interval(count / trials, trials)
            assert found == pytest.approx((low, high), abs=5e-5)

    def test_roc_area_of_hanley_and_mcneil(self):
        # Hanley & McNeil 1982, Radiology 143:29, table II: 58 normal and 51 abnormal CT images, five ratings; the area
        # by the Wilcoxon statistic is 0.893. The sixth rating stays empty.
        noise, signal = [33, 6, 6, 11, 2, 0], [3, 2, 2, 11, 33, 0]
        assert measures.roc_area(counts(noise, signal)) == pytest.approx(0.893, abs=5e-4)

    def test_log_linear_correction_of_hautus(self):
        # Hautus 1995: 0.5 is added to each count, 1 to each number of trials.
        assert measures.log_linear_rate(0, 25) == pytest.approx(0.5 / 26)
        assert measures.log_linear_rate(25, 25) == pytest.approx(25.5 / 26)


class TestOneRater:
    """Intervals of d′ and criterion from one rater's counts."""

    @pytest.mark.parametrize(("weights", "of"), [((1, -1), measures.d_prime), ((-0.5, -0.5), measures.criterion)])
    @pytest.mark.parametrize(("real", "synthetic"), [(48, 12), (30, 10)])
    def test_they_cover_93_to_97_percent_even_with_a_dozen_images(self, weights, of, real, synthetic):
        """Exact: every pair of counts with its binomial probability; mean over raters of many kinds."""
        rng, held = np.random.default_rng(0), []
        ends = {
            (hits, alarms): measures.z_sum_interval(counts([synthetic - alarms, 0, 0, alarms, 0, 0],
                                                           [real - hits, 0, 0, hits, 0, 0]), weights)
            for hits in range(real + 1) for alarms in range(synthetic + 1)
        }  # fmt: skip
        low, high = np.moveaxis(np.array(list(ends.values())).reshape(real + 1, synthetic + 1, 2), -1, 0)
        for d_prime, bias in zip(rng.uniform(0, 2.5, 60), rng.normal(0, 0.4, 60), strict=True):
            hit, alarm = ndtr(d_prime / 2 - bias), ndtr(-d_prime / 2 - bias)
            chance = np.outer(binom.pmf(range(real + 1), real, hit), binom.pmf(range(synthetic + 1), synthetic, alarm))
            held.append(chance[(low <= of(hit, alarm)) & (of(hit, alarm) <= high)].sum())
        assert 0.94 < np.mean(held) < 0.965
        assert min(held) > 0.9

    def test_an_answer_that_never_occurred_leaves_two_ends(self):
        low, high = measures.z_sum_interval(counts([12, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 48]), (1, -1))
        assert 2.5 < low < measures.d_prime(48.5 / 49, 0.5 / 13) < high < 8

    def test_the_ends_lie_on_both_sides_and_more_images_bring_them_together(self):
        few = measures.z_sum_interval(counts([8, 0, 0, 4, 0, 0], [4, 0, 0, 8, 0, 0]), (1, -1))
        many = measures.z_sum_interval(counts([80, 0, 0, 40, 0, 0], [40, 0, 0, 80, 0, 0]), (1, -1))
        assert few[0] < many[0] < 2 * ndtri(2 / 3) < many[1] < few[1]


class TestBehaviour:
    def test_roc_area_is_that_of_scikit_learn(self):
        rng = np.random.default_rng(0)
        noise, signal = rng.integers(1, 7, 40), rng.integers(2, 7, 30)
        table = counts(np.bincount(noise, minlength=7)[1:], np.bincount(signal, minlength=7)[1:])
        expected = roc_auc_score([0] * 40 + [1] * 30, [*noise, *signal])
        assert measures.roc_area(table) == pytest.approx(expected)

    def test_bias_moves_called_real_and_leaves_d_prime(self):
        rates = [(ndtr(0.5 - bias), ndtr(-0.5 - bias)) for bias in (-0.7, 0, 0.7)]
        assert [measures.d_prime(*pair) for pair in rates] == pytest.approx([1, 1, 1])
        assert [measures.criterion(*pair) for pair in rates] == pytest.approx([-0.7, 0, 0.7])

    def test_rates_shares_and_errors(self):
        table = counts([5, 3, 2, 4, 4, 2], [1, 0, 1, 8, 5, 5])
        hit, false_alarm = measures.rates(table)
        assert (hit, false_alarm) == pytest.approx((18.5 / 21, 10.5 / 21))
        assert measures.yes_rate(table) == pytest.approx(28 / 40)
        assert measures.error_rate(table) == pytest.approx(12 / 40)

    def test_nothing_rated_is_nan_and_not_a_number_of_its_own(self):
        empty = np.zeros((2, 6))
        for measure in (measures.roc_area, measures.yes_rate, measures.error_rate):
            assert np.isnan(measure(empty))

    def test_kappa_of_different_numbers_of_votes_is_refused(self):
        with pytest.raises(ValueError, match="same number of votes"):
            measures.fleiss_kappa([[2, 1], [1, 1]])
