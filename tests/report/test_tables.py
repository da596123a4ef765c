"""The tables of a report: the numbers of the summaries, and letters for who differs from whom."""

import pandas as pd
import pytest

from ganlib.display.tables import with_uncertainty
from ganlib.evaluation.compare import per_subject, summary
from ganlib.evaluation.pairwise import compare_pairs, letter_display
from ganlib.report.about import cost_table, method_table, settings_lines
from ganlib.report.cohort_card import cohort_table
from ganlib.report.score_tables import (
    methods_of,
    pairs_table,
    protocol_table,
    score_tables,
    seed_table,
    subject_table,
    two_sample_table,
)
from tests.measured import DEVICE


def frame(table):
    """The texts of a table by row and column name."""
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    return pd.DataFrame.from_dict(rows, orient="index", columns=table.heads[1:] or None)


def test_scores_are_those_of_the_summary_with_the_letters_of_the_tests(results):
    to_t2w, to_t1w = score_tables(results.scores, "masked")
    assert "Synthetic T2w from T1w, protocol masked" in to_t2w.caption
    assert "Synthetic T1w from T2w, protocol masked" in to_t1w.caption
    assert [row[0].text for row in to_t2w.rows] == ["Doing nothing", "Mean image", "Simple", "CycleGAN", "UNIT"]
    place = to_t2w.heads.index("PSNR\N{NO-BREAK SPACE}↑ (dB)")
    means = summary(results.scores, "psnr_db", "masked").set_index(["direction", "method"])
    marks = letter_display(results.scores, "psnr_db", "masked", methods=["Simple", "CycleGAN", "UNIT"])
    marks = marks[marks["direction"] == "t1w_to_t2w"].set_index("method")["letters"]
    for row in to_t2w.rows:
        wanted = means.loc["t1w_to_t2w", row[0].text]
        assert row[place].text == with_uncertainty(wanted["mean"], wanted["low"], wanted["high"])
        assert row[place].letters == marks.get(row[0].text, "")
        assert row[place].strong == ("a" in marks.get(row[0].text, ""))
    assert any(row[place].strong for row in to_t2w.rows)


def test_with_one_subject_there_are_no_letters(results):
    one = results.scores[results.scores["subject"] == "sub-04"]
    [table, _] = score_tables(one, "masked", ["psnr_db"])
    assert "one test subject: no interval and no test" in table.caption
    assert not any(cell.letters or cell.strong or "±" in cell.text for row in table.rows for cell in row)


def test_the_protocols_stand_side_by_side(results):
    table = frame(protocol_table(results.scores))
    assert list(table) == ["paper", "masked", "own-max", "percentile", "apart (dB)"]
    row = table.loc["UNIT, T1w → T2w"]
    means = summary(results.scores, "psnr_db", "own-max").set_index(["method", "direction"])["mean"]
    assert row["own-max"] == f"{means['UNIT', 't1w_to_t2w']:.1f}"
    assert float(row["apart (dB)"]) == pytest.approx(
        row.iloc[:4].astype(float).max() - row.iloc[:4].astype(float).min(), abs=0.11
    )


def test_every_pair_has_its_difference_effect_and_p(results):
    table = pairs_table(results.scores, "psnr_db", "masked")
    pairs = compare_pairs(results.scores, "psnr_db", "masked", methods=methods_of(results.scores))
    assert len(table.rows) == len(pairs) == 3 * 2
    for row, pair in zip(table.rows, pairs.itertuples(), strict=True):
        assert row[0].text == f"{pair.method_a} − {pair.method_b}"
        assert row[5].text == pair.better or "not told apart"
    assert "Holm" in table.caption
    assert "(dB)" in table.caption


def test_seeds_have_a_table_only_where_there_are_several(results):
    assert seed_table(results.scores) is None
    again = results.scores[results.scores["method"] == "UNIT"].assign(seed=1, run="unit-1")
    again["value"] += 0.5
    table = frame(seed_table(pd.concat([results.scores, again])))
    assert list(table.index) == ["UNIT, T1w → T2w", "UNIT, T2w → T1w"]
    assert table.loc["UNIT, T1w → T2w", "training seeds"] == "0.35"


def test_the_hardest_subject_is_named(results):
    table = frame(subject_table(results.scores))
    values = per_subject(results.scores, "psnr_db", "masked").query("method == 'UNIT' and direction == 't1w_to_t2w'")
    worst, best = (values.loc[values["value"].agg(end), "subject"] for end in ("idxmin", "idxmax"))
    assert table.loc["UNIT, T1w → T2w", "worst"].startswith(f"{worst}: ")
    assert table.loc["UNIT, T1w → T2w", "best"].startswith(f"{best}: ")


def test_the_two_sample_test_has_its_interval(results):
    table = frame(two_sample_table(results.two_sample))
    row = results.two_sample.query("method == 'UNIT' and direction == 't2w_to_t1w'").iloc[0]
    assert list(table.loc["UNIT, T2w → T1w"])[:2] == [f"{row['auc']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}"]


def test_the_methods_and_their_cost(results):
    methods = frame(method_table(results))
    assert list(methods.index) == ["Simple", "CycleGAN", "UNIT"]
    assert methods.loc["UNIT", "epochs"] == "3 of 3"
    assert methods.loc["UNIT", "weights"] == "best"
    cost = frame(cost_table(results)).loc["UNIT"]
    assert list(cost[:4]) == ["2,850,000", "2.50", "0.125", "12.3"]
    assert cost["translation measured on"] == DEVICE
    assert cost["trained on"] == "not recorded"
    assert all(
        line.startswith(("Simple (simple): ", "CycleGAN (cyclegan): ", "UNIT (unit): "))
        for line in settings_lines(results)
    )


def test_the_cohort_card(measured_runs):
    card = {row[0].text: row[1].text for row in cohort_table(measured_runs[0]).rows}
    assert card["name"] == "tiny <b>& (PHANTOM: no scanner was involved)"
    assert card["subjects"] == "4 train, 0 validation, 12 test"
    assert card["slices"] == "1 axial per subject, z = +4.0 mm"
    assert card["pixels"].startswith("32 × 28, of 2 × 2 mm")
    assert card["labels"] == "grey matter, white matter"
    assert measured_runs[0].config.cohort_fingerprint[:12] in card["file"]
    assert "families" not in card
