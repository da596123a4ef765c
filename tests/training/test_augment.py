"""Augmentation: known moves give known images, pairs move alike, and nothing happens unless asked for."""

import numpy as np
import pytest
from keras import ops

from ganlib.errors import InputError
from ganlib.runs import Augmentation
from ganlib.training import augment
from ganlib.training.settings import TrainingSettings
from ganlib.validation import validated

_SHAPE = (9, 7)


def _image():
    rows, columns = np.mgrid[:9, :7].astype(np.float32)
    return (rows * 10 + columns)[np.newaxis, ..., np.newaxis]


def _draw(settings, number=50, **options):
    return augment.draw(Augmentation(**settings), number, _SHAPE, **{"paired": False, "seed": [3, 1], **options})


def _moved(moves, image=None):
    image = _image() if image is None else image
    return ops.convert_to_numpy(augment.apply(image, moves[np.newaxis].astype(np.float32), None))[0, ..., 0]


def test_nothing_is_drawn_by_default():
    assert not Augmentation().active
    assert _draw({}) == (None, None)
    image = _image()
    assert augment.apply(image, None, None) is image


def test_flip_mirrors_left_and_right_in_half_of_the_images():
    moves = _draw({"flip": True}, 1000).moves
    mirrored = moves[:, 0, 0] < 0
    assert 430 < mirrored.sum() < 570
    np.testing.assert_allclose(_moved(moves[mirrored.argmax(), 0]), _image()[0, :, ::-1, 0], atol=1e-4)
    np.testing.assert_allclose(_moved(moves[(~mirrored).argmax(), 0]), _image()[0, ..., 0], atol=1e-4)


def test_shift_moves_by_pixels_and_continues_the_border():
    moves = _draw({"shift_px": 2.5}).moves[:, 0]
    right, down = moves[:, 2], moves[:, 5]
    assert np.abs([right, down]).max() <= 2.5
    assert np.abs([right, down]).max() > 2
    expected = np.clip(np.arange(7) + right[0], 0, 6) + 10 * np.clip(np.arange(9) + down[0], 0, 8)[:, np.newaxis]
    np.testing.assert_allclose(_moved(moves[0]), expected, atol=1e-3)


def test_rotation_keeps_the_middle_and_the_distances():
    moves = _draw({"rotation_degrees": 90}, 400).moves[:, 0]
    matrices = moves[:, [0, 1, 3, 4]].reshape(-1, 2, 2)
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-5)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(2), (400, 2, 2)), atol=1e-5
    )
    middle = np.einsum("nij,j->ni", matrices, [3, 4]) + moves[:, [2, 5]]
    np.testing.assert_allclose(middle, np.broadcast_to([3, 4], (400, 2)), atol=1e-4)
    angles = np.rad2deg(np.arctan2(moves[:, 3], moves[:, 0]))
    assert -90 <= angles.min() < -80 < 80 < angles.max() <= 90


def test_heads_are_turned_not_sheared_where_pixels_are_not_square():
    moves = _draw({"rotation_degrees": 90}, row_to_column_mm=2.0).moves[0, 0]
    to_mm = np.diag([1.0, 2.0])
    in_mm = to_mm @ moves[[0, 1, 3, 4]].reshape(2, 2) @ np.linalg.inv(to_mm)
    np.testing.assert_allclose(in_mm @ in_mm.T, np.eye(2), atol=1e-5)


def test_scale_enlarges_by_the_given_part_at_most():
    moves = _draw({"scale": 0.2}, 500).moves[:, 0]
    sizes = 1 / moves[:, 0]
    assert 0.8 <= sizes.min() < 0.82 < 1.18 < sizes.max() <= 1.2
    np.testing.assert_allclose(moves[:, 0], moves[:, 4])


def test_pairs_move_alike_and_have_intensities_of_their_own():
    settings = {"flip": True, "rotation_degrees": 5, "scale": 0.1, "shift_px": 2, "intensity": 0.1}
    paired, unpaired = _draw(settings, paired=True), _draw(settings)
    np.testing.assert_array_equal(paired.moves[:, 0], paired.moves[:, 1])
    assert (unpaired.moves[:, 0] != unpaired.moves[:, 1]).any()
    assert (paired.gains[:, 0] != paired.gains[:, 1]).all()
    assert 0.9 <= paired.gains.min() < paired.gains.max() <= 1.1


def test_intensity_is_counted_from_the_lower_end_of_the_range():
    changed = augment.apply(np.full((2, 1, 1, 1), [[[[-1.0]]], [[[0.0]]]], np.float32), None, np.float32([1.5, 1.5]))
    np.testing.assert_allclose(ops.convert_to_numpy(changed).ravel(), [-1, 0.5])


def test_draws_depend_on_the_seed_alone():
    settings = {"rotation_degrees": 5, "intensity": 0.1}
    for first, second in zip(_draw(settings), _draw(settings), strict=True):
        np.testing.assert_array_equal(first, second)
    assert (_draw(settings).moves != _draw(settings, seed=[3, 2]).moves).any()
    np.testing.assert_array_equal(_draw(settings).moves, _draw({"rotation_degrees": 5}).moves)


def test_every_channel_moves_alike():
    image = np.concatenate([_image(), 2 * _image()], axis=-1)
    moves = _draw({"rotation_degrees": 20, "shift_px": 1}).moves[0, :1]
    moved = ops.convert_to_numpy(augment.apply(image, moves, None))
    np.testing.assert_allclose(moved[..., 1], 2 * moved[..., 0], rtol=1e-5)


@pytest.mark.parametrize("wrong", [{"flips": True}, {"scale": 2}, {"rotation_degrees": -1}, {"shift_px": "far"}])
def test_augmentation_that_cannot_be_used_is_named(wrong):
    with pytest.raises(InputError, match=f"augmentation.{next(iter(wrong))}"):
        validated(TrainingSettings, {"method": "simple", "augmentation": wrong})
