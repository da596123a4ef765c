"""The networks have the layers, parameters, shapes and receptive fields that the papers' tables imply."""

import itertools

import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.models.networks import intensity_map, patch_discriminator, resnet_generator
from tests.models.fields import Conv, Transposed, expected_field, measured_field


def _conv(size, inputs, outputs):
    return size * size * inputs * outputs + outputs


def _norm(channels):
    return 2 * channels


def _generator_parameters(width, blocks, *, halvings=2, channels=1):
    """Weights of the table, added up by hand."""
    widths = [width * 2**stage for stage in range(halvings + 1)]
    stages = list(itertools.pairwise(widths))
    ends = _conv(7, channels, width) + _norm(width) + _conv(7, width, 1)
    down = sum(_conv(3, narrow, wide) + _norm(wide) for narrow, wide in stages)
    up = sum(_conv(3, wide, narrow) + _norm(narrow) for narrow, wide in stages)
    return ends + down + up + blocks * 2 * (_conv(3, widths[-1], widths[-1]) + _norm(widths[-1]))


@pytest.mark.parametrize(("width", "blocks", "convolutions"), [(32, 9, 24), (16, 6, 18)])
def test_generator_has_the_layers_and_parameters_of_the_table(width, blocks, convolutions):
    generator = resnet_generator("to_b", (64, 48), base_filters=width, num_residual_blocks=blocks)
    assert sum("Conv2D" in type(layer).__name__ for layer in generator.layers) == convolutions
    assert generator.count_params() == _generator_parameters(width, blocks)
    assert generator.output_shape == (None, 64, 48, 1)


def test_full_size_generator_has_the_known_number_of_parameters():
    assert resnet_generator("to_b", (304, 256)).count_params() == 2_849_537 == _generator_parameters(32, 9)


def test_generator_for_two_scales_has_one_more_stage_of_256():
    generator = resnet_generator("to_b", (304, 256), num_halvings=3, num_residual_blocks=1)
    assert generator.count_params() == _generator_parameters(32, 1, halvings=3)
    assert max(layer.output.shape[-1] for layer in generator.layers) == 256
    assert generator.output_shape == (None, 304, 256, 1)


def test_generator_takes_neighbouring_slices_as_channels_and_makes_one():
    generator = resnet_generator("to_b", (16, 16), base_filters=4, num_residual_blocks=1, input_channels=5)
    assert generator.count_params() == _generator_parameters(4, 1, channels=5)
    assert (generator.input_shape, generator.output_shape) == ((None, 16, 16, 5), (None, 16, 16, 1))


@pytest.mark.parametrize("shape", [(8, 12), (20, 12), (None, None)])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("residual_padding", ["zero", "reflect"])
def test_generator_keeps_any_size_divisible_by_4(shape, upsampling, residual_padding):
    options = {"base_filters": 4, "num_residual_blocks": 1, "upsampling": upsampling}
    generator = resnet_generator("to_b", shape, residual_padding=residual_padding, **options)
    assert generator.count_params() == _generator_parameters(4, 1)
    height, width = (side or 24 for side in shape)
    assert generator(np.zeros((2, height, width, 1), np.float32)).shape == (2, height, width, 1)


def test_reflecting_residual_blocks_differ_from_zero_padded_ones_at_the_border_alone():
    """Without instance norm, which sees the whole image, one residual block changes the border it pads."""
    image = np.random.default_rng(0).uniform(0.5, 1, (1, 64, 64, 1)).astype(np.float32)
    outputs = []
    for padding in ("zero", "reflect"):
        generator = resnet_generator("to_b", (64, 64), base_filters=2, num_residual_blocks=1, residual_padding=padding)
        generator.set_weights([np.full(weight.shape, 0.01, np.float32) for weight in generator.get_weights()])
        for layer in generator.layers:
            if "norm" in layer.name:
                layer.call = lambda inputs: inputs
        outputs.append(generator(image).numpy()[0, ..., 0])
    differs = outputs[0] != outputs[1]
    assert differs[0, 0]
    assert not differs[28:36, 28:36].any()


_RESNET = [
    Conv(7, 1), Conv(3, 2), Conv(3, 2), *[Conv(3, 1)] * 18, Transposed(3, 2), Transposed(3, 2), Conv(7, 1),
]  # fmt: skip


def test_generators_pixel_sees_as_far_as_its_24_convolutions():
    generator = resnet_generator("to_b", (240, 12), base_filters=1)
    field = measured_field(generator, row=120)
    assert field == expected_field(_RESNET, size=240, index=120)
    # 18 convolutions at a quarter of the resolution see 145 pixels; the outer ones add the rest.
    assert 160 < field[1] - field[0] + 1 < 190


@pytest.mark.parametrize(
    ("halvings", "strides", "pixels", "shape"),
    [(3, (2, 2, 2, 1, 1), 70, (38, 32)), (4, (2, 2, 2, 2, 1), 94, (19, 16))],
)
def test_discriminator_has_the_layers_parameters_and_patches_of_the_table(halvings, strides, pixels, shape):
    judge = patch_discriminator("judge_a", (304, 256), num_halvings=halvings)
    channels = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    assert judge.count_params() == sum(_conv(4, *pair) for pair in channels) + _norm(128) + _norm(256) + _norm(512)
    assert judge.output_shape == (None, *shape, 1)
    small = patch_discriminator("judge_a", (160, 16), base_filters=1, num_halvings=halvings)
    row = small.output_shape[1] // 2
    first, last = measured_field(small, row=row)
    assert (first, last) == expected_field([Conv(4, stride) for stride in strides], size=160, index=row)
    assert last - first + 1 == pixels


def test_second_scale_judges_the_halved_image_by_layers_of_its_own():
    judge = patch_discriminator("judge_a", (304, 256), scales=2)
    single = patch_discriminator("judge_a", (304, 256))
    assert judge.count_params() == 2 * single.count_params()
    assert judge.output_shape == [(None, 38, 32, 1), (None, 19, 16, 1)]
    small = patch_discriminator("judge_a", (320, 16), base_filters=1, scales=2)
    for scale, pixels in enumerate((70, 140)):
        first, last = measured_field(small, row=small.output_shape[scale][1] // 2, output=scale)
        assert last - first + 1 == pixels


def test_layers_with_weights_carry_the_networks_name():
    for network in (
        patch_discriminator("judge_a", (16, 16), base_filters=2, scales=2),
        resnet_generator("to_b", (16, 16), base_filters=2, num_residual_blocks=1, residual_padding="reflect"),
    ):
        assert all(variable.path.startswith(network.name) for variable in network.variables)


def test_simple_is_a_map_from_intensity_to_intensity():
    network = intensity_map("to_b", (8, 8))
    assert network.count_params() == 256 * 2 + 256 + 1
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype(np.float32)
    shuffled = image[:, ::-1, ::-1]
    np.testing.assert_allclose(network(shuffled).numpy(), network(image).numpy()[:, ::-1, ::-1], atol=1e-6)


def test_side_that_cannot_be_halved_often_enough_is_refused():
    with pytest.raises(InputError, match="divisible by 4"):
        resnet_generator("to_b", (30, 32))
    with pytest.raises(InputError, match="divisible by 8"):
        resnet_generator("to_b", (32, 36), num_halvings=3)


def test_generators_output_stays_within_the_range_of_tanh():
    generator = resnet_generator("to_b", (16, 16), base_filters=4, num_residual_blocks=1)
    image = 50 * np.random.default_rng(0).normal(size=(1, 16, 16, 1)).astype(np.float32)
    assert np.abs(generator(image).numpy()).max() <= 1
