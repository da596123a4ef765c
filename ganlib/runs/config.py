"""What a run is: one typed, validated object, saved with the run as `config.json`."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from ganlib.runs.frame import Frame

#: Policies of number formats, by every name that a user may give them.
PRECISIONS = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
    "mixed_bfloat16": "mixed_bfloat16",
    "mixed_float16": "mixed_float16",
}
#: Of the validation scores that can choose the best epoch, those in which less is better.
LOWER_IS_BETTER = ("mae", "label_free")


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


class Augmentation(BaseModel):
    """Random changes of the training images; by default none.

    Flip, rotation, scale and shift are drawn once for both contrasts of a pair; the intensity of each contrast on its
    own. The draws depend on the seed, the epoch and the slice alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: bool = Field(False, description="mirror every other image left to right")
    rotation_degrees: float = Field(0.0, ge=0, le=180, description="largest rotation, either way")
    scale: float = Field(0.0, ge=0, lt=1, description="largest relative change of size, such as 0.05")
    shift_px: float = Field(0.0, ge=0, description="largest shift along rows and columns, pixels")
    intensity: float = Field(0.0, ge=0, lt=1, description="largest relative change of intensity, such as 0.1")

    @property
    def moves(self):
        """True if images are flipped, turned, scaled or shifted."""
        return self.flip or any((self.rotation_degrees, self.scale, self.shift_px))

    @property
    def active(self):
        """True if anything is changed at all."""
        return self.moves or self.intensity > 0


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
    network_shape: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="height and width that images are padded to for the networks; None: they are not padded"
    )
    seed: int = 0
    epochs: PositiveInt
    batch_size: PositiveInt = 1
    learning_rate: PositiveFloat
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    deterministic: bool = True
    jit_compile: bool | None = Field(None, description="XLA (PyTorch: torch.compile); None: where it pays")
    data_parallel: bool = Field(False, description="each batch was divided among all devices")
    unpaired: bool = Field(False, description="no training subject was seen in both contrasts, see `split.json`")
    prevalence: dict[str, float] | None = Field(
        None, description="share of the training subjects of each contrast that have lesions, if drawn by it"
    )
    lesion: str | None = Field(None, description="name of the label that `prevalence` is about")
    augmentation: Augmentation = Augmentation()
    ema: float | None = Field(None, description="decay per step of the averaged weights; None: not averaged")
    best_on: Literal["psnr_db", "ssim", "mae", "label_free"] = Field(
        "psnr_db", description="validation score, mean of both directions, that chose the best epoch"
    )
    slice_maxima: dict[str, float] | None = Field(
        None, description="each slice was scaled by its own maximum; of each contrast the mean over training slices"
    )
    options: dict = Field(default_factory=dict, description="the method's own settings, such as width and loss weights")
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def directions(self):
        """Both translations: A to B, then B to A."""
        a, b = self.contrasts
        return (Direction(a, b), Direction(b, a))

    @property
    def frame(self):
        """How images are padded for the networks, and synthetic ones cropped back: `Frame`."""
        return Frame(self.image_shape, self.network_shape or self.image_shape)
