"""The learning rate: constant, then linear to zero."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ganlib")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Constant for the first half of the training, then linear to zero.

    It is a function of the step alone, so that a resumed training continues on it.

    Args:
        learning_rate: the rate of the first half.
        steps: steps of the whole training.

    Reference: Zhu et al. 2017, arXiv:1703.10593.
    """

    def __init__(self, learning_rate, steps):
        self.learning_rate, self.steps = learning_rate, steps

    def __call__(self, step):
        """Learning rate of a step, which may be a tensor."""
        left = (self.steps - ops.cast(step, "float32")) / (self.steps / 2)
        return self.learning_rate * ops.clip(left, 0.0, 1.0)

    def get_config(self):
        """Settings, for saving."""
        return {"learning_rate": self.learning_rate, "steps": self.steps}
