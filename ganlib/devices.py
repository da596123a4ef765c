"""What a measurement must ask each library: is the work done, on what device, with how much memory."""

import os
import sys
from pathlib import Path


class TensorFlowDevice:
    """TensorFlow on its first GPU, or on the processor."""

    def __init__(self):
        import tensorflow as tf

        self.library, self.versions = tf, {"tensorflow": tf.__version__}
        self.has_gpu = bool(tf.config.list_physical_devices("GPU"))

    @property
    def name(self):
        """Name of the GPU, or of the processor."""
        if not self.has_gpu:
            return processor_name()
        config = self.library.config
        return config.experimental.get_device_details(config.list_physical_devices("GPU")[0])["device_name"]

    def synchronise(self):
        """Wait until all work is done; on a processor TensorFlow's calls return when it is."""
        if self.has_gpu:
            self.library.test.experimental.sync_devices()

    def peak_bytes(self):
        """Most memory held on the GPU so far, or None."""
        return self.library.config.experimental.get_memory_info("GPU:0")["peak"] if self.has_gpu else None


class JAXDevice:
    """JAX on its first device."""

    def __init__(self):
        import jax

        self.library, self.versions = jax, {"jax": jax.__version__}
        self.has_gpu = jax.default_backend() == "gpu"

    @property
    def name(self):
        """Name of the GPU, or of the processor."""
        return self.library.devices()[0].device_kind if self.has_gpu else processor_name()

    def synchronise(self):
        """Wait until all work is done."""
        self.library.block_until_ready(self.library.live_arrays())

    def peak_bytes(self):
        """Most memory held on the GPU so far, or None."""
        return self.library.devices()[0].memory_stats()["peak_bytes_in_use"] if self.has_gpu else None


class TorchDevice:
    """PyTorch on its first GPU, or on the processor."""

    def __init__(self):
        import torch

        self.library, self.versions = torch, {"torch": torch.__version__}
        self.has_gpu = torch.cuda.is_available()

    @property
    def name(self):
        """Name of the GPU, or of the processor."""
        return self.library.cuda.get_device_name() if self.has_gpu else processor_name()

    def synchronise(self):
        """Wait until all work is done; on a processor PyTorch's calls return when it is."""
        if self.has_gpu:
            self.library.cuda.synchronize()

    def peak_bytes(self):
        """Most memory held on the GPU so far, or None."""
        return self.library.cuda.max_memory_allocated() if self.has_gpu else None


DEVICES = {"tensorflow": TensorFlowDevice, "jax": JAXDevice, "torch": TorchDevice}


def peak_resident_bytes():
    """Most memory that this process has had in main memory since it began, or None where the system does not tell."""
    # Linux keeps the peak of the parent in `ru_maxrss` across a start; this line is of this process alone.
    status = Path("/proc/self/status")
    if status.is_file():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return 1024 * int(line.split()[1])
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def processor_name():
    """The processor's name, and whether it computes in bfloat16."""
    facts = _processor_facts()
    name = facts.get("model name", "processor")
    fast = {"avx512_bf16", "amx_bf16"} & set(facts.get("flags", "").split())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {'with' if fast else 'without'} bfloat16 instructions"


def _processor_facts():
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text().split("\n\n")[0]
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
