"""CycleGAN: two generators, two discriminators, and the way there and back again."""

from keras import ops
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from ganlib.models.layers import HistoryPool
from ganlib.models.networks import patch_discriminator, resnet_generator
from ganlib.models.options import AdversarialOptions
from ganlib.models.translator import (
    Translator,
    frozen,
    judging,
    least_squares,
    mean_absolute_error,
    two_player_adam,
)


class CycleGAN(Translator):
    """Unpaired translation: each generator must fool a discriminator, and together they must lead back.

    The discriminators see their fakes through a pool of past images. Updating all players at once, on fakes that the
    generators made before their own update, equals the usual order (generators first, discriminators on the stored
    fakes), since each player's gradient depends on the other's old weights only.

    Reference: Zhu et al. 2017, arXiv:1703.10593.
    """

    LABEL = "CycleGAN"
    PAIRED = False

    class Options(AdversarialOptions):
        """Settings of CycleGAN."""

        pool_size: NonNegativeInt = Field(50, description="past synthetic images kept per contrast")
        cycle_weight: NonNegativeFloat = 10.0
        identity_weight: NonNegativeFloat = Field(
            0.0, description="weight of the change that a generator makes to an image that is already of its contrast"
        )

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two generators, two discriminators, two pools."""
        to_b, to_a = (resnet_generator(name, image_shape, **options.generator) for name in ("to_b", "to_a"))
        model = cls(to_b, to_a, cls.part_weights(options), name=cls.__name__.lower())
        model.judge_a, model.judge_b = (
            patch_discriminator(name, image_shape, **options.discriminator) for name in ("judge_a", "judge_b")
        )
        model.pool_a, model.pool_b = (
            HistoryPool(options.pool_size, image_shape, batch_size, seed=seed + offset, name=name)
            for offset, name in enumerate(("pool_a", "pool_b"))
        )
        model.label_smoothing = options.label_smoothing
        return model

    @staticmethod
    def part_weights(options):
        """Weight of each part of the loss; the identity loss is left out where its weight is 0."""
        weights = {"adversarial": options.adversarial_weight, "cycle": options.cycle_weight, "discriminator": 1.0}
        return {**weights, "identity": options.identity_weight} if options.identity_weight else weights

    def make_optimizer(self, schedule):
        """One Adam for the generators, another for the discriminators."""
        return two_player_adam(schedule)

    @staticmethod
    def discriminator_at_chance(options):
        """The discriminators' loss while they guess."""
        return 0.5 * options.discriminator_scales * (1 - options.label_smoothing) ** 2

    def loss_parts(self, real, synthetic):
        """Adversarial, cycle, identity and discriminator losses, each over both contrasts."""
        (a, b), (synthetic_a, synthetic_b) = real, synthetic
        fooled_a = least_squares(frozen(self.judge_a, synthetic_a), 1.0)
        fooled_b = least_squares(frozen(self.judge_b, synthetic_b), 1.0)
        back_a = mean_absolute_error(a, self.to_a(synthetic_b, training=True))
        back_b = mean_absolute_error(b, self.to_b(synthetic_a, training=True))
        parts = {
            "adversarial": fooled_a + fooled_b,
            "cycle": back_a + back_b,
            "discriminator": self._judging(self.judge_a, a, self.pool_a(ops.stop_gradient(synthetic_a)))
            + self._judging(self.judge_b, b, self.pool_b(ops.stop_gradient(synthetic_b))),
        }
        return {**parts, "identity": self._identity(a, b)} if "identity" in self.weights_of_parts else parts

    def _identity(self, a, b):
        """What the generators change where nothing is to be changed."""
        kept_a, kept_b = self.to_a(a, training=True), self.to_b(b, training=True)
        return mean_absolute_error(a, kept_a) + mean_absolute_error(b, kept_b)

    def _judging(self, judge, real, fake):
        return judging(judge, real, fake, label_smoothing=self.label_smoothing)
