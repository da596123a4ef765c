"""UNIT in the order of the paper's code."""

import keras
import numpy as np
from keras import ops

from ganlib.benchmark.original import OriginalOrder


class OriginalUNIT(OriginalOrder):
    """Cross-entropy at every scale, latent penalties, reconstructions within a contrast and there and back.

    The two contrasts pass the shared blocks one after the other. There is no weight decay: the paper's code set one
    without effect.
    """

    def judge_losses(self):
        """Cross-entropy at every scale."""
        scales = self.options.discriminator_scales
        return {
            "loss": [_cross_entropy() for _ in range(scales)],
            "loss_weights": [self.options.adversarial_weight] * scales,
        }

    def combined(self):
        """Verdicts on both fakes, latents, reconstructions, latents of the fakes, and the images after the way back."""
        shape = (*self.settings.size, 1)
        a, b = keras.Input(shape), keras.Input(shape)
        latent_a, sample_a = self._encode(self.model.encode_a, a)
        latent_b, sample_b = self._encode(self.model.encode_b, b)
        decode_a, decode_b = self.model.decode_a, self.model.decode_b
        own, fakes = [decode_a(sample_a), decode_b(sample_b)], [decode_a(sample_b), decode_b(sample_a)]
        back_latent_b, back_sample_b = self._encode(self.model.encode_a, fakes[0])
        back_latent_a, back_sample_a = self._encode(self.model.encode_b, fakes[1])
        back = [decode_a(back_sample_a), decode_b(back_sample_b)]
        verdicts = [verdict for judge, fake in zip(self.judges, fakes, strict=True) for verdict in judge(fake)]
        latents, back_latents = [latent_a, latent_b], [back_latent_a, back_latent_b]
        outputs = [*verdicts, *latents, *own, *back_latents, *back]
        model = keras.Model([a, b], outputs)
        losses = [_cross_entropy() for _ in verdicts] + 2 * [*2 * [_mean_square], *2 * ["mae"]]
        chosen = self.options
        parts = [chosen.latent_weight, chosen.reconstruction_weight, chosen.cycle_latent_weight, chosen.cycle_weight]
        weights = [chosen.adversarial_weight] * len(verdicts) + [weight for weight in parts for _ in range(2)]
        model.compile(self._adam(), loss=losses, loss_weights=weights, **self.how)
        self.no_target = np.zeros((self.settings.batch_size, *latent_a.shape[1:]), np.float32)
        return model

    def targets(self, a, b):
        """Verdicts of 1, nothing for the latents, and the images themselves."""
        nothing = [self.no_target, self.no_target]
        return [*self.labels[1], *self.labels[1], *nothing, a, b, *nothing, a, b]

    def _encode(self, encoder, image):
        """Latent mean, and a sample past the shared decoder."""
        mean = self.model.shared_encode(encoder(image))
        return mean, self.model.shared_decode(self.model.noise(mean))


def _cross_entropy():
    return keras.losses.BinaryCrossentropy(from_logits=True)


def _mean_square(_, latent):
    return ops.mean(ops.square(ops.cast(latent, "float32")), axis=(1, 2, 3))
