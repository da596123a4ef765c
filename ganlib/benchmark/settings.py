"""What is measured: the contenders, and the work that all of them do."""

import importlib.util
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from ganlib.errors import InputError

BACKENDS = ("tensorflow", "jax", "torch")
#: Kinds of contenders, with the backends on which each exists.
KINDS = {
    "ours": BACKENDS,
    "original": BACKENDS,
    "original-our-layers": BACKENDS,
    "torch": ("torch",),
    "torch-compile": ("torch",),
}
PRECISIONS = ("float32", "bfloat16")
_INSTALL = {
    "tensorflow": "python -m pip install 'ganlib[cpu]' (or [cuda])",
    "jax": "python -m pip install 'ganlib[jax]' (or [jax-cuda])",
    "torch": "python -m pip install 'ganlib[torch]'",
}


class Contender(NamedTuple):
    """Who trains, on what, in which precision.

    Fields:
        kind: `ours`, the step of `ganlib.training`; `original`, the step in the order of the paper's code, in Keras
            with its own layers; `original-our-layers`, that order with our layers;
            `torch` and `torch-compile`, a step as people write it in PyTorch, eager or compiled.
        backend: `tensorflow`, `jax` or `torch`.
        precision: `float32` or `bfloat16` (in Keras the policy `mixed_bfloat16`, in PyTorch autocast).
    """

    kind: str
    backend: str
    precision: str

    @classmethod
    def parse(cls, text, *, backend, precision):
        """A contender from `KIND[@BACKEND][:PRECISION]`.

        Args:
            text: such as `ours`, `ours:bfloat16`, `ours@jax` or `torch:bfloat16`.
            backend: backend of a Keras contender that names none.
            precision: precision of a contender that names none.

        Raises:
            InputError: the kind, backend or precision is unknown.
        """
        rest, _, own_precision = text.partition(":")
        kind, _, own_backend = rest.partition("@")
        _require(kind, KINDS, f"contender {text!r}: kind")
        backend = own_backend or (backend if len(KINDS[kind]) > 1 else KINDS[kind][0])
        _require(backend, BACKENDS, f"contender {text!r}: backend")
        _require(backend, KINDS[kind], f"contender {text!r}: {kind} on backend")
        _require(own_precision or precision, PRECISIONS, f"contender {text!r}: precision")
        return cls(kind, backend, own_precision or precision)

    @property
    def name(self):
        """As on the command line, in full."""
        backend = f"@{self.backend}" if len(KINDS[self.kind]) > 1 else ""
        return f"{self.kind}{backend}:{self.precision}"

    def require_installed(self):
        """Refuse a contender whose backend is not installed."""
        if importlib.util.find_spec(self.backend) is None:
            raise InputError(
                f"contender {self.name}: {self.backend} is not installed; "
                f"{_INSTALL[self.backend]}, or leave this contender out"
            )


class BenchmarkSettings(BaseModel):
    """The work, the same for all contenders."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["cyclegan", "unit"] = "cyclegan"
    size: tuple[PositiveInt, PositiveInt] = Field((128, 128), description="height and width, pixels")
    batch_size: PositiveInt = 1
    options: dict = Field(default_factory=dict, description="the method's own settings that differ from its defaults")
    rounds: PositiveInt = Field(20, description="turns that count, of every contender")
    warmup_rounds: PositiveInt = Field(3, description="turns before them, which compile and do not count")
    steps_per_turn: PositiveInt = Field(1, description="steps in one turn, timed together")
    images_per_epoch: PositiveInt = Field(900, description="to turn seconds per step into seconds per epoch")
    inference_batches: tuple[PositiveInt, ...] = (1, 16)
    threads: PositiveInt | None = Field(None, description="processor cores of a contender; None: all")
    deterministic: bool = Field(True, description="same bits every time, as `ganlib.training` has it by default")
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _require_measurable_rounds(self):
        if self.images_per_epoch < self.batch_size:
            raise ValueError(f"images_per_epoch {self.images_per_epoch} is less than one batch of {self.batch_size}")
        return self

    @property
    def turns(self):
        """Turns of every contender, those that do not count included."""
        return self.warmup_rounds + self.rounds

    @property
    def steps_per_epoch(self):
        """Whole batches in an epoch."""
        return self.images_per_epoch // self.batch_size

    @property
    def what(self):
        """The work in one line."""
        height, width = self.size
        return f"{self.method}, {height} x {width} pixels, batch {self.batch_size}"


def _require(value, known, what):
    if value not in known:
        raise InputError(f"{what} {value!r} is unknown; use one of {', '.join(known)}")
