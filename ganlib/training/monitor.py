"""What happens at the end of each epoch: validation scores, a sample picture, history, checkpoint, progress."""

import sys
import time

import keras
import numpy as np
import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from ganlib import atomic
from ganlib.evaluation import metrics
from ganlib.models import generators
from ganlib.training import checkpoint

#: Validation score that decides which epoch's generators are kept as the best: the mean over both directions.
BEST_ON = "val_psnr_db"
_SAMPLE_SUBJECTS = 4


class Validator:
    """Scores the generators on the validation subjects, under protocol `masked`.

    Args:
        cohort: the open cohort.
        directions: both `Direction`s of the run.
        model: the `Translator` in training.
    """

    def __init__(self, cohort, directions, model):
        self.directions = directions
        networks = (model.to_b, model.to_a)
        self.translate = {
            direction: generators.compiled(network) for direction, network in zip(directions, networks, strict=True)
        }
        self.ids = cohort.ids("validation")
        self.scaled = {
            contrast: [cohort.scaled(subject_id, contrast) for subject_id in self.ids]
            for contrast in directions[0]
        }  # fmt: skip
        self.masks = [cohort.mask(subject_id) for subject_id in self.ids]

    def synthetic(self, direction, index):
        """Translation of the validation subject number `index`: float32 (slices, height, width), in [-1, 1]."""
        return self.translate[direction](self.scaled[direction.source][index][..., np.newaxis])[..., 0]

    def scores(self):
        """Mean over the subjects of MAE (fraction of range) and PSNR (dB) of each direction, by column name."""
        if not self.ids:
            return {}
        return {key: value for direction in self.directions for key, value in self._of(direction).items()}

    def _of(self, direction):
        pairs = []
        for index, mask in enumerate(self.masks):
            target, synthetic = self.scaled[direction.target][index], self.synthetic(direction, index)
            # Network units span 2 where the range spans 1.
            mae = metrics.mae(target, synthetic, mask=mask) / 2
            pairs.append((mae, metrics.psnr(target, synthetic, mask=mask, data_range=2)))
        mae, psnr_db = np.mean(pairs, axis=0)
        return {f"val_mae_{direction.name}": float(mae), f"val_psnr_db_{direction.name}": float(psnr_db)}

    def sample_picture(self):
        """The first validation subjects, one row each: for both directions source, synthetic and target.

        Returns:
            uint8 array (rows, columns) or None without validation subjects.
        """
        rows = []
        for index in range(min(_SAMPLE_SUBJECTS, len(self.ids))):
            middle = len(self.masks[index]) // 2
            for direction in self.directions:
                rows.append([
                    self.scaled[direction.source][index][middle],
                    self.synthetic(direction, index)[middle],
                    self.scaled[direction.target][index][middle],
                ])  # fmt: skip
        if not rows:
            return None
        rows = [np.hstack(forth + back) for forth, back in zip(rows[::2], rows[1::2], strict=True)]
        return np.uint8(np.clip((np.vstack(rows) + 1) * 127.5, 0, 255))


class RunRecorder(keras.callbacks.Callback):
    """Writes the run folder at the end of each epoch; the checkpoint comes last and makes the epoch count.

    Args:
        run: the `Run`.
        validator: a `Validator`.
        state: the `TrainingState` that training starts from.
    """

    def __init__(self, run, validator, state):
        super().__init__()
        self.run, self.validator, self.state = run, validator, state

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Validate, keep the best generators, write sample, history and checkpoint."""
        # Keras's own `loss` is the sum over all players, which means nothing.
        parts = {name: float(value) for name, value in logs.items() if name != "loss"}
        scores = self.validator.scores()
        logs.update(scores)
        seconds = time.perf_counter() - self.started
        self.state.history.append({"epoch": epoch + 1, "seconds": seconds, **parts, **scores})
        self.state.finished_epochs = epoch + 1
        self._keep_best(scores)
        self._write_sample(epoch + 1)
        self._write_history()
        checkpoint.save(self.run.folder, self.model, self.state)

    def on_train_end(self, logs=None):
        """Write the last generators; without validation subjects they are the best ones known."""
        self._write_generators("last")
        if self.state.best_epoch is None:
            self._write_generators("best")

    def _keep_best(self, scores):
        values = [value for name, value in scores.items() if name.startswith(BEST_ON)]
        if values and (self.state.best_score is None or np.mean(values) > self.state.best_score):
            self.state.best_epoch, self.state.best_score = self.state.finished_epochs, float(np.mean(values))
            self._write_generators("best")

    def _write_generators(self, which):
        name = {"best": "generators.keras", "last": "generators_last.keras"}[which]
        with atomic.replacing(self.run.folder / name) as partial:
            generators.pack(self.model.to_b, self.model.to_a).save(partial)

    def _write_sample(self, epoch):
        picture = self.validator.sample_picture()
        if picture is not None:
            with atomic.replacing(self.run.folder / "samples" / f"epoch_{epoch:04d}.png") as partial:
                Image.fromarray(picture).save(partial)

    def _write_history(self):
        with atomic.replacing(self.run.folder / "history.csv") as partial:
            pd.DataFrame(self.state.history).astype({"epoch": int}).to_csv(partial, index=False)


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
        self.label, self.epochs, self.steps, self.first_epoch = label, epochs, steps, first_epoch
        self.live = sys.stderr.isatty()

    def on_train_begin(self, logs=None):
        """Open the bar."""
        self.started = time.monotonic()
        total, done = self.epochs * self.steps, self.first_epoch * self.steps
        self.bar = tqdm(total=total, initial=done, desc=self.label, unit="step", disable=not self.live)

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        """Show the part losses and the validation scores."""
        shown = {name: value for name, value in logs.items() if name != "loss" and not name.startswith("val_mae")}
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
