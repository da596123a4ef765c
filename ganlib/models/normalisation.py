"""Instance normalisation."""

import keras
from keras import ops

from ganlib.models.processor import tensorflow_on_processor


@keras.saving.register_keras_serializable(package="ganlib")
class InstanceNormalization(keras.layers.GroupNormalization):
    """Every channel of every image by itself, to mean 0 and variance 1, then a learned scale and offset.

    It is Keras's group normalisation with one channel per group. On a processor TensorFlow computes it as the batch
    normalisation of one image, which is the same, in a few passes over the image instead of some twenty; not where the
    batch is of any size, as in what is exported, for which other programs may lack a batch normalisation that learns.

    Reference: Ulyanov et al. 2016, arXiv:1607.08022.
    """

    def __init__(self, groups=-1, epsilon=1e-5, **kwargs):
        super().__init__(groups=groups, epsilon=epsilon, **kwargs)

    def call(self, inputs):
        """Normalise: (batch, height, width, channels) to the same shape."""
        if inputs.shape[0] is None or not tensorflow_on_processor():
            return super().call(inputs)
        images = ops.split(inputs, inputs.shape[0]) if inputs.shape[0] > 1 else [inputs]
        made = [self._as_batch_of_one(image) for image in images]
        return ops.concatenate(made) if len(made) > 1 else made[0]

    def _as_batch_of_one(self, image):
        import tensorflow as tf

        unknown = tf.constant([], tf.float32)
        settings = {"mean": unknown, "variance": unknown, "epsilon": self.epsilon, "is_training": True}
        gamma, beta = (ops.convert_to_tensor(weight) for weight in (self.gamma, self.beta))
        return tf.raw_ops.FusedBatchNormV3(x=image, scale=gamma, offset=beta, **settings)[0]
