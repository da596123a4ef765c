"""What TensorFlow needs on a processor."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource
from ganlib.models.processor import keep_freed_memory

def work():
    return len(b'x' * 40_000_000)

def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults(5), keep_freed_memory(), faults(1), faults(5))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is that of Linux's C library")
def test_freed_memory_is_kept():
    found = subprocess.run([sys.executable, "-c", _FAULTS], check=True, capture_output=True, text=True).stdout.split()
    before, is_set, _, after = found
    assert is_set == "True"
    # 40 MB in pages of 4 kB, five times over; afterwards next to none.
    assert int(before) > 40_000
    assert int(after) < 100
