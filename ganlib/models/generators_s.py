"""Generators_s: CycleGAN's generators alone, trained with the mean absolute error on pairs."""

from pydantic import Field, PositiveInt, field_validator

from ganlib.models.adam import Adam
from ganlib.models.networks import resnet_generator
from ganlib.models.options import ResNetOptions, odd
from ganlib.models.translator import Translator, mean_absolute_error, middle_channel


class GeneratorsS(Translator):
    """CycleGAN's two generators without adversary and without cycle: supervision alone.

    Reference: Welander et al. 2018, arXiv:1806.07777.
    """

    LABEL = "Generators_s"
    PAIRED = True

    class Options(ResNetOptions):
        """Settings of Generators_s."""

        input_channels: PositiveInt = Field(1, description="neighbouring slices that a generator sees, odd")

        _odd = field_validator("input_channels")(odd)

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two ResNet generators."""
        to_b, to_a = (
            resnet_generator(name, image_shape, input_channels=options.input_channels, **options.generator)
            for name in ("to_b", "to_a")
        )
        return cls(to_b, to_a, {"supervised": 1.0}, name="generators_s")

    def make_optimizer(self, schedule):
        """Adam as in CycleGAN."""
        return Adam(schedule, beta_1=0.5, beta_2=0.999)

    def loss_parts(self, real, synthetic):
        """Mean absolute error against the ground truth, both ways together."""
        (a, b), (synthetic_a, synthetic_b) = map(middle_channel, real), synthetic
        return {"supervised": mean_absolute_error(a, synthetic_a) + mean_absolute_error(b, synthetic_b)}
