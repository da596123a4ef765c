"""The two-sample test: it finds what differs, guesses where nothing does, and never sees a subject twice."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from ganlib.errors import InputError
from ganlib.evaluation.evaluate import BASELINES, evaluate, evaluate_realism
from ganlib.evaluation.tradeoff import COLUMNS as TRADEOFF_COLUMNS
from ganlib.evaluation.tradeoff import realism_against_error
from ganlib.evaluation.two_sample import COLUMNS, _areas, evaluate_two_sample, features, two_sample_test
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run

ROWS, COLUMN_NUMBERS = np.mgrid[:64, :48]
MASK = np.hypot((ROWS - 31.5) / 29, (COLUMN_NUMBERS - 23.5) / 21) < 1


def slices(number, seed, change=None):
    """Features of `number` real slices and of as many others: new draws of the same kind, or real ones changed."""
    rng = np.random.default_rng(seed)

    def draw():
        texture = 2 * gaussian_filter(rng.standard_normal(MASK.shape), 3)
        return np.clip(0.5 + texture + rng.normal(0, 0.03, MASK.shape), 0, 1) * MASK

    pairs = [(real, change(real) if change else draw()) for real in (draw() for _ in range(number))]
    return [np.array([features(pair[side], mask=MASK) for pair in pairs]) for side in (0, 1)]


def test_slices_of_the_same_kind_cannot_be_told_apart():
    """Twelve pairs of cohorts: the AUC is 0.5 on average, its interval holds 0.5, and P is seldom small."""
    found = [two_sample_test(*slices(16, seed), np.arange(16), permutations=99, seed=seed) for seed in range(12)]
    aucs, lows, highs, ps = np.transpose(found)
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.08)
    assert np.sum((lows <= 0.5) & (highs >= 0.5)) >= 11
    assert np.sum(ps <= 0.05) <= 2


@pytest.mark.parametrize("change", [
    lambda image: gaussian_filter(image, 0.6) * MASK,
    lambda image: image + np.random.default_rng(0).normal(0, 0.03, image.shape) * MASK,
    lambda image: image**1.3,
], ids=["smooth", "noisy", "other contrast"])  # fmt: skip
def test_slices_of_another_kind_are_told_apart(change):
    found = two_sample_test(*slices(16, 1, change), np.arange(16), permutations=99)
    assert found.auc > 0.9
    assert 0.6 < found.low < found.auc <= found.high
    assert found.p == 0.01


def test_a_stronger_difference_has_a_larger_auc():
    rng = np.random.default_rng(5)
    real, made = rng.standard_normal((2, 40, 6))
    aucs = [two_sample_test(real, made + step, np.arange(40), permutations=19).auc for step in (0, 0.3, 0.6, 1.2)]
    assert aucs == sorted(aucs)


def test_a_subjects_own_slice_does_not_give_it_away():
    """Each subject's real and synthetic slices share a mark that no other has: nothing that holds for new subjects."""
    rng = np.random.default_rng(6)
    marks = 10 * rng.standard_normal((24, 30))
    real, made = marks + rng.standard_normal((2, 24, 30))
    assert two_sample_test(real, made, np.arange(24), permutations=19).auc < 0.75


def test_slices_of_one_subject_stay_together():
    """With 24 slices of each of 6 subjects, features that only tell subjects apart are worth nothing."""
    rng = np.random.default_rng(7)
    subjects = np.repeat(np.arange(6), 24)
    marks = rng.standard_normal((6, 4))[subjects]
    real = marks + 0.1 * rng.standard_normal(marks.shape)
    made = marks + 0.1 * rng.standard_normal(marks.shape)
    found = two_sample_test(real, made, subjects, permutations=19)
    assert found.auc == pytest.approx(0.5, abs=0.15)
    assert found.low < 0.5 < found.high


def test_the_area_agrees_with_scikit_learn():
    rng = np.random.default_rng(8)
    labels = rng.permuted(np.repeat([[-1.0], [1.0]], 25, axis=0) * np.ones((1, 3)), axis=0)
    scores = np.round(rng.standard_normal(labels.shape) + 0.4 * labels, 1)  # with ties
    expected = [roc_auc_score(truth, score) for truth, score in zip(labels.T, scores.T, strict=True)]
    np.testing.assert_allclose(_areas(scores, labels), expected, atol=1e-12)


