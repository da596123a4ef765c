"""The rivals do the work that ours does: same parameters, same losses from the same weights."""

import keras
import numpy as np
import pytest

from ganlib.benchmark.original_cyclegan import OriginalCycleGAN
from ganlib.benchmark.original_unit import OriginalUNIT
from ganlib.benchmark.settings import BenchmarkSettings, Contender
from ganlib.devices import DEVICES
from ganlib.models.registry import method, method_options

_SIZE = {"base_filters": 4, "num_residual_blocks": 2, "discriminator_filters": 4}


def _settings(name, **options):
    return BenchmarkSettings(method=name, size=(32, 24), options={**_SIZE, **options}, deterministic=False)


def _images(seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (2, 1, 32, 24, 1)).astype(np.float32)


def _weighted_parts(model, a, b):
    model.reset_metrics()
    model.compute_loss(x=(a, b), y_pred=model((a, b), training=True))
    return {name: weight * float(model.trackers[name].result()) for name, weight in model.weights_of_parts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["original", "original-our-layers"])
@pytest.mark.parametrize(
    ("entry", "name", "options"),
    [
        (OriginalCycleGAN, "cyclegan", {}),
        # What is drawn at random, or is not in the original order, is left out.
        (OriginalUNIT, "unit", {"dropout": 0, "latent_noise": 0, "weight_decay": 0}),
    ],
)
def test_original_order_has_our_losses(entry, name, options, kind):
    # At a learning rate of next to nothing all updates see the same weights, as in ours.
    contender = Contender(kind, keras.backend.backend(), "float32")
    settings = _settings(name, learning_rate=1e-12, **options)
    original = entry(contender, settings, DEVICES[contender.backend]())
    a, b = _images()
    ours = _weighted_parts(original.model, a, b)
    theirs = original.step(a, b)
    assert theirs["discriminator"] == pytest.approx(ours["discriminator"], rel=1e-4)
    assert theirs["generators"] == pytest.approx(sum(ours.values()) - ours["discriminator"], rel=1e-4)


@pytest.fixture(params=["float32", "bfloat16"])
def precision(request):
    before = keras.config.dtype_policy()
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.slow
def test_original_order_moves_every_player(precision):
    contender = Contender("original", keras.backend.backend(), precision)
    original = OriginalCycleGAN(contender, _settings("cyclegan"), DEVICES[contender.backend]())
    kernels = [variable for variable in original.model.trainable_variables if variable.path.endswith("kernel")]
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in kernels]
    for seed in range(2):
        original.step(*_images(seed))
    after = [keras.ops.convert_to_numpy(variable) for variable in kernels]
    unmoved = [
        variable.path for variable, *values in zip(kernels, before, after, strict=True) if np.array_equal(*values)
    ]
    assert not unmoved


@pytest.mark.parametrize(("kind", "owner"), [("original", "keras"), ("original-our-layers", "ganlib")])
def test_original_order_computes_with_the_layers_that_it_says(kind, owner):
    contender = Contender(kind, keras.backend.backend(), "float32")
    model = OriginalCycleGAN(contender, _settings("cyclegan"), DEVICES[contender.backend]()).model
    convolutions = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Conv2D)]
    transposed = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert len(convolutions) == 2 * (4 + 2 * 2) + 2 * 5
    assert len(transposed) == 2 * 2
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.GroupNormalization)]
    assert len(norms) == 2 * (5 + 2 * 2) + 2 * 3
    assert {type(layer).__module__.partition(".")[0] for layer in convolutions + transposed + norms} == {owner}


@pytest.mark.slow
def test_pytorch_step_has_our_parameters_and_losses():
    pytest.importorskip("torch")
    from ganlib.benchmark.torch_cyclegan import TorchCycleGAN

    keras.utils.set_random_seed(0)
    options = method_options("cyclegan", _SIZE)
    model = method("cyclegan").create(options, image_shape=(32, 24), batch_size=1, seed=0)
    model.build(None)
    model.compile(optimizer=model.make_optimizer(options.learning_rate), jit_compile=False)
    contender = Contender("torch", "torch", "float32")
    peer = TorchCycleGAN(contender, _settings("cyclegan"), DEVICES["torch"](), options.model_dump())
    assert peer.num_parameters == sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    for name in ("to_a", "to_b", "judge_a", "judge_b"):
        _copy(getattr(model, name), getattr(peer, name))
    for seed, tolerance in ((0, 1e-4), (1, 1e-3)):
        a, b = _images(seed)
        ours = _weighted_parts(model, a, b)
        # One of our steps as well, so that the second pair meets weights that both have updated.
        model.train_on_batch((a, b))
        theirs = peer.step(_mirrored(a), _mirrored(b))
        weights = model.weights_of_parts
        for part in ("adversarial", "cycle", "discriminator"):
            assert weights[part] * float(theirs[part]) == pytest.approx(ours[part], rel=tolerance)


def _mirrored(images):
    """As PyTorch has them, turned by 180 degrees: where Keras pads at the end, PyTorch pads at the beginning."""
    import torch

    return torch.from_numpy(images.transpose(0, 3, 1, 2)[..., ::-1, ::-1].copy())


def _copy(network, peer):
    """Copy the weights of a Keras network into its PyTorch twin, layer by layer."""
    import torch
    from torch import nn

    ours = [layer for layer in network.layers if layer.weights]
    theirs = [
        module for module in peer.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.InstanceNorm2d)
    ]
    for layer, module in zip(ours, theirs, strict=True):
        first, second = (keras.ops.convert_to_numpy(weight) for weight in layer.weights)
        if first.ndim == 4:
            first = first.transpose(3, 2, 0, 1)[..., ::-1, ::-1].copy()
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(first.copy()))
            module.bias.copy_(torch.from_numpy(second.copy()))
