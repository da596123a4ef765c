"""Figures of a comparison: pairs, realism, regions, hidden information, protocols; the numbers they carry."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from ganlib.display import palette, template
from ganlib.display.comparison import comparison_figures, typical_subject
from ganlib.display.hidden import hidden_figure
from ganlib.display.pairs import pairs_figure
from ganlib.display.protocols import NO_ERROR_DB, describe_protocols, protocol_figure, spread_of
from ganlib.display.realism import realism_figure
from ganlib.display.regions import region_figure
from ganlib.display.wording import of_subjects, p_text, p_words, signed
from ganlib.errors import InputError
from ganlib.evaluation.compare import per_subject, summary
from ganlib.evaluation.pairwise import compare_pairs
from ganlib.evaluation.protocols import PROTOCOLS
from ganlib.evaluation.steganography import NOISE, advantages
from ganlib.evaluation.tradeoff import realism_against_error

NAMES = ["Doing nothing", "Mean image", "Simple", "CycleGAN", "UNIT"]


def words(figure):
    titles = [figure.layout.title.text or "", figure.layout.title.subtitle.text or ""]
    axes = [axis.title.text or "" for axis in [*figure.select_xaxes(), *figure.select_yaxes()]]
    notes = [note.text or "" for note in figure.layout.annotations]
    return " ".join([*titles, *axes, *notes]).replace("<br>", " ")


def test_the_matrix_says_who_is_better_by_how_much_and_how_surely(results):
    figure = pairs_figure(results.scores, "psnr_db", "masked")
    pairs = compare_pairs(results.scores, "psnr_db", "masked")
    for panel in figure.data:
        mine = pairs[pairs["direction"] == panel.name].set_index(["method_a", "method_b"])
        assert list(panel.x) == list(panel.y) == NAMES
        for row, first in enumerate(NAMES):
            assert np.isnan(panel.z[row][row])
            for column, second in list(enumerate(NAMES))[row + 1 :]:
                pair = mine.loc[first, second]
                verdict = {first: 1, second: -1, "": 0}[pair["better"]]
                assert (panel.z[row][column], panel.z[column][row]) == (verdict, -verdict)
                text = panel.text[row][column].replace("−", "-")
                last_digit = 10.0 ** -len(text.partition(".")[2])
                assert float(text) == pytest.approx(pair["difference"], abs=0.51 * last_digit)
                assert panel.text[column][row] == p_text(pair["p_holm"])
    assert figure.data[0].z[NAMES.index("UNIT")][NAMES.index("Doing nothing")] == 1


def test_lower_is_better_turns_the_verdict(results):
    panel = pairs_figure(results.scores, "mae", "masked").data[0]
    row, column = NAMES.index("UNIT"), NAMES.index("Simple")
    assert panel.z[row][column] == 1
    assert panel.text[row][column].startswith(("<", "0"))
    assert panel.text[column][row].startswith("+")


def test_the_matrix_says_what_it_shows(results):
    text = words(pairs_figure(results.scores, "psnr_db", "masked"))
    for part in ("PHANTOM", "PSNR, protocol masked", "Wilcoxon", "Holm's method for 10 pairs", "12 subjects", "dB",
                 "higher is better", "row is better", "not told apart"):  # fmt: skip
        assert part in text
    one = results.scores[results.scores["subject"] == "sub-04"]
    figure = pairs_figure(one, "psnr_db", "masked")
    assert "one subject: no test" in words(figure)
    assert {value for row in figure.data[0].z for value in row if np.isfinite(value)} == {0}


def test_fewer_methods_make_a_smaller_family(results):
    figure = pairs_figure(results.scores, "psnr_db", "masked", methods=["UNIT", "Simple"])
    assert "for 1 pairs" in words(figure)
    assert list(figure.data[0].x) == ["Simple", "UNIT"]


@pytest.mark.parametrize(
    ("p", "text"), [(0.0001, "< 0.001"), (0.0042, "0.004"), (0.034, "0.03"), (1, "1.00"), (np.nan, "–")]
)
def test_p_in_print(p, text):
    assert p_text(p) == text
    assert p_words(p) == ("P < 0.001" if text[0] == "<" else f"P = {text}")


def test_signs_are_typographic():
    assert (signed(-1.26, 1), signed(0.5, 2), signed(np.inf, 1)) == ("−1.3", "+0.50", "–")


def test_realism_stands_over_error_with_both_intervals(measured_runs):
    table = realism_against_error(measured_runs)
    figure = realism_figure(table)
    for trace, row in zip(figure.data, table.sort_values("direction", kind="stable").itertuples(), strict=True):
        assert trace.name == row.method
        assert (trace.x[0], trace.y[0]) == (row.error, row.realism)
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(row.error_high)
        assert trace.y[0] - trace.error_y.arrayminus[0] == pytest.approx(row.realism_low)
        assert trace.marker.color == palette.method_colour(row.method)
        assert trace.marker.symbol == palette.method_symbol(row.method)
    text = words(figure)
    for part in (
        "PHANTOM",
        "MAE (fraction of range",
        "protocol masked",
        "Power-spectrum distance (dB, 0 is best)",
        *NAMES,
    ):
        assert part in text
    without = realism_figure(table, baselines=False)
    assert {trace.name for trace in without.data} == {"Simple", "CycleGAN", "UNIT"}
    assert "0.5 is best" in words(realism_figure(realism_against_error(measured_runs, realism="auc")))


def test_labels_do_not_lie_on_each_other(measured_runs):
    table = realism_against_error(measured_runs)
    table[["error", "error_low", "error_high"]] = [0.1, 0.09, 0.11]
    table[["realism", "realism_low", "realism_high"]] = [3.0, 2.9, 3.1]
    table.loc[table["method"] == "UNIT", ["error", "realism"]] = [0.3, 9]
    figure = realism_figure(table)
    notes = [note for note in figure.layout.annotations if note.text in NAMES and note.xref == "x domain"]
    assert len(notes) == len(NAMES)
    across, down = 786 * 0.44, 260
    boxes = [(note.x * across, note.y * down, note.x * across + 7 * len(note.text)) for note in notes]
    for first, second in itertools.combinations(boxes, 2):
        assert abs(first[1] - second[1]) > 14 or first[2] < second[0] or second[2] < first[0]
    assert all(box[0] >= 0 and box[2] <= across for box in boxes)


def test_regions_one_below_the_other(results):
    figure = region_figure(results.regions, "mae")
    assert len(figure.data) == 2 * 2 * 2 * len(NAMES)
    text = words(figure)
    for part in (
        "<b>grey matter</b>, 12 subjects",
        "<b>white matter</b>",
        "MAE by region, protocol masked",
        "lower is better",
    ):
        assert part in text
    for region in ("grey matter", "white matter"):
        part = results.regions[results.regions["region"] == region]
        wanted = summary(part, "mae", "masked").query("method == 'UNIT'")["mean"].to_numpy()
        shown = [trace.x[0] for trace in figure.data if trace.meta == "mean" and trace.name == "UNIT"]
        assert set(np.round(wanted, 9)) <= set(np.round(shown, 9))
    heights = {trace.y[0] for trace in figure.data if trace.meta == "mean"}
    assert len(heights) == 2 * len(NAMES)
    few = region_figure(results.regions, "mae", methods=["UNIT"])
    assert {trace.name for trace in few.data} == {"UNIT"}
    with pytest.raises(InputError, match="no region was scored"):
        region_figure(results.regions.iloc[:0], "mae")


def test_hidden_information_is_a_line_per_method(results):
    figure = hidden_figure(results.steganography)
    means = advantages(results.steganography)
    line = next(trace for trace in figure.data if trace.name == "CycleGAN")
    mine = means[(means["method"] == "CycleGAN") & (means["direction"] == "t1w_to_t2w")]
    np.testing.assert_allclose(line.y, mine["advantage"])
    assert list(figure.layout.xaxis.ticktext) == [f"{100 * strength:g}" for strength in NOISE]
    text = words(figure)
    for part in (
        "PHANTOM",
        "T1w → T2w → T1w",
        "SD in % of range",
        "12 test subjects",
        "Chu et al. 2017",
        "CycleGAN",
        "UNIT",
    ):
        assert part in text


@pytest.fixture
def table():
    rows = {"an image": [20.0, 18.0, 25.5, 22.0], "too bright": [np.inf, 21.0, 310.0, 120.0]}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(PROTOCOLS))


def test_protocols_stand_on_one_line_with_their_spread(table):
    figure = protocol_figure(table, title="One image", phantom=True)
    marks = {trace.name: trace for trace in figure.data if trace.meta == "protocol"}
    assert list(marks) == list(PROTOCOLS)
    assert [marks[name].x[0] for name in PROTOCOLS] == list(table.loc["an image"])
    assert len({trace.marker.symbol for trace in marks.values()}) == len(PROTOCOLS)
    text = words(figure)
    for part in ("PHANTOM · One image", "7.5 dB apart", "unseen by 3", "no error seen", "PSNR (dB", "mask only"):
        assert part in text
    # What no error was seen in lies apart from every score.
    assert marks["paper"].x[1] == marks["own-max"].x[1] > 26
    assert spread_of(table.loc["an image"]) == 7.5
    assert np.isnan(spread_of(table.loc["too bright"]))
    assert "no error seen" not in words(protocol_figure(table.iloc[:1], title="One image", phantom=False))
    assert NO_ERROR_DB == 100


def test_protocols_in_words():
    text = describe_protocols()
    assert all(f"| `{name}` | {protocol.description} |" in text for name, protocol in PROTOCOLS.items())


def test_every_figure_of_a_comparison(results):
    figures = comparison_figures(results, "sub-06")
    assert list(figures) == [
        "mae", "psnr_db", "mi_nats", "mae_masked", "psnr_db_masked", "ssim_masked", "pairs_psnr_db_masked",
        "pairs_mae_masked", "images", "realism_spectrum", *(["realism_auc"] if "realism_auc" in figures else []),
        "regions_mae", "registration", "hidden",
    ]  # fmt: skip
    assert "subject sub-06" in words(figures["images"])
    assert "Residual shift, protocol registration" in words(figures["registration"])
    for figure in figures.values():
        assert "PHANTOM" in words(figure)
        assert json.loads(figure.to_json())["data"]


def test_the_typical_subject_is_the_median(results):
    values = per_subject(results.scores, "psnr_db", "masked")
    means = values[~values["method"].isin(NAMES[:2])].groupby("subject")["value"].mean().sort_values()
    assert typical_subject(results) == means.index[5]


def test_all_formats_are_written_or_html_alone(tmp_path, monkeypatch, results):
    figure = pairs_figure(results.scores, "mae", "masked")
    monkeypatch.setattr(template.pio, "write_images", lambda figures, paths, **_: [path.touch() for path in paths])
    paths = template.save_all({"a": figure}, tmp_path / "all")
    assert sorted(path.name for path in paths) == ["a.html", "a.pdf", "a.png", "a.svg"]
    assert sorted((tmp_path / "all").iterdir()) == sorted(paths)

    def no_browser(*_, **__):
        raise RuntimeError("Kaleido requires Google Chrome to be installed.")

    monkeypatch.setattr(template.pio, "write_images", no_browser)
    with pytest.warns(UserWarning, match="figures are written as HTML alone"):
        paths = template.save_all({"a": figure, "b": figure}, tmp_path / "some")
    assert sorted(path.name for path in paths) == ["a.html", "b.html"]
    assert sorted((tmp_path / "some").iterdir()) == sorted(paths)


def test_one_subject_has_no_interval_in_words():
    assert of_subjects(2) == "mean over 2 test subjects with 95 % intervals"
    assert of_subjects(1) == "one test subject: no interval"
