"""The same images under every protocol, and one subject of a run to look at."""

import numpy as np
import pytest

from ganlib.cohort import IntensityRange
from ganlib.errors import InputError
from ganlib.evaluation.cases import BASELINES, case_of_run, mean_image
from ganlib.evaluation.compare import summary
from ganlib.evaluation.degradations import known_errors
from ganlib.evaluation.protocols import PROTOCOLS, score
from ganlib.evaluation.spread import images_under_every_protocol, methods_under_every_protocol
from ganlib.runs import Run
from tests.evaluation.fake_runs import write_fake_run


def test_a_row_per_image_and_a_column_per_protocol(brain):
    image, mask = brain
    settings = {"mask": mask, "intensity_range": IntensityRange(0, 1000)}
    images = known_errors(image, **settings)
    table = images_under_every_protocol(images, image, **settings)
    assert list(table.index) == list(images)
    assert list(table) == list(PROTOCOLS)
    blurred = "blurred, σ 1 pixel"
    for protocol in PROTOCOLS:
        expected = score(image, images[blurred], protocol=protocol, **settings)["psnr_db"]
        assert table.loc[blurred, protocol] == expected
    # What each protocol cannot see, whatever the image.
    assert (table.loc["15 % too bright", ["paper", "own-max", "percentile"]] > 100).all()
    assert table.loc["15 % too bright", "masked"] < 30
    assert np.isinf(table.loc["background at 30 % of the range", "masked"])


def test_the_means_of_the_methods(results):
    table = methods_under_every_protocol(results.scores, "t2w_to_t1w")
    assert list(table.index) == [*BASELINES, "Simple", "CycleGAN", "UNIT"]
    expected = summary(results.scores, "psnr_db", "percentile").set_index(["method", "direction"])["mean"]
    assert table.loc["UNIT", "percentile"] == expected["UNIT", "t2w_to_t1w"]


def test_a_case_of_a_run(measured_runs):
    run = measured_runs[0]
    case, synthetic = case_of_run(run)
    assert (case.subject_id, case.direction.name) == ("sub-04", "t1w_to_t2w")
    with run.cohort() as cohort:
        np.testing.assert_array_equal(case.target, cohort.images("sub-04", "T2w"))
        np.testing.assert_array_equal(case.baselines["Mean image"], mean_image(cohort, run.split["train"], "T2w"))
    np.testing.assert_array_equal(synthetic, run.synthetic("sub-04", case.direction))
    case, _ = case_of_run(run, "sub-07", "t2w_to_t1w")
    assert (case.subject_id, case.direction.target) == ("sub-07", "T1w")


def test_a_case_that_is_not_there_is_named(measured_home, tmp_path):
    run = Run(measured_home / "runs" / "unit")
    with pytest.raises(InputError, match="no direction 't1w_to_pd'; use t1w_to_t2w or t2w_to_t1w"):
        case_of_run(run, direction="t1w_to_pd")
    with pytest.raises(InputError, match=r"no t1w_to_t2w/sub-99; translate anew"):
        case_of_run(run, "sub-99")
    (tmp_path / "cohort.h5").symlink_to(measured_home / "runs" / "cohort.h5")
    untested = write_fake_run(tmp_path / "run", tmp_path / "cohort.h5", split={**run.split, "test": []})
    with pytest.raises(InputError, match="no test subject, so that nothing can be scored"):
        case_of_run(untested)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda image: image[:, :-1], "shapes differ: target"),
        (lambda image: image * np.nan, "synthetic image: 256 of 256 scored voxels are NaN"),
    ],
)
def test_a_translation_that_cannot_be_scored_is_named(tiny_cohort, tmp_path, spoil, named):
    run = write_fake_run(tmp_path / "run", tiny_cohort)
    with run.cohort() as cohort:
        images = [(each, name, spoil(cohort.images(name, each.target)))
                  for each in run.directions for name in run.split["test"]]  # fmt: skip
    run.write_synthetic(images)
    with pytest.raises(InputError, match=rf"synthetic\.h5: t1w_to_t2w/\S+ .\w+.: {named}.*; translate anew"):
        case_of_run(run)
