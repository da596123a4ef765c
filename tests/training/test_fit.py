"""What `train` leaves behind."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganlib.cohort import Cohort
from ganlib.models import generators
from ganlib.training import checkpoint
from ganlib.training.fit import train
from ganlib.training.schedule import ConstantThenLinear
from ganlib.translate import translate_test_set
from tests.conftest import write_tiny_cohort
from tests.training.small import OPTIONS, stop_after_one_epoch, weights

_SETTINGS = {"method": "simple", "epochs": 2, "options": {"filters": 8}}
_CYCLEGAN = {"method": "cyclegan", "epochs": 2, "options": OPTIONS["cyclegan"]}


def test_learning_rate_is_constant_and_then_falls_to_zero():
    schedule = ConstantThenLinear(2e-4, 100)
    rates = [float(schedule(step)) for step in (0, 50, 75, 100)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 0])


def test_run_folder_holds_everything_a_run_needs(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert [path.name for path in run.samples()] == ["epoch_0001.png", "epoch_0002.png"]
    assert Image.open(run.samples()[0]).size == (6 * 16, 2 * 16)
    columns = {"epoch", "seconds", "supervised", "val_mae_t1w_to_t2w", "val_psnr_db_t2w_to_t1w"}
    assert columns <= set(run.history)
    assert run.split == Cohort(tiny_cohort).split()
    assert run.config.learning_rate == 1e-3
    assert run.config.options["filters"] == 8
    assert run.config.phantom


def test_validation_scores_are_those_of_the_saved_generators(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    to_b, _ = generators.load(run.weights("last"))
    with Cohort(tiny_cohort) as cohort:
        errors = []
        for subject_id in cohort.ids("validation"):
            made = to_b(cohort.scaled(subject_id, "T1w")[..., None]).numpy()[..., 0]
            off = cohort.ranges["T2w"].unscale(made) - cohort.images(subject_id, "T2w")
            errors.append(np.abs(off)[cohort.mask(subject_id)].mean() / cohort.ranges["T2w"].width)
    assert run.history["val_mae_t1w_to_t2w"].iloc[-1] == pytest.approx(np.mean(errors), rel=1e-4)


@pytest.mark.slow
def test_best_generators_are_those_of_the_best_epoch(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "epochs": 4}, progress=False)
    scores = run.history.filter(like="val_psnr_db").mean(axis=1)
    same = weights(run, "best") == weights(run, "last")
    assert same == (scores.idxmax() == 3)


def test_training_again_with_the_same_settings_changes_nothing(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*") if path.is_file()}
    again = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert {path: path.stat().st_mtime_ns for path in again.folder.rglob("*") if path.is_file()} == before


def test_history_is_a_table_of_numbers(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert all(pd.api.types.is_numeric_dtype(kind) for kind in run.history.dtypes)
    assert run.history["supervised"].iloc[-1] < run.history["supervised"].iloc[0]


@pytest.mark.slow
def test_sides_that_networks_cannot_halve_are_padded_and_cropped_back(tmp_path):
    cohort = write_tiny_cohort(tmp_path / "cohort.h5", shape=(18, 15))
    settings = {"method": "generators_s", "epochs": 1, "options": OPTIONS["generators_s"]}
    run = train(cohort, tmp_path / "run", settings, progress=False)
    assert (run.config.image_shape, run.config.network_shape) == ((18, 15), (20, 16))
    assert Image.open(run.samples()[0]).size == (6 * 15, 2 * 18)
    translate_test_set(run, progress=False)
    assert run.synthetic("sub-08", run.directions[1]).shape == (1, 18, 15)


@pytest.mark.parametrize(("best_on", "better"), [("ssim", "idxmax"), ("mae", "idxmin"), ("label_free", "idxmin")])
def test_best_epoch_is_chosen_by_the_score_asked_for(tiny_cohort, tmp_path, best_on, better):
    settings = {**_SETTINGS, "epochs": 4, "best_on": best_on, "options": {"filters": 8, "learning_rate": 0.3}}
    run = train(tiny_cohort, tmp_path / "run", settings, progress=False)
    scores = run.history.filter(like=f"val_{best_on}").mean(axis=1)
    state = checkpoint.load_state(run.folder)
    assert state.best_epoch == getattr(scores, better)() + 1
    assert state.best_score == pytest.approx(scores[state.best_epoch - 1])


@pytest.mark.slow
def test_averaged_weights_are_scored_kept_and_used(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "ema": 0.9}, progress=False)
    plain = train(tiny_cohort, tmp_path / "plain", _SETTINGS, progress=False)
    assert weights(run, "last") == weights(plain, "last")
    assert weights(run, "averaged") != weights(run, "last")
    assert run.history["val_psnr_db_t1w_to_t2w"].equals(plain.history["val_psnr_db_t1w_to_t2w"])
    assert not any("averaged" in name for name in plain.history)
    translate_test_set(run, weights="averaged", progress=False)
    averaged, _ = generators.load(run.weights("averaged"))
    with Cohort(tiny_cohort) as cohort:
        made = averaged(cohort.scaled("sub-08", "T1w")[..., None]).numpy()[..., 0]
        expected = cohort.ranges["T2w"].unscale(made)
        errors = []
        for subject_id in cohort.ids("validation"):
            made = averaged(cohort.scaled(subject_id, "T1w")[..., None]).numpy()[..., 0]
            off = cohort.ranges["T2w"].unscale(made) - cohort.images(subject_id, "T2w")
            errors.append(np.abs(off)[cohort.mask(subject_id)].mean() / cohort.ranges["T2w"].width)
    np.testing.assert_allclose(run.synthetic("sub-08", run.directions[0]), expected, atol=1e-2)
    assert run.history["val_averaged_mae_t1w_to_t2w"].iloc[-1] == pytest.approx(np.mean(errors), rel=1e-4)


@pytest.mark.slow
def test_averaged_generators_survive_a_deleted_file(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "ema": 0.9}, progress=False)
    before = {which: weights(run, which) for which in ("last", "averaged")}
    for name in ("generators_last.keras", "generators_averaged.keras"):
        (run.folder / name).unlink()
    train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "ema": 0.9}, progress=False)
    assert {which: weights(run, which) for which in ("last", "averaged")} == before


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_short_numbers_train_and_translate_with_every_state_saved(tiny_cohort, tmp_path, precision):
    settings = {**_CYCLEGAN, "precision": precision, "ema": 0.9}
    whole = train(tiny_cohort, tmp_path / "whole", settings, progress=False)
    stop_after_one_epoch(tiny_cohort, tmp_path / "stopped", settings)
    resumed = train(tiny_cohort, tmp_path / "stopped", settings, progress=False)
    for which in ("last", "averaged"):
        assert weights(whole, which) == weights(resumed, which)
    to_b, _ = generators.load(whole.weights("last"))
    assert {layer.compute_dtype for layer in to_b.layers if "conv" in layer.name or "down" in layer.name} >= {precision}
    assert to_b.layers[-1].compute_dtype == "float32"
    translate_test_set(whole, progress=False)
    assert np.isfinite(whole.synthetic("sub-08", whole.directions[0])).all()
