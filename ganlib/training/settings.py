"""What to train, and how."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from ganlib.runs import Augmentation
from ganlib.runs.config import PRECISIONS

Precision = Annotated[
    Literal["float32", "mixed_bfloat16", "mixed_float16"],
    BeforeValidator(lambda name: PRECISIONS.get(name, name) if isinstance(name, str) else name),
]


class TrainingSettings(BaseModel):
    """Settings of one training.

    `bfloat16` and `float16` are short for the policies `mixed_bfloat16` and `mixed_float16`: weights, the generators'
    tanh, the discriminators' verdicts, normalisation statistics and losses stay in float32. float16 scales the loss
    so that small gradients do not vanish.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="key of the method in `ganlib.models.registry.METHODS`")
    epochs: PositiveInt = 200
    seed: NonNegativeInt = 0
    batch_size: PositiveInt = 1
    precision: Precision = "float32"
    deterministic: bool = Field(True, description="same bits every time, at some cost on a GPU (not on JAX's)")
    jit_compile: bool | None = Field(
        None, description="XLA (on PyTorch torch.compile); by default where it pays: JAX, and TensorFlow on a GPU"
    )
    data_parallel: bool = Field(False, description="divide each batch among all devices (JAX)")
    contrasts: tuple[str, str] | None = Field(None, description="domains A and B; by default the cohort's first two")
    unpaired: bool = Field(False, description="one half of the training subjects for each contrast")
    subjects: dict[str, list[str]] | None = Field(
        None, description="training subjects of each contrast; by default all, or a half each if unpaired"
    )
    prevalence: dict[str, float] | None = Field(
        None, description="share of the training subjects of each contrast that have lesions; subjects are drawn"
    )
    lesion: str = Field("lesion", description="name of the cohort's label that `prevalence` is about")
    augmentation: Augmentation = Augmentation()
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay per step of averaged weights, such as 0.999; by default none are kept"
    )
    best_on: Literal["psnr_db", "ssim", "mae", "label_free"] | None = Field(
        None, description="validation score that chooses the best epoch; by default psnr_db, or label_free if unpaired"
    )
    memory_gb: PositiveFloat | None = Field(
        None, description="memory for training slices, GB; the rest is read ahead; by default a fifth of the machine's"
    )
    options: dict = Field(default_factory=dict, description="the method's own settings that differ from its defaults")
