"""Options and presets: what they set, what wins, and what is refused."""

import pytest

from ganlib.errors import InputError
from ganlib.models.registry import METHODS, method, method_options


def _built(name, **options):
    chosen = method_options(name, {"base_filters": 2, **options})
    return method(name).create(chosen, image_shape=(32, 32), batch_size=1, seed=0)


def test_as_released_has_eight_blocks_and_a_sigmoid_after_four_halvings():
    for name in ("cyclegan", "cyclegan_s"):
        model = _built(name, preset="as_released_2018", discriminator_filters=2)
        assert sum("Conv2D" in type(layer).__name__ for layer in model.to_b.layers) == 22
        assert model.judge_a.output_shape == (None, 2, 2, 1)
        assert model.judge_a.layers[-1].activation.__name__ == "sigmoid"
        corrected = _built(name, discriminator_filters=2)
        assert sum("Conv2D" in type(layer).__name__ for layer in corrected.to_b.layers) == 24
        assert corrected.judge_a.output_shape == (None, 4, 4, 1)
    assert method_options("generators_s", {"preset": "as_released_2018"}).num_residual_blocks == 8


def test_as_released_unit_has_glorots_weights_and_no_decay():
    options = method_options("unit", {"preset": "as_released_2018"})
    assert (options.initializer, options.discriminator_initializer, options.weight_decay) == ("glorot", "glorot", 0)
    corrected = method_options("unit", {})
    assert (corrected.initializer, corrected.discriminator_initializer, corrected.weight_decay) == (
        "normal",
        "he",
        5e-5,
    )


@pytest.mark.parametrize("name", sorted(METHODS))
def test_slices_are_scaled_by_their_own_maximum_only_as_released(name):
    assert method_options(name, {}).slice_scaling == "population"
    if name != "pix2pix":
        assert method_options(name, {"preset": "as_released_2018"}).slice_scaling == "own_maximum"


def test_what_is_set_beside_a_preset_wins():
    options = method_options("cyclegan", {"preset": "as_released_2018", "num_residual_blocks": 3})
    assert (options.num_residual_blocks, options.discriminator_output) == (3, "sigmoid")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_saved_options_make_the_same_options_again(name):
    for preset in ("corrected", "as_released_2018"):
        if name != "pix2pix" or preset == "corrected":
            options = method_options(name, {"preset": preset})
            assert method_options(name, options.model_dump()) == options


def test_sides_must_divide_by_what_the_generators_halve():
    assert method_options("cyclegan", {}).stride == method_options("unit", {}).stride == 4
    assert method_options("pix2pix", {"discriminator_scales": 2}).stride == 8
    assert method_options("simple", {}).stride == 1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cyclegan", {"blocks": 3}, r"cyclegan option 'blocks'.*num_residual_blocks"),
        ("cyclegan", {"cycle_weight": -1}, "cycle_weight"),
        ("unit", {"preset": "as_published"}, r"unit option 'preset'.*'corrected' or 'as_released_2018'"),
        ("pix2pix", {"preset": "as_released_2018"}, r"pix2pix option 'preset'.*'corrected'"),
        ("pix2pix", {"input_channels": 2}, r"pix2pix option 'input_channels'.*odd"),
        ("cyclegan", {"input_channels": 3}, "cyclegan option 'input_channels'"),
        ("cyclegan", {"upsampling": "pixel_shuffle"}, r"'upsampling'.*'transposed' or 'resize'"),
        ("cyclegan", {"label_smoothing": 1}, "label_smoothing"),
        ("unit", {"dropout": 1.0}, "dropout"),
        ("unit", {"initializer": "orthogonal"}, r"unit option 'initializer'.*'glorot'"),
    ],
)
def test_unknown_option_or_value_is_named_in_one_line(name, options, message):
    with pytest.raises(InputError, match=message) as refusal:
        method_options(name, options)
    assert "\n" not in str(refusal.value)


def test_unknown_method_is_named():
    with pytest.raises(InputError, match=r"'pixtopix'.*unit, pix2pix"):
        method("pixtopix")
