"""Keras layers that the methods need and Keras lacks."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ganlib")
class ReflectionPadding2D(keras.layers.Layer):
    """Pad height and width by mirroring, without repeating the edge pixel.

    Args:
        width: pixels added on each side; smaller than the image.

    Input and output: (batch, height, width, channels), (batch, height + 2 width, width + 2 width, channels).
    """

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def call(self, inputs):
        """Mirror the borders."""
        around = (self.width, self.width)
        return ops.pad(inputs, ((0, 0), around, around, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        """Shape after padding."""
        batch, height, width, channels = input_shape
        grown = [None if side is None else side + 2 * self.width for side in (height, width)]
        return (batch, *grown, channels)

    def get_config(self):
        """Settings, for saving."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable(package="ganlib")
class HistoryPool(keras.layers.Layer):
    """A pool of past synthetic images: the discriminator sees old fakes as well as new ones.

    Until the pool is full every image is stored and passed on. From then on half of the images are swapped for a
    random older one, which leaves the pool, and half are passed on unstored. The pool, its count and its random state
    are weights, so that a resumed training continues exactly.

    Args:
        size: number of images kept; 0 passes every image on.
        image_shape: height and width in pixels.
        batch_size: images per call, fixed (the batch dimension is unknown while a graph is traced).
        seed: seed of the draws.

    Input and output: (batch_size, height, width, 1).

    Reference: Shrivastava et al. 2017, arXiv:1612.07828; 50 images as in Zhu et al. 2017, arXiv:1703.10593.
    """

    def __init__(self, size, image_shape, batch_size, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.size, self.image_shape, self.batch_size, self.seed = size, tuple(image_shape), batch_size, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        shape = (max(size, 1), *self.image_shape, 1)
        self.images = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="images", dtype="float32")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count", dtype="int32")

    def call(self, images):
        """Exchange a batch with the pool, one image after the other."""
        if self.size == 0:
            return images
        images = ops.reshape(images, (self.batch_size, *self.image_shape, 1))
        return ops.stack([self._exchange(images[index]) for index in range(self.batch_size)])

    def _exchange(self, image):
        chance = keras.random.uniform((2,), seed=self.seed_generator)
        full = self.count >= self.size
        drawn = ops.cast(ops.floor(chance[1] * self.size), "int32")
        slot = ops.where(full, ops.minimum(drawn, self.size - 1), self.count)
        stored = ops.cast(image, "float32")
        old = ops.take(self.images, slot, axis=0)
        swap = ops.logical_and(full, chance[0] < 0.5)
        kept = ops.where(ops.logical_or(swap, ops.logical_not(full)), stored, old)
        here = ops.reshape(ops.arange(self.size) == slot, (self.size, 1, 1, 1))
        self.images.assign(ops.where(here, kept, self.images))
        self.count.assign(ops.minimum(self.count + 1, self.size))
        return ops.cast(ops.where(swap, old, stored), image.dtype)

    def save_own_variables(self, store):
        """Save the random state too: Keras leaves it out."""
        super().save_own_variables(store)
        store["seed_state"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        """Load the images, the count and the random state."""
        for index, variable in enumerate(self._trainable_variables + self._non_trainable_variables):
            variable.assign(store[str(index)])
        self.seed_generator.state.assign(store["seed_state"])

    def get_config(self):
        """Settings, for saving."""
        own = {"size": self.size, "image_shape": self.image_shape, "batch_size": self.batch_size, "seed": self.seed}
        return {**super().get_config(), **own}
