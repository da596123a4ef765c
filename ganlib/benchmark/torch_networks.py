"""CycleGAN's networks in PyTorch, as people write them: `nn.Sequential`, channels first.

They have the parameters of `ganlib.models.networks` and compute the same function of images mirrored along both axes:
where Keras pads an even image for stride 2 at its end, PyTorch pads at its beginning.
"""

from torch import nn


def resnet_generator(base_filters, num_residual_blocks):
    """The generator, from (batch, 1, height, width) to the same shape."""
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(1, base_filters, 7), *_norm_relu(base_filters)]
    for factor in (1, 2):
        filters = base_filters * factor
        layers += [nn.Conv2d(filters, 2 * filters, 3, stride=2, padding=1), *_norm_relu(2 * filters)]
    layers += [ResidualBlock(4 * base_filters) for _ in range(num_residual_blocks)]
    for factor in (4, 2):
        filters = base_filters * factor
        layers += [
            nn.ConvTranspose2d(filters, filters // 2, 3, stride=2, padding=1, output_padding=1),
            *_norm_relu(filters // 2),
        ]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(base_filters, 1, 7), nn.Tanh())


def patch_discriminator(base_filters):
    """The discriminator, from (batch, 1, height, width) to (batch, 1, height / 8, width / 8)."""
    layers = [nn.Conv2d(1, base_filters, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
    for factor in (1, 2):
        filters = base_filters * factor
        layers += [nn.Conv2d(filters, 2 * filters, 4, stride=2, padding=1), *_norm_leaky(2 * filters)]
    # Four rows of a kernel with stride 1 keep the size only if one side gets more padding than the other.
    uneven = (2, 1, 2, 1)
    layers += [nn.ZeroPad2d(uneven), nn.Conv2d(4 * base_filters, 8 * base_filters, 4), *_norm_leaky(8 * base_filters)]
    return nn.Sequential(*layers, nn.ZeroPad2d(uneven), nn.Conv2d(8 * base_filters, 1, 4))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, filters):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(filters, filters, 3, padding=1),
            *_norm_relu(filters),
            nn.Conv2d(filters, filters, 3, padding=1),
            nn.InstanceNorm2d(filters, affine=True),
        )

    def forward(self, x):
        """Add what the convolutions make of the input to it."""
        return x + self.body(x)


def _norm_relu(filters):
    return nn.InstanceNorm2d(filters, affine=True), nn.ReLU(inplace=True)


def _norm_leaky(filters):
    return nn.InstanceNorm2d(filters, affine=True), nn.LeakyReLU(0.2, inplace=True)
