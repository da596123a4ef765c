"""UNIT: two domains that share a latent space."""

import itertools
import math
from typing import Literal, NamedTuple

import keras
from keras import layers, ops
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from ganlib.models.convolutions import Conv2D, Conv2DTranspose
from ganlib.models.layers import Dropout, LatentNoise, ReflectionPadding2D
from ganlib.models.networks import STRIDE, require_divisible
from ganlib.models.normalisation import InstanceNormalization
from ganlib.models.options import MethodOptions
from ganlib.models.translator import Translator, cross_entropy, frozen, mean_absolute_error, two_player_adam

_INITIALIZERS = {
    "normal": lambda: keras.initializers.RandomNormal(stddev=0.02),
    "glorot": keras.initializers.GlorotUniform,
    "he": keras.initializers.HeNormal,
}
Initializer = Literal["normal", "glorot", "he"]


class UNIT(Translator):
    """Unpaired translation through a latent space that both contrasts share.

    Each contrast has an encoder into the shared space and a decoder out of it; translating is encoding with the one
    and decoding with the other. While training, the latent mean gets normal noise; a translation decodes the latent
    mean itself, so that the same image always gives the same answer (`ganlib.models.generators.sampled` draws
    instead). Discriminators look at three scales. Their sigmoid is part of their loss.

    Reference: Liu et al. 2017, arXiv:1703.00848.
    """

    LABEL = "UNIT"
    PAIRED = False

    class Options(MethodOptions):
        """Settings of UNIT."""

        AS_RELEASED_2018 = {
            **MethodOptions.AS_RELEASED_2018,
            "initializer": "glorot",
            "discriminator_initializer": "glorot",
            "weight_decay": 0.0,
        }

        learning_rate: PositiveFloat = 1e-4
        base_filters: PositiveInt = Field(64, description="channels of the encoders' first convolution")
        num_residual_blocks: NonNegativeInt = Field(3, description="in each encoder and in each decoder, unshared")
        discriminator_filters: PositiveInt = Field(64, description="channels of the discriminators' first convolution")
        discriminator_scales: PositiveInt = Field(3, description="resolutions at which an image is judged")
        discriminator_norm: Literal["none", "instance"] = "none"
        initializer: Initializer = Field("normal", description="of encoders and decoders; normal: N(0, 0.02)")
        discriminator_initializer: Initializer = Field(
            "he",
            description="normal, as in the paper, leaves them deaf: verdicts of 0.002 at first, guessing for epochs",
        )
        weight_decay: NonNegativeFloat = Field(5e-5, description="pull on every kernel, as a fraction of it (L2)")
        dropout: float = Field(0.5, ge=0, lt=1, description="in the residual blocks, while training")
        latent_noise: NonNegativeFloat = Field(1.0, description="standard deviation of the latent sample")
        adversarial_weight: NonNegativeFloat = 10.0
        latent_weight: NonNegativeFloat = 0.1
        reconstruction_weight: NonNegativeFloat = 100.0
        cycle_latent_weight: NonNegativeFloat = 0.1
        cycle_weight: NonNegativeFloat = 100.0

        @property
        def stride(self):
            """What the sides of an image must be divisible by."""
            return STRIDE

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Encoders, decoders, what they share, the discriminators, and the generators made of them."""
        require_divisible(image_shape)
        build = _Builder(options, image_shape, seed)
        own = {name: build.encoder(name) for name in ("encode_a", "encode_b")}
        own |= {name: build.shared_block(name) for name in ("shared_encode", "shared_decode")}
        own |= {name: build.decoder(name) for name in ("decode_a", "decode_b")}
        own |= {name: build.discriminator(name) for name in ("judge_a", "judge_b")}
        own["noise"] = LatentNoise(options.latent_noise, seed=next(build.seeds), name="latent_noise")
        between = own["shared_encode"], own["noise"], own["shared_decode"]
        to_b = _chain("to_b", own["encode_a"], *between, own["decode_b"])
        to_a = _chain("to_a", own["encode_b"], *between, own["decode_a"])
        model = cls(to_b, to_a, cls.part_weights(options), name="unit")
        for name, part in own.items():
            setattr(model, name, part)
        return model

    @staticmethod
    def part_weights(options):
        """Weight of each part of the loss; the decay is left out where its weight is 0."""
        weights = {
            "adversarial": options.adversarial_weight,
            "latent": options.latent_weight,
            "reconstruction": options.reconstruction_weight,
            "cycle_latent": options.cycle_latent_weight,
            "cycle": options.cycle_weight,
            "discriminator": options.adversarial_weight,
        }
        return {**weights, "decay": options.weight_decay} if options.weight_decay else weights

    def make_optimizer(self, schedule):
        """One Adam for the encoders and decoders, another for the discriminators."""
        return two_player_adam(schedule)

    def call(self, inputs, training=False):
        """Translate both ways.

        Args:
            inputs: pair (A, B) of float arrays (batch, height, width, 1), in [-1, 1].
            training: True to draw latent samples and to keep what the losses need.

        Returns:
            Pair (synthetic A, synthetic B) of the same shapes; while training a `Halfway`.
        """
        if not training:
            return super().call(inputs)
        means, samples = self._latent(*inputs)
        own_a, synthetic_a = ops.split(self.decode_a(samples, training=True), 2)
        synthetic_b, own_b = ops.split(self.decode_b(samples, training=True), 2)
        return Halfway(means, (own_a, own_b), (synthetic_a, synthetic_b))

    @staticmethod
    def discriminator_at_chance(options):
        """The discriminators' loss while they guess."""
        return 4 * options.discriminator_scales * math.log(2)

    def loss_parts(self, real, halfway):
        """Adversarial, latent, reconstruction, cycle and discriminator losses, each over both contrasts."""
        judges, synthetic = (self.judge_a, self.judge_b), halfway.synthetic
        cycle_means, samples = self._latent(*synthetic)
        # The first half comes from synthetic A, thus from a real B.
        of_b, of_a = ops.split(samples, 2)
        back = self.decode_a(of_a, training=True), self.decode_b(of_b, training=True)
        fooled = [cross_entropy(frozen(*pair), 1.0) for pair in zip(judges, synthetic, strict=True)]
        judged = [self._judging(*each) for each in zip(judges, real, synthetic, strict=True)]
        parts = {
            "adversarial": sum(fooled),
            "latent": _mean_squares(halfway.means),
            "reconstruction": sum(map(mean_absolute_error, real, halfway.own)),
            "cycle_latent": _mean_squares(cycle_means),
            "cycle": sum(map(mean_absolute_error, real, back)),
            "discriminator": sum(judged),
        }
        return {**parts, "decay": self._decay()} if "decay" in self.weights_of_parts else parts

    def _latent(self, a, b):
        """Latent means of images of A and of B, and samples past the shared decoder, as one batch: A's, then B's."""
        features = [self.encode_a(a, training=True), self.encode_b(b, training=True)]
        means = self.shared_encode(ops.concatenate(features), training=True)
        return means, self.shared_decode(self.noise(means, training=True), training=True)

    @staticmethod
    def _judging(judge, real, synthetic):
        return cross_entropy(judge(real), 1.0) + cross_entropy(judge(ops.stop_gradient(synthetic)), 0.0)

    def _decay(self):
        """Half the squared kernels of all players: its gradient is the kernels themselves."""
        kernels = [variable for variable in self.trainable_variables if variable.path.endswith("/kernel")]
        return 0.5 * sum(ops.sum(ops.square(kernel)) for kernel in kernels)


