"""CycleGAN and CycleGAN_s: two generators, two discriminators, and the way there and back again."""

import keras
from keras import ops
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from ganlib.models.layers import HistoryPool
from ganlib.models.networks import patch_discriminator, resnet_generator
from ganlib.models.translator import Translator, frozen, least_squares, mean_absolute_error


class CycleGAN(Translator):
    """Unpaired translation: each generator must fool a discriminator, and together they must lead back.

    The discriminators see their fakes through a pool of past images. Updating all players at once, on fakes that the
    generators made before their own update, equals the usual order (generators first, discriminators on the stored
    fakes), since each player's gradient depends on the other's old weights only.

    Reference: Zhu et al. 2017, arXiv:1703.10593.
    """

    LABEL = "CycleGAN"
    PAIRED = False

    class Options(BaseModel):
        """Settings of CycleGAN."""

        model_config = ConfigDict(extra="forbid")

        learning_rate: PositiveFloat = 2e-4
        base_filters: PositiveInt = Field(32, description="channels of the generators' first convolution")
        num_residual_blocks: NonNegativeInt = 9
        discriminator_filters: PositiveInt = Field(64, description="channels of the discriminators' first convolution")
        pool_size: NonNegativeInt = Field(50, description="past synthetic images kept per contrast")
        adversarial_weight: NonNegativeFloat = 1.0
        cycle_weight: NonNegativeFloat = 10.0

    @classmethod
    def create(cls, options, *, image_shape, batch_size, seed):
        """Two generators, two discriminators, two pools."""
        size = {"base_filters": options.base_filters, "num_residual_blocks": options.num_residual_blocks}
        to_b, to_a = (resnet_generator(name, image_shape, **size) for name in ("to_b", "to_a"))
        model = cls(to_b, to_a, cls.part_weights(options), name=cls.__name__.lower())
        model.judge_a, model.judge_b = (
            patch_discriminator(name, image_shape, base_filters=options.discriminator_filters)
            for name in ("judge_a", "judge_b")
        )
        model.pool_a, model.pool_b = (
            HistoryPool(options.pool_size, image_shape, batch_size, seed=seed + offset, name=name)
            for offset, name in enumerate(("pool_a", "pool_b"))
        )
        return model

    @staticmethod
    def part_weights(options):
        """Weight of each part of the loss."""
        return {"adversarial": options.adversarial_weight, "cycle": options.cycle_weight, "discriminator": 1.0}

    def make_optimizer(self, schedule):
        """One Adam for the generators, another for the discriminators, told apart by the layers' names."""
        generators, discriminators = (keras.optimizers.Adam(schedule, beta_1=0.5, beta_2=0.999) for _ in range(2))
        players = keras.optimizers.OptimizerMap(generators, {"judge_.*": discriminators})
        return keras.optimizers.MultiOptimizer(players)

    def loss_parts(self, real, synthetic):
        """Adversarial, cycle and discriminator losses, each over both contrasts."""
        (a, b), (synthetic_a, synthetic_b) = real, synthetic
        fooled_a = least_squares(frozen(self.judge_a, synthetic_a), 1.0)
        fooled_b = least_squares(frozen(self.judge_b, synthetic_b), 1.0)
        back_a = mean_absolute_error(a, self.to_a(synthetic_b, training=True))
        back_b = mean_absolute_error(b, self.to_b(synthetic_a, training=True))
        return {
            "adversarial": fooled_a + fooled_b,
            "cycle": back_a + back_b,
            "discriminator": self._judging(self.judge_a, a, self.pool_a(ops.stop_gradient(synthetic_a)))
            + self._judging(self.judge_b, b, self.pool_b(ops.stop_gradient(synthetic_b))),
        }

    @staticmethod
    def _judging(judge, real, fake):
        """Half the sum of the errors on real and on synthetic images, which slows the discriminator down."""
        return 0.5 * (least_squares(judge(real), 1.0) + least_squares(judge(fake), 0.0))
