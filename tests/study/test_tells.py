"""Tells that give an image away without a look at the anatomy: removed, and found again where they are left in."""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganlib.cohort import Cohort
from ganlib.cohort.intensity import IntensityRange
from ganlib.errors import InputError
from ganlib.runs import Run
from ganlib.study import RatingSession, StudyDatabase, create_study, study_design
from ganlib.study.images import render_images, require_one_cohort
from ganlib.study.rendering import intensity_step, render
from tests.evaluation.fake_runs import write_fake_run
from tests.study.conftest import METHODS, write_cohort

RANGE = IntensityRange(0.0, 1000.0)


def auc(features, truth):
    """Area under the curve of a logistic regression that never saw the image it judges."""
    features = np.nan_to_num(np.asarray(features, float))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced"))
    return roc_auc_score(truth, cross_val_predict(model, features, truth, cv=8, method="decision_function"))


def tells(pixels, shape, message=(), place=0):
    """What a program sees without a look at the brain: sizes, order, background, borders, steps of the grey levels."""
    image = np.frombuffer(pixels, np.uint8).reshape(shape).astype(float)
    frame = np.concatenate([image[:2].ravel(), image[-2:].ravel(), image[:, :2].ravel(), image[:, -2:].ravel()])
    corners = [image[:4, :4], image[:4, -4:], image[-4:, :4], image[-4:, -4:]]
    rim = image[(image > 0) & ~binary_erosion(image > 0)]
    levels = np.unique(image)
    return [len(pixels), *message, place, frame.mean(), frame.std(), (frame == 0).mean(),
            *[corner.mean() for corner in corners], (image == 0).sum() / image.size, levels.min(), levels.max(),
            np.diff(levels).min(), image.max() == 255, rim.mean(), rim.std()]  # fmt: skip


@pytest.fixture(scope="module")
def paper_study(tmp_path_factory):
    """The paper's design on a cohort whose synthetic images have every tell: background, steps, upper end, edge."""
    folder = tmp_path_factory.mktemp("tells")
    cohort = write_cohort(folder / "cohort.h5", subjects=190)
    runs = [write_fake_run(folder / name.lower(), cohort, label=name, error=0) for name in METHODS]
    with Cohort(cohort) as opened:
        for run in runs:
            _add_tells(run, opened)
    database = StudyDatabase(folder / "study.db", create=True)
    study, _ = create_study(database, "tells", runs, study_design("paper_2018", repeats=0))
    yield study, runs
    database.close()


def _add_tells(run, cohort):
    rng = np.random.default_rng(1)
    found = [(direction, name, run.synthetic(name, direction), cohort.mask(name))
             for direction in run.directions for name in run.synthetic_ids(direction)]  # fmt: skip
    run.write_synthetic((direction, name, _told(images, mask, rng)) for direction, name, images, mask in found)


def _told(images, mask, rng):
    edge = mask & ~binary_erosion(mask[0])[None]
    return np.minimum(images * np.where(edge, 0.6, 1) + rng.normal(0.8, 0.3, images.shape), images.max() * 0.97)


def test_a_trivial_classifier_on_what_the_browser_receives_is_at_chance(paper_study):
    study, _ = paper_study
    session = RatingSession(study.database, study.join(consent=True), study)
    order, features, truth = study.trials.order(1), [], []
    while (view := session.current()) is not None:
        if not view.practice:
            message = [value for value in view.message().values() if isinstance(value, int | float)]
            features.append(tells(view.images[0], (24, 20), message, view.position))
            truth.append(study.trials.truth(study.trials.trial(view.step, order)) == "real")
        session.answer(view.step, "real", 1)
    assert (len(truth), sum(truth)) == (168, 96)
    assert len(features[0]) == 25
    # Chance, give or take three standard errors of an area on 96 and 72 images.
    assert abs(auc(features, truth) - 0.5) < 0.14, auc(features, truth)


def test_the_same_classifier_finds_the_tells_where_they_are_left_in(paper_study):
    study, runs = paper_study
    by_name = {run.name: run for run in runs}
    features, truth = [], []
    with runs[0].cohort() as cohort:
        for image in study.trials.images:
            raw = cohort.images(image.subject, image.contrast)
            if image.kind == "synthetic":
                run = by_name[image.run]
                [direction] = [entry for entry in run.directions if entry.target == image.contrast]
                raw = run.synthetic(image.subject, direction)
            grey = np.clip(255 * cohort.ranges[image.contrast].fraction(raw[0]), 0, 255).astype(np.uint8)
            features.append(tells(grey.tobytes(), grey.shape))
            truth.append(image.kind == "real")
    assert auc(features, truth) > 0.95


