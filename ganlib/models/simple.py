"""Simple: two pixel-wise networks, the baseline of Welander et al. 2018."""

from pydantic import Field, PositiveFloat, PositiveInt

from ganlib.models.adam import Adam
from ganlib.models.networks import intensity_map
from ganlib.models.options import MethodOptions
from ganlib.models.translator import Translator, mean_absolute_error


class Simple(Translator):
    """A pure map from intensity to intensity each way, trained with the mean absolute error on pairs.

    Reference: Welander et al. 2018, arXiv:1806.07777.
    """

    LABEL = "Simple"
    PAIRED = True

    class Options(MethodOptions):
        """Settings of Simple."""

        learning_rate: PositiveFloat = 1e-3
        filters: PositiveInt = Field(256, description="channels between the two 1 x 1 convolutions")

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two intensity maps."""
        to_b, to_a = (intensity_map(name, image_shape, filters=options.filters) for name in ("to_b", "to_a"))
        return cls(to_b, to_a, {"supervised": 1.0}, name="simple")

    def make_optimizer(self, schedule):
        """Adam with its usual moments."""
        return Adam(schedule)

    def loss_parts(self, real, synthetic):
        """Mean absolute error against the ground truth, both ways together."""
        (a, b), (synthetic_a, synthetic_b) = real, synthetic
        return {"supervised": mean_absolute_error(a, synthetic_a) + mean_absolute_error(b, synthetic_b)}
