"""Settings that several methods share, and the presets that fill them in."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator


class MethodOptions(BaseModel):
    """Base of every method's settings: unknown keys are refused, and a preset replaces defaults.

    `corrected` is the published method as the authors' code has it since its last correction. `as_released_2018` is
    that code as first released, so that the effect of the corrections can be measured. What is set beside a preset
    wins over it.
    """

    model_config = ConfigDict(extra="forbid")

    #: What `as_released_2018` sets; a method adds its own.
    AS_RELEASED_2018: ClassVar[dict] = {"slice_scaling": "own_maximum"}

    preset: Literal["corrected", "as_released_2018"] = "corrected"
    slice_scaling: Literal["population", "own_maximum"] = Field(
        "population", description="what a slice is scaled by: the cohort's range of the contrast, or its own maximum"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, values):
        released = isinstance(values, dict) and values.get("preset") == "as_released_2018"
        return {**cls.AS_RELEASED_2018, **values} if released else values

    @property
    def stride(self):
        """What the sides of an image must be divisible by."""
        return 1


class ResNetOptions(MethodOptions):
    """Settings of methods whose generators are ResNets."""

    AS_RELEASED_2018: ClassVar[dict] = {**MethodOptions.AS_RELEASED_2018, "num_residual_blocks": 8}

    learning_rate: PositiveFloat = 2e-4
    base_filters: PositiveInt = Field(32, description="channels of the generators' first convolution")
    num_residual_blocks: NonNegativeInt = 9
    upsampling: Literal["transposed", "resize"] = Field(
        "transposed", description="transposed convolution, or nearest-neighbour resizing and convolution"
    )
    residual_padding: Literal["zero", "reflect"] = Field("zero", description="borders inside the residual blocks")

    @property
    def num_halvings(self):
        """Downsampling stages of the generators."""
        return 2

    @property
    def stride(self):
        """What the sides of an image must be divisible by."""
        return 2**self.num_halvings

    @property
    def generator(self):
        """Keywords for `ganlib.models.networks.resnet_generator`."""
        own = self.model_dump(include={"base_filters", "num_residual_blocks", "upsampling", "residual_padding"})
        return {**own, "num_halvings": self.num_halvings}


class AdversarialOptions(ResNetOptions):
    """Settings of methods with ResNet generators and PatchGAN discriminators under least squares."""

    AS_RELEASED_2018: ClassVar[dict] = {
        **ResNetOptions.AS_RELEASED_2018,
        "discriminator_halvings": 4,
        "discriminator_output": "sigmoid",
    }

    discriminator_filters: PositiveInt = Field(64, description="channels of the discriminators' first convolution")
    discriminator_scales: Literal[1, 2] = Field(
        1, description="2: judged at half resolution as well; the generators get one more stage, sides divide by 8"
    )
    discriminator_halvings: Literal[3, 4] = Field(3, description="discriminator layers with stride 2")
    discriminator_output: Literal["linear", "sigmoid"] = "linear"
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="discriminators aim at 1 minus this on real images")
    adversarial_weight: float = Field(1.0, ge=0)

    @property
    def num_halvings(self):
        """Downsampling stages of the generators: one more if a second discriminator looks at half the resolution."""
        return 1 + self.discriminator_scales

    @property
    def discriminator(self):
        """Keywords for `ganlib.models.networks.patch_discriminator`."""
        return {
            "base_filters": self.discriminator_filters,
            "scales": self.discriminator_scales,
            "num_halvings": self.discriminator_halvings,
            "output": self.discriminator_output,
        }


def odd(number):
    """Pass on an odd number.

    Raises:
        ValueError: it is even; pydantic makes it a refusal of the setting.
    """
    if number % 2 == 0:
        raise ValueError("must be odd, so that a middle slice exists")
    return number
