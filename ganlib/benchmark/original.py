"""The order of the paper's code, in Keras: five optimiser steps where ours makes one.

The fakes are predicted first. Each discriminator is updated on a real batch and then on a fake one; last come the
generators, whose combined model translates once more. The networks and their loss weights are ours; the layers are
Keras's own, as people have them, or ours (`ganlib.models.convolutions`) for contender `original-our-layers`.
"""

import math
from abc import abstractmethod

import keras
import numpy as np

from ganlib.benchmark.entry import SteppingEntry, random_slices, shuffled
from ganlib.benchmark.ours import run_config
from ganlib.models import convolutions, layers
from ganlib.models.normalisation import InstanceNormalization
from ganlib.models.processor import keep_freed_memory
from ganlib.models.registry import method_options
from ganlib.training.fit import compiled_model, prepare_backend

_STOCK = {
    convolutions.Conv2D: keras.layers.Conv2D,
    convolutions.Conv2DTranspose: keras.layers.Conv2DTranspose,
    layers.Dropout: keras.layers.Dropout,
    InstanceNormalization: keras.layers.GroupNormalization,
}


class OriginalOrder(SteppingEntry):
    """Base of both methods' original order, with Keras's stock `predict_on_batch` and `train_on_batch`.

    Args:
        contender, settings, device: as of every `Entry`.
    """

    def __init__(self, contender, settings, device):
        super().__init__(contender, settings, device)
        self.options = method_options(settings.method, settings.options)
        config = run_config(contender, settings, self.options)
        prepare_backend(config)
        #: Ours, whose networks are used; its own optimiser and its training step are not.
        self.model = compiled_model(config, self.options, settings.steps_per_epoch)
        if contender.kind == "original":
            use_stock_layers(self.model)
        else:
            keep_freed_memory()
        self.judges = (self.model.judge_a, self.model.judge_b)
        self.how = {"jit_compile": self.model.jit_compile, "steps_per_execution": 1}
        for judge in self.judges:
            judge.compile(self._adam(), **self.judge_losses(), **self.how)
        self.generators = self.combined()
        self.labels = [
            [np.full((settings.batch_size, *output.shape[1:]), value, np.float32) for output in self.judges[0].outputs]
            for value in (0.0, 1.0)
        ]

    @abstractmethod
    def judge_losses(self):
        """Keywords `loss` and `loss_weights` with which a discriminator is compiled."""

    @abstractmethod
    def combined(self):
        """The model from both real images to everything that the generators' losses look at, compiled."""

    @abstractmethod
    def targets(self, a, b):
        """What the outputs of the combined model should be."""

    def pooled(self, fakes):
        """The fakes that the discriminators see, given those just predicted."""
        return fakes

    @property
    def num_parameters(self):
        """Trainable numbers in all networks."""
        return sum(math.prod(variable.shape) for variable in self.model.trainable_variables)

    def step(self, a, b):
        """One training step on arrays (batch, height, width, 1).

        Returns:
            Dictionary of losses: the generators' weighted sum, and the discriminators' over both contrasts.
        """
        predicted = self.model.to_a.predict_on_batch(b), self.model.to_b.predict_on_batch(a)
        judged = 0.0
        self._let_judges_learn(True)
        for judge, real, fake in zip(self.judges, (a, b), self.pooled(predicted), strict=True):
            judged += self._judge(judge, real, 1) + self._judge(judge, fake, 0)
        self._let_judges_learn(False)
        logs = self.generators.train_on_batch([a, b], self.targets(a, b), return_dict=True)
        return {"generators": logs["loss"], "discriminator": judged}

    def batches(self):
        """Endless pairs of batches."""
        slices = random_slices(self.settings)[..., np.newaxis]
        orders = (shuffled(slices.shape[1], self.settings.batch_size, [self.settings.seed, side]) for side in range(2))
        for order_a, order_b in zip(*orders, strict=True):
            yield slices[0, order_a], slices[1, order_b]

    def _judge(self, judge, images, label):
        labels = self.labels[label]
        target = labels if len(labels) > 1 else labels[0]
        return judge.train_on_batch(images, target, return_dict=True)["loss"]

    def _let_judges_learn(self, flag):
        # In Keras 3 the flag is alive: it is not kept as it was when a model was compiled.
        for judge in self.judges:
            judge.trainable = flag

    def _adam(self):
        return keras.optimizers.Adam(self.options.learning_rate, beta_1=0.5, beta_2=0.999)


def use_stock_layers(model):
    """Turn our layers into Keras's, weights and all: ours add a way to compute and nothing else."""
    for layer in model._flatten_layers():
        if isinstance(layer, convolutions.Conv2D):
            # Ours casts the kernel itself; Keras's has it cast.
            layer.kernel._autocast = True
        # Past Keras's own __setattr__, which would track the class as a part of the layer.
        object.__setattr__(layer, "__class__", _STOCK.get(type(layer), type(layer)))
