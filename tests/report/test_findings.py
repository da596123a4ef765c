"""What stands at the head of a report follows from the tables, and says no more than they do."""

import dataclasses

import numpy as np

from ganlib.evaluation.compare import summary
from ganlib.evaluation.results import read_results
from ganlib.report.findings import findings, limits


def changed(results, method, factor, metric="psnr_db"):
    """The results with all scores of one method multiplied."""
    scores = results.scores.copy()
    scores.loc[(scores["method"] == method) & (scores["metric"] == metric), "value"] *= factor
    return dataclasses.replace(results, scores=scores)


def test_the_best_method_is_named_with_its_score(results):
    text = findings(results)
    means = summary(results.scores, "psnr_db", "masked").set_index(["method", "direction"])["mean"]
    assert text[0].startswith("T1w → T2w: UNIT has the highest PSNR, ")
    assert f"{means['UNIT', 't1w_to_t2w']:.1f}" in text[0]
    assert text[1].startswith("T2w → T1w: UNIT has the highest PSNR")


def test_methods_that_are_not_told_apart_are_said_to_be_so(results):
    """CycleGAN gets UNIT's scores, now a little better and now a little worse: nothing can be told."""
    scores = results.scores.copy()
    chosen = (scores["protocol"] == "masked") & (scores["metric"] == "psnr_db")
    for direction in ("t1w_to_t2w", "t2w_to_t1w"):
        rows = chosen & (scores["direction"] == direction)
        best = scores.loc[rows & (scores["method"] == "UNIT"), "value"].to_numpy()
        # Sizes differ: with ties SciPy tries every permutation, which takes seconds.
        little = np.resize([0.01, -0.01], len(best)) * np.linspace(1, 2, len(best))
        scores.loc[rows & (scores["method"] == "CycleGAN"), "value"] = best + little
    text = findings(dataclasses.replace(results, scores=scores))[0]
    assert text.endswith("not told apart from it: CycleGAN.") or text.endswith("not told apart from it: UNIT.")


def test_a_method_that_is_worse_than_a_baseline_is_named(results):
    beaten = "Every method beats doing nothing and the mean training image in both directions"
    assert beaten in " ".join(findings(results))
    text = " ".join(findings(changed(results, "Simple", 0.1)))
    assert "T1w → T2w: Simple is worse than doing nothing (PSNR, protocol masked, P = " in text
    assert beaten not in text


def test_low_error_and_realism_of_different_methods(results):
    realism = results.realism.copy()
    rows = realism["metric"] == "spectrum_db"
    for method, value in (("UNIT", 9.0), ("Simple", 4.0), ("CycleGAN", 1.0)):
        realism.loc[rows & (realism["method"] == method), "value"] = value
    text = " ".join(findings(dataclasses.replace(results, realism=realism)))
    assert (
        "T1w → T2w: low error is not realism. UNIT has the lowest error, CycleGAN the power spectrum nearest to that "
        "of real images: 1.0 dB away, against 9.0 dB of UNIT." in text
    )
    realism.loc[rows & (realism["method"] == "UNIT"), "value"] = 0.5
    text = " ".join(findings(dataclasses.replace(results, realism=realism)))
    assert "UNIT has the lowest error and the most real power spectrum" in text
    assert "low error is not realism" not in text


def test_a_cycle_that_hides_its_source_is_named(results):
    text = [line for line in findings(results) if "hides information" in line]
    assert [line.split(":")[0] for line in text] == ["CycleGAN, T1w → T2w → T1w", "CycleGAN, T2w → T1w → T2w"]
    assert "37 % survives noise of 0.2 % of the range" in text[0]
    honest = results.steganography[results.steganography["method"] != "CycleGAN"]
    text = " ".join(findings(dataclasses.replace(results, steganography=honest)))
    assert "no hidden information was found" in text


def test_a_classifier_that_is_fooled_is_said_to_be(results):
    table = results.two_sample.copy()
    table.loc[~table["method"].isin(["Doing nothing", "Mean image"]), ["auc", "p"]] = [0.98, 0.002]
    text = " ".join(findings(dataclasses.replace(results, two_sample=table)))
    assert "tells the synthetic slices of every method from real ones (AUC 0.98)" in text
    table.loc[(table["method"] == "UNIT") & (table["direction"] == "t1w_to_t2w"), ["auc", "p"]] = [0.55, 0.3]
    text = " ".join(findings(dataclasses.replace(results, two_sample=table)))
    assert "T1w → T2w: a linear classifier does not tell UNIT's slices from real ones (AUC 0.55, P = 0.30)" in text


def test_the_limits_fit_the_results(results):
    text = " ".join(limits(results))
    for words in ("not for diagnosis", "PHANTOM", "12 test subjects", "trained once", "perceptual study"):
        assert words in text
    real = dataclasses.replace(results, scores=results.scores.assign(phantom=False))
    assert "PHANTOM" not in " ".join(limits(real))
    one = dataclasses.replace(results, scores=results.scores[results.scores["subject"] == "sub-04"])
    assert "one test subject: no interval and no test" in " ".join(limits(one))


def test_one_subject_makes_no_claim_of_significance(results):
    one = results.scores[results.scores["subject"] == "sub-04"]
    text = " ".join(findings(dataclasses.replace(results, scores=one, two_sample=None, steganography=None)))
    assert "significantly" not in text
    assert "Every method beats" not in text
    assert "nan" not in text


def test_one_run_alone(measured_runs):
    alone = read_results(measured_runs[:1])
    text = findings(alone)
    assert text[0].startswith("T1w → T2w: UNIT has a PSNR of ")
