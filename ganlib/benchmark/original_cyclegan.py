"""CycleGAN in the order of the paper's code."""

import random

import keras
import numpy as np

from ganlib.benchmark.original import OriginalOrder


class OriginalCycleGAN(OriginalOrder):
    """Least squares, pools of past fakes, mean absolute cycle error."""

    def __init__(self, contender, settings, device):
        super().__init__(contender, settings, device)
        self.pools = [ImagePool(self.options.pool_size) for _ in range(2)]

    def judge_losses(self):
        """Half of each mean squared error."""
        return {"loss": "mse", "loss_weights": [0.5]}

    def combined(self):
        """Verdicts on both fakes, and both images after the way there and back."""
        shape = (*self.settings.size, 1)
        a, b = keras.Input(shape), keras.Input(shape)
        fake_a, fake_b = self.model.to_a(b), self.model.to_b(a)
        verdicts = [judge(fake) for judge, fake in zip(self.judges, (fake_a, fake_b), strict=True)]
        model = keras.Model([a, b], [*verdicts, self.model.to_a(fake_b), self.model.to_b(fake_a)])
        weights = 2 * [self.options.adversarial_weight] + 2 * [self.options.cycle_weight]
        model.compile(self._adam(), loss=["mse", "mse", "mae", "mae"], loss_weights=weights, **self.how)
        return model

    def targets(self, a, b):
        """Verdicts of 1, and the images themselves."""
        [ones] = self.labels[1]
        return [ones, ones, a, b]

    def pooled(self, fakes):
        """Fakes through the pools."""
        return [pool.query(fake) for pool, fake in zip(self.pools, fakes, strict=True)]


class ImagePool:
    """Past synthetic images in NumPy: half of the time an old one is given out for a new one.

    Args:
        size: images kept; 0 passes every image on.
    """

    def __init__(self, size):
        self.size, self.images = size, []

    def query(self, images):
        """Exchange a batch with the pool."""
        return np.stack([self._exchange(image) for image in images]) if self.size else images

    def _exchange(self, image):
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            return image
        slot = random.randrange(self.size)
        old, self.images[slot] = self.images[slot], image
        return old
