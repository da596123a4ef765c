"""Generators_s: CycleGAN's generators alone, trained with the mean absolute error on pairs."""

import keras
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from ganlib.models.networks import resnet_generator
from ganlib.models.translator import Translator, mean_absolute_error


class GeneratorsS(Translator):
    """CycleGAN's two generators without adversary and without cycle: supervision alone.

    Reference: Welander et al. 2018, arXiv:1806.07777.
    """

    LABEL = "Generators_s"
    PAIRED = True

    class Options(BaseModel):
        """Settings of Generators_s."""

        model_config = ConfigDict(extra="forbid")

        learning_rate: PositiveFloat = 2e-4
        base_filters: PositiveInt = Field(32, description="channels of the generators' first convolution")
        num_residual_blocks: NonNegativeInt = 9

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two ResNet generators."""
        size = {"base_filters": options.base_filters, "num_residual_blocks": options.num_residual_blocks}
        to_b, to_a = (resnet_generator(name, image_shape, **size) for name in ("to_b", "to_a"))
        return cls(to_b, to_a, {"supervised": 1.0}, name="generators_s")

    def make_optimizer(self, schedule):
        """Adam as in CycleGAN."""
        return keras.optimizers.Adam(schedule, beta_1=0.5, beta_2=0.999)

    def loss_parts(self, real, synthetic):
        """Mean absolute error against the ground truth, both ways together."""
        (a, b), (synthetic_a, synthetic_b) = real, synthetic
        return {"supervised": mean_absolute_error(a, synthetic_a) + mean_absolute_error(b, synthetic_b)}
