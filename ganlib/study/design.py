"""What a study shows: how many images of which kind, how often, and with what constraints."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from ganlib.errors import InputError
from ganlib.validation import validated

Split = Literal["train", "validation", "test"]

#: What differs from the defaults of `StudyDesign` in each preset.
PRESETS = {
    # Welander et al. 2018: 96 real and 72 synthetic images, both contrasts equally often, three methods.
    "paper_2018": {"synthetic_per_cell": 12, "real_per_contrast": 48},
    "balanced": {},
    "two_alternative": {"mode": "two_alternative"},
}
#: Number of methods that a preset is made for.
_METHODS_OF_PRESET = {"paper_2018": 3}


class StudyDesign(BaseModel):
    """Settings of a perceptual study. A cell is one method and one contrast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = "balanced"
    mode: Literal["yes_no", "two_alternative"] = Field(
        "yes_no", description="one image, real or synthetic; or a real and a synthetic image, which is real?"
    )
    synthetic_per_cell: PositiveInt = Field(10, description="synthetic images per method and contrast")
    real_per_contrast: PositiveInt | None = Field(
        None, description="real images per contrast; by default as many as synthetic ones"
    )
    practice: NonNegativeInt = Field(10, description="practice trials with feedback, which are not counted")
    repeats: float = Field(0.1, ge=0, le=0.5, description="fraction of the trials that come again, unannounced")
    images_per_subject: PositiveInt | None = Field(
        None, description="images shown of one subject, real or synthetic alike; by default as few as will do"
    )
    slices_per_subject: PositiveInt = Field(1, description="slices of a subject to choose from; 1 is the middle one")
    real_from: tuple[Split, ...] = Field(("test",), min_length=1, description="splits that real images come from")
    window: tuple[float, float] = Field(
        (0.0, 0.9), description="fractions of the contrast's training range shown black and white"
    )
    trim_px: NonNegativeInt = Field(1, description="pixels taken off the edge of the mask, in all images alike")
    break_every: PositiveInt = Field(50, description="trials between two reminders to take a break")
    seed: int = 0

    @field_validator("window")
    @classmethod
    def _window_is_not_empty(cls, window):
        if not window[1] > window[0]:
            raise ValueError("its upper end must lie above its lower end")
        return window

    @model_validator(mode="after")
    def _pairs_need_one_real_image_each(self):
        if self.mode == "two_alternative" and self.real_per_contrast is not None:
            raise ValueError("real_per_contrast follows from synthetic_per_cell in mode two_alternative; leave it out")
        return self

    def real_images_per_contrast(self, num_methods):
        """Real images per contrast, given the number of methods."""
        return self.real_per_contrast or num_methods * self.synthetic_per_cell


def study_design(preset="balanced", **changes):
    """The design of a preset, with changes.

    Args:
        preset: `paper_2018` (96 real and 72 synthetic images of three methods, as the paper), `balanced` (as many
            synthetic images of every method and contrast as real ones), or `two_alternative` (the same in pairs).
            Practice trials and hidden repeats come on top of the images counted here, also in `paper_2018`, where
            `practice=0, repeats=0` takes them away.
        changes: fields of `StudyDesign` that differ.

    Returns:
        `StudyDesign`.

    Raises:
        InputError: the preset or a field is unknown, or a value cannot be used.

    Example:
        >>> study_design("paper_2018", seed=3).synthetic_per_cell
        12
    """
    if preset not in PRESETS:
        raise InputError(f"preset {preset!r} is unknown; use one of {', '.join(PRESETS)}")
    return validated(StudyDesign, {"preset": preset, **PRESETS[preset], **changes}, what="design")


def require_methods(design, methods):
    """Raise `InputError` unless the design can be used with these methods (labels in print)."""
    wanted = _METHODS_OF_PRESET.get(design.preset, len(methods))
    if len(methods) != wanted:
        raise InputError(
            f"preset {design.preset!r} shows {wanted} methods (in the paper CycleGAN, CycleGAN_s and UNIT), "
            f"not {len(methods)} ({', '.join(methods)}); give {wanted} runs, or use preset 'balanced'"
        )
