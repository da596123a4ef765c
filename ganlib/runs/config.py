"""What a run is: one typed, validated object, saved with the run as `config.json`."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Direction(NamedTuple):
    """A translation from one contrast to another, such as `t1w_to_t2w`."""

    source: str
    target: str

    @property
    def name(self):
        """`source_to_target` in lower case, as in files and tables."""
        return f"{self.source}_to_{self.target}".lower()

    @property
    def label(self):
        """`source → target`, as on a figure."""
        return f"{self.source} → {self.target}"


class RunConfig(BaseModel):
    """Settings of one training, and what is needed to read its folder without the cohort at hand."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="key of the method in the registry, such as `cyclegan`")
    method_label: str = Field(description="the method's name in print, such as `CycleGAN`")
    cohort: str = Field(description="path of the cohort file, relative to the run folder")
    cohort_fingerprint: str
    phantom: bool = Field(description="true if the cohort is a phantom: every result must say so")
    contrasts: tuple[str, str] = Field(description="the two domains, A and B")
    image_shape: tuple[PositiveInt, PositiveInt] = Field(description="height and width in pixels")
    seed: int = 0
    epochs: PositiveInt
    batch_size: PositiveInt = 1
    learning_rate: PositiveFloat
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    deterministic: bool = True
    options: dict = Field(default_factory=dict, description="the method's own settings, such as width and loss weights")
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def directions(self):
        """Both translations: A to B, then B to A."""
        a, b = self.contrasts
        return (Direction(a, b), Direction(b, a))
