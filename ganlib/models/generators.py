"""The two generators of a run as one Keras file, and a fast way to apply them."""

import keras
import numpy as np

from ganlib.errors import InputError
from ganlib.models import layers as _registered  # noqa: F401  (so that saved networks can be loaded)


def pack(to_b, to_a):
    """Both generators as one functional model, for saving as one `.keras` file.

    Args:
        to_b: generator from A to B.
        to_a: generator from B to A.
    """
    a, b = (keras.Input(network.input_shape[1:], name=name) for network, name in ((to_b, "a"), (to_a, "b")))
    return keras.Model([a, b], [to_a(b), to_b(a)], name="generators")


def load(path):
    """Load the generators that a run saved.

    Args:
        path: a `.keras` file.

    Returns:
        Pair of `keras.Model`s: A to B, B to A.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        packed = keras.saving.load_model(path, compile=False)
        return packed.get_layer("to_b"), packed.get_layer("to_a")
    except (ValueError, OSError, KeyError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise InputError(f"{path}: not readable as generators ({first_line}); train the run anew") from error


def compiled(network):
    """A function that applies a network to arrays, compiled once per shape.

    `keras.Model.predict` builds a data pipeline for every call, which takes as long as the network itself for a
    single slice.

    Args:
        network: `keras.Model` from (batch, height, width, 1) to the same shape.

    Returns:
        Function from and to float32 arrays (batch, height, width, 1).
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()](network)


def _tensorflow(network):
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)]
    graph = tf.function(lambda images: network(images, training=False), input_signature=signature)
    return lambda images: graph(tf.convert_to_tensor(images, tf.float32)).numpy()


def _jax(network):
    import jax

    def apply(weights, others, images):
        return network.stateless_call(weights, others, images, training=False)[0]

    graph = jax.jit(apply)

    def translate(images):
        weights = [variable.value for variable in network.trainable_variables]
        others = [variable.value for variable in network.non_trainable_variables]
        return np.asarray(graph(weights, others, np.asarray(images, np.float32)))

    return translate


def _torch(network):
    import torch

    def translate(images):
        with torch.no_grad():
            return network(np.asarray(images, np.float32), training=False).detach().cpu().numpy()

    return translate
