"""Settings of a phantom cohort."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

_Pixels = Annotated[int, Field(ge=16)]


class PhantomSettings(BaseModel):
    """What a phantom cohort is made of; the same settings make the same bytes.

    Example:
        >>> PhantomSettings(size=(224, 192), voxel_mm=1.0).num_train
        72
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    num_train: PositiveInt = 72
    num_validation: NonNegativeInt = 8
    num_test: NonNegativeInt = 16
    seed: NonNegativeInt = 0
    size: tuple[_Pixels, _Pixels] = Field((112, 96), description="height and width of a slice, pixels")
    voxel_mm: PositiveFloat = Field(2.0, description="edge of a pixel; 224 mm by 192 mm hold every head")
    num_slices: PositiveInt = 1
    slice_spacing_mm: PositiveFloat = Field(3.0, description="from one slice to the next")
    slice_mm: float = Field(12.0, ge=-50, le=65, description="height of the middle slice in MNI space")
    slice_jitter_mm: float = Field(5.0, ge=0, le=20, description="largest departure of a subject from slice_mm")
    anatomy: str = Field("icbm152", description="`icbm152`, or a folder of FreeSurfer label maps (.nii, .nii.gz, .mgz)")
    rotation_rad: NonNegativeFloat = Field(0.05, description="standard deviation of the head's turn in the plane")
    scaling: NonNegativeFloat = Field(0.05, description="standard deviation of the logarithm of the head's size")
    warp: NonNegativeFloat = Field(1.0, description="factor on the amplitudes of the smooth warps; 0: no warp")
    variation: NonNegativeFloat = Field(1.0, description="factor on every spread of tissue, gain and coil; 0: ideal")
    lesion_prevalence: float = Field(0.0, ge=0, le=1, description="share of the subjects that have lesions")
    lesions_per_subject: PositiveInt = Field(3, description="a subject that has lesions has 1 to this many")
    lesion_diameter_mm: tuple[PositiveFloat, PositiveFloat] = Field((6.0, 14.0), description="smallest, largest")
    lesion_contrast: NonNegativeFloat = Field(1.0, description="0: white matter; 1: as in multiple sclerosis")
    bias_field: NonNegativeFloat = Field(0.25, description="factor on the coil's field; 1: raw, 0.25: once corrected")
    noise_percent: NonNegativeFloat = Field(1.2, description="Rician noise, percent of white matter (T1w), CSF (T2w)")
    blur_px: NonNegativeFloat = Field(0.35, description="standard deviation of the point spread function, pixels")
