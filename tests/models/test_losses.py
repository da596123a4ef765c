"""Each loss part and their total equal an independent NumPy computation from the networks' outputs."""

import keras
import numpy as np
import pytest

from ganlib.models.registry import METHODS
from ganlib.models.translator import cross_entropy
from tests.models.small import OPTIONS, batch, small_model


def _mae(first, second):
    return np.abs(first - second).mean()


def _outputs(network, images):
    return [np.asarray(output) for output in keras.tree.flatten(network(images))]


def _squares(maps, label):
    return sum(((verdicts - label) ** 2).mean() for verdicts in maps)


def _entropy(maps, label):
    probabilities = [1 / (1 + np.exp(-logits.astype(np.float64))) for logits in maps]
    return sum(-np.mean(label * np.log(p) + (1 - label) * np.log(1 - p)) for p in probabilities)


def _supervised(model, a, b, **_):
    parts = {"supervised": _mae(a, model.to_a(b).numpy()) + _mae(b, model.to_b(a).numpy())}
    return parts, parts["supervised"]


def _cyclegan(model, a, b, *, smoothing=0.0, identity=0.0):
    fake_a, fake_b = model.to_a(b).numpy(), model.to_b(a).numpy()
    judged = 0.0
    # The pool is empty, so that the discriminators see the fakes themselves.
    for judge, real, fake in ((model.judge_a, a, fake_a), (model.judge_b, b, fake_b)):
        judged += 0.5 * _squares(_outputs(judge, real), 1 - smoothing) + 0.5 * _squares(_outputs(judge, fake), 0)
    parts = {
        "adversarial": _squares(_outputs(model.judge_a, fake_a), 1) + _squares(_outputs(model.judge_b, fake_b), 1),
        "cycle": _mae(a, model.to_a(fake_b).numpy()) + _mae(b, model.to_b(fake_a).numpy()),
        "discriminator": judged,
    }
    total = parts["adversarial"] + 10 * parts["cycle"] + judged
    if identity:
        parts["identity"] = _mae(a, model.to_a(a).numpy()) + _mae(b, model.to_b(b).numpy())
        total += identity * parts["identity"]
    return parts, total


def _cyclegan_s(model, a, b, **options):
    parts, total = _cyclegan(model, a, b, **options)
    supervised, value = _supervised(model, a, b)
    return parts | supervised, total + 10 * value


