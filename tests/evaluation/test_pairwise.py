"""Methods against each other on the same subjects, and seeds apart from subjects."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ganlib.errors import InputError
from ganlib.evaluation.cases import DOING_NOTHING
from ganlib.evaluation.pairwise import COLUMNS, compare_pairs, letter_display, matrix_of, seed_spread
from ganlib.evaluation.statistics import bootstrap_interval

SUBJECTS = [f"sub-{number:02d}" for number in range(20)]


def scores_of(methods, *, metric="mae", seeds=1, subjects=SUBJECTS):
    """A table of scores: dictionary from method to the values of the subjects; further seeds add 0.1 each."""
    rows = [
        {
            "subject": subject, "slices": "all", "method": method, "run": f"{method}{seed}", "direction": "a_to_b",
            "source": "A", "target": "B", "protocol": "masked", "metric": metric, "seed": seed,
            "value": value + 0.1 * seed, "phantom": True,
        }
        for method, values in methods.items() for seed in range(seeds)
        for subject, value in zip(subjects, values, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def values():
    """Simple and UNIT alike but for noise, CycleGAN clearly lower, doing nothing far above."""
    rng = np.random.default_rng(0)
    subjects = rng.normal(10, 3, 20)
    return {
        DOING_NOTHING: subjects + 20,
        "Simple": subjects + rng.normal(0, 0.3, 20),
        "CycleGAN": subjects - 2 + rng.normal(0, 0.3, 20),
        "UNIT": subjects + rng.normal(0, 0.3, 20),
    }


def test_every_pair_by_hand(values):
    table = compare_pairs(scores_of(values), "mae", "masked")
    assert list(table) == COLUMNS
    assert len(table) == 6
    row = table[(table["method_a"] == "Simple") & (table["method_b"] == "CycleGAN")].iloc[0]
    difference = values["Simple"] - values["CycleGAN"]
    assert row["n"] == 20
    assert row["difference"] == pytest.approx(difference.mean())
    np.testing.assert_allclose([row["low"], row["high"]], bootstrap_interval(difference))
    assert row["p"] == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert row["rank_biserial"] == 1
    assert row["better"] == "CycleGAN"
    assert (table["p_holm"] >= table["p"]).all()


def test_methods_that_do_not_differ_have_no_better_one(values):
    table = compare_pairs(scores_of(values), "mae", "masked", methods=["Simple", "UNIT"])
    assert len(table) == 1
    assert table["p_holm"].iloc[0] > 0.05
    assert table["better"].iloc[0] == ""


def test_the_pairing_of_subjects_counts(values):
    """Shuffled subjects have the same means, and a difference of 2 is lost among subjects that differ by 3."""
    paired = compare_pairs(scores_of(values), "mae", "masked", methods=["Simple", "CycleGAN"])
    values["CycleGAN"] = np.random.default_rng(1).permutation(values["CycleGAN"])
    shuffled = compare_pairs(scores_of(values), "mae", "masked", methods=["Simple", "CycleGAN"])
    assert shuffled["difference"].iloc[0] == pytest.approx(paired["difference"].iloc[0])
    assert paired["p"].iloc[0] < 1e-4 < 0.01 < shuffled["p"].iloc[0]


def test_higher_is_better_for_psnr(values):
    table = compare_pairs(scores_of(values, metric="psnr_db"), "psnr_db", "masked", methods=["Simple", "CycleGAN"])
    assert table["better"].iloc[0] == "Simple"


def test_letters_put_the_best_first(values):
    table = letter_display(scores_of(values), "mae", "masked")
    assert table["method"].iloc[0] == "CycleGAN"
    assert dict(zip(table["method"], table["letters"], strict=True)) == {
        "CycleGAN": "a", "Simple": "b", "UNIT": "b", DOING_NOTHING: "c",
    }  # fmt: skip
    table = letter_display(scores_of(values, metric="psnr_db"), "psnr_db", "masked")
    assert table["method"].iloc[0] == DOING_NOTHING


def test_a_matrix_of_the_comparisons(values):
    pairs = compare_pairs(scores_of(values), "mae", "masked")
    p, difference = (matrix_of(pairs, "a_to_b", column) for column in ("p_holm", "difference"))
    assert list(p.index) == list(p.columns) == [DOING_NOTHING, "Simple", "CycleGAN", "UNIT"]
    np.testing.assert_array_equal(p, p.T)
    np.testing.assert_array_equal(difference, -difference.T)
    assert difference.loc["Simple", "CycleGAN"] == pytest.approx((values["Simple"] - values["CycleGAN"]).mean())
    assert np.isnan(np.diag(p)).all()


def test_one_subject_has_no_interval_and_no_test():
    table = scores_of({"Simple": [1.0], "UNIT": [2.0]}, subjects=["sub-00"])
    row = compare_pairs(table, "mae", "masked").iloc[0]
    assert row["difference"] == -1
    assert row[["low", "high", "p", "p_holm"]].isna().all()
    assert row["better"] == ""
    assert list(letter_display(table, "mae", "masked")["letters"]) == ["a", "a"]


def test_exact_copies_have_no_test():
    """Infinite PSNR on both sides: nothing can be ranked, and nothing is made up."""
    table = scores_of({"Simple": np.full(20, np.inf), "UNIT": np.full(20, np.inf)}, metric="psnr_db")
    row = compare_pairs(table, "psnr_db", "masked").iloc[0]
    assert row[["low", "high", "p", "p_holm", "rank_biserial"]].isna().all()


def test_seeds_are_averaged_before_subjects_are_compared(values):
    once, thrice = (compare_pairs(scores_of(values, seeds=seeds), "mae", "masked") for seeds in (1, 3))
    pd.testing.assert_frame_equal(once, thrice)


def test_the_spread_of_seeds_stands_apart_from_that_of_subjects(values):
    table = seed_spread(scores_of(values, seeds=3), "mae", "masked").set_index("method")
    row = table.loc["UNIT"]
    assert (row["subjects"], row["seeds"]) == (20, 3)
    assert row["seed_sd"] == pytest.approx(0.1)
    assert row["subject_sd"] == pytest.approx(np.std(values["UNIT"], ddof=1))
    assert row["residual_sd"] == pytest.approx(0, abs=1e-9)
    single = seed_spread(scores_of(values), "mae", "masked").set_index("method")
    assert np.isnan(single.loc["UNIT", "seed_sd"])


def test_what_cannot_be_compared_is_named(values):
    table = scores_of(values)
    with pytest.raises(InputError, match="method 'pix2pix' is not in the table; it has Doing nothing, Simple"):
        compare_pairs(table, "mae", "masked", methods=["pix2pix", "UNIT"])
    with pytest.raises(InputError, match="no scores of metric 'ssim'"):
        compare_pairs(table, "ssim", "masked")
    with pytest.raises(InputError, match="method 'UNIT' was not scored on all subjects"):
        compare_pairs(table[(table["method"] != "UNIT") | (table["subject"] != "sub-03")], "mae", "masked")
    seeds = scores_of(values, seeds=2)
    with pytest.raises(InputError, match="method 'UNIT', a_to_b: a seed lacks scores of some subjects"):
        seed_spread(seeds.drop(seeds.index[-1]), "mae", "masked")
