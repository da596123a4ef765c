"""What to train, and how."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt


class TrainingSettings(BaseModel):
    """Settings of one training."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="key of the method in `ganlib.models.registry.METHODS`")
    epochs: PositiveInt = 200
    seed: NonNegativeInt = 0
    batch_size: PositiveInt = 1
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    deterministic: bool = Field(True, description="same bits every time, at some cost on a GPU")
    contrasts: tuple[str, str] | None = Field(None, description="domains A and B; by default the cohort's first two")
    options: dict = Field(default_factory=dict, description="the method's own settings that differ from its defaults")
