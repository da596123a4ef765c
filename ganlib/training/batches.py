"""Batches of slices, in an order that depends on the seed and the epoch alone."""

import keras
import numpy as np

from ganlib.errors import InputError


class SliceBatches(keras.utils.PyDataset):
    """Batches of both contrasts, every slice once per epoch.

    The order is drawn anew for each epoch from the seed and the epoch's number, so that a resumed training sees the
    same batches as one that was never stopped. Unless `paired`, the two contrasts are shuffled apart. Batch `index`
    counts on over the epochs: an epoch is `steps` batches.

    Args:
        a, b: scaled slices, float32 (slices, height, width).
        batch_size: slices of each contrast per batch; what is left over at the end of an epoch is dropped.
        paired: True if both contrasts of one slice must come together.
        seed: seed of the order.
        epochs: range of the epochs, numbered from 0, that will be read; it begins later in a resumed training.

    Raises:
        InputError: the batch is larger than the training part of the cohort.
    """

    def __init__(self, a, b, *, batch_size, paired, seed, epochs):
        super().__init__()
        if batch_size > len(a):
            raise InputError(f"batch_size {batch_size} is larger than the {len(a)} training slices; lower it")
        self.a, self.b = a[..., np.newaxis], b[..., np.newaxis]
        self.steps = len(a) // batch_size
        orders = [_orders(len(a), self.steps * batch_size, paired, [seed, epoch]) for epoch in epochs]
        self.order = np.concatenate(orders, axis=1).reshape(2, -1, batch_size)

    def __len__(self):
        return self.order.shape[1]

    def __getitem__(self, index):
        chosen_a, chosen_b = self.order[:, index]
        return ((self.a[chosen_a], self.b[chosen_b]),)

    def for_backend(self):
        """What `fit` reads fastest on the backend in use.

        On TensorFlow that is a `tf.data` pipeline over the same batches: with a `PyDataset` TensorFlow makes the C
        library return memory after every step, which costs a fifth of a small step in page faults.
        """
        if keras.backend.backend() != "tensorflow":
            return self
        import tensorflow as tf

        a, b = tf.constant(self.a), tf.constant(self.b)
        orders = tf.data.Dataset.from_tensor_slices(self.order.swapaxes(0, 1))
        return orders.map(lambda order: ((tf.gather(a, order[0]), tf.gather(b, order[1])),)).prefetch(2)


def _orders(number, kept, paired, seed):
    """Order of both contrasts in one epoch: int array (2, kept)."""
    generator = np.random.default_rng(seed)
    order_a = generator.permutation(number)
    order_b = order_a if paired else generator.permutation(number)
    return np.stack([order_a, order_b])[:, :kept]
