"""CycleGAN_s: CycleGAN that also sees the ground truth."""

from pydantic import NonNegativeFloat

from ganlib.models.cyclegan import CycleGAN
from ganlib.models.translator import mean_absolute_error


class CycleGANS(CycleGAN):
    """CycleGAN plus the mean absolute error against the ground truth, on pairs.

    Reference: Welander et al. 2018, arXiv:1806.07777.
    """

    LABEL = "CycleGAN_s"
    PAIRED = True

    class Options(CycleGAN.Options):
        """Settings of CycleGAN_s."""

        supervised_weight: NonNegativeFloat = 10.0

    @staticmethod
    def part_weights(options):
        """Weight of each part of the loss."""
        return {**CycleGAN.part_weights(options), "supervised": options.supervised_weight}

    def loss_parts(self, real, synthetic):
        """CycleGAN's parts, and the mean absolute error both ways together."""
        (a, b), (synthetic_a, synthetic_b) = real, synthetic
        supervised = mean_absolute_error(a, synthetic_a) + mean_absolute_error(b, synthetic_b)
        return {**super().loss_parts(real, synthetic), "supervised": supervised}
