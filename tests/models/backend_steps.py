"""Five training steps of every method on the backend in use, from weights and batches that NumPy drew.

    KERAS_BACKEND=jax python -m tests.models.backend_steps steps.npz [--xla] [method ...]

Dropout, latent noise and image pools are switched off: each backend draws its own random numbers. `--xla` compiles the
steps, which on TensorFlow has to be asked for. Without the name of a method all of them are trained.
"""

import sys

import numpy as np

from tests.models.small import OPTIONS, batch, small_model

STEPS = 5
#: Larger than the other tests' images, and judged at one scale: an instance norm of a pixel or four blows up rounding
#: errors.
_SHAPE = (32, 32)
_WITHOUT_CHANCE = {
    "cyclegan": {"pool_size": 0, "identity_weight": 1, "label_smoothing": 0.1},
    "cyclegan_s": {"pool_size": 0, "upsampling": "resize", "residual_padding": "reflect"},
    "unit": {"dropout": 0, "latent_noise": 0},
}


def main(path, *arguments):
    """Write weights, losses and translations of the methods as one `.npz` file."""
    results = {}
    for name in [name for name in arguments if name in OPTIONS] or OPTIONS:
        model = small_model(name, image_shape=_SHAPE, learning_rate=2e-4, **_WITHOUT_CHANCE.get(name, {}))
        if "--xla" in arguments:
            model.jit_compile = True
        _draw_weights(model)
        for step in range(STEPS):
            # Keras adds up the losses since the last reset.
            model.reset_metrics()
            for part, value in model.train_on_batch(batch(step, image_shape=_SHAPE), return_dict=True).items():
                results[f"{name} {step} {part}"] = np.asarray(value)
        for variable in model.trainable_variables:
            results[f"{name} weights {variable.path}"] = _array(variable)
        for direction, image in zip("ab", model(batch(image_shape=_SHAPE)), strict=True):
            results[f"{name} synthetic {direction}"] = _array(image)
    np.savez(path, **results)


def _draw_weights(model):
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        drawn = rng.normal(size=variable.shape)
        fan_in = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 100
        variable.assign(drawn / np.sqrt(fan_in) + (variable.name == "gamma"))


def _array(tensor):
    import keras

    return keras.ops.convert_to_numpy(tensor)


if __name__ == "__main__":
    main(*sys.argv[1:])
