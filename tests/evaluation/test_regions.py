"""Regions: errors counted where they are, and nowhere else."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ganlib.cohort import CohortHeader, CohortWriter, IntensityRange, Subject
from ganlib.errors import InputError
from ganlib.evaluation.compare import load_scores, summary
from ganlib.evaluation.evaluate import BASELINES, COLUMNS, evaluate_regions
from ganlib.evaluation.protocols import MASKED
from ganlib.evaluation.regions import region_measures
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run

NAMES = {1: "CSF", 2: "grey matter", 4: "lesion"}
RANGE = IntensityRange(0, 1000)


@pytest.fixture
def labelled(brain):
    """The brain, its mask, and labels: CSF above, grey matter below, a lesion of 9 pixels; code 3 has no name."""
    image, mask = brain
    labels = np.where(np.arange(96)[:, None] < 48, 1, 2) * np.ones((96, 80), int)
    labels[60:63, 40:43] = 4
    labels[70, 40] = 3
    return image, mask, labels


def measures(image, made, mask, labels):
    return region_measures(image, made, mask=mask, labels=labels, names=NAMES, intensity_range=RANGE)


def test_an_error_counts_in_its_region_alone(labelled):
    image, mask, labels = labelled
    found = measures(image, np.where(labels == 4, image - 200, image), mask, labels)
    assert found["lesion"]["mae"] == pytest.approx(0.2, rel=1e-5)
    assert found["lesion"]["bias"] == pytest.approx(-0.2, rel=1e-5)
    assert found["lesion"]["psnr_db"] == pytest.approx(-20 * np.log10(0.2), rel=1e-5)
    assert found["lesion"]["mask_fraction"] == pytest.approx(9 / mask.sum())
    assert found["grey matter"]["mae"] == found["CSF"]["mae"] == 0
    assert found["lesion"]["ssim"] < found["grey matter"]["ssim"] < found["CSF"]["ssim"] == pytest.approx(1)


def test_regions_make_up_the_whole(labelled):
    image, mask, labels = labelled
    labels = np.where(labels == 3, 2, labels)
    made = gaussian_filter(image, 1)
    found = measures(image, made, mask, labels)
    shares = {name: scores["mask_fraction"] for name, scores in found.items()}
    whole = MASKED.score(image, made, mask=mask, intensity_range=RANGE)
    assert sum(shares.values()) == pytest.approx(1)
    for measure in ("mae", "ssim"):
        pooled = sum(shares[name] * found[name][measure] for name in found)
        assert pooled == pytest.approx(whole[measure], rel=1e-6)


def test_codes_without_a_name_and_regions_outside_the_mask_are_left_out(labelled):
    image, mask, labels = labelled
    assert set(measures(image, image, mask, labels)) == {"CSF", "grey matter", "lesion"}
    assert set(measures(image, image, mask & (labels != 4), labels)) == {"CSF", "grey matter"}


def test_errors(labelled):
    image, mask, labels = labelled
    with pytest.raises(ValueError, match=r"shapes differ: mask \(96, 80\), labels \(95, 80\)"):
        measures(image, image, mask, labels[:-1])
    with pytest.raises(ValueError, match="mask is empty"):
        measures(image, image, np.zeros_like(mask), labels)
    with pytest.raises(ValueError, match="NaN"):
        measures(image, image * np.nan, mask, labels)


def write_labelled_cohort(path, brain):
    """Six subjects of the brain at different brightness; the last test subject has no lesion."""
    image, mask = brain
    header = CohortHeader(
        name="labelled", contrasts=["T1w", "T2w"], voxel_mm=(2, 2, 2), phantom=True, label_names=NAMES
    )
    with CohortWriter(path, header) as writer:
        for number in range(6):
            labels = np.where(mask, 2, 0)
            labels[60:63, 40:43] = 4 if number < 5 else 2
            subject = Subject(
                id=f"sub-{number}", split=("train", "train", "validation", "test", "test", "test")[number],
                affine=np.eye(4).tolist(), volume_shape=(80, 96, 1), slice_indices=[0], slice_mm=[0.0],
            )  # fmt: skip
            pair = {"T1w": image * (1 + 0.02 * number), "T2w": np.where(mask, 1000 - image, 0)}
            writer.add(subject, {key: value[None] for key, value in pair.items()}, mask[None], labels[None])
    return path


def test_a_run_by_region(tmp_path, brain):
    path = write_labelled_cohort(tmp_path / "labelled.h5", brain)
    runs = [write_fake_run(tmp_path / name, path, label=name) for name in ("UNIT", "Simple")]
    table = evaluate_regions(runs, progress=False)[0]
    assert list(table) == [*COLUMNS[:-1], "region", "phantom"]
    assert set(table["region"]) == {"grey matter", "lesion"}
    assert set(table.loc[table["region"] == "lesion", "subject"]) == {"sub-3", "sub-4"}
    assert set(table["method"]) == {"UNIT", *BASELINES}
    joined = load_scores(runs, "regions")
    lesion = summary(joined[joined["region"] == "lesion"], "mae", "masked").set_index(["method", "direction"])
    # Every second column is off by 5 % of the range, the second subject's by a tenth more; a third of 3 columns.
    assert lesion.loc[("UNIT", "t1w_to_t2w"), "mean"] == pytest.approx(0.0525 / 3, rel=1e-3)
    with pytest.raises(InputError, match=r"several regions .grey matter, lesion.; choose one"):
        summary(joined, "mae", "masked")


def test_a_cohort_without_labels_has_no_regions(tmp_path):
    path = write_tiny_cohort(tmp_path / "cohort.h5")
    with pytest.raises(InputError, match=r"cohort\.h5: has no labels"):
        evaluate_regions([write_fake_run(tmp_path / "run", path)], progress=False)


@pytest.mark.real_data
def test_a_real_lesion_that_is_erased_is_seen_in_its_region_alone(patient):
    """T2w lesions of a patient set to the median of the brain: nothing to the whole, everything to the lesion."""
    image, mask = patient["T2w"], patient["mask"]
    labels = np.where(patient["lesion"] > 0, 4, 2)
    erased = np.where(mask & (labels == 4), np.median(image[mask]), image)
    high = IntensityRange(0, float(np.percentile(image[mask], 99.5)))
    settings = {"mask": mask, "labels": labels, "names": {2: "elsewhere", 4: "lesion"}, "intensity_range": high}
    found = region_measures(image, erased, **settings)
    assert found["lesion"]["bias"] < -0.05 < found["elsewhere"]["bias"] == 0
    assert found["lesion"]["mae"] > 0.05
    assert found["lesion"]["mask_fraction"] < 0.02
    whole = MASKED.score(image, erased, mask=mask, intensity_range=high)
    assert whole["ssim"] > 0.99 > found["lesion"]["ssim"] + 0.05
