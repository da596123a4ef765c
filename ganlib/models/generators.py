"""The two generators of a run as one Keras file, and a fast way to apply them."""

import keras
import numpy as np

from ganlib.errors import InputError
from ganlib.models import convolutions, normalisation  # noqa: F401 (importing layers registers them for loading)
from ganlib.models.layers import LatentNoise
from ganlib.models.processor import keep_freed_memory


def pack(to_b, to_a):
    """Both generators as one functional model, for saving as one `.keras` file.

    Args:
        to_b: generator from A to B.
        to_a: generator from B to A.
    """
    # Built from the layers, not from the two models: layers that both share stay shared in the file.
    return keras.Model([to_b.input, to_a.input], [to_a.output, to_b.output], name="generators")


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
        (a, b), (synthetic_a, synthetic_b) = packed.inputs, packed.outputs
        return keras.Model(a, synthetic_b, name="to_b"), keras.Model(b, synthetic_a, name="to_a")
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


def sampled(network):
    """A function that draws translations from a generator with a latent space, to see where it is unsure.

    A generator of UNIT translates by its latent mean. Around that mean lies a normal distribution, as in training;
    each draw decodes one sample of it. The random numbers are NumPy's, so that one seed means one result on every
    backend.

    Args:
        network: generator of UNIT, as from `load`.

    Returns:
        Function of float32 images (batch, height, width, 1), a number of `samples`, at least 2, and a
        `numpy.random.Generator`; it returns mean and standard deviation of the draws, float32, of the images' shape
        and units.

    Raises:
        InputError: the generator has no latent space.

    Reference: Liu et al. 2017, arXiv:1703.00848.
    """
    [place] = [index for index, layer in enumerate(network.layers) if isinstance(layer, LatentNoise)] or [None]
    if place is None:
        raise InputError(f"generator {network.name!r} has no latent space to draw samples from; use a run of unit")
    encoder = keras.Sequential([keras.Input(network.input_shape[1:]), *network.layers[1:place]])
    decoder = keras.Sequential([keras.Input(encoder.output_shape[1:]), *network.layers[place + 1 :]])
    encode, decode = compiled(encoder), compiled(decoder)
    scale = np.float32(network.layers[place].standard_deviation)

    def draw(images, samples, generator):
        if samples < 2:
            raise InputError(f"samples {samples}: a standard deviation needs at least 2")
        latent = encode(images)
        draws = (decode(latent + scale * generator.standard_normal(latent.shape, np.float32)) for _ in range(samples))
        return _mean_and_sd(draws)

    return draw


def _mean_and_sd(arrays):
    """Mean and standard deviation of arrays that come one by one (Welford 1962, doi:10.2307/1266577)."""
    for number, array in enumerate(arrays, start=1):
        if number == 1:
            mean, squares = array.astype(np.float64), np.zeros(array.shape)
            continue
        change = array - mean
        mean += change / number
        squares += change * (array - mean)
    return mean.astype(np.float32), np.sqrt(squares / (number - 1)).astype(np.float32)


def _tensorflow(network):
    import tensorflow as tf

    keep_freed_memory()
    # No signature: only where the number of images is known are instances normalised in one pass.
    graph = tf.function(lambda images: network(images, training=False))
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
