"""Random changes of training images, drawn from the seed and the epoch, applied where the backend computes."""

from typing import NamedTuple

import numpy as np
from keras import ops


class Draws(NamedTuple):
    """What happens to each image of each contrast.

    Args:
        moves: float32 (images, 2, 8), the affine map from output to input pixels as in
            `keras.ops.image.affine_transform`; None where images stay in place.
        gains: float32 (images, 2), what intensities above the background are multiplied with; None where they stay.
    """

    moves: np.ndarray | None
    gains: np.ndarray | None


def draw(augmentation, number, shape, *, paired, seed, row_to_column_mm=1.0):
    """Draw what happens to the images of an epoch.

    Args:
        augmentation: `ganlib.runs.Augmentation`.
        number: images of each contrast.
        shape: height and width of the images, pixels.
        paired: True if both contrasts of an image must move alike.
        seed: seed of the draws, such as [seed of the training, epoch].
        row_to_column_mm: spacing of rows relative to that of columns: heads are turned, not sheared.

    Returns:
        `Draws`.
    """
    generator = np.random.default_rng(seed)
    # Both are always drawn, so that switching one off leaves the other as it was.
    moves = _moves(generator, augmentation, number, shape, row_to_column_mm)
    gains = 1 + augmentation.intensity * generator.uniform(-1, 1, (number, 2))
    if paired:
        moves[:, 1] = moves[:, 0]
    return Draws(
        moves.astype(np.float32) if augmentation.moves else None,
        gains.astype(np.float32) if augmentation.intensity else None,
    )


def apply(images, moves, gains):
    """Change a batch of images of one contrast; runs on every backend, in a graph or not.

    Beyond its border an image is continued by the pixels of its border.

    Args:
        images: float32 (batch, height, width, channels), in network units.
        moves: (batch, 8) or None.
        gains: (batch,) or None; intensity is counted from -1, the lower end of the range.

    Returns:
        Tensor of the backend, of the shape of `images`.
    """
    if moves is not None:
        images = ops.image.affine_transform(
            images, moves, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
        )
    if gains is not None:
        images = (images + 1) * ops.reshape(gains, (-1, 1, 1, 1)) - 1
    return images


def _moves(generator, augmentation, number, shape, row_to_column_mm):
    """Affine maps about the middle of the image: float (number, 2, 8)."""
    angle = np.deg2rad(augmentation.rotation_degrees) * generator.uniform(-1, 1, (number, 2))
    scale = 1 + augmentation.scale * generator.uniform(-1, 1, (number, 2))
    shift_x, shift_y = augmentation.shift_px * generator.uniform(-1, 1, (2, number, 2))
    mirror = np.where(augmentation.flip & (generator.uniform(size=(number, 2)) < 0.5), -1, 1)
    middle_y, middle_x = (np.array(shape) - 1) / 2
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    # Rows are `row_to_column_mm` as far apart as columns.
    x_by_x, x_by_y = mirror * cosine, -mirror * sine * row_to_column_mm
    y_by_x, y_by_y = sine / row_to_column_mm, cosine
    maps = np.zeros((number, 2, 8))
    maps[..., 0], maps[..., 1] = x_by_x, x_by_y
    maps[..., 2] = middle_x - x_by_x * (middle_x + shift_x) - x_by_y * (middle_y + shift_y)
    maps[..., 3], maps[..., 4] = y_by_x, y_by_y
    maps[..., 5] = middle_y - y_by_x * (middle_x + shift_x) - y_by_y * (middle_y + shift_y)
    return maps
