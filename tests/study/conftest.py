"""Studies small enough to know every image of: a cohort, runs of known error, and a stored study."""

import numpy as np
import pytest

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.study import StudyDatabase, create_study, study_design
from ganlib.study.draw import ImagePool
from ganlib.study.trials import RunSource
from tests.evaluation.fake_runs import write_fake_run

METHODS = ("CycleGAN", "CycleGAN_s", "UNIT")


def pool(subjects=200, methods=METHODS, slices=1):
    """Images of so many translated subjects."""
    names = tuple(f"sub-{number:03d}" for number in range(subjects))
    return ImagePool(
        runs=tuple(RunSource(name=method.lower(), method=method, folder="runs", seed=0) for method in methods),
        contrasts=("T1w", "T2w"), synthetic_subjects=names, real_subjects=names,
        slices=dict.fromkeys(names, tuple(range(slices))),
    )  # fmt: skip


RECORDED = {
    "cohort": "c", "cohort_fingerprint": "f", "phantom": True, "windows": {}, "image_shape": (4, 4),
    "pixel_mm": (1.0, 1.0),
}  # fmt: skip


def write_cohort(path, subjects=40, shape=(24, 20), seed=0):
    """A phantom cohort whose synthetic images can differ from the real ones in every tell: background, steps, range."""
    header = CohortHeader(name="study", contrasts=["T1w", "T2w"], voxel_mm=(1.0, 1.5, 2.0), phantom=True)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    middle = [(size - 1) / 2 for size in shape]
    mask = (np.hypot((rows - middle[0]) / (shape[0] / 2.4), (columns - middle[1]) / (shape[1] / 2.5)) < 1)[None]
    random = np.random.default_rng(seed)
    with CohortWriter(path, header) as writer:
        for number in range(subjects):
            images = {name: np.rint(random.uniform(100, top, (1, *shape))) * mask
                      for name, top in (("T1w", 900), ("T2w", 400))}  # fmt: skip
            subject = Subject(
                id=f"sub-{number:02d}", split="train" if number < 8 else "test", affine=np.eye(4).tolist(),
                volume_shape=(shape[1], shape[0], 1), slice_indices=[0], slice_mm=[0.0],
            )  # fmt: skip
            writer.add(subject, images, mask)
    return path


@pytest.fixture(scope="session")
def study_runs(tmp_path_factory):
    """Runs of two methods on one cohort of 8 training and 32 test subjects."""
    folder = tmp_path_factory.mktemp("study")
    cohort = write_cohort(folder / "cohort.h5")
    return [write_fake_run(folder / label.lower(), cohort, label=label, error=error)
            for label, error in (("CycleGAN", 0.05), ("Simple", 0.2))]  # fmt: skip


DESIGN = study_design(synthetic_per_cell=4, practice=2, real_from=("train", "test"), repeats=0.25)


@pytest.fixture
def database(tmp_path):
    opened = StudyDatabase(tmp_path / "study.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def study(database, study_runs):
    """A yes/no study of 2 practice trials, 32 images and 8 repeats."""
    return create_study(database, "tiny", study_runs, DESIGN)[0]


def open_cohort(runs):
    return Cohort(runs[0].cohort_path)
