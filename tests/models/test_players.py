"""Players are kept apart: gradients, and the variables that each optimiser owns."""

import numpy as np
import pytest

from ganlib.models.registry import method_options
from tests.models.small import ADVERSARIAL, batch, small_model

tf = pytest.importorskip("tensorflow", reason="gradients are taken with TensorFlow's tape")


def _gradients(model):
    """Gradients of every loss part, by part: for each of the generators' and of the discriminators' variables."""
    images = batch()
    with tf.GradientTape(persistent=True) as tape:
        parts = model.loss_parts(images, model(images, training=True))
    judges = _variables(model.judge_a, model.judge_b)
    generators = [variable for variable in model.trainable_variables if variable.path not in _paths(judges)]
    return {
        name: [tape.gradient(part, [variable.value for variable in player]) for player in (generators, judges)]
        for name, part in parts.items()
    }


def _variables(*networks):
    return [variable for network in networks for variable in network.trainable_variables]


def _paths(variables):
    return {variable.path for variable in variables}


def _flowing(gradients):
    return [gradient is not None and bool(np.any(gradient)) for gradient in gradients]


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_no_part_of_the_loss_reaches_the_other_player(name):
    # At UNIT's own initial weights the gradients of real and synthetic images cancel in the last bias.
    options = {"initializer": "he"} if name == "unit" else {}
    options |= {"identity_weight": 1} if "cyclegan" in name else {}
    for part, (generators, judges) in _gradients(small_model(name, **options)).items():
        if part == "discriminator":
            assert not any(_flowing(generators))
            assert all(_flowing(judges))
        elif part == "decay":
            # The one part of both players: each kernel pulls at itself alone.
            assert any(_flowing(generators))
            assert any(_flowing(judges))
        else:
            assert any(_flowing(generators)), part
            assert not any(_flowing(judges)), part


def test_units_decay_pulls_every_kernel_by_itself():
    model = small_model("unit")
    images = batch()
    with tf.GradientTape() as tape:
        decay = model.loss_parts(images, model(images, training=True))["decay"]
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(decay, [v.value for v in variables]), strict=True):
        assert (gradient is not None) == (variable.name == "kernel")
        if gradient is not None:
            np.testing.assert_allclose(gradient, variable.numpy(), rtol=1e-6)


def test_discriminators_gradient_is_that_of_its_loss_alone():
    """The total's gradient for the discriminators does not depend on the generators' weights of the parts."""
    model, images = small_model("cyclegan"), batch()
    judges = [variable.value for variable in _variables(model.judge_a, model.judge_b)]

    def gradients():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=images, y_pred=model(images, training=True))
        return tape.gradient(loss, judges)

    # The pool is emptied in between.
    first = gradients()
    for pool in (model.pool_a, model.pool_b):
        pool.count.assign(0)
    model.weights_of_parts.update({"adversarial": 1000.0, "cycle": 0.0})
    for one, other in zip(first, gradients(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_each_optimiser_owns_its_players_variables(name):
    model = small_model(name)
    judges = _paths(_variables(model.judge_a, model.judge_b))
    everything = _paths(model.trainable_variables)
    owned = [_paths(player._trainable_variables) for player in model.optimizer.optimizers]
    assert sorted(owned, key=sorted) == sorted([judges, everything - judges], key=sorted)
    generators = everything - judges
    assert generators == _paths(_variables(model.to_a, model.to_b))
    assert len(everything) == len(model.trainable_variables)
    assert all(path.startswith("judge_") for path in judges)


@pytest.mark.parametrize("name", ["simple", "generators_s"])
def test_supervised_optimiser_owns_both_generators(name):
    model = small_model(name)
    assert _paths(model.optimizer._trainable_variables) == _paths(_variables(model.to_a, model.to_b))


@pytest.mark.parametrize(("name", "rate"), [("cyclegan", 2e-4), ("pix2pix", 2e-4), ("unit", 1e-4)])
def test_adam_has_the_papers_settings(name, rate):
    assert method_options(name, {}).learning_rate == rate
    for player in small_model(name).make_optimizer(rate).optimizers:
        assert (player.beta_1, player.beta_2) == (0.5, 0.999)
        assert player.weight_decay is None
