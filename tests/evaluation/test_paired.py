"""Signed-rank tests, Holm's correction, effect sizes and letters: known answers, and false positives by simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from ganlib.evaluation.paired import holm, letters, rank_biserial, signed_rank_p


def test_p_agrees_with_scipy_one_by_one():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.3, 1, (6, 20))
    differences[3, :4] = 0
    expected = [stats.wilcoxon(row).pvalue for row in differences]
    np.testing.assert_allclose(signed_rank_p(differences), expected, rtol=1e-9)


def test_p_by_hand():
    """All of n subjects on one side: 2 of the 2^n sign patterns are as extreme."""
    assert signed_rank_p([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 2**5)
    assert signed_rank_p([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == pytest.approx(2 / 2**6)


def test_where_there_is_nothing_to_test():
    assert signed_rank_p([[0.0, 0.0, 0.0]]) == 1
    assert np.isnan(signed_rank_p([[1.0]]))
    assert np.isnan(signed_rank_p([[1.0, np.nan], [1.0, np.inf]])).all()


def test_holm_by_hand_and_never_below_what_it_corrects():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1, 1])
    np.testing.assert_allclose(holm([0.02, np.nan, 0.01]), [0.02, np.nan, 0.02])
    p = np.random.default_rng(0).random(12)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
    assert corrected.min() == pytest.approx(min(12 * p.min(), 1))


def test_rank_biserial_by_hand():
    assert rank_biserial([1.0, 2.0, 3.0]) == 1
    assert rank_biserial([-1.0, -2.0]) == -1
    assert rank_biserial([0.0, 0.0]) == 0
    assert rank_biserial([3.0, -1.0, 2.0]) == pytest.approx((3 + 2 - 1) / 6)
    assert np.isnan(rank_biserial([]))
    assert np.isnan(rank_biserial([1.0, np.nan]))


def test_rank_biserial_is_that_of_scipys_statistic():
    differences = np.random.default_rng(1).normal(0.4, 1, 25)
    positive = stats.wilcoxon(differences, alternative="greater").statistic
    assert rank_biserial(differences) == pytest.approx(4 * positive / (25 * 26) - 1)


def test_letters_by_hand():
    assert letters(["A", "B", "C"], set()) == {"A": "a", "B": "a", "C": "a"}
    assert letters(["A", "B", "C"], {("A", "C")}) == {"A": "a", "B": "ab", "C": "b"}
    everybody = set(itertools.combinations("ABC", 2))
    assert letters(["A", "B", "C"], everybody) == {"A": "a", "B": "b", "C": "c"}
    assert letters(["A"], set()) == {"A": "a"}


def test_two_methods_share_a_letter_exactly_if_they_do_not_differ():
    rng = np.random.default_rng(2)
    names = list("ABCDEFG")
    for _ in range(60):
        pairs = [pair for pair in itertools.combinations(names, 2) if rng.random() < 0.5]
        different = {pair if rng.random() < 0.5 else pair[::-1] for pair in pairs}
        found = letters(names, different)
        for pair in itertools.combinations(names, 2):
            shared = bool(set(found[pair[0]]) & set(found[pair[1]]))
            assert shared == (pair not in different and pair[::-1] not in different)


@pytest.mark.parametrize("number", [8, 30])
def test_family_wise_false_positives_stay_under_5_percent(number):
    """Five methods that do not differ, heavy-tailed scores; ten tests at a time, 3,000 times."""
    rng = np.random.default_rng(3)
    scores = rng.standard_t(4, (3000, 5, number)) + 3 * rng.standard_normal((3000, 1, number))
    pairs = list(itertools.combinations(range(5), 2))
    differences = np.stack([scores[:, a] - scores[:, b] for a, b in pairs], axis=1)
    p = signed_rank_p(differences.reshape(-1, number)).reshape(3000, len(pairs))
    uncorrected = np.mean((p < 0.05).any(1))
    corrected = np.mean([(holm(family) < 0.05).any() for family in p])
    assert uncorrected > 0.15
    assert corrected < 0.05


def test_a_real_difference_is_found():
    rng = np.random.default_rng(4)
    differences = rng.normal(0.8, 1, (200, 30))
    assert np.mean([holm(np.append(signed_rank_p(row), np.full(9, 0.9)))[0] < 0.05 for row in differences]) > 0.85
