"""The networks of the paper, as functional builders.

Every layer carries the network's name as a prefix, since `keras.optimizers.OptimizerMap` tells the players apart by
the paths of their variables, which do not contain the name of the network they belong to.
"""

import keras
from keras import layers

from ganlib.errors import InputError
from ganlib.models.convolutions import Conv2D, Conv2DTranspose
from ganlib.models.layers import ReflectionPadding2D
from ganlib.models.normalisation import InstanceNormalization

#: Image sides must be divisible by it: the generators halve them twice.
STRIDE = 4


def resnet_generator(
    name,
    image_shape,
    *,
    base_filters=32,
    num_residual_blocks=9,
    num_halvings=2,
    upsampling="transposed",
    residual_padding="zero",
    input_channels=1,
):
    """CycleGAN's generator: downsampling stages, residual blocks, as many upsampling stages.

    Args:
        name: name of the network, and prefix of its layers' names.
        image_shape: height and width in pixels, each divisible by 2 to the power of `num_halvings`; None leaves a
            side free.
        base_filters: channels of the first convolution; every halving doubles them.
        num_residual_blocks: residual blocks in the middle.
        num_halvings: downsampling stages.
        upsampling: `"transposed"` convolution, or `"resize"`: nearest-neighbour resizing and convolution, which leaves
            no chequerboard (Odena et al. 2016, doi:10.23915/distill.00003).
        residual_padding: borders in the residual blocks, `"zero"` or `"reflect"`.
        input_channels: channels of the source, such as neighbouring slices.

    Returns:
        `keras.Model` from (batch, height, width, input_channels) to (batch, height, width, 1), both in [-1, 1]. By
        default it has 24 convolutions.

    Raises:
        InputError: a side is not divisible.

    Reference: Zhu et al. 2017, arXiv:1703.10593; Johnson et al. 2016, arXiv:1603.08155.
    """
    require_divisible(image_shape, 2**num_halvings)
    image = keras.Input((*image_shape, input_channels), name=f"{name}_image")
    x = ReflectionPadding2D(3, name=f"{name}_pad_first")(image)
    x = _conv(base_filters, 7, f"{name}_first", padding="valid")(x)
    x = _norm_relu(x, f"{name}_first")
    for stage in range(num_halvings):
        x = _conv(base_filters * 2 ** (stage + 1), 3, f"{name}_down{stage}", strides=2)(x)
        x = _norm_relu(x, f"{name}_down{stage}")
    for block in range(num_residual_blocks):
        x = _residual_block(x, f"{name}_block{block}", residual_padding)
    for stage in range(num_halvings):
        x = _UPSAMPLING[upsampling](x, base_filters * 2 ** (num_halvings - stage - 1), f"{name}_up{stage}")
        x = _norm_relu(x, f"{name}_up{stage}")
    x = ReflectionPadding2D(3, name=f"{name}_pad_last")(x)
    x = _conv(1, 7, f"{name}_last", padding="valid")(x)
    return keras.Model(image, layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x), name=name)


def patch_discriminator(
    name, image_shape, *, base_filters=64, scales=1, num_halvings=3, output="linear", input_channels=1
):
    """CycleGAN's PatchGAN discriminator: a map of verdicts, each on a patch of 70 x 70 pixels.

    Args:
        name: name of the network, and prefix of its layers' names.
        image_shape: height and width in pixels.
        base_filters: channels of the first convolution; the last but one has eight times as many.
        scales: 2 judges the image at half resolution as well, by layers of its own.
        num_halvings: how many of the first four convolutions have stride 2: 3, or 4 (patches of 94 x 94 pixels).
        output: `"linear"` or `"sigmoid"`.
        input_channels: channels of the image; 2 for a pair of source and target.

    Returns:
        `keras.Model` from (batch, height, width, input_channels) to (batch, height / 8, width / 8, 1); with two scales
        to a list of two such maps, the finer one first.

    Reference: Isola et al. 2017, arXiv:1611.07004; two scales as in Wang et al. 2018, arXiv:1711.11585.
    """
    image = keras.Input((*image_shape, input_channels), name=f"{name}_image")
    verdicts, x = [], image
    for scale in range(scales):
        prefix = f"{name}_half" if scale else name
        x = layers.AveragePooling2D(2, name=f"{prefix}_pool")(x) if scale else x
        verdicts.append(_patch_verdicts(x, prefix, base_filters, num_halvings, output))
    return keras.Model(image, verdicts if scales > 1 else verdicts[0], name=name)


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
    x = Conv2D(filters, 1, activation="relu", name=f"{name}_hidden")(image)
    return keras.Model(image, Conv2D(1, 1, dtype="float32", name=f"{name}_last")(x), name=name)


def require_divisible(image_shape, divisor=STRIDE):
    """Refuse an image shape whose sides a network cannot halve often enough.

    Raises:
        InputError: a side is not divisible.
    """
    for side in image_shape:
        if side is not None and side % divisor:
            raise InputError(f"image shape {tuple(image_shape)}: each side must be divisible by {divisor}")


def _patch_verdicts(x, name, base_filters, num_halvings, output):
    for stage, factor in enumerate((1, 2, 4, 8)):
        x = _conv(base_filters * factor, 4, f"{name}_conv{stage}", strides=2 if stage < num_halvings else 1)(x)
        x = x if stage == 0 else _norm(f"{name}_norm{stage}")(x)
        x = layers.LeakyReLU(negative_slope=0.2, name=f"{name}_leaky{stage}")(x)
    verdicts = _conv(1, 4, f"{name}_verdict", dtype="float32")(x)
    if output == "linear":
        return verdicts
    return layers.Activation(output, dtype="float32", name=f"{name}_{output}")(verdicts)


def _residual_block(x, name, padding):
    y = _norm_relu(_residual_conv(x, f"{name}_conv0", padding), f"{name}_conv0")
    y = _residual_conv(y, f"{name}_conv1", padding)
    return layers.Add(name=f"{name}_add")([x, _norm(f"{name}_norm1")(y)])


def _residual_conv(x, name, padding):
    filters = x.shape[-1]
    if padding == "zero":
        return _conv(filters, 3, name)(x)
    return _conv(filters, 3, name, padding="valid")(ReflectionPadding2D(1, name=f"{name}_pad")(x))


def _transposed_conv(x, filters, name):
    return Conv2DTranspose(
        filters, 3, strides=2, padding="same", kernel_initializer=_initializer(), name=name
    )(x)  # fmt: skip


def _resize_conv(x, filters, name):
    return _conv(filters, 3, name)(layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_resize")(x))


_UPSAMPLING = {"transposed": _transposed_conv, "resize": _resize_conv}


def _conv(filters, size, name, *, strides=1, padding="same", dtype=None):
    return Conv2D(
        filters, size, strides=strides, padding=padding, kernel_initializer=_initializer(), dtype=dtype, name=name
    )


def _norm(name):
    return InstanceNormalization(epsilon=1e-5, name=name)


def _norm_relu(x, name):
    return layers.ReLU(name=f"{name}_relu")(_norm(f"{name}_norm")(x))


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)
