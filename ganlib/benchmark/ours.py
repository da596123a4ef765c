"""Ours: the training of `ganlib.training`, with the turns taken inside Keras's `fit`."""

import math

import keras
import numpy as np

from ganlib.benchmark.entry import Entry, random_slices
from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.models.processor import keep_freed_memory
from ganlib.models.registry import method, method_options
from ganlib.runs import RunConfig
from ganlib.training.batches import SliceBatches
from ganlib.training.fit import compiled_model, prepare_backend
from ganlib.training.monitor import Progress
from ganlib.training.slices import HeldSlices


class Ours(Entry):
    """The model that `ganlib.training.fit` compiles, on the batches that it reads, driven as it drives them."""

    def __init__(self, contender, settings, device):
        super().__init__(contender, settings, device)
        self.options = method_options(settings.method, settings.options)
        self.config = run_config(contender, settings, self.options)
        prepare_backend(self.config)
        keep_freed_memory()
        self.batches = SliceBatches(
            *map(self._repeated, random_slices(settings)), batch_size=settings.batch_size,
            paired=method(settings.method).PAIRED, seed=settings.seed, epochs=range(1),
        )  # fmt: skip
        self.model = compiled_model(self.config, self.options, settings.steps_per_epoch)
        self._require_whole_turns()

    def _repeated(self, images):
        """As many slices as there are steps to take, with few in memory: all turns are one epoch."""
        number = self.settings.batch_size * self.settings.turns * self.settings.steps_per_turn
        return HeldSlices(images, (np.arange(number) % len(images))[:, np.newaxis])

    def _require_whole_turns(self):
        at_a_time, steps = self.model.steps_per_execution, self.settings.steps_per_turn
        if steps % at_a_time:
            raise InputError(
                f"contender {self.contender.name}: TensorFlow makes {at_a_time} steps at a time on a GPU; "
                f"give --steps-per-turn a multiple of that (now {steps})"
            )

    @property
    def num_parameters(self):
        """Trainable numbers in all networks."""
        return sum(math.prod(variable.shape) for variable in self.model.trainable_variables)

    def train(self, turns):
        """Take all turns."""
        steps = self.batches.steps
        callbacks = [TakeTurns(turns, self.settings.steps_per_turn), Progress("benchmark", 1, steps)]
        self.model.fit(
            self.batches.for_backend(), epochs=1, steps_per_epoch=steps, shuffle=False, callbacks=callbacks, verbose=0
        )
        self.batches.close()

    def translators(self):
        """Our own way to translate, and Keras's."""
        network = self.model.to_b
        return {
            "compiled": generators.compiled(network),
            "predict": lambda images: network.predict(images, verbose=0),
        }


class TakeTurns(keras.callbacks.Callback):
    """Stops the training between two steps until it is its turn.

    A turn ends where the next one begins. There is no `on_train_batch_end`: Keras calls that one from another thread,
    so that the training may run ahead of the device, and so it must here.

    Args:
        turns: `Turns`.
        steps_per_turn: steps between two stops.
    """

    def __init__(self, turns, steps_per_turn):
        super().__init__()
        self.turns, self.steps_per_turn = turns, steps_per_turn

    def on_train_batch_begin(self, batch, logs=None):
        """Before a step: hand over, and wait, if it is the first of a turn."""
        if batch % self.steps_per_turn:
            return
        if batch:
            self.turns.end()
        self.turns.begin()

    def on_epoch_end(self, epoch, logs=None):
        """After the last step."""
        self.turns.end()


def run_config(contender, settings, options):
    """The `RunConfig` of a training as measured; there is no cohort."""
    chosen = method(settings.method)
    own = options.model_dump()
    return RunConfig(
        method=settings.method, method_label=chosen.LABEL, cohort="", cohort_fingerprint="", phantom=True,
        contrasts=("A", "B"), image_shape=settings.size, seed=settings.seed, epochs=1, batch_size=settings.batch_size,
        learning_rate=own.pop("learning_rate"), options=own, deterministic=settings.deterministic,
        precision="float32" if contender.precision == "float32" else f"mixed_{contender.precision}",
    )  # fmt: skip
