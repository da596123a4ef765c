"""The networks of the paper, as functional builders.

Every layer carries the network's name as a prefix, since `keras.optimizers.OptimizerMap` tells the players apart by
the paths of their variables, which do not contain the name of the network they belong to.
"""

import keras
from keras import layers

from ganlib.models.layers import ReflectionPadding2D

#: Image sides must be divisible by it: the generators halve them twice.
STRIDE = 4


def resnet_generator(name, image_shape, *, base_filters=32, num_residual_blocks=9):
    """CycleGAN's generator: two downsampling stages, residual blocks, two upsampling stages.

    Args:
        name: name of the network, and prefix of its layers' names.
        image_shape: height and width in pixels, each divisible by 4; None leaves a side free.
        base_filters: channels of the first convolution; the middle has four times as many.
        num_residual_blocks: residual blocks in the middle.

    Returns:
        `keras.Model` from (batch, height, width, 1) to the same shape, both in [-1, 1]. With 9 blocks it has 24
        convolutions.

    Raises:
        ValueError: a side is not divisible by 4.

    Reference: Zhu et al. 2017, arXiv:1703.10593; Johnson et al. 2016, arXiv:1603.08155.
    """
    _require_divisible(image_shape)
    image = keras.Input((*image_shape, 1), name=f"{name}_image")
    x = ReflectionPadding2D(3, name=f"{name}_pad_first")(image)
    x = _conv(base_filters, 7, f"{name}_first", padding="valid")(x)
    x = _norm_relu(x, f"{name}_first")
    for stage, factor in enumerate((2, 4)):
        x = _conv(base_filters * factor, 3, f"{name}_down{stage}", strides=2)(x)
        x = _norm_relu(x, f"{name}_down{stage}")
    for block in range(num_residual_blocks):
        x = _residual_block(x, base_filters * 4, f"{name}_block{block}")
    for stage, factor in enumerate((2, 1)):
        x = _transposed_conv(base_filters * factor, f"{name}_up{stage}")(x)
        x = _norm_relu(x, f"{name}_up{stage}")
    x = ReflectionPadding2D(3, name=f"{name}_pad_last")(x)
    x = _conv(1, 7, f"{name}_last", padding="valid")(x)
    return keras.Model(image, layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x), name=name)


def patch_discriminator(name, image_shape, *, base_filters=64):
    """CycleGAN's PatchGAN discriminator: a map of verdicts, each on a patch of 70 x 70 pixels.

    Args:
        name: name of the network, and prefix of its layers' names.
        image_shape: height and width in pixels.
        base_filters: channels of the first convolution; the last but one has eight times as many.

    Returns:
        `keras.Model` from (batch, height, width, 1) to (batch, height / 8, width / 8, 1), linear.

    Reference: Isola et al. 2017, arXiv:1611.07004.
    """
    image = keras.Input((*image_shape, 1), name=f"{name}_image")
    x = image
    for stage, (factor, strides) in enumerate(((1, 2), (2, 2), (4, 2), (8, 1))):
        x = _conv(base_filters * factor, 4, f"{name}_conv{stage}", strides=strides)(x)
        x = x if stage == 0 else _norm(f"{name}_norm{stage}")(x)
        x = layers.LeakyReLU(negative_slope=0.2, name=f"{name}_leaky{stage}")(x)
    verdicts = _conv(1, 4, f"{name}_verdict", dtype="float32")(x)
    return keras.Model(image, verdicts, name=name)


def intensity_map(name, image_shape, *, filters=256):
    """The Simple baseline: two 1 x 1 convolutions, a pure map from intensity to intensity.

    Args:
        name: name of the network, and prefix of its layers' names.
        image_shape: height and width in pixels.
        filters: channels between the two convolutions.

    Returns:
        `keras.Model` from (batch, height, width, 1) to the same shape, linear.

    Reference: Welander et al. 2018, arXiv:1806.07777.
    """
    image = keras.Input((*image_shape, 1), name=f"{name}_image")
    x = layers.Conv2D(filters, 1, activation="relu", name=f"{name}_hidden")(image)
    return keras.Model(image, layers.Conv2D(1, 1, dtype="float32", name=f"{name}_last")(x), name=name)


def _residual_block(x, filters, name):
    y = _conv(filters, 3, f"{name}_conv0")(x)
    y = _norm_relu(y, f"{name}_conv0")
    y = _conv(filters, 3, f"{name}_conv1")(y)
    return layers.Add(name=f"{name}_add")([x, _norm(f"{name}_norm1")(y)])


def _conv(filters, size, name, *, strides=1, padding="same", dtype=None):
    return layers.Conv2D(
        filters, size, strides=strides, padding=padding, kernel_initializer=_initializer(), dtype=dtype, name=name
    )


def _transposed_conv(filters, name):
    return layers.Conv2DTranspose(
        filters, 3, strides=2, padding="same", kernel_initializer=_initializer(), name=name
    )  # fmt: skip


def _norm(name):
    # One group per channel is instance normalisation.
    return layers.GroupNormalization(groups=-1, epsilon=1e-5, name=name)


def _norm_relu(x, name):
    return layers.ReLU(name=f"{name}_relu")(_norm(f"{name}_norm")(x))


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)


def _require_divisible(image_shape):
    for side in image_shape:
        if side is not None and side % STRIDE:
            raise ValueError(f"image shape {tuple(image_shape)}: each side must be divisible by {STRIDE}")
