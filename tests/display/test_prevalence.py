"""The chart over the share of lesions: every method and seed, the search on the truth, and what the audit counted."""

import numpy as np

from ganlib.display.prevalence import prevalence_figure
from ganlib.evaluation.prevalence_curve import prevalence_curve
from tests.evaluation.test_prevalence_curve import biased  # noqa: F401, a fixture


def test_marks_stand_where_the_audit_counted(biased):  # noqa: F811
    found = biased[2]
    figure = prevalence_figure(found)
    means = [trace for trace in figure.data if trace.meta == "mean"]
    assert len(means) == 2 * 2 * 2
    table = prevalence_curve(found)
    mine = table[(table["method"] == "CycleGAN") & (table["direction"] == "t1w_to_t2w")]
    erased = next(trace for trace in means if trace.name == "CycleGAN" and trace.xaxis == "x")
    assert np.allclose(erased.y, mine["erased_share"])
    assert np.allclose(erased.x, [0, 100], atol=2)
    assert np.allclose(erased.y + np.array(erased.error_y.array), mine["erased_share_high"])


def test_seeds_are_shown_apart_where_there_are_several(biased):  # noqa: F811
    seeds = [trace for trace in prevalence_figure(biased[2]).data if trace.meta == "seeds" and trace.xaxis == "x"]
    assert {trace.name for trace in seeds} == {"CycleGAN"}
    assert sorted(seeds[0].y[:2]) == [0, 1]


def test_it_is_labelled(biased):  # noqa: F811
    figure = prevalence_figure(biased[2])
    title = figure.layout.title
    written = title.text + title.subtitle.text + " ".join(note.text for note in figure.layout.annotations)
    for words in ("PHANTOM", "CycleGAN", "Generators_s", "synthetic T2w", "synthetic T1w", "real images", "95 %"):
        assert words in written
    assert {axis.title.text for axis in figure.select_xaxes()} == {
        f"training subjects with lesions in the target, {name} (%)" for name in ("T1w", "T2w")
    }


def test_a_cohort_of_patients_has_no_panel_of_invented_lesions(biased):  # noqa: F811
    found = biased[2]
    patients = found._replace(subjects=found.subjects[~found.subjects["healthy"]])
    figure = prevalence_figure(patients)
    assert {trace.xaxis for trace in figure.data} == {"x", "x3"}
    assert "real images" not in " ".join(note.text for note in figure.layout.annotations)


def test_runs_of_one_share_make_no_chart(biased):  # noqa: F811
    found = biased[2]
    one = found.subjects[~(found.subjects["target_share"] == 0)]
    assert prevalence_figure(found._replace(subjects=one[one["direction"] == "t1w_to_t2w"])) is None
