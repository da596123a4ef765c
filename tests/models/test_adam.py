"""Our Adam is Keras's, whatever way it is computed."""

import keras
import numpy as np

from ganlib.models.adam import Adam
from ganlib.training.schedule import ConstantThenLinear


def _weights_after(optimizer, steps=6):
    """Weights and the optimiser's own state after steps on gradients of very different sizes."""
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in ((3, 3, 2, 4), (4,))]
    optimizer.build(variables)
    for _ in range(steps):
        sizes = 10.0 ** rng.uniform(-9, 3, len(variables))
        gradients = [size * rng.normal(size=v.shape) for size, v in zip(sizes, variables, strict=True)]
        optimizer.apply([keras.ops.convert_to_tensor(g.astype(np.float32)) for g in gradients], variables)
    return [keras.ops.convert_to_numpy(variable) for variable in (*variables, *optimizer.variables)]


def test_same_weights_and_moments_as_kerass_adam():
    settings = {"beta_1": 0.5, "beta_2": 0.999, "use_ema": True, "ema_momentum": 0.9}
    schedules = (ConstantThenLinear(0.01, 6) for _ in range(2))
    ours, theirs = (
        _weights_after(kind(schedule, **settings))
        for kind, schedule in zip((Adam, keras.optimizers.Adam), schedules, strict=True)
    )
    assert len(ours) == len(theirs) > 8
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=2e-5, atol=1e-7)


def test_saved_as_a_keras_optimizer():
    saved = keras.saving.serialize_keras_object(Adam(0.01, beta_1=0.5))
    loaded = keras.saving.deserialize_keras_object(saved)
    assert type(loaded) is Adam
    assert loaded.beta_1 == 0.5