def _pix2pix(model, a, b, *, smoothing=0.0):
    adversarial = judged = 0.0
    for judge, source, target, fake in (
        (model.judge_b, a, b, model.to_b(a).numpy()),
        (model.judge_a, b, a, model.to_a(b).numpy()),
    ):
        middle = source.shape[-1] // 2
        real = _outputs(judge, np.concatenate([source, target[..., middle : middle + 1]], axis=-1))
        synthetic = _outputs(judge, np.concatenate([source, fake], axis=-1))
        adversarial += _squares(synthetic, 1)
        judged += 0.5 * _squares(real, 1 - smoothing) + 0.5 * _squares(synthetic, 0)
    middle = slice(a.shape[-1] // 2, a.shape[-1] // 2 + 1)
    supervised = _mae(a[..., middle], model.to_a(b).numpy()) + _mae(b[..., middle], model.to_b(a).numpy())
    parts = {"adversarial": adversarial, "supervised": supervised, "discriminator": judged}
    return parts, adversarial + 100 * supervised + judged


def _unit(model, a, b, *, noises=None, decay=5e-5):
    """UNIT without dropout; `noises` are what was drawn, for real A and B together and for the synthetic ones."""
    mean_a, mean_b = (
        model.shared_encode(encode(x)).numpy() for encode, x in ((model.encode_a, a), (model.encode_b, b))
    )
    (noise_a, noise_b), back_noises = (np.split(noise, 2) for noise in noises) if noises else ((0, 0), (0, 0))
    latent_a, latent_b = mean_a + noise_a, mean_b + noise_b

    def decoded(decode, latent):
        return decode(model.shared_decode(latent)).numpy()

    fake_a, fake_b = decoded(model.decode_a, latent_b), decoded(model.decode_b, latent_a)
    back_mean_b = model.shared_encode(model.encode_a(fake_a)).numpy()
    back_mean_a = model.shared_encode(model.encode_b(fake_b)).numpy()
    back_b = decoded(model.decode_b, back_mean_b + back_noises[0])
    back_a = decoded(model.decode_a, back_mean_a + back_noises[1])
    judged = sum(
        _entropy(_outputs(judge, real), 1) + _entropy(_outputs(judge, fake), 0)
        for judge, real, fake in ((model.judge_a, a, fake_a), (model.judge_b, b, fake_b))
    )
    kernels = [v.numpy().astype(np.float64) for v in model.trainable_variables if v.name == "kernel"]
    parts = {
        "adversarial": _entropy(_outputs(model.judge_a, fake_a), 1) + _entropy(_outputs(model.judge_b, fake_b), 1),
        "latent": (mean_a**2).mean() + (mean_b**2).mean(),
        "reconstruction": _mae(a, decoded(model.decode_a, latent_a)) + _mae(b, decoded(model.decode_b, latent_b)),
        "cycle_latent": (back_mean_a**2).mean() + (back_mean_b**2).mean(),
        "cycle": _mae(a, back_a) + _mae(b, back_b),
        "discriminator": judged,
        "decay": sum((kernel**2).sum() for kernel in kernels) / 2,
    }
    weights = {
        "adversarial": 10, "latent": 0.1, "reconstruction": 100, "cycle_latent": 0.1, "cycle": 100,
        "discriminator": 10, "decay": decay,
    }  # fmt: skip
    return parts, sum(weights[name] * value for name, value in parts.items())


_EXPECTED = {
    "simple": _supervised,
    "generators_s": _supervised,
    "cyclegan": _cyclegan,
    "cyclegan_s": _cyclegan_s,
    "pix2pix": _pix2pix,
    "unit": _unit,
}
_QUIET = {"unit": {"dropout": 0, "latent_noise": 0}}


def _assert_losses(model, images, expected):
    parts, total = expected
    loss = model.compute_loss(x=images, y_pred=model(images, training=True))
    assert float(loss) == pytest.approx(total, rel=1e-5)
    assert parts.keys() == model.trackers.keys()
    for part, value in parts.items():
        assert float(model.trackers[part].result()) == pytest.approx(value, rel=1e-5), part


@pytest.mark.parametrize("name", sorted(METHODS))
def test_loss_equals_the_numpy_computation(name):
    model, images = small_model(name, **_QUIET.get(name, {})), batch()
    _assert_losses(model, images, _EXPECTED[name](model, *images))


def test_every_method_is_tested_small():
    assert OPTIONS.keys() == _EXPECTED.keys() == METHODS.keys()


@pytest.mark.parametrize("name", ["cyclegan", "cyclegan_s"])
def test_loss_with_all_options_equals_the_numpy_computation(name):
    options = {"identity_weight": 5, "label_smoothing": 0.1, "discriminator_scales": 2, "upsampling": "resize"}
    model, images = small_model(name, **options, residual_padding="reflect"), batch()
    _assert_losses(model, images, _EXPECTED[name](model, *images, smoothing=0.1, identity=5))


def test_pix2pix_judges_pairs_with_neighbouring_slices_by_the_middle_one():
    model = small_model("pix2pix", input_channels=3, label_smoothing=0.2)
    images = batch(channels=3)
    _assert_losses(model, images, _pix2pix(model, *images, smoothing=0.2))


def test_as_released_the_squared_verdicts_are_sigmoids():
    model, images = small_model("cyclegan", preset="as_released_2018"), batch()
    verdicts = _outputs(model.judge_a, 100 * images[0])[0]
    assert verdicts.min() >= 0
    assert verdicts.max() <= 1
    _assert_losses(model, images, _cyclegan(model, *images))


def test_units_noise_is_added_to_the_latent_means_of_real_and_of_synthetic_images(monkeypatch):
    model, images = small_model("unit", dropout=0, latent_noise=2.0), batch()
    drawn, generator = [], np.random.default_rng(0)

    def normal(shape, stddev, dtype, seed):
        drawn.append(stddev * generator.normal(size=tuple(shape)).astype(dtype))
        return drawn[-1]

    monkeypatch.setattr(keras.random, "normal", normal)
    model.compute_loss(x=images, y_pred=model(images, training=True))
    assert len(drawn) == 2
    parts, _ = _unit(model, *images, noises=drawn)
    quiet, _ = _unit(model, *images)
    for part, value in parts.items():
        assert float(model.trackers[part].result()) == pytest.approx(value, rel=1e-5), part
        # Real means and kernels know nothing of the noise; everything else does.
        assert (value == quiet[part]) == (part in ("latent", "decay")), part


def test_units_decay_is_left_out_where_it_is_off():
    model, images = small_model("unit", weight_decay=0, **_QUIET["unit"]), batch()
    parts, total = _unit(model, *images, decay=0)
    _assert_losses(model, images, ({name: parts[name] for name in parts if name != "decay"}, total))


def test_cross_entropy_stays_finite_where_a_sigmoid_saturates():
    logits = np.float32([-200, 200]).reshape(1, 2, 1, 1)
    assert float(cross_entropy(logits, 1.0)) == pytest.approx(100)
    assert float(cross_entropy([logits, logits], 0.0)) == pytest.approx(200)
