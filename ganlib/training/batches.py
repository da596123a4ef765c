"""Batches of slices, in an order that depends on the seed and the epoch alone."""

import functools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from ganlib.errors import InputError
from ganlib.runs import Augmentation
from ganlib.training import augment
from ganlib.training.slices import HeldSlices

#: Batches that are read before they are asked for, where slices come from the cohort file.
_AHEAD = 8
_READERS = 2
#: Slices that are kept on the device itself on JAX and PyTorch, bytes of both contrasts together.
_DEVICE_BYTES = 4 << 30


class SliceBatches(keras.utils.PyDataset):
    """Batches of both contrasts, every slice once per epoch.

    The order is drawn anew for each epoch from the seed and the epoch's number, so that a resumed training sees the
    same batches as one that was never stopped. Unless `paired`, the two contrasts are shuffled apart. Batch `index`
    counts on over the epochs: an epoch is `steps` batches. Slices that are not in memory are read ahead by threads of
    their own; the batches are the same.

    Args:
        a, b: `HeldSlices` or `ReadSlices` of each contrast. Where one has more, some of its slices are left out of each
            epoch.
        batch_size: slices of each contrast per batch; what is left over at the end of an epoch is dropped.
        paired: True if both contrasts of one slice must come together.
        seed: seed of the order and of the augmentation.
        epochs: range of the epochs, numbered from 0, that will be read; it begins later in a resumed training.
        augmentation: `Augmentation`, by default none.
        row_to_column_mm: spacing of rows relative to that of columns.

    Raises:
        InputError: the batch is larger than the training part of the cohort.
    """

    def __init__(self, a, b, *, batch_size, paired, seed, epochs, augmentation=None, row_to_column_mm=1.0):
        super().__init__()
        self.number = min(len(a), len(b))
        if batch_size > self.number:
            raise InputError(f"batch_size {batch_size} is larger than the {self.number} training slices; lower it")
        if paired and len(a) != len(b):
            raise ValueError(f"{len(a)} slices of one contrast and {len(b)} of the other are no pairs")
        self.a, self.b, self.batch_size, self.paired, self.seed, self.epochs = a, b, batch_size, paired, seed, epochs
        self.augmentation, self.row_to_column_mm = augmentation or Augmentation(), row_to_column_mm
        self.steps = self.number // batch_size
        self.in_memory = all(isinstance(slices, HeldSlices) for slices in (a, b))
        self._plan = functools.lru_cache(maxsize=2)(self._draw_plan)
        self._coming = {}

    def __len__(self):
        return len(self.epochs) * self.steps

    def __getitem__(self, index):
        if self._device_slices is not None:
            return (self._gather(*self._device_slices, *self._step(index)),)
        pair, moves, gains = self._next_read(index)
        return (tuple(self._change(images, moves, gains, side) for side, images in enumerate(pair)),)

    def for_backend(self):
        """What `fit` reads fastest on the backend in use.

        On TensorFlow that is a `tf.data` pipeline over the same batches: with a `PyDataset` TensorFlow makes the C
        library return memory after every step, which costs a fifth of a small step in page faults. JAX and PyTorch
        keep the slices on the device and gather there, so that a step waits for no transfer.
        """
        if keras.backend.backend() != "tensorflow":
            return self
        return self._tensorflow_from_memory() if self.in_memory else self._tensorflow_read_ahead()

    def close(self):
        """Stop reading ahead."""
        if "_readers" in self.__dict__:
            self._readers.shutdown(cancel_futures=True)

    def _draw_plan(self, epoch):
        """Order and draws of one epoch: (steps, 2, batch) and, or None, (steps, 2, batch, 8) and (steps, 2, batch)."""
        kept = self.steps * self.batch_size
        order = _order(len(self.a), len(self.b), kept, self.paired, [self.seed, epoch])
        draws = augment.Draws(None, None)
        if self.augmentation.active:
            shape = self.a.read([0]).shape[1:3]
            draws = augment.draw(
                self.augmentation, kept, shape, paired=self.paired, seed=[self.seed, epoch, 1],
                row_to_column_mm=self.row_to_column_mm,
            )  # fmt: skip
        return tuple(self._in_batches(values) for values in (order, *draws))

    def _in_batches(self, values):
        if values is None:
            return None
        return np.moveaxis(values.reshape(self.steps, self.batch_size, 2, *values.shape[2:]), 2, 1)

    def _step(self, index):
        order, moves, gains = self._plan(self.epochs[index // self.steps])
        step = index % self.steps
        return order[step], None if moves is None else moves[step], None if gains is None else gains[step]

    @staticmethod
    def _change(images, moves, gains, side):
        if moves is None and gains is None:
            return images
        return augment.apply(images, None if moves is None else moves[side], None if gains is None else gains[side])

    @functools.cached_property
    def _readers(self):
        return ThreadPoolExecutor(_READERS, thread_name_prefix="slices")

    def _next_read(self, index):
        """Batch number `index` before augmentation, read by then as a rule."""
        for ahead in range(index, min(index + _AHEAD, len(self))):
            if ahead not in self._coming:
                self._coming[ahead] = self._readers.submit(self._read, ahead)
        return self._coming.pop(index).result()

    def _read(self, index):
        order, moves, gains = self._step(index)
        return (self.a.read(order[0]), self.b.read(order[1])), moves, gains

    def _tensorflow_read_ahead(self):
        import tensorflow as tf

        shapes = ((self.batch_size, *slices.read([0]).shape[1:]) for slices in (self.a, self.b))
        signature = (tuple(tf.TensorSpec(shape, tf.float32) for shape in shapes),)
        batches = tf.data.Dataset.from_generator(
            lambda: (self[index] for index in range(len(self))), output_signature=signature
        )
        return batches.prefetch(2)

    def _tensorflow_from_memory(self):
        import tensorflow as tf

        # Pipelines run on the CPU.
        with tf.device("/CPU:0"):
            slices = self._on_device()
        names = ("order", "moves", "gains")
        first = dict(zip(names, self._plan(self.epochs[0]), strict=True))
        used = [name for name in names if first[name] is not None]
        signature = {name: tf.TensorSpec(first[name].shape, first[name].dtype) for name in used}

        def plans():
            for epoch in self.epochs:
                plan = dict(zip(names, self._plan(epoch), strict=True))
                yield {name: plan[name] for name in used}

        steps = tf.data.Dataset.from_generator(plans, output_signature=signature)
        steps = steps.flat_map(tf.data.Dataset.from_tensor_slices)
        return steps.map(
            lambda step: (self._gather(*slices, step["order"], step.get("moves"), step.get("gains")),)
        ).prefetch(2)

    @functools.cached_property
    def _device_slices(self):
        if not self.in_memory or keras.backend.backend() == "tensorflow":
            return None
        size = sum(slices.images.nbytes for slices in (self.a, self.b))
        return self._on_device() if size <= _DEVICE_BYTES else None

    def _on_device(self):
        """Images and neighbours of both contrasts, as tensors of the backend."""
        return tuple(
            (keras.ops.convert_to_tensor(slices.images), keras.ops.convert_to_tensor(slices.neighbours))
            for slices in (self.a, self.b)
        )

    @functools.cached_property
    def _gather(self):
        if keras.backend.backend() != "jax":
            return _gather
        import jax

        return jax.jit(_gather)


def _gather(a, b, order, moves, gains):
    """Batches of both contrasts, taken from slices on the device."""
    pair = []
    for side, (images, neighbours) in enumerate((a, b)):
        chosen = keras.ops.take(images, keras.ops.take(neighbours, order[side], axis=0), axis=0)
        pair.append(SliceBatches._change(keras.ops.moveaxis(chosen, 1, -1), moves, gains, side))
    return tuple(pair)


def _order(number_a, number_b, kept, paired, seed):
    """Order of both contrasts in one epoch: int array (kept, 2)."""
    generator = np.random.default_rng(seed)
    order_a = generator.permutation(number_a)
    order_b = order_a if paired else generator.permutation(number_b)
    return np.stack([order_a[:kept], order_b[:kept]], axis=1)
