"""Scoring a run and comparing runs, on a tiny cohort with translations whose error is known."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.evaluation.card import write_card
from ganlib.evaluation.compare import (
    METHOD_ORDER,
    load_scores,
    method_rank,
    per_subject,
    select,
    summaries,
    summary,
    write_tables,
)
from ganlib.evaluation.evaluate import (
    BASELINES,
    COLUMNS,
    DOING_NOTHING,
    MEAN_IMAGE,
    evaluate,
    evaluate_realism,
    evaluate_registration,
    evaluate_runs,
    mean_image,
    source_in_target_units,
)
from ganlib.evaluation.protocols import MASKED, PAPER, PROTOCOLS
from ganlib.evaluation.registration import RegistrationProtocol
from ganlib.runs import Run
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run

SPLITS = ("train",) * 4 + ("validation",) + ("test",) * 4


@pytest.fixture
def cohort_path(tmp_path):
    return write_tiny_cohort(tmp_path / "cohort.h5", splits=SPLITS)


@pytest.fixture
def run(tmp_path, cohort_path):
    return write_fake_run(tmp_path / "run", cohort_path)


def value(table, **keys):
    for column, wanted in keys.items():
        table = table[table[column] == wanted]
    assert len(table) == 1
    return table["value"].iloc[0]


def test_one_row_per_subject_method_direction_protocol_and_metric(run):
    table = evaluate(run, progress=False)
    assert list(table) == COLUMNS
    assert len(table) == 4 * 3 * 2 * (7 + 9 + 6 + 6)
    keys = ["subject", "slices", "method", "direction", "protocol", "metric"]
    assert not table.duplicated(keys).any()
    assert set(table["method"]) == {"CycleGAN", *BASELINES}
    assert set(table["subject"]) == set(run.split["test"])
    assert table["phantom"].all()
    assert np.isfinite(table["value"]).all()


def test_the_table_is_stored_with_the_run(run):
    table = evaluate(run, progress=False)
    assert run.scores().equals(table)


def test_the_values_are_those_of_the_protocol(run):
    table = evaluate(run, progress=False)
    subject_id = run.split["test"][2]
    keys = {"subject": subject_id, "method": "CycleGAN", "direction": "t1w_to_t2w"}
    # Every second column is off by 5 % of the range, the third subject's by a fifth more.
    mask = Cohort(run.cohort_path).mask(subject_id)
    share = mask[..., 1::2].sum() / mask.sum()
    assert value(table, protocol="masked", metric="mae", **keys) == pytest.approx(0.06 * share, rel=1e-4)
    expected = -10 * np.log10(0.06**2 * share)
    assert value(table, protocol="masked", metric="psnr_db", **keys) == pytest.approx(expected, rel=1e-4)
    assert value(table, protocol="paper", metric="mask_fraction", **keys) == pytest.approx(mask.mean())


def test_doing_nothing_is_the_source_scored_against_the_target(run, cohort_path):
    table = evaluate(run, progress=False)
    cohort, subject_id = Cohort(cohort_path), run.split["test"][0]
    t1w, t2w, mask = cohort.images(subject_id, "T1w"), cohort.images(subject_id, "T2w"), cohort.mask(subject_id)
    keys = {"subject": subject_id, "method": DOING_NOTHING, "direction": "t1w_to_t2w"}
    paper = PAPER.score(t2w, t1w, mask=mask, intensity_range=cohort.ranges["T2w"])
    assert value(table, protocol="paper", metric="mae", **keys) == pytest.approx(paper["mae"], rel=1e-5)
    difference = cohort.ranges["T1w"].fraction(t1w) - cohort.ranges["T2w"].fraction(t2w)
    expected = np.abs(difference[mask]).mean()
    assert value(table, protocol="masked", metric="mae", **keys) == pytest.approx(expected, rel=1e-5)


def test_the_mean_image_is_that_of_the_training_subjects(run, cohort_path):
    table = evaluate(run, progress=False)
    cohort, subject_id = Cohort(cohort_path), run.split["test"][0]
    mean = np.mean([cohort.images(name, "T1w") for name in cohort.ids("train")], axis=0)
    np.testing.assert_allclose(mean_image(cohort, cohort.ids("train"), "T1w"), mean, rtol=1e-6)
    expected = MASKED.score(
        cohort.images(subject_id, "T1w"), mean, mask=cohort.mask(subject_id), intensity_range=cohort.ranges["T1w"]
    )
    keys = {"subject": subject_id, "method": MEAN_IMAGE, "direction": "t2w_to_t1w", "protocol": "masked"}
    assert value(table, metric="psnr_db", **keys) == pytest.approx(expected["psnr_db"], rel=1e-5)


def test_source_units_are_moved_by_fractions_of_the_ranges(cohort_path):
    cohort = Cohort(cohort_path)
    t1w, t2w = cohort.ranges["T1w"], cohort.ranges["T2w"]
    ends = np.array([t1w.low, t1w.high, 0.5 * (t1w.low + t1w.high)])
    expected = [t2w.low, t2w.high, 0.5 * (t2w.low + t2w.high)]
    np.testing.assert_allclose(source_in_target_units(ends, t1w, t2w), expected, rtol=1e-6)


@pytest.fixture
def volumes(tmp_path):
    """A run on subjects of three slices."""
    path = write_tiny_cohort(tmp_path / "volumes.h5", splits=SPLITS, slices=3)
    return write_fake_run(tmp_path / "run3", path)


def test_several_slices(volumes):
    table = evaluate(volumes, progress=False)
    assert set(table["method"]) == {"CycleGAN", *BASELINES}
    assert set(table["slices"]) == {"all"}


def test_slice_sets_are_scored_each_as_one_image(volumes):
    table = evaluate(volumes, slice_sets={"all": None, "middle": [1], "ends": [0, 2]}, progress=False)
    assert list(table["slices"].unique()) == ["all", "middle", "ends"]
    subject_id, direction = volumes.split["test"][1], volumes.directions[0]
    cohort = volumes.cohort()
    expected = MASKED.score(
        cohort.images(subject_id, "T2w")[[0, 2]], volumes.synthetic(subject_id, direction)[[0, 2]],
        mask=cohort.mask(subject_id)[[0, 2]], intensity_range=cohort.ranges["T2w"],
    )  # fmt: skip
    keys = {"subject": subject_id, "method": "CycleGAN", "direction": direction.name, "protocol": "masked"}
    assert value(table, slices="ends", metric="psnr_db", **keys) == expected["psnr_db"]
    assert len(summary(table, "mae", "masked")) == len(summary(table, "mae", "masked", "middle")) == 3 * 2
    assert summary(table, "mae", "masked")["n"].unique() == [4]
    with pytest.raises(InputError, match="no scores of slice set 'upper'; the table has all, middle, ends"):
        summary(table, "mae", "masked", "upper")


def test_a_slice_that_a_subject_lacks_is_named(volumes):
    with pytest.raises(InputError, match=r"slice set 'top': slices \[3\], but subject sub-05 has slices 0 to 2"):
        evaluate(volumes, slice_sets={"top": [3]}, progress=False)
    with pytest.raises(InputError, match="slice set 'none'"):
        evaluate(volumes, slice_sets={"none": []}, progress=False)


def test_runs_scored_together_are_as_each_alone(tmp_path, cohort_path):
    runs = [write_fake_run(tmp_path / name, cohort_path, label=name, error=error)
            for name, error in (("UNIT", 0.03), ("Simple", 0.08))]  # fmt: skip
    together = evaluate_runs(runs, progress=False)
    for run, table in zip(runs, together, strict=True):
        assert run.scores().equals(table)
        assert evaluate(run, progress=False).equals(table)


def test_realism_and_registration_have_tables_of_their_own(tmp_path, cohort_path):
    run = write_fake_run(tmp_path / "run", cohort_path)
    realism, registration = (f([run], progress=False)[0] for f in (evaluate_realism, evaluate_registration))
    assert set(realism["metric"]) == {"spectrum_db", "high_frequency_db", "wasserstein"}
    assert set(registration["metric"]) == {"shift_mm"}
    for table in (realism, registration):
        assert list(table) == COLUMNS
        assert set(table["method"]) == {"CycleGAN", *BASELINES}
    assert len(summary(load_scores([run], "realism"), "wasserstein", "realism")) == 3 * 2
    cohort, subject_id = run.cohort(), run.split["test"][0]
    pair = cohort.images(subject_id, "T2w"), cohort.images(subject_id, "T1w")
    expected = RegistrationProtocol("registration", (2, 2)).score(*pair, mask=cohort.mask(subject_id))["shift_mm"]
    keys = {"subject": subject_id, "method": DOING_NOTHING, "direction": "t1w_to_t2w"}
    assert value(registration, **keys) == pytest.approx(expected, abs=0.11, nan_ok=True)
    assert not (run.folder / "scores.parquet").exists()


def test_there_is_no_mean_image_where_the_numbers_of_slices_differ():
    class Uneven:
        path = "uneven.h5"

        def images(self, subject_id, contrast):
            return np.zeros((subject_id, 4, 4), np.float32)

    with pytest.warns(UserWarning, match="different numbers of slices"):
        assert mean_image(Uneven(), [2, 3], "T1w") is None
    assert mean_image(Uneven(), [], "T1w") is None


def test_a_missing_translation_is_one_line(run):
    (run.folder / "synthetic.h5").unlink()
    with pytest.raises(InputError, match=r"synthetic\.h5: not found; translate"):
        evaluate(run, progress=False)


def test_a_translation_that_is_nan_is_named(tmp_path, cohort_path):
    run = write_fake_run(tmp_path / "diverged", cohort_path, error=np.nan)
    with pytest.raises(
        InputError, match=r"diverged/synthetic\.h5: t1w_to_t2w/sub-05 .CycleGAN.: protocol paper: syn.*; translate anew"
    ):
        evaluate(run, progress=False)
    assert not (run.folder / "scores.parquet").exists()


def test_a_translation_of_another_shape_is_named(tmp_path, cohort_path):
    run = write_fake_run(tmp_path / "cropped", cohort_path)
    with Cohort(cohort_path) as cohort:
        images = [(direction, subject_id, cohort.images(subject_id, direction.target)[:, :-1])
                  for direction in run.directions for subject_id in run.split["test"]]  # fmt: skip
    run.write_synthetic(images)
    with pytest.raises(
        InputError,
        match=r"cropped/synthetic\.h5: t1w_to_t2w/sub-05 .CycleGAN.: shapes differ: target \(1, 16, 16\), syn",
    ):
        evaluate(run, progress=False)


def test_a_subject_without_a_mask_is_named_with_the_cohort(tmp_path, cohort_path):
    run = write_fake_run(tmp_path / "run", cohort_path)
    with h5py.File(cohort_path, "r+") as file:
        file["subjects/sub-06/mask"][:] = 0
    wrong = r"cohort\.h5: subject sub-06, T1w → T2w .Doing nothing.: protocol \w+: the mask is empty.*; mend the"
    with pytest.raises(InputError, match=wrong):
        evaluate(run, progress=False)


def test_a_subject_that_was_not_translated_is_named(tmp_path, cohort_path):
    run = write_fake_run(tmp_path / "partly", cohort_path)
    with Cohort(cohort_path) as cohort:
        run.write_synthetic([(run.directions[0], "sub-05", cohort.images("sub-05", "T2w"))])
    with pytest.raises(InputError, match=r"synthetic\.h5: no t1w_to_t2w/sub-06; translate anew"):
        evaluate(run, progress=False)


def test_runs_that_cannot_be_scored_together_are_named(tmp_path, cohort_path):
    first = write_fake_run(tmp_path / "first", cohort_path)
    fewer = write_fake_run(tmp_path / "fewer", cohort_path, split={**first.split, "test": first.split["test"][1:]})
    with pytest.raises(InputError, match=r"different test subjects .first alone has sub-05, fewer alone has none"):
        evaluate_runs([first, fewer], progress=False)
    with pytest.raises(InputError, match="no run to score"):
        evaluate_runs([])
    other = Run.create(tmp_path / "other", first.config.model_copy(update={"contrasts": ("T1w", "PD")}), first.split)
    with pytest.raises(
        InputError, match=r"first and .*other translate different contrasts \(T1w and T2w; T1w and PD\)"
    ):
        evaluate_runs([first, other])


def test_no_test_subject_is_an_error(tmp_path, cohort_path):
    split = {"train": ["sub-00"], "validation": [], "test": []}
    run = write_fake_run(tmp_path / "untested", cohort_path, split=split)
    with pytest.raises(InputError, match="no test subject"):
        evaluate(run, progress=False)


def evaluated(folder, cohort_path, **settings):
    run = write_fake_run(folder, cohort_path, **settings)
    evaluate(run, progress=False)
    return run


def test_the_baselines_are_there_once(tmp_path, cohort_path):
    runs = [evaluated(tmp_path / name, cohort_path, label=name) for name in ("UNIT", "Simple")]
    table = load_scores(runs)
    assert len(table) == 4 * 4 * 2 * (7 + 9 + 6 + 6)
    assert set(table.loc[table["run"] == "baseline", "method"]) == set(BASELINES)
    assert list(summary(table, "mae", "masked")["method"].unique()) == [*BASELINES, "Simple", "UNIT"]


def test_summary_by_hand(tmp_path, cohort_path):
    table = load_scores([evaluated(tmp_path / "a", cohort_path)])
    row = summary(table, "mae", "masked").set_index(["method", "direction"]).loc[("CycleGAN", "t1w_to_t2w")]
    values = select(table, "mae", "masked").query("method == 'CycleGAN' and direction == 't1w_to_t2w'")["value"]
    np.testing.assert_allclose(values / values.iloc[0], [1, 1.1, 1.2, 1.3], rtol=1e-5)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std(ddof=1))
    assert row["n"] == 4
    assert values.min() <= row["low"] < row["mean"] < row["high"] <= values.max()
    assert (row["source"], row["target"], row["seeds"]) == ("T1w", "T2w", 1)
    assert np.isnan(row["seed_sd"])


def test_seeds_are_averaged_per_subject_and_their_spread_is_apart(tmp_path, cohort_path):
    runs = [evaluated(tmp_path / f"s{seed}", cohort_path, seed=seed, error=0.04 + 0.02 * seed) for seed in (0, 1)]
    table = load_scores(runs)
    assert len(per_subject(table, "mae", "masked").query("method == 'CycleGAN'")) == 4 * 2
    row = summary(table, "mae", "masked").set_index(["method", "direction"]).loc[("CycleGAN", "t1w_to_t2w")]
    means = [summary(run.scores(), "mae", "masked").query("method == 'CycleGAN'")["mean"].iloc[0] for run in runs]
    assert row["n"] == 4
    assert row["seeds"] == 2
    assert row["mean"] == pytest.approx(np.mean(means))
    assert row["seed_sd"] == pytest.approx(np.std(means, ddof=1))


def test_runs_of_one_method_and_seed_are_told_apart(tmp_path, cohort_path):
    runs = [evaluated(tmp_path / name, cohort_path, error=error) for name, error in (("wide", 0.02), ("narrow", 0.06))]
    methods = list(summary(load_scores(runs), "mae", "masked")["method"].unique())
    assert methods == [*BASELINES, "CycleGAN (narrow)", "CycleGAN (wide)"]


def test_one_subject_has_no_interval(tmp_path):
    path = write_tiny_cohort(tmp_path / "one.h5", splits=("train", "train", "validation", "test"))
    run = evaluated(tmp_path / "one", path)
    rows = summary(load_scores([run]), "mae", "masked")
    assert (rows["n"] == 1).all()
    assert rows[["sd", "low", "high"]].isna().all(axis=None)
    assert rows["mean"].notna().all()
    card = write_card(run)
    assert "One test subject, so that there is no interval." in card
    assert "nan" not in card


def test_runs_that_cannot_be_compared_are_refused(tmp_path, cohort_path):
    first = evaluated(tmp_path / "first", cohort_path)
    other_cohort = write_tiny_cohort(tmp_path / "other.h5", splits=SPLITS, shape=(20, 16))
    other = evaluated(tmp_path / "second", other_cohort)
    both = f"{re.escape(str(first.folder))} and {re.escape(str(other.folder))}"
    prints = r"cohort\.h5 {}; other\.h5 {}".format(*(run.config.cohort_fingerprint[:12] for run in (first, other)))
    with pytest.raises(
        InputError, match=both + rf" were trained on different cohorts \({prints}\); compare runs of one"
    ):
        load_scores([first, other])
    split = {**first.split, "test": first.split["test"][:2]}
    fewer = evaluated(tmp_path / "third", cohort_path, split=split)
    with pytest.raises(InputError, match=r"third have different test subjects \(first alone has sub-07, sub-08, "):
        load_scores([first, fewer])
    with pytest.raises(InputError, match="no run to compare"):
        load_scores([])
    with pytest.raises(InputError, match=r"scores\.parquet: not found; evaluate"):
        load_scores([write_fake_run(tmp_path / "unscored", cohort_path)])


def test_a_run_scored_before_there_was_a_protocol_is_named(tmp_path, cohort_path):
    new, old = (evaluated(tmp_path / name, cohort_path, label=name) for name in ("UNIT", "Simple"))
    table = old.scores()
    old.write_scores(table[table["protocol"].isin(["paper", "masked"])].drop(columns="slices"))
    alone = load_scores([old])
    assert set(alone["slices"]) == {"all"}
    assert summary(alone, "mae", "masked").equals(summary(old.scores(), "mae", "masked"))
    message = (
        r"Simple: has no own-max mae, own-max mask_fraction, own-max psnr_db and \d+ more, which the other runs have"
    )
    for runs in ([new, old], [old, new]):
        with pytest.raises(InputError, match=message):
            load_scores(runs)


def test_the_tables_that_are_written(tmp_path, cohort_path):
    table = load_scores([evaluated(tmp_path / "a", cohort_path), evaluated(tmp_path / "b", cohort_path, label="UNIT")])
    write_tables(table, tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out" / "scores.parquet").equals(table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "scores.csv"), table)
    written = pd.read_csv(tmp_path / "out" / "summary.csv")
    for protocol, metric in (("paper", "psnr_db"), ("own-max", "ssim")):
        rows = written[(written["protocol"] == protocol) & (written["metric"] == metric)]
        expected = summary(table, metric, protocol)
        pd.testing.assert_frame_equal(rows[list(expected)].reset_index(drop=True), expected)
    assert len(written) == 4 * 2 * (7 + 9 + 6 + 6)
    assert set(written["protocol"]) == set(PROTOCOLS)


def test_summaries_hold_every_summary(tmp_path, cohort_path):
    table = load_scores([evaluated(tmp_path / "a", cohort_path)])
    everything = summaries(table)
    assert not everything.duplicated(["method", "direction", "metric", "protocol", "slices"]).any()
    assert list(everything["method"][:2]) == [DOING_NOTHING, DOING_NOTHING]


def test_select_says_what_there_is(tmp_path, cohort_path):
    table = load_scores([evaluated(tmp_path / "a", cohort_path)])
    with pytest.raises(InputError, match="'ssim' under protocol 'paper'; the table has paper mae, paper psnr_db"):
        select(table, "ssim", "paper")


def test_the_order_of_methods_is_fixed():
    shuffled = ["pix2pix", "Zebra", "UNIT", "CycleGAN (b)", MEAN_IMAGE, "Simple", "CycleGAN", DOING_NOTHING]
    ordered = [DOING_NOTHING, MEAN_IMAGE, "Simple", "CycleGAN", "CycleGAN (b)", "UNIT", "pix2pix", "Zebra"]
    assert sorted(shuffled, key=method_rank) == ordered
    assert METHOD_ORDER[:2] == BASELINES
