"""Adam in one pass over the weights."""

import keras


@keras.saving.register_keras_serializable(package="ganlib")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, whose update TensorFlow computes in one pass over the weights instead of a dozen.

    The same numbers but for rounding, and the same saved state. On the other backends it is Keras's own.

    Reference: Kingma & Ba 2015, arXiv:1412.6980.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable and its moments."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return super().update_step(gradient, variable, learning_rate)
        return self._in_one_pass(gradient, variable, learning_rate)

    def _in_one_pass(self, gradient, variable, learning_rate):
        import tensorflow as tf

        index, kind = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations.value + 1, kind)
        beta_1, beta_2 = (tf.constant(beta, kind) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=self._momentums[index].value.handle, v=self._velocities[index].value.handle,
            beta1_power=beta_1**step, beta2_power=beta_2**step, lr=tf.cast(learning_rate, kind),
            beta1=beta_1, beta2=beta_2, epsilon=tf.constant(self.epsilon, kind), grad=tf.cast(gradient, kind),
        )  # fmt: skip
