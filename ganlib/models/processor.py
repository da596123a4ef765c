"""What TensorFlow needs in order to be fast on a processor."""

import ctypes
import functools
import sys

import keras

# glibc's numbers for `mallopt`, from its malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


@functools.cache
def tensorflow_on_processor():
    """Whether TensorFlow computes on a processor, for want of a GPU."""
    return keras.backend.backend() == "tensorflow" and not keras.distribution.list_devices("gpu")


@functools.cache
def keep_freed_memory():
    """Have the C library keep what is freed, instead of returning it to the system and asking for it again.

    A training step on a processor allocates and frees some hundred megabytes of intermediate results. Returned to the
    system, they come back as empty pages, one page fault per 4 kB: up to a fifth of a step.

    Returns:
        Whether the C library has such a setting (glibc, that is Linux, has).

    Source: mallopt(3): M_TRIM_THRESHOLD of -1 never trims, M_MMAP_MAX of 0 serves large requests from the heap too.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))
