"""Out of memory, as each library says it."""

import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.memory import explaining_out_of_memory


class ResourceExhaustedError(Exception):
    """As TensorFlow's."""


class OutOfMemoryError(RuntimeError):
    """As PyTorch's."""


class JaxRuntimeError(RuntimeError):
    """As JAX's."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ResourceExhaustedError("OOM when allocating tensor with shape[16,128,76,64]"),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 34359738368 bytes."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_librarys_error_becomes_one_line(error):
    with pytest.raises(InputError) as caught, explaining_out_of_memory("run: training CycleGAN", "lower batch_size"):
        raise error
    assert str(caught.value) == "run: training CycleGAN: out of memory; lower batch_size"


def test_numpys_own_error_is_among_them():
    with pytest.raises(InputError, match="out of memory"), explaining_out_of_memory("here", "use less"):
        np.empty(1 << 58)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), explaining_out_of_memory("here", "use less"):
        raise RuntimeError("shapes differ")
