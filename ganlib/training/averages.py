"""Averaged weights: an exponential moving average over the steps, kept by the optimisers themselves.

The averages are variables of the optimisers, so that they are saved and restored with them, on every backend.
"""

import contextlib

import keras


def keep_averages(optimizer, decay):
    """Let an optimiser average the weights that it updates; to be called before it is built.

    Args:
        optimizer: a Keras optimiser, possibly of several players or with a scaled loss.
        decay: share of the average that is kept at each step.
    """
    for player in _players(optimizer):
        player.use_ema, player.ema_momentum, player.ema_overwrite_frequency = True, decay, None


@contextlib.contextmanager
def averaged_weights(model):
    """Inside the block the model has the averaged weights; afterwards its own again."""
    variables = model.trainable_variables
    own = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
    # The name says that Keras expects it once, at the end of a training.
    model.optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


def _players(optimizer):
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(inner, "optimizers", [inner])
