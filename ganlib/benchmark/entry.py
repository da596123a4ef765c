"""A contender at work: builds its networks, trains turn by turn, translates."""

import time
from abc import ABC, abstractmethod

import numpy as np


class Turns:
    """The turns of one contender: each begins when the arena says so, and ends when the device has done its work.

    Args:
        connection: to the arena.
        device: one of `ganlib.devices.DEVICES`.
        number: turns in all.
    """

    def __init__(self, connection, device, number):
        self.connection, self.device, self.number = connection, device, number
        self.taken = 0

    @property
    def left(self):
        """True as long as there are turns to take."""
        return self.taken < self.number

    def begin(self):
        """Wait for the turn, and start the clocks."""
        self.connection.recv()
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def end(self):
        """Wait for the device, stop the clocks and hand over."""
        self.device.synchronise()
        seconds, processor_seconds = time.perf_counter() - self._wall, time.process_time() - self._processor
        self.taken += 1
        self.connection.send(("turn", (seconds, processor_seconds)))


class Entry(ABC):
    """Base of all contenders.

    Args:
        contender: `Contender`.
        settings: `BenchmarkSettings`.
        device: one of `ganlib.devices.DEVICES`.
    """

    def __init__(self, contender, settings, device):
        self.contender, self.settings, self.device = contender, settings, device

    @property
    @abstractmethod
    def num_parameters(self):
        """Trainable numbers in all networks."""

    @abstractmethod
    def train(self, turns):
        """Take all turns, `settings.steps_per_turn` training steps each."""

    def translators(self):
        """Ways to translate by name: functions from and to float32 arrays (batch, height, width, 1)."""
        return {}


class SteppingEntry(Entry):
    """A contender whose training loop is its own: it has a method `step`."""

    @abstractmethod
    def step(self, a, b):
        """One training step on a batch of each contrast."""

    @abstractmethod
    def batches(self):
        """Endless pairs of batches, in the form that `step` takes."""

    def train(self, turns):
        """Take all turns."""
        batches = self.batches()
        while turns.left:
            turns.begin()
            for _ in range(self.settings.steps_per_turn):
                self.step(*next(batches))
            turns.end()


def random_slices(settings):
    """Slices of both contrasts: noise, since no contender is faster on one image than on another.

    Returns:
        float32 (2, slices, height, width), in [-1, 1]: an epoch of them, or as many as are used.
    """
    used = settings.turns * settings.steps_per_turn
    number = settings.batch_size * min(settings.steps_per_epoch, used)
    generator = np.random.default_rng(settings.seed)
    return 2 * generator.random((2, number, *settings.size), np.float32) - 1


def shuffled(number, batch_size, seed):
    """Endless index arrays of batches, in a new order each time round."""
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(number)
        yield from order[: number - number % batch_size].reshape(-1, batch_size)
