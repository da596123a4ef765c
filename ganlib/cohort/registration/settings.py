"""How raw volumes are registered: one typed, validated object, kept beside the results."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, model_validator

#: Name of the template among the references.
TEMPLATE = "MNI152"


class RegistrationSettings(BaseModel):
    """How the contrasts of a subject are brought onto one grid.

    Example:
        >>> RegistrationSettings(to="FLAIR").kind
        'rigid'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str = Field(description="the contrast whose grid the others are brought onto, or MNI152")
    kind: Literal["rigid", "affine"] | None = Field(
        None, description="between contrasts rigid by default; onto MNI152 the subject is always matched by an affine"
    )
    via: str | None = Field(
        None, description="with MNI152, the contrast that is matched to the template; None: a T1, or else the first"
    )
    n4: bool = Field(False, description="correct the bias field of every contrast (N4)")
    brain_mask: Literal["none", "atlas"] = Field(
        "none", description="atlas: the template's brain, laid over by an affine; millimetres off at the cortex"
    )
    strip: bool = Field(False, description="set what lies outside the brain mask to 0")
    transforms: dict[str, str] = Field(
        default_factory=dict,
        description="given transforms by contrast, a pattern with {subject} relative to the folder: ITK or ANTs "
        "(.txt, .tfm, .mat, .h5), FSL FLIRT (.mat of text)",
    )
    voxel_mm: PositiveFloat | None = Field(None, description="edge of the result's voxels; None: the reference's")
    interpolation: Literal["linear", "bspline"] = Field("linear", description="bspline is sharper, and rings at edges")
    seed: NonNegativeInt = Field(0, description="of the voxels that mutual information is estimated from")

    @model_validator(mode="after")
    def _consistent(self):
        if self.strip and self.brain_mask == "none":
            raise ValueError("strip: needs a mask; set brain_mask='atlas'")
        if self.to in self.transforms:
            raise ValueError(f"transforms: {self.to!r} is the reference, which is not moved; leave it out")
        return self

    @property
    def between_contrasts(self):
        """Kind of transform from one contrast of a subject to another."""
        return self.kind or "rigid"
