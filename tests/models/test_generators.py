"""Both generators in one file, fast functions of them, and draws from a latent space."""

import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.models.registry import METHODS
from tests.models.small import batch, small_model


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(METHODS))
def test_loaded_generators_translate_as_the_saved_ones(tmp_path, name):
    model, (a, b) = small_model(name), batch()
    generators.pack(model.to_b, model.to_a).save(tmp_path / "generators.keras")
    to_b, to_a = generators.load(tmp_path / "generators.keras")
    assert (to_b.name, to_a.name) == ("to_b", "to_a")
    np.testing.assert_array_equal(generators.compiled(to_b)(a), generators.compiled(model.to_b)(a))
    np.testing.assert_array_equal(generators.compiled(to_a)(b), generators.compiled(model.to_a)(b))
    assert not np.array_equal(generators.compiled(to_b)(a), generators.compiled(to_a)(a))
    assert to_b.count_params() == model.to_b.count_params()


def test_shared_layers_stay_shared_in_the_file(tmp_path):
    model = small_model("unit")
    generators.pack(model.to_b, model.to_a).save(tmp_path / "generators.keras")
    to_b, to_a = generators.load(tmp_path / "generators.keras")
    assert to_b.get_layer("shared_encode") is to_a.get_layer("shared_encode")


def test_compiled_function_follows_later_changes_of_the_weights():
    model, (a, _) = small_model("generators_s"), batch()
    translate = generators.compiled(model.to_b)
    before = translate(a)
    kernel = model.to_b.get_layer("to_b_last").kernel
    kernel.assign(-np.asarray(kernel))
    assert not np.array_equal(translate(a), before)
    np.testing.assert_allclose(translate(a), model.to_b(a).numpy(), atol=1e-6)


def test_unreadable_file_is_named(tmp_path):
    path = tmp_path / "generators.keras"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"generators\.keras: not readable"):
        generators.load(path)


def _noisy_unit():
    model = small_model("unit")
    # At its start the network hardly answers to its latent space.
    for network in (model.decode_b, model.shared_decode):
        network.set_weights([10 * weight if weight.ndim == 4 else weight for weight in network.get_weights()])
    return model


def test_draws_differ_by_seed_and_not_for_the_same_seed():
    model, (a, _) = _noisy_unit(), batch()
    draw = generators.sampled(model.to_b)
    first, again, other = (draw(a, 4, np.random.default_rng(seed)) for seed in (0, 0, 1))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], other[0])
    mean, deviation = first
    assert mean.shape == deviation.shape == a.shape
    assert mean.dtype == deviation.dtype == np.float32
    assert (deviation > 0).all()


def test_mean_and_deviation_are_those_of_the_decoded_draws():
    model, (a, _) = _noisy_unit(), batch()
    mean, deviation = generators.sampled(model.to_b)(a, 5, np.random.default_rng(3))
    latent, generator = model.shared_encode(model.encode_a(a)).numpy(), np.random.default_rng(3)
    draws = [
        model.decode_b(model.shared_decode(latent + generator.standard_normal(latent.shape, np.float32))).numpy()
        for _ in range(5)
    ]
    np.testing.assert_allclose(mean, np.mean(draws, axis=0), atol=1e-6)
    np.testing.assert_allclose(deviation, np.std(draws, axis=0, ddof=1), rtol=1e-4, atol=1e-6)


def test_without_noise_every_draw_is_the_translation_by_the_latent_mean():
    model, (a, _) = small_model("unit", latent_noise=0), batch()
    mean, deviation = generators.sampled(model.to_b)(a, 3, np.random.default_rng(0))
    np.testing.assert_allclose(mean, generators.compiled(model.to_b)(a), atol=1e-6)
    np.testing.assert_array_equal(deviation, 0)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match=r"'to_b' has no latent space.*unit"):
        generators.sampled(small_model("cyclegan").to_b)
    with pytest.raises(InputError, match=r"samples 1: .*at least 2"):
        generators.sampled(small_model("unit").to_b)(batch()[0], 1, np.random.default_rng(0))
