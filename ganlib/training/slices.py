"""The training slices of one contrast: kept in memory where they fit, read from the cohort file where they do not."""

import os

import numpy as np

from ganlib.runs.passage import neighbours

#: Part of the machine's memory that the training slices of both contrasts may take if nobody says otherwise: the
#: backend makes a copy of its own, the networks need room, and a machine is seldom used for one thing alone.
_PART_OF_MEMORY = 0.2
_MEMORY_IF_UNKNOWN = 8 << 30


class HeldSlices:
    """Slices in memory.

    Args:
        images: in network units, float32 (slices, height, width).
        neighbours: numbers of the slices that make up the channels of each, int (slices, channels); by default each
            slice alone.
    """

    def __init__(self, images, neighbours=None):
        self.images = images
        self.neighbours = np.arange(len(images))[:, np.newaxis] if neighbours is None else neighbours

    def __len__(self):
        return len(self.neighbours)

    def read(self, numbers):
        """Slices by number: float32 (numbers, height, width, channels)."""
        return np.moveaxis(self.images[self.neighbours[numbers]], 1, -1)


class ReadSlices:
    """Slices that are read when asked for, but for those of the first subjects, which are kept in memory.

    Args:
        read_subject: function from a subject's number to its slices, float32 (slices, height, width).
        counts: number of slices of each subject.
        neighbours: as of `HeldSlices`.
        num_held: number of subjects that are kept.
    """

    def __init__(self, read_subject, counts, neighbours, num_held):
        self.neighbours = neighbours
        self._read_subject = read_subject
        self._starts = np.cumsum([0, *counts])
        self._held = [read_subject(number) for number in range(num_held)]

    def __len__(self):
        return len(self.neighbours)

    def read(self, numbers):
        """Slices by number: float32 (numbers, height, width, channels)."""
        return np.stack([self._read_one(number) for number in numbers])

    def _read_one(self, number):
        subject = int(np.searchsorted(self._starts, number, side="right")) - 1
        images = self._held[subject] if subject < len(self._held) else self._read_subject(subject)
        return np.moveaxis(images[self.neighbours[number] - self._starts[subject]], 0, -1)


def training_slices(cohort, contrast, subject_ids, passage, *, channels=1, memory_bytes=None):
    """Slices of some subjects, in network units.

    Args:
        cohort: the open cohort; it must stay open as long as the slices are used.
        contrast: which contrast.
        subject_ids: whose slices, in this order.
        passage: `Passage` of the run.
        channels: how many neighbouring slices make up one image, odd; beyond a subject's first and last slice these
            are repeated.
        memory_bytes: how much memory the slices may take; by default a tenth of the machine's.

    Returns:
        `HeldSlices`, or `ReadSlices` where they do not fit.
    """
    counts = [len(cohort.subject(subject_id).slice_indices) for subject_id in subject_ids]
    starts = np.cumsum([0, *counts[:-1]])
    around = np.concatenate([at + neighbours(count, channels) for at, count in zip(starts, counts, strict=True)])
    limit = default_memory_bytes() / 2 if memory_bytes is None else memory_bytes
    bytes_per_slice = 4 * int(np.prod(passage.frame.network_shape))

    def read_subject(number):
        return passage.enter(cohort.images(subject_ids[number], contrast), contrast)

    if bytes_per_slice * sum(counts) > limit:
        num_held = int(np.searchsorted(np.cumsum(counts) * bytes_per_slice, limit, side="right"))
        return ReadSlices(read_subject, counts, around, num_held)
    images = np.empty((sum(counts), *passage.frame.network_shape), np.float32)
    for number, start in enumerate(starts):
        images[start : start + counts[number]] = read_subject(number)
    return HeldSlices(images, around)


def default_memory_bytes():
    """How much memory the training slices of both contrasts may take."""
    try:
        return int(_PART_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return _MEMORY_IF_UNKNOWN
