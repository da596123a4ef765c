"""CycleGAN's training step as people write it in PyTorch."""

import contextlib
import itertools
import random

import numpy as np
import torch
from torch import nn

from ganlib.benchmark.entry import SteppingEntry, random_slices, shuffled
from ganlib.benchmark.torch_networks import patch_discriminator, resnet_generator


class TorchCycleGAN(SteppingEntry):
    """Generators first, then the discriminators on pooled fakes; two Adam optimisers; eager or compiled networks.

    Args:
        contender, settings, device: as of every `Entry`.
        options: all of our method's settings, as a dictionary.
    """

    def __init__(self, contender, settings, device, options):
        super().__init__(contender, settings, device)
        torch.manual_seed(settings.seed)
        # The usual advice for images of one size.
        torch.backends.cudnn.benchmark = True
        self.torch_device = torch.device("cuda" if device.has_gpu else "cpu")
        self.weights = {name: options[f"{name}_weight"] for name in ("adversarial", "cycle")}
        size = options["base_filters"], options["num_residual_blocks"]
        self.to_a, self.to_b = (resnet_generator(*size).to(self.torch_device) for _ in range(2))
        self.judge_a, self.judge_b = (
            patch_discriminator(options["discriminator_filters"]).to(self.torch_device) for _ in range(2)
        )
        self.pool_a, self.pool_b = (ImagePool(options["pool_size"]) for _ in range(2))
        rate = {"lr": options["learning_rate"], "betas": (0.5, 0.999)}
        self.adam_generators = torch.optim.Adam(_parameters(self.to_a, self.to_b), **rate)
        self.adam_judges = torch.optim.Adam(_parameters(self.judge_a, self.judge_b), **rate)
        self.mean_absolute, self.mean_square = nn.L1Loss(), nn.MSELoss()
        if contender.kind == "torch-compile":
            for network in (self.to_a, self.to_b, self.judge_a, self.judge_b):
                network.compile()

    @property
    def num_parameters(self):
        """Trainable numbers in all networks."""
        return sum(p.numel() for p in _parameters(self.to_a, self.to_b, self.judge_a, self.judge_b))

    def step(self, a, b):
        """One training step on tensors (batch, 1, height, width).

        Returns:
            Dictionary of the loss parts, each over both contrasts.
        """
        judges = (self.judge_a, self.judge_b)
        for judge in judges:
            judge.requires_grad_(False)
        self.adam_generators.zero_grad()
        with self._autocast():
            fakes = self.to_a(b), self.to_b(a)
            adversarial = sum(self._loss(judge(fake), 1.0) for judge, fake in zip(judges, fakes, strict=True))
            cycle = self.mean_absolute(self.to_a(fakes[1]), a) + self.mean_absolute(self.to_b(fakes[0]), b)
            loss = self.weights["adversarial"] * adversarial + self.weights["cycle"] * cycle
        loss.backward()
        self.adam_generators.step()
        judged = self._update_judges((a, b), fakes)
        return {"adversarial": adversarial.detach(), "cycle": cycle.detach(), "discriminator": judged}

    def batches(self):
        """Endless pairs of batches, on the device."""
        slices = torch.from_numpy(random_slices(self.settings)[:, :, np.newaxis]).to(self.torch_device)
        orders = (shuffled(slices.shape[1], self.settings.batch_size, [self.settings.seed, side]) for side in range(2))
        for order_a, order_b in zip(*orders, strict=True):
            yield slices[0, torch.from_numpy(order_a)], slices[1, torch.from_numpy(order_b)]

    def translators(self):
        """The generator in evaluation mode."""
        network = self.to_b.eval()

        @torch.no_grad()
        def translate(images):
            with self._autocast():
                made = network(torch.from_numpy(images.reshape(-1, 1, *images.shape[1:3])).to(self.torch_device))
            return made.float().cpu().numpy().reshape(images.shape)

        return {"no_grad": translate}

    def _update_judges(self, real, fakes):
        self.judge_a.requires_grad_(True)
        self.judge_b.requires_grad_(True)
        self.adam_judges.zero_grad()
        judged = 0.0
        sides = zip((self.judge_a, self.judge_b), real, fakes, (self.pool_a, self.pool_b), strict=True)
        for judge, image, fake, pool in sides:
            pooled = pool.query(fake.detach())
            with self._autocast():
                loss = 0.5 * (self._loss(judge(image), 1.0) + self._loss(judge(pooled), 0.0))
            loss.backward()
            judged += loss.detach()
        self.adam_judges.step()
        return judged

    def _loss(self, verdicts, label):
        return self.mean_square(verdicts, torch.full_like(verdicts, label))

    def _autocast(self):
        if self.contender.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.torch_device.type, dtype=torch.bfloat16)


class ImagePool:
    """Past synthetic images: half of the time an old one is given out for a new one.

    Args:
        size: images kept; 0 passes every image on.
    """

    def __init__(self, size):
        self.size, self.images = size, []

    def query(self, images):
        """Exchange a batch with the pool."""
        return torch.cat([self._exchange(image) for image in images.split(1)]) if self.size else images

    def _exchange(self, image):
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            return image
        slot = random.randrange(self.size)
        old, self.images[slot] = self.images[slot], image
        return old


def _parameters(*networks):
    return itertools.chain.from_iterable(network.parameters() for network in networks)
