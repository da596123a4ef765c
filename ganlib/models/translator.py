"""What all methods share: two generators that translate both ways, and a loss made of named parts."""

from typing import ClassVar

import keras
from keras import ops

from ganlib.models.adam import Adam


class Translator(keras.Model):
    """Base of every method: generators A to B and B to A, trained by Keras's own `fit`.

    A method names the parts of its loss with their weights, and computes them in `loss_parts`. There is no
    `train_step`: the generators' terms and the discriminators' terms are added up, and stopped gradients keep every
    player to its own part, so that one backward pass updates all players exactly.

    Args:
        to_b: generator from contrast A to contrast B.
        to_a: generator from contrast B to contrast A.
        weights_of_parts: dictionary from the name of a loss part to its weight in the total.
    """

    #: The method's name in print.
    LABEL: ClassVar[str]
    #: True if training needs both contrasts of the same subject in one batch.
    PAIRED: ClassVar[bool]

    def __init__(self, to_b, to_a, weights_of_parts, **kwargs):
        super().__init__(**kwargs)
        self.to_b, self.to_a = to_b, to_a
        self.weights_of_parts = dict(weights_of_parts)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in weights_of_parts}

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Build the networks and the model.

        Args:
            options: the method's `Options`.
            image_shape: height and width in pixels, each divisible by 4.
            batch_size: images of each contrast per step.
            seed: seed of what the model draws while training.
        """
        raise NotImplementedError

    def make_optimizer(self, schedule):
        """The optimiser of all players, given a learning rate or a schedule of it."""
        raise NotImplementedError

    @staticmethod
    def discriminator_at_chance(options):
        """The loss part `discriminator` while the discriminators guess, or None where there are none."""

    def loss_parts(self, real, synthetic):
        """The parts of the loss by name, before weighting.

        Args:
            real: pair (A, B) of arrays (batch, height, width, 1), in [-1, 1].
            synthetic: pair (synthetic A, synthetic B) of the same shape.
        """
        raise NotImplementedError

    def build(self, input_shape):
        """Nothing to do: the networks are built when they are made."""
        self.built = True

    def call(self, inputs, training=False):
        """Translate both ways.

        Args:
            inputs: pair (A, B) of float arrays (batch, height, width, 1), in [-1, 1].
            training: passed on to the generators.

        Returns:
            Pair (synthetic A, synthetic B) of the same shapes.
        """
        a, b = inputs
        return self.to_a(b, training=training), self.to_b(a, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Weighted sum of the loss parts, each of which is tracked for the progress bar and the history."""
        parts = self.loss_parts(x, y_pred)
        for name, value in parts.items():
            self.trackers[name].update_state(value)
        return sum(self.weights_of_parts[name] * value for name, value in parts.items())


def mean_absolute_error(target, synthetic):
    """Mean absolute difference of two batches."""
    return ops.mean(ops.abs(ops.cast(target, "float32") - ops.cast(synthetic, "float32")))


def middle_channel(images):
    """The middle one of several neighbouring slices.

    Args:
        images: array (batch, height, width, channels), the number of channels odd.

    Returns:
        Array (batch, height, width, 1).
    """
    middle = images.shape[-1] // 2
    return images[..., middle : middle + 1]


def least_squares(verdicts, label):
    """Least-squares adversarial loss: mean squared distance of the verdicts from a label.

    Args:
        verdicts: a discriminator's map of verdicts, or a list of them, one per scale, whose losses are added.
        label: what the verdicts should be.

    Reference: Mao et al. 2017, arXiv:1611.04076.
    """
    return sum(ops.mean(ops.square(ops.cast(scale, "float32") - label)) for scale in _scales(verdicts))


def cross_entropy(logits, label):
    """Binary cross-entropy of a sigmoid, computed from what goes into the sigmoid.

    Args:
        logits: a discriminator's map of verdicts before the sigmoid, or a list of them, one per scale, whose losses
            are added.
        label: what the sigmoid should be, in [0, 1].

    Reference: Goodfellow et al. 2014, arXiv:1406.2661.
    """
    scales = (ops.cast(scale, "float32") for scale in _scales(logits))
    return sum(ops.mean(ops.softplus(scale) - label * scale) for scale in scales)


def judging(judge, real, fake, *, label_smoothing=0.0):
    """A discriminator's least-squares loss: half the errors on real and on synthetic images, which slows it down.

    Args:
        judge: the discriminator.
        real: batch of real images.
        fake: batch of synthetic images, cut off from the generator.
        label_smoothing: how far below 1 the verdicts on real images should be.
    """
    return 0.5 * (least_squares(judge(real), 1.0 - label_smoothing) + least_squares(judge(fake), 0.0))


def two_player_adam(schedule):
    """One Adam for the generators, another for the discriminators, told apart by the layers' names.

    Args:
        schedule: learning rate, or a schedule of it.
    """
    generators, discriminators = (Adam(schedule, beta_1=0.5, beta_2=0.999) for _ in range(2))
    players = keras.optimizers.OptimizerMap(generators, {"judge_.*": discriminators})
    return keras.optimizers.MultiOptimizer(players)


def frozen(network, inputs):
    """Evaluate a network with stopped weights: gradients reach its inputs, but not its weights."""
    weights = [ops.stop_gradient(variable) for variable in network.trainable_variables]
    others = [ops.convert_to_tensor(variable) for variable in network.non_trainable_variables]
    return network.stateless_call(weights, others, inputs)[0]


def _scales(verdicts):
    return verdicts if isinstance(verdicts, (list, tuple)) else [verdicts]
