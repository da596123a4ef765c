"""Losses against NumPy, players kept apart, optimisers that own what they should."""

import keras
import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.models.registry import METHODS, method, method_options

_SMALL = {
    "simple": {"filters": 8},
    "generators_s": {"base_filters": 4, "num_residual_blocks": 1},
    "cyclegan": {"base_filters": 4, "num_residual_blocks": 1, "discriminator_filters": 4, "pool_size": 2},
    "cyclegan_s": {"base_filters": 4, "num_residual_blocks": 1, "discriminator_filters": 4, "pool_size": 2},
}
_SHAPE = (16, 16)


def _model(name, **options):
    keras.utils.set_random_seed(1)
    chosen = method_options(name, {**_SMALL[name], **options})
    model = method(name).create(chosen, image_shape=_SHAPE, batch_size=1, seed=5)
    model.build(None)
    model.compile(optimizer=model.make_optimizer(1e-2), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def _batch(seed=0):
    return tuple(np.random.default_rng(seed).uniform(-1, 1, (2, 1, *_SHAPE, 1)).astype(np.float32))


def _step(model, batch):
    model.fit(_One(batch), epochs=1, verbose=0)


class _One(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return (self.batch,)


def _values(network):
    return [variable.numpy().copy() for variable in network.trainable_variables]


def _changed(network, before):
    return any(not np.array_equal(new, old) for new, old in zip(_values(network), before, strict=True))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_loss_equals_the_numpy_computation(name):
    model = _model(name)
    a, b = _batch()
    fake_a, fake_b = model.to_a(b).numpy(), model.to_b(a).numpy()
    supervised = np.abs(a - fake_a).mean() + np.abs(b - fake_b).mean()
    expected = {"supervised": supervised}
    total = supervised
    if "cyclegan" in name:
        cycle = np.abs(a - model.to_a(fake_b).numpy()).mean() + np.abs(b - model.to_b(fake_a).numpy()).mean()
        adversarial = ((model.judge_a(fake_a).numpy() - 1) ** 2).mean() + (
            (model.judge_b(fake_b).numpy() - 1) ** 2
        ).mean()
        # The pool is empty, so that the discriminators see the fakes themselves.
        judged = sum(
            0.5 * (((judge(real).numpy() - 1) ** 2).mean() + (judge(fake).numpy() ** 2).mean())
            for judge, real, fake in ((model.judge_a, a, fake_a), (model.judge_b, b, fake_b))
        )
        expected = {"adversarial": adversarial, "cycle": cycle, "discriminator": judged}
        total = adversarial + 10 * cycle + judged
        if name == "cyclegan_s":
            expected["supervised"] = supervised
            total += 10 * supervised
    loss = model.compute_loss(x=(a, b), y_pred=model((a, b), training=True))
    assert float(loss) == pytest.approx(total, rel=1e-5)
    for part, value in expected.items():
        assert float(model.trackers[part].result()) == pytest.approx(value, rel=1e-5)


@pytest.mark.slow
def test_discriminator_loss_moves_the_discriminators_alone():
    model = _model("cyclegan", adversarial_weight=0, cycle_weight=0)
    generators, judges = [_values(net) for net in (model.to_a, model.to_b)], _values(model.judge_a)
    _step(model, _batch())
    assert _changed(model.judge_a, judges)
    assert not _changed(model.to_a, generators[0])
    assert not _changed(model.to_b, generators[1])


@pytest.mark.slow
def test_generator_losses_move_the_generators_alone():
    model = _model("cyclegan")
    model.weights_of_parts["discriminator"] = 0.0
    judges = [_values(net) for net in (model.judge_a, model.judge_b)]
    generators = [_values(net) for net in (model.to_a, model.to_b)]
    _step(model, _batch())
    for network, before in zip((model.judge_a, model.judge_b), judges, strict=True):
        assert not _changed(network, before)
    for network, before in zip((model.to_a, model.to_b), generators, strict=True):
        assert _changed(network, before)


@pytest.mark.slow
def test_adversarial_loss_alone_reaches_the_generators_through_the_frozen_discriminator():
    model = _model("cyclegan", cycle_weight=0)
    model.weights_of_parts["discriminator"] = 0.0
    before = _values(model.to_b)
    _step(model, _batch())
    assert _changed(model.to_b, before)


def test_each_optimiser_owns_its_players_variables():
    model = _model("cyclegan")
    owned = [{variable.path for variable in player._trainable_variables} for player in model.optimizer.optimizers]
    networks = [(model.judge_a, model.judge_b), (model.to_a, model.to_b)]
    expected = [{v.path for network in pair for v in network.trainable_variables} for pair in networks]
    assert sorted(owned, key=len) == sorted(expected, key=len)
    assert all(path.startswith("judge_") for path in min(owned, key=len))


def test_unknown_method_and_option_are_named():
    with pytest.raises(InputError, match="'pixtopix'"):
        method("pixtopix")
    with pytest.raises(InputError, match=r"cyclegan option 'blocks'.*num_residual_blocks"):
        method_options("cyclegan", {"blocks": 3})
    with pytest.raises(InputError, match="cycle_weight"):
        method_options("cyclegan", {"cycle_weight": -1})
