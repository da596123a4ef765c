"""Pix2pix: a conditional GAN on pairs, one network per direction, both directions in one run."""

from typing import Literal

from keras import ops
from pydantic import Field, NonNegativeFloat, PositiveInt, field_validator

from ganlib.models.networks import patch_discriminator, resnet_generator
from ganlib.models.options import AdversarialOptions, odd
from ganlib.models.translator import (
    Translator,
    frozen,
    judging,
    least_squares,
    mean_absolute_error,
    middle_channel,
    two_player_adam,
)


class Pix2Pix(Translator):
    """Supervised translation whose discriminator sees the source beside the target, real or synthetic.

    The generators are CycleGAN's, so that only the training differs. The two directions share nothing; they are
    trained side by side as the other methods are.

    Reference: Isola et al. 2017, arXiv:1611.07004; for MR contrasts Dar et al. 2019, arXiv:1802.01221.
    """

    LABEL = "pix2pix"
    PAIRED = True

    class Options(AdversarialOptions):
        """Settings of pix2pix, which the paper's code did not have."""

        preset: Literal["corrected"] = "corrected"
        input_channels: PositiveInt = Field(1, description="neighbouring slices that a generator sees, odd")
        supervised_weight: NonNegativeFloat = 100.0

        _odd = field_validator("input_channels")(odd)

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two generators, and two discriminators of pairs, each named after the contrast that it judges."""
        channels = options.input_channels
        to_b, to_a = (
            resnet_generator(name, image_shape, input_channels=channels, **options.generator)
            for name in ("to_b", "to_a")
        )
        weights = {
            "adversarial": options.adversarial_weight,
            "supervised": options.supervised_weight,
            "discriminator": 1.0,
        }
        model = cls(to_b, to_a, weights, name="pix2pix")
        model.judge_a, model.judge_b = (
            patch_discriminator(name, image_shape, input_channels=channels + 1, **options.discriminator)
            for name in ("judge_a", "judge_b")
        )
        model.label_smoothing = options.label_smoothing
        return model

    def make_optimizer(self, schedule):
        """One Adam for the generators, another for the discriminators."""
        return two_player_adam(schedule)

    @staticmethod
    def discriminator_at_chance(options):
        """The discriminators' loss while they guess."""
        return 0.5 * options.discriminator_scales * (1 - options.label_smoothing) ** 2

    def loss_parts(self, real, synthetic):
        """Adversarial, supervised and discriminator losses, each over both directions."""
        a, b = real
        synthetic_a, synthetic_b = synthetic
        forth = self._direction(self.judge_b, a, middle_channel(b), synthetic_b)
        back = self._direction(self.judge_a, b, middle_channel(a), synthetic_a)
        return {name: forth[name] + back[name] for name in forth}

    def _direction(self, judge, source, target, synthetic):
        real_pair, fake_pair = _pair(source, target), _pair(source, synthetic)
        return {
            "adversarial": least_squares(frozen(judge, fake_pair), 1.0),
            "supervised": mean_absolute_error(target, synthetic),
            "discriminator": judging(
                judge, real_pair, ops.stop_gradient(fake_pair), label_smoothing=self.label_smoothing
            ),
        }


def _pair(source, image):
    return ops.concatenate([ops.cast(source, image.dtype), image], axis=-1)
