"""What happens at the end of each epoch: validation, alarms, history, sample picture, checkpoint, progress."""

import math
import sys
import time

import keras
import numpy as np
import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from ganlib import atomic
from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.runs.config import LOWER_IS_BETTER
from ganlib.runs.folder import WEIGHTS
from ganlib.training import checkpoint
from ganlib.training.alarms import find_alarms, not_finite, write_alarms
from ganlib.training.averages import averaged_weights
from ganlib.training.validation import NotFiniteError

#: Columns that are in the history but not on the line of an epoch.
_NOT_SHOWN = ("val_mae", "val_correlation", "val_shift_px", "val_label_free", "val_averaged")


class RunRecorder(keras.callbacks.Callback):
    """Writes the run folder at the end of each epoch; the checkpoint comes last and makes the epoch count.

    Args:
        run: the `Run`.
        validator: a `Validator`.
        state: the `TrainingState` that training starts from.
        chance: the discriminators' loss while they guess, or None where there are none.
        on_epoch: function of the `Run`, called when an epoch is recorded; None for nothing.
    """

    def __init__(self, run, validator, state, *, chance=None, on_epoch=None):
        super().__init__()
        self.run, self.validator, self.state, self.chance, self.on_epoch = run, validator, state, chance, on_epoch

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Validate, look for alarms, keep the best generators, write sample, history and checkpoint."""
        # Keras's own `loss` is the sum over all players, which means nothing.
        parts = {name: float(value) for name, value in logs.items() if name != "loss"}
        scores, picture = self._validate(epoch + 1, parts)
        logs.update(scores)
        seconds = time.perf_counter() - self.started
        self.state.history.append({"epoch": epoch + 1, "seconds": seconds, **parts, **scores})
        self.state.finished_epochs = epoch + 1
        self._keep_best(scores)
        self._write_sample(epoch + 1, picture)
        self._write_history()
        self._raise_alarms()
        if epoch + 1 == self.run.config.epochs:
            self.write_last()
        checkpoint.save(self.run, self.model, self.state)
        if self.on_epoch is not None:
            self.on_epoch(self.run)

    def write_last(self):
        """Write the generators as they are now; without validation subjects they are the best ones known."""
        self._write_generators("last")
        if self.state.best_epoch is None:
            self._write_generators("best")
        if self.run.config.ema is not None:
            with averaged_weights(self.model):
                self._write_generators("averaged")

    def _validate(self, epoch, parts):
        """Scores by column name, and the sample picture."""
        for name, value in parts.items():
            if not math.isfinite(value):
                self._give_up(epoch, f"loss part {name!r}")
        try:
            own, averaged = self.validator.validate(), {}
            if self.run.config.ema is not None:
                with averaged_weights(self.model):
                    averaged = self.validator.validate().scores
        except NotFiniteError as error:
            self._give_up(epoch, f"the generators' output ({error})")
        if not _all_finite(self.model.trainable_variables):
            self._give_up(epoch, "a weight")
        scores = {f"val_{name}": value for name, value in own.scores.items()}
        return {**scores, **{f"val_averaged_{name}": value for name, value in averaged.items()}}, own.picture

    def _give_up(self, epoch, what):
        alarm = not_finite(epoch, what)
        write_alarms(self.run.folder, [*self._alarms(), alarm])
        raise InputError(f"{self.run.folder}: {alarm.message}")

    def _alarms(self):
        return find_alarms(self.state.history, self.run.config, self.chance)

    def _raise_alarms(self):
        alarms = self._alarms()
        write_alarms(self.run.folder, alarms)
        for alarm in alarms:
            if alarm.epoch == self.state.finished_epochs:
                tqdm.write(f"{self.run.label}: ALARM, {alarm.message}", file=sys.stderr)

    def _keep_best(self, scores):
        best_on = self.run.config.best_on
        names = [f"val_{best_on}_{direction.name}" for direction in self.run.directions]
        if not scores or names[0] not in scores:
            return
        score = float(np.mean([scores[name] for name in names]))
        sign = -1 if best_on in LOWER_IS_BETTER else 1
        if self.state.best_score is None or sign * score > sign * self.state.best_score:
            self.state.best_epoch, self.state.best_score = self.state.finished_epochs, score
            self._write_generators("best")

    def _write_generators(self, which):
        with atomic.replacing(self.run.folder / WEIGHTS[which]) as partial:
            generators.pack(self.model.to_b, self.model.to_a).save(partial)

    def _write_sample(self, epoch, picture):
        if picture is not None:
            with atomic.replacing(self.run.folder / "samples" / f"epoch_{epoch:04d}.png") as partial:
                Image.fromarray(picture).save(partial)

    def _write_history(self):
        with atomic.replacing(self.run.folder / "history.csv") as partial:
            pd.DataFrame(self.state.history).astype({"epoch": int}).to_csv(partial, index=False)


def _all_finite(variables):
    return all(np.isfinite(keras.ops.convert_to_numpy(variable)).all() for variable in variables)


class Progress(keras.callbacks.Callback):
    """A bar over the whole training with the time left; where nobody watches a bar move, a line per epoch.

    Args:
        label: what is trained.
        epochs: number of epochs.
        steps: steps per epoch.
        first_epoch: epochs that are already done.
    """

    def __init__(self, label, epochs, steps, first_epoch=0):
        super().__init__()
        # Keras would otherwise wait after each step for its losses, which the bar does not show.
        self.async_safe = True
        self.label, self.epochs, self.steps, self.first_epoch = label, epochs, steps, first_epoch
        self.live = sys.stderr.isatty()

    def on_train_begin(self, logs=None):
        """Open the bar."""
        self.started = time.monotonic()
        total, done = self.epochs * self.steps, self.first_epoch * self.steps
        self.bar = tqdm(total=total, initial=done, desc=self.label, unit="step", disable=not self.live)

    def on_epoch_begin(self, epoch, logs=None):
        """Note where the epoch begins on the bar."""
        self.begun = epoch * self.steps

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar; Keras may have made several steps at a time."""
        self.bar.update(self.begun + batch + 1 - self.bar.n)

    def on_epoch_end(self, epoch, logs=None):
        """Show the part losses and the validation scores."""
        shown = {name: value for name, value in logs.items() if name != "loss" and not name.startswith(_NOT_SHOWN)}
        text = ", ".join(f"{name.removeprefix('val_')} {value:.3g}" for name, value in shown.items())
        if self.live:
            self.bar.set_postfix_str(text)
        else:
            self._print_line(epoch + 1, text)

    def on_train_end(self, logs=None):
        """Close the bar."""
        self.bar.close()

    def _print_line(self, epoch, text):
        spent = time.monotonic() - self.started
        left = spent / (epoch - self.first_epoch) * (self.epochs - epoch)
        clock = tqdm.format_interval(left)
        print(f"{self.label}: epoch {epoch}/{self.epochs}, {clock} left: {text}", flush=True)  # noqa: T201
