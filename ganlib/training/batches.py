"""Batches of slices, in an order that depends on the seed and the epoch alone."""

import keras
import numpy as np

from ganlib.errors import InputError


class SliceBatches(keras.utils.PyDataset):
    """Batches of both contrasts, every slice once per epoch.

    The order is drawn anew for each epoch from the seed and the epoch's number, so that a resumed training sees the
    same batches as one that was never stopped. Unless `paired`, the two contrasts are shuffled apart.

    Args:
        a, b: scaled slices, float32 (slices, height, width).
        batch_size: slices of each contrast per batch; what is left over at the end of an epoch is dropped.
        paired: True if both contrasts of one slice must come together.
        seed: seed of the order.

    Raises:
        InputError: the batch is larger than the training part of the cohort.
    """

    def __init__(self, a, b, *, batch_size, paired, seed):
        super().__init__()
        if batch_size > len(a):
            raise InputError(f"batch_size {batch_size} is larger than the {len(a)} training slices; lower it")
        self.a, self.b = a[..., np.newaxis], b[..., np.newaxis]
        self.batch_size, self.paired, self.seed = batch_size, paired, seed
        self.start(0)

    def __len__(self):
        return len(self.a) // self.batch_size

    def __getitem__(self, index):
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return ((self.a[self.order_a[chosen]], self.b[self.order_b[chosen]]),)

    def start(self, epoch):
        """Draw the order of an epoch, numbered from 0."""
        generator = np.random.default_rng([self.seed, epoch])
        self.order_a = generator.permutation(len(self.a))
        self.order_b = self.order_a if self.paired else generator.permutation(len(self.b))


class EpochOrder(keras.callbacks.Callback):
    """Tells the batches which epoch begins: Keras numbers them rightly in a resumed training, too.

    Args:
        batches: the `SliceBatches` that `fit` draws from, with `shuffle=False`.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Draw the epoch's order before its first batch is read."""
        self.batches.start(epoch)
