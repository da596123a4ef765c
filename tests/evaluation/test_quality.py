"""Quality control: what is wrong with one subject of a cohort stands out, and a good cohort raises no flag."""

import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.evaluation import quality
from ganlib.evaluation.quality import measure_quality, quality_of, quality_path
from ganlib.evaluation.quality_flags import FIGURES, Figure, far_out, flipped, z_limit

SHAPE = (60, 52)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)


def _brain(seed, contrast, shift=(0, 0), mirrored=False):
    """An ellipse with parts that are not symmetrical, in one of two contrasts."""
    random = np.random.default_rng(seed)
    rows, columns = ROWS - 30 - shift[0], COLUMNS - 25.5 - shift[1]
    columns = -columns if mirrored else columns
    image = 600.0 * (np.hypot(rows / 25, columns / 20) < 1)
    parts = [((-8, -6), 5, 300), ((6, 8), 6, -250), ((10, -9), 4, 350), ((-12, 7), 3, -300), ((0, 1), 4, -400)]
    for (row, column), size, change in parts:
        row, column = np.array([row, column]) + random.normal(0, 0.5, 2)
        bump = np.exp(-(((rows - row) / size) ** 2 + ((columns - column) / size) ** 2))
        image += (image > 0) * change * bump
    image = image if contrast == "T1w" else (1100 - image) * (image > 0)
    return image * random.normal(1, 0.02) + random.normal(0, 6, SHAPE) * (image > 0)


def _write(path, change=None, plane="axial", count=12):
    """A cohort in which `change(number, images, mask)` spoils whom it likes."""
    header = CohortHeader(name="c", contrasts=["T1w", "T2w"], voxel_mm=(1.5, 1.5, 2), plane=plane)
    with CohortWriter(path, header) as writer:
        for number in range(count):
            images = {name: _brain(number, name)[np.newaxis] for name in ("T1w", "T2w")}
            mask = (np.hypot((ROWS - 30) / 25, (COLUMNS - 25.5) / 20) < 1)[np.newaxis]
            images, mask = change(number, images, mask) if change else (images, mask)
            subject = Subject(
                id=f"s{number:02d}", split="test" if number == 5 else "train", affine=np.eye(4).tolist(),
                volume_shape=(52, 60, 4), slice_indices=[0], slice_mm=[0.0],
            )  # fmt: skip
            writer.add(subject, images, mask)
    return path


def _flags(path):
    with Cohort(path) as cohort:
        table = measure_quality(cohort, progress=False)
    return table, {row["subject"]: row["flags"] for row in table.to_dict("records") if row["flags"]}


def test_a_good_cohort_raises_no_flag(tmp_path):
    table, flags = _flags(_write(tmp_path / "c.h5"))
    assert flags == {}
    assert table[list(FIGURES)].notna().all(axis=None)
    assert (table["asymmetry"] > 0.5).all()
    assert (table["shift_mm"] < 0.5).all()


def _shifted(number, images, mask):
    return {**images, "T2w": np.roll(images["T2w"], (4 if number == 5 else 0), 1)}, mask


def _swapped(number, images, mask):
    return {**images, "T2w": _brain(3, "T2w", mirrored=True)[np.newaxis] if number == 5 else images["T2w"]}, mask


def _both_flipped(number, images, mask):
    return {name: image[..., ::-1] if number == 5 else image for name, image in images.items()}, mask


def _brighter(number, images, mask):
    return {name: image * (1.6 if number == 5 else 1) for name, image in images.items()}, mask


def _smaller(number, images, mask):
    return images, mask & (ROWS < 30) if number == 5 else mask


def _twin(number, images, mask):
    return {name: (1.1 * _brain(4, name))[np.newaxis] if number == 5 else images[name] for name in images}, mask


def _holed(number, images, mask):
    images["T2w"][0, 30, 25] = np.nan if number == 5 else images["T2w"][0, 30, 25]
    return images, mask


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_shifted, "mm apart, more than 2 pixels"),
        (_swapped, "T2w looks mirrored left to right against T1w"),
        (_both_flipped, "differ the other way round"),
        (_brighter, "histogram"),
        (_smaller, "mask 0."),
        (_twin, "is (nearly) that of s04"),
        (_holed, "T2w: values that are not finite"),
    ],
)
def test_what_is_wrong_with_one_subject_stands_out(tmp_path, change, said):
    _, flags = _flags(_write(tmp_path / "c.h5", change))
    assert said in " | ".join(flags["s05"])
    assert set(flags) <= {"s05", "s04"}
    assert ("s04" in flags) == (change is _twin)


