"""What `train` leaves behind, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.runs import Run
from ganlib.training.fit import train
from ganlib.training.schedule import ConstantThenLinear
from ganlib.translate import translate_test_set

_SETTINGS = {"method": "simple", "epochs": 2, "options": {"filters": 8}}


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
    assert run.config.options == {"filters": 8}
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


def test_best_generators_are_those_of_the_best_epoch(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "epochs": 4}, progress=False)
    scores = run.history.filter(like="val_psnr_db").mean(axis=1)
    same = _weights(run, "best") == _weights(run, "last")
    assert same == (scores.idxmax() == 3)


def test_training_again_with_the_same_settings_changes_nothing(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*") if path.is_file()}
    again = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert {path: path.stat().st_mtime_ns for path in again.folder.rglob("*") if path.is_file()} == before


def test_other_settings_in_the_same_folder_are_refused_and_named(tiny_cohort, tmp_path):
    train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    with pytest.raises(InputError, match=r"run: holds a training with epochs 2, not 3"):
        train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "epochs": 3}, progress=False)
    assert len(Run(tmp_path / "run").history) == 2


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"method": "cyclegann"}, "cyclegann"),
        ({"method": "simple", "epoch": 3}, "epoch"),
        ({"method": "simple", "epochs": "two"}, "epochs"),
        ({"method": "simple", "options": {"filtres": 3}}, "filtres"),
        ({"method": "simple", "batch_size": 99}, "batch_size 99"),
        ({"method": "simple", "contrasts": ("T1w", "FLAIR")}, "FLAIR"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tiny_cohort, tmp_path, settings, named):
    with pytest.raises(InputError, match=named):
        train(tiny_cohort, tmp_path / "run", settings, progress=False)


def test_translations_are_in_the_units_of_the_target(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    translate_test_set(run, progress=False)
    to_b, _ = generators.load(run.weights("best"))
    direction = run.directions[0]
    with run.cohort() as cohort:
        assert run.synthetic_ids(direction) == cohort.ids("test")
        subject_id = cohort.ids("test")[0]
        made = to_b(cohort.scaled(subject_id, "T1w")[..., None]).numpy()[..., 0]
        expected = cohort.ranges["T2w"].unscale(made)
    np.testing.assert_allclose(run.synthetic(subject_id, direction), expected, atol=1e-2)


def test_run_without_weights_says_so(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    for path in run.folder.glob("*.keras"):
        path.unlink()
    with pytest.raises(InputError, match=r"generators\.keras: not found.*train"):
        translate_test_set(run, progress=False)


def test_damaged_weights_are_named(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    (run.folder / "generators.keras").write_bytes(b"not a network")
    with pytest.raises(InputError, match=r"generators\.keras: not readable"):
        translate_test_set(run, progress=False)


def test_history_is_a_table_of_numbers(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert all(pd.api.types.is_numeric_dtype(kind) for kind in run.history.dtypes)
    assert run.history["supervised"].iloc[-1] < run.history["supervised"].iloc[0]


def _weights(run, which):
    to_b, to_a = generators.load(run.weights(which))
    return [variable.numpy().tobytes() for network in (to_b, to_a) for variable in network.variables]