def test_the_edge_alone_is_a_tell_where_it_is_not_trimmed(paper_study):
    study, runs = paper_study
    with runs[0].cohort() as cohort:
        found = {trim: [] for trim in (0, 1)}
        for trim in found:
            design = study.trials.design.model_copy(update={"trim_px": trim})
            for pixels in render_images(study.trials.model_copy(update={"design": design}), runs, cohort):
                rim = pixels[(pixels > 0) & ~binary_erosion(pixels > 0)]
                found[trim].append([rim.mean(), rim.std()])
    truth = [image.kind == "real" for image in study.trials.images]
    assert auc(found[0], truth) > 0.9
    assert abs(auc(found[1], truth) - 0.5) < 0.14


def test_pixels_come_uncompressed_and_of_one_length(paper_study):
    study, _ = paper_study
    assert {len(study.pixels(number)) for number in range(len(study.trials.images))} == {24 * 20}


class TestRender:
    mask = np.array([[True, True, True], [True, True, False]])

    def test_background_is_exactly_zero_and_the_window_is_the_same(self):
        image = np.array([[0, 450, 900], [1000, -20, 3]])
        shown = render(image, mask=self.mask, intensity_range=RANGE, window=(0, 0.9))
        assert shown.tolist() == [[0, 128, 255], [255, 0, 0]]
        assert shown.dtype == np.uint8

    def test_steps_of_the_real_image_are_taken_on(self):
        image = np.array([[101.0, 149.0, 160.0], [204, 11, 0]])
        stepped = render(image, mask=self.mask, intensity_range=RANGE, window=(0, 1), step=50)
        assert stepped.tolist() == render(
            np.array([[100, 150, 150], [200, 0, 0]]), mask=self.mask, intensity_range=RANGE, window=(0, 1)
        ).tolist()  # fmt: skip

    @pytest.mark.parametrize(("values", "step"), [
        ([0, 2.5, 7.5], 2.5), ([0, 1, 2, 7], 1), ([0.0, 0.31, 0.5773, 0.9], 0), ([5, 5, 5], 0),
    ])  # fmt: skip
    def test_intensity_step(self, values, step):
        assert intensity_step(np.array(values)) == pytest.approx(step)

    def test_what_cannot_be_shown(self):
        image = np.ones((2, 3))
        with pytest.raises(ValueError, match="differ in shape"):
            render(image[:1], mask=self.mask, intensity_range=RANGE, window=(0, 1))
        with pytest.raises(ValueError, match="mask of this slice is empty"):
            render(image, mask=self.mask & False, intensity_range=RANGE, window=(0, 1))
        with pytest.raises(ValueError, match="not finite"):
            render(image * np.nan, mask=self.mask, intensity_range=RANGE, window=(0, 1))


class TestRuns:
    def test_have_to_be_of_one_cohort_and_different(self, study_runs, tmp_path):
        with pytest.raises(InputError, match="no run to show"):
            require_one_cohort([])
        with pytest.raises(InputError, match="is given twice"):
            require_one_cohort([study_runs[0], study_runs[0]])
        other = write_fake_run(tmp_path / "x", write_cohort(tmp_path / "cohort.h5", subjects=10, seed=5))
        with pytest.raises(InputError, match="different cohorts"):
            require_one_cohort([study_runs[0], other])

    def test_broken_images_name_run_subject_and_slice(self, study_runs, tmp_path, database):
        cohort = write_cohort(tmp_path / "cohort.h5", subjects=24)
        run = write_fake_run(tmp_path / "broken", cohort)
        run.write_synthetic((direction, name, np.full_like(run.synthetic(name, direction), np.nan))
                            for direction in run.directions for name in list(run.split["test"]))  # fmt: skip
        with pytest.raises(InputError, match=r"broken: subject sub-\d\d, T[12]w, slice 0: .*not finite"):
            create_study(database, "b", [Run(tmp_path / "broken")],
                         study_design(synthetic_per_cell=1, practice=0, real_from=("train", "test")))  # fmt: skip
