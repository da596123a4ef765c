"""The networks have the layers, parameters and shapes that the papers' tables imply."""

import numpy as np
import pytest

from ganlib.models.networks import intensity_map, patch_discriminator, resnet_generator


def _conv(size, inputs, outputs):
    return size * size * inputs * outputs + outputs


def _norm(channels):
    return 2 * channels


def _generator_parameters(width, blocks):
    """Weights of the table, added up by hand."""
    down = _conv(7, 1, width) + _conv(3, width, 2 * width) + _conv(3, 2 * width, 4 * width)
    middle = blocks * 2 * (_conv(3, 4 * width, 4 * width) + _norm(4 * width))
    up = _conv(3, 4 * width, 2 * width) + _conv(3, 2 * width, width) + _conv(7, width, 1)
    return down + middle + up + 2 * (_norm(width) + _norm(2 * width)) + _norm(4 * width)


@pytest.mark.parametrize(("width", "blocks", "convolutions"), [(32, 9, 24), (16, 6, 18)])
def test_generator_has_the_layers_and_parameters_of_the_table(width, blocks, convolutions):
    generator = resnet_generator("to_b", (64, 48), base_filters=width, num_residual_blocks=blocks)
    assert sum("Conv2D" in type(layer).__name__ for layer in generator.layers) == convolutions
    assert generator.count_params() == _generator_parameters(width, blocks)
    assert generator.output_shape == (None, 64, 48, 1)


def test_full_size_generator_has_the_known_number_of_parameters():
    assert resnet_generator("to_b", (304, 256)).count_params() == 2_849_537 == _generator_parameters(32, 9)


def test_discriminator_has_the_layers_and_parameters_of_the_table():
    judge = patch_discriminator("judge_a", (304, 256))
    channels = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    expected = sum(_conv(4, *pair) for pair in channels) + _norm(128) + _norm(256) + _norm(512)
    assert judge.count_params() == expected
    assert judge.output_shape == (None, 38, 32, 1)


def test_discriminator_sees_patches_of_70_pixels():
    judge = patch_discriminator("judge_a", (160, 160), base_filters=4)
    image = np.zeros((2, 160, 160, 1), np.float32)
    # Instance norms see the whole image; without them a verdict depends on its patch alone.
    for layer in judge.layers:
        if "norm" in layer.name:
            layer.call = lambda inputs: inputs
    centre = judge(image).numpy()[0].shape[0] // 2
    field = np.zeros(160, bool)
    for row in range(160):
        poked = image[:1].copy()
        poked[0, row, 80] = 100
        field[row] = not np.array_equal(judge(poked).numpy()[0, centre], judge(image[:1]).numpy()[0, centre])
    assert np.flatnonzero(field).size == np.ptp(np.flatnonzero(field)) + 1 == 70


def test_simple_is_a_map_from_intensity_to_intensity():
    network = intensity_map("to_b", (8, 8))
    assert network.count_params() == 256 * 2 + 256 + 1
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype(np.float32)
    shuffled = image[:, ::-1, ::-1]
    np.testing.assert_allclose(network(shuffled).numpy(), network(image).numpy()[:, ::-1, ::-1], atol=1e-6)


def test_side_that_cannot_be_halved_twice_is_refused():
    with pytest.raises(ValueError, match="divisible by 4"):
        resnet_generator("to_b", (30, 32))


def test_generators_output_stays_within_the_range_of_tanh():
    generator = resnet_generator("to_b", (16, 16), base_filters=4, num_residual_blocks=1)
    image = 50 * np.random.default_rng(0).normal(size=(1, 16, 16, 1)).astype(np.float32)
    assert np.abs(generator(image).numpy()).max() <= 1