def test_sagittal_slices_have_no_left_and_right(tmp_path):
    table, flags = _flags(_write(tmp_path / "c.h5", _both_flipped, plane="sagittal"))
    assert table["asymmetry"].isna().all()
    assert flags == {}


def test_few_subjects_are_not_compared_with_each_other(tmp_path):
    _, flags = _flags(_write(tmp_path / "c.h5", _brighter, count=4))
    assert flags == {}


def test_far_out_looks_at_the_bad_side_alone():
    values = np.array([1, 1.1, 0.9, 1.05, 0.95, 5, -5, np.nan])
    for side, expected in (("high", [5]), ("low", [6]), ("both", [5, 6])):
        assert list(far_out(values, Figure("", "", side, ""))) == expected
    assert list(far_out(values, Figure("", "", "both", "", matters=10.0))) == []
    assert list(far_out(np.ones(10), Figure("", "", "both", ""))) == []


def test_limit_is_exceeded_in_one_sound_cohort_of_twenty():
    random = np.random.default_rng(0)
    for count in (12, 96, 1000):
        figures = random.normal(size=(120, len(FIGURES), count))
        alarmed = [any(len(far_out(row, Figure("", "", "both", ""))) for row in cohort) for cohort in figures]
        assert np.mean(alarmed) < 0.12
        off = 1.2 * z_limit(count) * np.median(np.abs(figures[0, 0])) * 1.4826
        assert 0 in far_out(np.r_[off, figures[0, 0][1:]], Figure("", "", "high", ""))


def test_no_flip_is_told_where_left_and_right_differ_by_chance():
    by_chance = np.random.default_rng(0).normal(0.1, 0.35, 96).clip(-1, 1)
    assert by_chance.min() < -0.6
    assert flipped(by_chance).size == 0
    alike = np.random.default_rng(0).normal(0.6, 0.1, 96)
    alike[7] *= -1
    assert list(flipped(alike)) == [7]


class TestPhantom:
    """A cohort whose subjects differ as people do, sound and with trouble planted in four subjects."""

    @pytest.fixture(scope="class")
    def sound(self, tmp_path_factory):
        settings = PhantomSettings(num_train=40, num_validation=0, num_test=8, variation=0.8)
        with make_phantom(tmp_path_factory.mktemp("phantom") / "sound.h5", settings, progress=False) as cohort:
            yield cohort

    @staticmethod
    def _planted(cohort, path):
        ids = cohort.ids()
        with CohortWriter(path, cohort.header) as writer:
            for number, name in enumerate(ids):
                images = {contrast: cohort.images(name, contrast) for contrast in cohort.contrasts}
                mask = cohort.mask(name)
                if number == 5:
                    images, mask = {c: cohort.images(ids[20], c) for c in cohort.contrasts}, cohort.mask(ids[20])
                if number == 11:
                    images["T2w"] = images["T2w"] * np.float32(1.5)
                if number == 17:
                    images["T2w"] = np.roll(images["T2w"], 2, axis=2) * mask
                if number == 23:
                    images["T2w"] = images["T2w"][..., ::-1]
                writer.add(cohort.subject(name), images, mask, cohort.labels(name))
        return ids

    def test_a_sound_cohort_raises_hardly_a_flag(self, sound):
        table = measure_quality(sound, progress=False)
        assert sum(bool(flags) for flags in table["flags"]) <= 0.03 * len(sound)

    def test_planted_trouble_stands_out_alone(self, sound, tmp_path):
        ids = self._planted(sound, tmp_path / "planted.h5")
        _, flags = _flags(tmp_path / "planted.h5")
        for number, said in ((5, f"that of {ids[20]}"), (20, f"that of {ids[5]}"), (11, "histogram"), (17, "shift"),
                             (23, "mirrored left to right")):  # fmt: skip
            assert said in " | ".join(flags[ids[number]])
        assert set(flags) == {ids[number] for number in (5, 20, 11, 17, 23)}


def test_figures_are_kept_beside_the_cohort_until_it_changes(tmp_path, monkeypatch):
    path = _write(tmp_path / "c.h5", _shifted)
    with Cohort(path) as cohort:
        first = quality_of(cohort, progress=False)
        monkeypatch.setattr(quality, "measure_quality", lambda *_, **__: pytest.fail("measured again"))
        pd.testing.assert_frame_equal(quality_of(cohort, progress=False), first)
    monkeypatch.undo()
    _write(tmp_path / "c.h5")
    with Cohort(path) as cohort:
        assert not any(quality_of(cohort, progress=False)["flags"])
        quality_path(cohort).write_bytes(b"damaged")
        assert not any(quality_of(cohort, progress=False)["flags"])
