"""Out of memory: one line that says what to lower, whichever library ran out."""

import contextlib

from ganlib.errors import InputError

_TYPES = {"ResourceExhaustedError", "OutOfMemoryError", "MemoryError", "_ArrayMemoryError"}
# JAX and PyTorch's allocator for the CPU raise a plain error that only says so.
_TEXTS = ("RESOURCE_EXHAUSTED", "out of memory", "not enough memory", "can't allocate memory")


@contextlib.contextmanager
def explaining_out_of_memory(what, remedy):
    """Turn the error of a library that ran out of memory into one line.

    Args:
        what: what was done, such as `training CycleGAN at 304 x 256 pixels, batch 4`.
        remedy: what to lower.

    Raises:
        InputError: the block ran out of memory.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(f"{what}: out of memory; {remedy}") from error


def is_out_of_memory(error):
    """True if an exception of NumPy, TensorFlow, JAX or PyTorch says that memory ran out."""
    named = any(kind.__name__ in _TYPES for kind in type(error).__mro__)
    return named or (isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS))
