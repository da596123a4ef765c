"""UNIT's networks, its shared latent space, and its random draws."""

import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.models.registry import method, method_options
from tests.models.fields import Conv, Transposed, expected_field, measured_field
from tests.models.small import batch, small_model


def _unit(shape, **options):
    return method("unit").create(method_options("unit", options), image_shape=shape, batch_size=1, seed=0)


def _conv(size, inputs, outputs):
    return size * size * inputs * outputs + outputs


def _block(channels):
    return 2 * (_conv(3, channels, channels) + 2 * channels)


def test_full_size_networks_have_the_parameters_and_shapes_of_the_table():
    model = _unit((304, 256))
    encoder = _conv(7, 1, 64) + _conv(3, 64, 128) + _conv(3, 128, 256) + 3 * _block(256)
    decoder = 3 * _block(256) + _conv(3, 256, 128) + _conv(3, 128, 64) + _conv(1, 64, 1)
    stack = [(1, 64), (64, 128), (128, 256), (256, 512)]
    judge = 3 * (sum(_conv(3, *pair) for pair in stack) + _conv(1, 512, 1))
    for network, parameters, output in (
        (model.encode_a, encoder, (None, 76, 64, 256)),
        (model.shared_encode, _block(256), (None, 76, 64, 256)),
        (model.shared_decode, _block(256), (None, 76, 64, 256)),
        (model.decode_b, decoder, (None, 304, 256, 1)),
        (model.judge_a, judge, [(None, 19, 16, 1), (None, 10, 8, 1), (None, 5, 4, 1)]),
        (model.to_b, encoder + 2 * _block(256) + decoder, (None, 304, 256, 1)),
    ):
        assert network.count_params() == parameters, network.name
        assert network.output_shape == output, network.name
    shared = 2 * _block(256)
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    assert trained == 2 * (encoder + decoder + judge) + shared


@pytest.mark.parametrize("shape", [(4, 8), (20, 12)])
def test_any_size_divisible_by_4_is_kept(shape):
    model = _unit(shape, base_filters=2, num_residual_blocks=1, discriminator_filters=2, discriminator_scales=2)
    assert model.to_a(np.zeros((3, *shape, 1), np.float32)).shape == (3, *shape, 1)
    assert len(model.judge_a(np.zeros((3, *shape, 1), np.float32))) == 2


def test_side_not_divisible_by_4_is_refused():
    with pytest.raises(InputError, match="divisible by 4"):
        _unit((30, 32))


def test_receptive_fields_of_generator_and_discriminators():
    model = _unit((200, 8), base_filters=1, discriminator_filters=1, dropout=0)
    generator = [Conv(7, 1), Conv(3, 2), Conv(3, 2), *[Conv(3, 1)] * 16, Transposed(3, 2), Transposed(3, 2), Conv(1, 1)]
    assert measured_field(model.to_b, row=100) == expected_field(generator, size=200, index=100)
    for scale, pixels in enumerate((31, 62, 124)):
        judge = _unit((320, 64), base_filters=1, num_residual_blocks=0, discriminator_filters=1).judge_a
        first, last = measured_field(judge, row=judge.output_shape[scale][1] // 2, output=scale)
        assert last - first + 1 == pixels


def test_both_directions_share_the_blocks_around_the_latent_space_and_nothing_else():
    model = small_model("unit")
    to_b, to_a = ({id(variable) for variable in network.variables} for network in (model.to_b, model.to_a))
    shared = model.shared_encode.variables + model.noise.variables + model.shared_decode.variables
    assert to_b & to_a == {id(variable) for variable in shared}


def test_residual_blocks_have_the_order_of_the_table():
    names = [layer.name.removeprefix("shared_encode_") for layer in small_model("unit").shared_encode.layers[1:]]
    assert names == ["conv0", "norm0", "relu", "conv1", "norm1", "dropout", "add"]


def test_latent_mean_translation_is_deterministic_and_the_draws_of_training_are_not():
    model, (a, b) = small_model("unit"), batch()
    quiet = [model((a, b))[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    np.testing.assert_array_equal(model.to_a(b).numpy(), quiet[0])
    drawn = [model((a, b), training=True).synthetic[0].numpy() for _ in range(2)]
    assert not np.array_equal(*drawn)


@pytest.mark.parametrize("off", [{"latent_noise": 0}, {"dropout": 0}])
def test_noise_and_dropout_each_change_the_training_pass_alone(off):
    model, images = small_model("unit", **off), batch()
    drawn = [model(images, training=True).synthetic[0].numpy() for _ in range(2)]
    assert not np.array_equal(*drawn)


def test_without_noise_and_dropout_training_translates_as_inference_does():
    model, images = small_model("unit", latent_noise=0, dropout=0), batch()
    training = model(images, training=True).synthetic
    for one, other in zip(training, model(images), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


def test_every_layer_draws_its_own_numbers():
    model = _unit((8, 8), base_filters=2, discriminator_filters=2)
    layers = {id(layer): layer for layer in model._flatten_layers() if hasattr(layer, "seed_generator")}
    seeds = [layer.seed for layer in layers.values()]
    assert len(seeds) == 4 * 3 + 2 + 1 == len(set(seeds))


@pytest.mark.slow
def test_training_goes_on_after_saving_with_the_same_draws(tmp_path):
    first, second, images = small_model("unit"), small_model("unit"), batch()
    for _ in range(3):
        first.train_on_batch(images)
    first.save_weights(tmp_path / "unit.weights.h5")
    second.load_weights(tmp_path / "unit.weights.h5")
    expected = first(images, training=True)
    for one, other in zip(expected.synthetic, second(images, training=True).synthetic, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_initialiser_and_discriminator_norm_are_options():
    normal, he = (_unit((16, 16), initializer=name, weight_decay=0).encode_a for name in ("normal", "he"))
    kernels = [network.get_layer("encode_a_block0_conv0").kernel.numpy() for network in (normal, he)]
    assert kernels[0].std() == pytest.approx(0.02, rel=0.02)
    # A truncated normal distribution keeps the variance 2 / fan-in.
    assert kernels[1].std() == pytest.approx(np.sqrt(2 / (9 * 256)), rel=0.02)
    assert _spread_of_judge({}) == pytest.approx(np.sqrt(2 / (9 * 256)), rel=0.02)
    assert _spread_of_judge({"discriminator_initializer": "normal"}) == pytest.approx(0.02, rel=0.02)
    normed = _unit((16, 16), discriminator_norm="instance", base_filters=4, discriminator_filters=4).judge_a
    plain = _unit((16, 16), base_filters=4, discriminator_filters=4).judge_a
    assert normed.count_params() - plain.count_params() == 3 * 2 * (8 + 16 + 32)


def _spread_of_judge(options):
    judge = _unit((16, 16), base_filters=2, num_residual_blocks=0, **options).judge_b
    return judge.get_layer("judge_b_scale1_conv3").kernel.numpy().std()


def _gain_of_judge(options):
    """Spread of the coarsest verdicts on noise."""
    judge = _unit((64, 64), base_filters=2, num_residual_blocks=0, discriminator_filters=16, **options).judge_a
    images = np.random.default_rng(0).choice([-1, 1], (4, 64, 64, 1)).astype(np.float32)
    return judge(images)[0].numpy().std()


def test_discriminators_hear_their_images_from_the_first_step():
    """With the paper's N(0, 0.02) and no normalisation next to nothing of an image arrives at a verdict."""
    assert _gain_of_judge({}) > 0.1
    assert _gain_of_judge({"discriminator_initializer": "normal"}) < 1e-3
