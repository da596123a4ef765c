"""The curve over the share of lesions in the training images, of runs that erase and invent on purpose."""

import numpy as np
import pytest

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.evaluation.audit import audit
from ganlib.evaluation.audit_summary import summary_of
from ganlib.evaluation.lesion_share import lesion_shares
from ganlib.evaluation.prevalence_curve import compare_at_shares, prevalence_curve
from ganlib.runs import Run, RunConfig

#: Share of lesions in T2w of each run, training seed, and the cohort whose images its translations are.
RUNS = {
    "cyclegan_000_a": ("CycleGAN", 0, 0, "healthy"),
    "cyclegan_000_b": ("CycleGAN", 0, 1, "itself"),
    "cyclegan_100_a": ("CycleGAN", 1, 0, "ill"),
    "generators_s_000_a": ("Generators_s", 0, 0, "itself"),
    "generators_s_100_a": ("Generators_s", 1, 0, "itself"),
    "unit_100_a": ("UNIT", 1, 0, "ill"),
}


@pytest.fixture(scope="module")
def biased(tmp_path_factory):
    """Runs of two methods at two shares, one of them with two seeds, and of a third at one share; and their audit."""
    folder = tmp_path_factory.mktemp("shares")
    common = {"num_train": 12, "num_validation": 0, "num_test": 12, "size": (80, 68), "voxel_mm": 2.8, "seed": 1}
    shares = {"itself": 0.5, "healthy": 0.0, "ill": 1.0}
    cohorts = {
        name: make_phantom(
            folder / f"{name}.h5",
            PhantomSettings(**common, lesion_prevalence=share, lesion_diameter_mm=(12, 20)), progress=False,
        )
        for name, share in shares.items()
    }  # fmt: skip
    runs = [write_run(cohorts["itself"], folder / name, *settings, cohorts) for name, settings in RUNS.items()]
    yield cohorts["itself"], runs, audit(runs, progress=False)
    for each in cohorts.values():
        each.close()


def write_run(cohort, folder, label, share, seed, images, cohorts):
    """A run that was trained on patients alone in T2w (share 1), or healthy people alone; `CycleGAN` the other way
    round in T1w."""
    lesion = {name: (cohort.labels(name) == 4).any() for name in cohort.ids("train")}
    lists = {1: [name for name in lesion if lesion[name]], 0: [name for name in lesion if not lesion[name]]}
    other = 1 - share if label == "CycleGAN" else share
    config = RunConfig(
        method=label.lower(), method_label=label, cohort=f"../{cohort.path.name}", phantom=True, seed=seed,
        cohort_fingerprint=cohort.fingerprint, contrasts=cohort.contrasts, image_shape=cohort.shape, epochs=1,
        learning_rate=1e-3, prevalence={"T1w": other, "T2w": share},
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split(), {"T1w": lists[other], "T2w": lists[share]})
    run.write_synthetic(
        (direction, subject_id, cohorts[images].images(subject_id, direction.target))
        for direction in run.directions for subject_id in cohort.ids("test")
    )  # fmt: skip
    return run


def at(table, method, share, direction="t1w_to_t2w"):
    return table[
        (table["method"] == method) & (table["target_share"] == share) & (table["direction"] == direction)
    ]  # fmt: skip


def test_shares_are_those_that_were_trained_on(biased):
    cohort, runs, _ = biased
    shares = lesion_shares(cohort, runs)
    assert shares["cyclegan_000_a"] == {"T1w": 1, "T2w": 0}
    assert shares["generators_s_100_a"] == {"T1w": 1, "T2w": 1}


def test_runs_are_called_by_their_prevalence_and_seeds_of_one_are_counted_together(biased):
    table = summary_of(biased[2]).set_index(["method", "direction"])
    names = {name for name, _ in table.index}
    assert {"CycleGAN (T1w 100 %, T2w 0 %)", "CycleGAN (T1w 0 %, T2w 100 %)", "Generators_s (100 %)"} <= names
    both = table.loc[("CycleGAN (T1w 100 %, T2w 0 %)", "t1w_to_t2w")]
    assert both["erased"] == both["lesions"] / 2 > 0


def test_the_curve_has_what_was_planted(biased):
    table = prevalence_curve(biased[2])
    assert set(table["method"]) == {"CycleGAN", "Generators_s"}
    one_seed_of_two = at(table, "CycleGAN", 0).iloc[0]
    assert (one_seed_of_two["erased_share"], one_seed_of_two["seeds"]) == (0.5, 2)
    assert at(table, "CycleGAN", 1).iloc[0]["invented_healthy"] > 0.9
    assert (table.loc[table["method"] == "Generators_s", "erased"] == 0).all()
    # In the other direction the target is T1w, in which the same runs saw the other share.
    assert at(table, "CycleGAN", 1, "t2w_to_t1w").iloc[0]["erased_share"] == 0.5


def test_seeds_apart(biased):
    rows = at(prevalence_curve(biased[2], by_seed=True), "CycleGAN", 0).set_index("seed")
    assert rows["erased_share"].to_dict() == {0: 1, 1: 0}
    assert (rows["seeds"] == 1).all()


def test_methods_are_compared_at_one_share_only(biased):
    table = compare_at_shares(biased[2])
    table = table[table["direction"] == "t1w_to_t2w"]
    erased = table[table["metric"] == "lesion_erased"].set_index("target_share")
    assert list(erased.index) == [0, 1]
    assert (erased.loc[0, "method_a"], erased.loc[0, "method_b"]) == ("Generators_s", "CycleGAN")
    assert erased.loc[0, "difference"] == -0.5
    assert erased.loc[1, "difference"] == 0
    assert (erased["p_holm"] >= erased["p"]).all()
    invented = table[table["metric"] == "lesion_invented"]
    assert (invented["n"] == biased[2].subjects.query("healthy")["subject"].nunique()).all()
    assert invented["difference"].iloc[1] < -0.9


def test_without_two_shares_there_is_no_curve(biased):
    runs = biased[1]
    found = audit([runs[2], runs[5]], progress=False)
    assert prevalence_curve(found).empty
    assert compare_at_shares(found).empty
    assert np.isnan(found.subjects.loc[found.subjects["run"] == "real", "target_share"]).all()
