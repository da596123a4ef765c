"""Every method with tiny networks, ready to train, and a batch for it."""

import keras
import numpy as np

from ganlib.models.registry import method, method_options

SHAPE = (16, 16)
_GENERATORS = {"base_filters": 4, "num_residual_blocks": 1}
_PLAYERS = {**_GENERATORS, "discriminator_filters": 4}
OPTIONS = {
    "simple": {"filters": 8},
    "generators_s": _GENERATORS,
    "cyclegan": {**_PLAYERS, "pool_size": 2},
    "cyclegan_s": {**_PLAYERS, "pool_size": 2},
    "pix2pix": _PLAYERS,
    "unit": _PLAYERS,
}
ADVERSARIAL = ("cyclegan", "cyclegan_s", "pix2pix", "unit")


def small_model(name, *, image_shape=SHAPE, learning_rate=1e-2, **options):
    """A compiled model of a method, its optimiser built."""
    keras.utils.set_random_seed(1)
    chosen = method_options(name, {**OPTIONS[name], **options})
    model = method(name).create(chosen, image_shape=image_shape, batch_size=1, seed=5)
    model.build(None)
    model.compile(optimizer=model.make_optimizer(learning_rate), jit_compile=keras.backend.backend() == "jax")
    model.optimizer.build(model.trainable_variables)
    return model


def batch(seed=0, *, image_shape=SHAPE, channels=1):
    """A pair (A, B) of batches of one random image each, in [-1, 1]."""
    return tuple(np.random.default_rng(seed).uniform(-1, 1, (2, 1, *image_shape, channels)).astype(np.float32))