class Halfway(NamedTuple):
    """What a training step of UNIT knows before the way back.

    Fields:
        means: latent means of both real images, one batch.
        own: pair (A, B) of within-domain reconstructions.
        synthetic: pair (synthetic A, synthetic B).
    """

    means: object
    own: tuple
    synthetic: tuple


class _Builder:
    """Builds UNIT's networks, with seeds that differ from layer to layer."""

    def __init__(self, options, image_shape, seed):
        self.options, self.image_shape, self.seeds = options, tuple(image_shape), itertools.count(1000 * seed)
        self.latent_shape = (*(side // STRIDE for side in image_shape), 4 * options.base_filters)
        self.initializer = _INITIALIZERS[options.initializer]

    def encoder(self, name):
        """From an image to features (batch, height / 4, width / 4, 4 base_filters)."""
        filters = self.options.base_filters
        image = keras.Input((*self.image_shape, 1), name=f"{name}_image")
        x = ReflectionPadding2D(3, name=f"{name}_pad")(image)
        x = _leaky(self._conv(filters, 7, f"{name}_first", padding="valid")(x), f"{name}_first")
        for stage, factor in enumerate((2, 4)):
            x = _leaky(self._conv(filters * factor, 3, f"{name}_down{stage}", strides=2)(x), f"{name}_down{stage}")
        return keras.Model(image, self._residual_blocks(x, name), name=name)

    def shared_block(self, name):
        """One residual block, used by both contrasts: from features to the latent mean, or from the latent sample."""
        latent = keras.Input(self.latent_shape, name=f"{name}_latent")
        return keras.Model(latent, self._residual_block(latent, name), name=name)

    def decoder(self, name):
        """From features to an image in [-1, 1]."""
        latent = keras.Input(self.latent_shape, name=f"{name}_latent")
        x = self._residual_blocks(latent, name)
        for stage, factor in enumerate((2, 1)):
            filters = self.options.base_filters * factor
            x = _leaky(self._transposed_conv(filters, 3, 2, f"{name}_up{stage}")(x), f"{name}_up{stage}")
        x = self._transposed_conv(1, 1, 1, f"{name}_last")(x)
        return keras.Model(latent, layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x), name=name)

    def discriminator(self, name):
        """Logits (batch, height / 16, width / 16, 1) at each scale, the finest first, as a list."""
        x = image = keras.Input((*self.image_shape, 1), name=f"{name}_image")
        logits = []
        for scale in range(self.options.discriminator_scales):
            prefix = f"{name}_scale{scale}"
            x = layers.AveragePooling2D(2, name=f"{prefix}_pool")(x) if scale else x
            logits.append(self._logits(x, prefix))
        return keras.Model(image, logits, name=name)

    def _logits(self, x, name):
        draw = _INITIALIZERS[self.options.discriminator_initializer]
        for stage, factor in enumerate((1, 2, 4, 8)):
            filters = self.options.discriminator_filters * factor
            x = self._conv(filters, 3, f"{name}_conv{stage}", strides=2, initializer=draw)(x)
            if stage and self.options.discriminator_norm == "instance":
                x = _norm(f"{name}_norm{stage}")(x)
            x = _leaky(x, f"{name}_conv{stage}")
        return self._conv(1, 1, f"{name}_verdict", initializer=draw, dtype="float32")(x)

    def _residual_blocks(self, x, name):
        for block in range(self.options.num_residual_blocks):
            x = self._residual_block(x, f"{name}_block{block}")
        return x

    def _residual_block(self, x, name):
        filters = x.shape[-1]
        y = _norm(f"{name}_norm0")(self._conv(filters, 3, f"{name}_conv0")(x))
        y = layers.ReLU(name=f"{name}_relu")(y)
        y = _norm(f"{name}_norm1")(self._conv(filters, 3, f"{name}_conv1")(y))
        if self.options.dropout:
            y = Dropout(self.options.dropout, seed=next(self.seeds), name=f"{name}_dropout")(y)
        return layers.Add(name=f"{name}_add")([x, y])

    def _conv(self, filters, size, name, *, strides=1, padding="same", initializer=None, dtype=None):
        drawn = (initializer or self.initializer)()
        own = {"strides": strides, "padding": padding, "dtype": dtype, "name": name}
        return Conv2D(filters, size, kernel_initializer=drawn, **own)

    def _transposed_conv(self, filters, size, strides, name):
        own = {"strides": strides, "padding": "same", "name": name}
        return Conv2DTranspose(filters, size, kernel_initializer=self.initializer(), **own)


def _chain(name, *parts):
    image = x = keras.Input(parts[0].input_shape[1:], name=f"{name}_image")
    for part in parts:
        x = part(x)
    return keras.Model(image, x, name=name)


def _norm(name):
    # At batch 1 the batch normalisation of the paper's code is instance normalisation.
    return InstanceNormalization(epsilon=1e-5, name=name)


def _leaky(x, name):
    return layers.LeakyReLU(negative_slope=0.01, name=f"{name}_leaky")(x)


def _mean_squares(means):
    """Mean square of either half of a batch, added."""
    return 2 * ops.mean(ops.square(ops.cast(means, "float32")))
