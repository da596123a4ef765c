"""What goes wrong in training: noticed, said in one line, and nothing lost."""

import shutil

import pytest

from ganlib.errors import InputError
from ganlib.runs import Run
from ganlib.training import checkpoint, fit
from ganlib.training.fit import train
from ganlib.training.monitor import RunRecorder
from tests.conftest import write_tiny_cohort
from tests.training.small import OPTIONS, stop_after_one_epoch

_SETTINGS = {"method": "simple", "epochs": 2, "options": {"filters": 8}}


@pytest.mark.slow
def test_nan_stops_the_training_in_one_line_and_keeps_the_epoch_before(tiny_cohort, tmp_path):
    class Spoiler(RunRecorder):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            if epoch == 1:
                weight = self.model.to_b.trainable_variables[0]
                weight.assign(weight * float("nan"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "RunRecorder", Spoiler)
        with pytest.raises(InputError, match=r"epoch 2: loss part 'supervised' is NaN.*learning_rate") as caught:
            train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    assert "\n" not in str(caught.value)
    run = Run(tmp_path / "run")
    assert len(run.history) == 1
    assert checkpoint.load_state(run.folder).finished_epochs == 1
    assert [alarm["kind"] for alarm in run.alarms()] == ["nan"]
    assert len(train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False).history) == 2


def test_alarm_is_printed_when_it_begins_and_kept_with_the_run(tiny_cohort, tmp_path, capsys):
    # Simple with a learning rate of next to nothing stays where it began: at a map that happens to be inverted, or not.
    settings = {**_SETTINGS, "epochs": 4, "options": {"filters": 8, "learning_rate": 1e-12}}
    run = train(tiny_cohort, tmp_path / "run", settings, progress=False)
    inverted = [
        direction.name for direction in run.directions if (run.history[f"val_correlation_{direction.name}"] < 0).all()
    ]
    assert inverted
    assert [alarm["direction"] for alarm in run.alarms() if alarm["kind"] == "inverted"] == inverted
    assert capsys.readouterr().err.count("ALARM, epoch 3: synthetic") == len(inverted)


def test_memory_that_runs_out_is_one_line_that_says_what_to_lower(tiny_cohort, tmp_path, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(fit.SliceBatches, "for_backend", exhausted)
    with pytest.raises(InputError, match=r"run: training Simple: out of memory; lower batch_size \(now 2\)") as caught:
        train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "batch_size": 2}, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(("other", "named"), [("method", "a checkpoint of CycleGAN at"), ("size", "at 20 x 20 pixels")])
def test_checkpoint_of_another_method_or_size_is_refused(tiny_cohort, tmp_path, other, named):
    settings = {"method": "cyclegan_s", "epochs": 2, "options": OPTIONS["cyclegan_s"]}
    stop_after_one_epoch(tiny_cohort, tmp_path / "run", settings)
    if other == "method":
        # Their networks are the same, so that Keras would load the weights without a word.
        stop_after_one_epoch(tiny_cohort, tmp_path / "other", {**settings, "method": "cyclegan"})
    else:
        large = write_tiny_cohort(tmp_path / "large.h5", shape=(20, 20))
        stop_after_one_epoch(large, tmp_path / "other", settings)
    shutil.rmtree(tmp_path / "run" / "checkpoint")
    shutil.copytree(tmp_path / "other" / "checkpoint", tmp_path / "run" / "checkpoint")
    with pytest.raises(InputError, match=named + ".*, not of CycleGAN_s at 16 x 16 pixels; delete"):
        train(tiny_cohort, tmp_path / "run", settings, progress=False)


@pytest.mark.slow
def test_weights_that_do_not_fit_are_refused(tiny_cohort, tmp_path):
    settings = {**_SETTINGS, "epochs": 2}
    stop_after_one_epoch(tiny_cohort, tmp_path / "run", settings)
    stop_after_one_epoch(tiny_cohort, tmp_path / "other", {**settings, "options": {"filters": 9}})
    name = "checkpoint/epoch_0001.weights.h5"
    shutil.copy(tmp_path / "other" / name, tmp_path / "run" / name)
    with pytest.raises(InputError, match=r"weights\.h5: does not fit Simple at 16 x 16 pixels; delete"):
        train(tiny_cohort, tmp_path / "run", settings, progress=False)