def test_features_see_nothing_outside_the_mask():
    image = np.random.default_rng(0).random(MASK.shape)
    np.testing.assert_array_equal(features(image, mask=MASK), features(np.where(MASK, image, np.nan), mask=MASK))
    assert np.isfinite(features(np.full(MASK.shape, 0.3), mask=MASK)).all()


def test_errors():
    with pytest.raises(ValueError, match="3 subjects; a two-sample test needs at least 4"):
        two_sample_test(np.zeros((3, 2)), np.zeros((3, 2)), [1, 2, 3])
    with pytest.raises(ValueError, match="shapes differ"):
        two_sample_test(np.zeros((5, 2)), np.zeros((4, 2)), np.arange(5))
    with pytest.raises(ValueError, match="NaN"):
        two_sample_test(np.full((5, 2), np.nan), np.zeros((5, 2)), np.arange(5))
    with pytest.raises(ValueError, match="NaN"):
        features(np.full(MASK.shape, np.nan), mask=MASK)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two methods on one cohort, the second with two seeds, with every table there is."""
    tmp_path = tmp_path_factory.mktemp("realism")
    path = write_tiny_cohort(tmp_path / "cohort.h5", splits=("train",) * 3 + ("test",) * 6, shape=(32, 28))
    made = [("unit", "UNIT", 0, 0.02), ("simple0", "Simple", 0, 0.1), ("simple1", "Simple", 1, 0.2)]
    runs = [write_fake_run(tmp_path / name, path, label=label, seed=seed, error=error)
            for name, label, seed, error in made]  # fmt: skip
    for run in runs:
        evaluate(run, progress=False)
    evaluate_realism(runs, progress=False)
    evaluate_two_sample(runs, progress=False)
    return runs


def test_a_table_per_run_with_the_baselines(runs):
    table = runs[0].scores("two_sample")
    assert list(table) == COLUMNS
    assert set(table["method"]) == {"UNIT", *BASELINES}
    assert len(table) == 3 * 2
    assert (table["n"] == 6).all()
    assert ((table["low"] <= table["auc"]) & (table["auc"] <= table["high"])).all()


@pytest.mark.parametrize("realism", ["spectrum_db", "wasserstein", "auc"])
def test_realism_against_error_is_a_point_per_method_and_direction(runs, realism):
    table = realism_against_error(runs, realism=realism)
    assert list(table) == TRADEOFF_COLUMNS
    assert list(table["method"].unique()) == [*BASELINES, "Simple", "UNIT"]
    assert len(table) == 4 * 2
    assert table["error_metric"].unique() == ["mae"]
    errors = table.set_index(["method", "direction"])["error"]
    assert errors[("UNIT", "t1w_to_t2w")] < errors[("Simple", "t1w_to_t2w")]
    assert (table["realism_low"] <= table["realism"]).all()
    assert (table["realism"] <= table["realism_high"]).all()
    if realism == "auc":
        values = [
            run.scores("two_sample").query("method == 'Simple' and direction == 't1w_to_t2w'") for run in runs[1:]
        ]
        mean = np.mean([rows["auc"].iloc[0] for rows in values])
        found = table.set_index(["method", "direction"])["realism"]
        assert found[("Simple", "t1w_to_t2w")] == pytest.approx(mean)


def test_runs_without_realism_are_named(runs):
    (runs[1].folder / "realism.parquet").rename(runs[1].folder / "elsewhere.parquet")
    with pytest.raises(InputError, match=r"simple0.realism\.parquet: not found"):
        realism_against_error(runs)
    (runs[1].folder / "elsewhere.parquet").rename(runs[1].folder / "realism.parquet")


def test_too_few_test_subjects_are_an_error(tmp_path):
    path = write_tiny_cohort(tmp_path / "small.h5")
    with pytest.raises(InputError, match=r"run: 2 subjects; a two-sample test needs at least 4; evaluate on a larger"):
        evaluate_two_sample([write_fake_run(tmp_path / "run", path)], progress=False)
    with pytest.raises(InputError, match="no run to test"):
        evaluate_two_sample([])
