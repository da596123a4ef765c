"""Figures and tables: the numbers they carry, what is written on them, and how they leave the notebook."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganlib.cohort import Cohort
from ganlib.display import palette, template
from ganlib.display.figures import image_grid, save, score_figure, score_table, show, training_curves
from ganlib.display.tables import with_uncertainty
from ganlib.errors import InputError
from ganlib.evaluation.compare import METHOD_ORDER, load_scores, per_subject, summary
from ganlib.evaluation.evaluate import BASELINES, DOING_NOTHING, evaluate
from ganlib.evaluation.protocols import MASKED, PAPER
from ganlib.runs import Run
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run, write_history

SPLITS = ("train",) * 4 + ("validation",) + ("test",) * 5


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a cohort of five test subjects and three evaluated runs."""
    folder = tmp_path_factory.mktemp("figures")
    path = write_tiny_cohort(folder / "cohort.h5", splits=SPLITS, shape=(24, 16), slices=2)
    for label, error in (("UNIT", 0.04), ("Simple", 0.1), ("CycleGAN", 0.06)):
        run = write_fake_run(folder / label.lower(), path, label=label, error=error)
        evaluate(run, progress=False)
        write_history(run)
    return folder


@pytest.fixture(scope="module")
def runs(home):
    return [Run(home / name) for name in ("unit", "simple", "cyclegan")]


@pytest.fixture(scope="module")
def scores(runs):
    return load_scores(runs)


@pytest.fixture(scope="module")
def cohort(home):
    with Cohort(home / "cohort.h5") as cohort:
        yield cohort


def traces(figure, meta, name):
    """Traces of one kind and method, one per direction."""
    return [trace for trace in figure.data if trace.meta == meta and trace.name == name]


def words(figure):
    """Everything written on a figure."""
    titles = [figure.layout.title.text or "", figure.layout.title.subtitle.text or ""]
    axes = [axis.title.text or "" for axis in figure.select_xaxes()]
    return " ".join([*titles, *axes, *(note.text for note in figure.layout.annotations)]).replace("<br>", " ")


def test_every_subject_is_a_point_and_the_mean_has_its_interval(scores):
    figure = score_figure(scores, "psnr_db", "masked")
    points = per_subject(scores, "psnr_db", "masked").query("method == 'UNIT'")
    means = summary(scores, "psnr_db", "masked").query("method == 'UNIT'")
    for k, direction in enumerate(("t1w_to_t2w", "t2w_to_t1w")):
        mine = points[points["direction"] == direction]
        cloud, mean = traces(figure, "subjects", "UNIT")[k], traces(figure, "mean", "UNIT")[k]
        np.testing.assert_allclose(cloud.x, mine["value"])
        assert list(cloud.text) == list(mine["subject"])
        row = means[means["direction"] == direction].iloc[0]
        assert mean.x[0] == pytest.approx(row["mean"])
        assert mean.x[0] + mean.error_x.array[0] == pytest.approx(row["high"])
        assert mean.x[0] - mean.error_x.arrayminus[0] == pytest.approx(row["low"])


def test_colours_and_marks_are_those_of_the_methods(scores):
    figure = score_figure(scores, "mae", "paper")
    for label in ("UNIT", "Simple", "CycleGAN", *BASELINES):
        for trace in traces(figure, "mean", label) + traces(figure, "subjects", label):
            assert trace.marker.color == palette.method_colour(label)
        assert traces(figure, "mean", label)[0].marker.symbol == palette.method_symbol(label)


def test_the_rows_are_the_baselines_and_the_methods_in_order(scores):
    figure = score_figure(scores, "mae", "masked")
    assert list(figure.layout.yaxis.ticktext)[::-1] == [*BASELINES, "Simple", "CycleGAN", "UNIT"]
    for height, label in zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True):
        assert traces(figure, "mean", label)[0].y == (height,)


def test_the_lines_are_those_of_the_baselines(scores):
    figure = score_figure(scores, "mae", "masked")
    means = summary(scores, "mae", "masked").set_index(["method", "direction"])["mean"]
    wanted = [(means[name, direction], dash) for direction in ("t1w_to_t2w", "t2w_to_t1w")
              for name, dash in zip(BASELINES, ("dot", "dash"), strict=True)]  # fmt: skip
    assert [(line.x0, line.line.dash) for line in figure.layout.shapes] == wanted
    assert "dotted line: doing nothing, dashed line: mean image" in words(figure)
    without = score_figure(scores[scores["method"] != "Mean image"], "mae", "masked")
    assert "dashed" not in words(without)


def test_there_are_no_bars(scores):
    assert {trace.type for trace in score_figure(scores, "mae", "masked").data} == {"scatter"}


def test_the_figure_says_what_it_shows(scores):
    text = words(score_figure(scores, "psnr_db", "masked"))
    for part in ("PHANTOM", "PSNR (dB, protocol masked)", "higher is better", "5 test subjects", "95 % bootstrap",
                 "synthetic T2w", "from T1w", "synthetic T1w", MASKED.description):  # fmt: skip
        assert part in text
    assert "lower is better" in words(score_figure(scores, "mae", "paper"))
    assert "SD" in words(score_figure(scores, "mae", "paper"))
    assert "no pixel-wise map" in words(score_figure(scores, "mi_nats", "paper"))
    assert "no pixel-wise map" not in text


def test_a_real_cohort_is_no_phantom(scores):
    real = scores.assign(phantom=False)
    assert "PHANTOM" not in words(score_figure(real, "mae", "masked"))
    assert "PHANTOM" not in score_table(real, "masked").to_html()


def test_the_points_lie_where_they_lay(scores):
    assert score_figure(scores, "mae", "paper") == score_figure(scores, "mae", "paper")


def test_training_seeds_have_marks_of_their_own(scores):
    again = scores[scores["method"] == "UNIT"].assign(seed=1, run="unit-1")
    again["value"] += 0.01
    both = score_figure(pd.concat([scores, again], ignore_index=True), "mae", "masked")
    marks = traces(both, "seeds", "UNIT")[0]
    assert marks.x[1] - marks.x[0] == pytest.approx(0.01)
    assert "training seeds" in words(both)
    assert not traces(both, "seeds", "Simple")


def test_one_subject_is_said_to_have_no_interval(scores):
    one = scores[scores["subject"] == "sub-05"]
    figure = score_figure(one, "mae", "masked")
    assert "one test subject, no interval" in words(figure)
    assert np.isnan(traces(figure, "mean", "UNIT")[0].error_x.array[0])
    table = score_table(one, "masked")
    assert "One subject, so that there is no interval" in table.to_html()
    assert "±" not in table.data.to_string()


def test_unknown_metric_or_protocol(scores):
    with pytest.raises(InputError, match="no scores of metric 'fid'"):
        score_figure(scores, "fid", "masked")
    with pytest.raises(InputError, match="protocol 'mine' is unknown"):
        score_table(scores, "mine")


def test_the_table_has_no_more_digits_than_the_interval_supports(scores):
    table = score_table(scores, "masked")
    row = summary(scores, "psnr_db", "masked").query("method == 'UNIT' and target == 'T2w'").iloc[0]
    cell = table.data.loc["UNIT", ("PSNR (dB, higher is better)", "synthetic T2w")]
    assert cell == with_uncertainty(row["mean"], row["low"], row["high"])
    assert list(table.data.index) == [*BASELINES, "Simple", "CycleGAN", "UNIT"]
    assert "Protocol masked" in table.to_html()
    assert "Mask" not in table.to_html()


@pytest.mark.parametrize(
    ("mean", "low", "high", "text"),
    [
        (23.4567, 23.05, 23.87, "23.5 ± 0.4"), (0.16123, 0.1501, 0.1722, "0.161 ± 0.011"), (130.2, 90, 170, "130 ± 40"),
        (-0.33, -0.36, -0.30, "−0.33 ± 0.03"), (0.123456, np.nan, np.nan, "0.123"), (8.0, 8.0, 8.0, "8.00"),
        (np.inf, np.nan, np.nan, "∞"), (0.0, np.nan, np.nan, "0.00"),
    ],
)  # fmt: skip
def test_digits(mean, low, high, text):
    assert with_uncertainty(mean, low, high) == text


def panels(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_grid_shows_the_images_of_the_cohort_and_of_the_runs(cohort, runs):
    figure = image_grid(cohort, runs, "sub-06", slice_index=1)
    shown = panels(figure)
    assert len(figure.data) == 2 + 4 * len(runs)
    mask = cohort.mask("sub-06")[1]
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    assert shown["real T1w"].z.shape == shown["Simple, relative error of T1w"].z.shape
    real, made = cohort.images("sub-06", "T2w")[1], runs[0].synthetic("sub-06", runs[0].directions[0])[1]
    top, left = max(rows[0] - 5, 0), max(columns[0] - 5, 0)
    box = np.s_[top : rows[-1] + 6, left : columns[-1] + 6]
    np.testing.assert_array_equal(shown["real T2w"].z, real[box])
    np.testing.assert_array_equal(shown["UNIT, synthetic T2w"].z, made[box])
    errors = MASKED.error_map(real, made, mask=mask, intensity_range=cohort.ranges["T2w"])[box]
    np.testing.assert_allclose(shown["UNIT, relative error of T2w"].z, errors, rtol=1e-5)


def test_a_contrast_has_one_window_in_the_whole_grid(cohort, runs):
    for contrast in cohort.contrasts:
        grey = [trace for trace in image_grid(cohort, runs, "sub-06").data if trace.name.endswith(f" {contrast}")]
        windows = {(trace.zmin, trace.zmax) for trace in grey if "error" not in trace.name}
        assert windows == {(cohort.ranges[contrast].low, cohort.ranges[contrast].high)}
    figure = image_grid(cohort, runs, "sub-06", windows={"T1w": (10, 20)})
    assert panels(figure)["UNIT, synthetic T1w"].zmax == 20
    assert "T1w: 10 to 20" in words(figure)


def test_the_columns_are_those_of_figure_2(cohort, runs):
    figure = image_grid(cohort, runs, "sub-06")
    left_edges = {name: figure.layout[f"xaxis{trace.xaxis[1:]}"].domain[0] for name, trace in panels(figure).items()}
    names = ("relative error of T1w", "synthetic T1w", "synthetic T2w", "relative error of T2w")
    columns = [left_edges[f"UNIT, {name}"] for name in names]
    assert columns == sorted(columns)
    assert left_edges["real T1w"] == columns[1]
    assert left_edges["real T2w"] == columns[2]


def test_nothing_is_stretched(cohort, runs):
    figure = image_grid(cohort, runs, "sub-06")
    layout = figure.layout
    for trace in figure.data:
        x, y = layout[f"xaxis{trace.xaxis[1:]}"], layout[f"yaxis{trace.yaxis[1:]}"]
        across = layout.width * (x.domain[1] - x.domain[0]) / (x.range[1] - x.range[0])
        down = layout.height * (y.domain[1] - y.domain[0]) / (y.range[0] - y.range[1])
        assert across == pytest.approx(down, rel=0.01)
        assert y.range[0] > y.range[1]  # the first row is the topmost
        assert y.scaleanchor == trace.xaxis


def test_anisotropic_pixels_keep_their_shape(runs, cohort, monkeypatch):
    monkeypatch.setattr(cohort.header, "voxel_mm", (4.0, 1.0, 2.0))
    figure = image_grid(cohort, runs[:1], "sub-06")
    trace, x, y = figure.data[0], figure.layout.xaxis, figure.layout.yaxis
    assert (trace.dy, trace.dx) == (4, 1)
    width = figure.layout.width * (x.domain[1] - x.domain[0])
    height = figure.layout.height * (y.domain[1] - y.domain[0])
    rows, columns = trace.z.shape
    assert height / width == pytest.approx(4 * rows / columns, rel=0.01)


def test_the_grid_says_what_it_shows(cohort, runs):
    figure = image_grid(cohort, runs, "sub-06", slice_index=1, protocol="paper", error_max=2)
    text = words(figure)
    for part in ("PHANTOM", "sub-06", "z = +2.0 mm", "real T1w", "synthetic T2w", "grey scale", "not for diagnosis",
                 PAPER.error_label, "50 mm", "Simple", "CycleGAN", "UNIT"):  # fmt: skip
        assert part in text
    marks = [note.text for note in figure.layout.annotations]
    assert (marks.count("R"), marks.count("L")) == (2, 2)
    bar = figure.layout.coloraxis
    assert (bar.cmin, bar.cmax) == (0, 2)
    assert "0.1 SD" in bar.colorbar.title.text
    assert bar.colorbar.ticktext[-1] == "≥ 2"


def test_the_patients_right_is_on_the_left(cohort, runs):
    notes = image_grid(cohort, runs, "sub-06").layout.annotations
    right, left = (next(note.x for note in notes if note.text == side) for side in "RL")
    assert right < left


def test_the_grid_refuses(cohort, runs):
    with pytest.raises(InputError, match="no run to show"):
        image_grid(cohort, [], "sub-06")
    with pytest.raises(InputError, match="has no slice 2; use 0 to 1"):
        image_grid(cohort, runs, "sub-06", slice_index=2)
    with pytest.raises(InputError, match="no t1w_to_t2w/sub-00"):
        image_grid(cohort, runs, "sub-00")


def test_training_curves(runs):
    figure = training_curves(runs[2])
    history, shown = runs[2].history, {}
    for trace in figure.data:
        shown.setdefault(trace.name, []).append(trace)
    np.testing.assert_allclose(shown["cycle"][0].y, history["cycle"])
    np.testing.assert_allclose(shown["T1w → T2w"][0].y, history["val_mae_t1w_to_t2w"])
    np.testing.assert_allclose(shown["T2w → T1w"][1].y, history["val_psnr_db_t2w_to_t1w"])
    assert shown["T1w → T2w"][0].line.color == palette.method_colour("CycleGAN")
    assert set(shown) == {"generator adversarial", "cycle", "discriminator", "T1w → T2w", "T2w → T1w"}
    assert "PHANTOM · Training of CycleGAN" in words(figure)


def test_training_curves_of_what_there_is(tmp_path, home):
    run = write_fake_run(tmp_path / "unvalidated", home / "cohort.h5")
    with pytest.raises(InputError, match="no finished epoch yet"):
        training_curves(run)
    write_history(run, epochs=1, validation=False)
    figure = training_curves(run)
    assert {trace.name for trace in figure.data} == {"generator adversarial", "cycle", "discriminator"}
    assert figure.data[0].mode == "lines+markers"


def test_the_order_and_baselines_are_those_of_the_palette():
    assert METHOD_ORDER[2:] == palette.ORDER
    assert palette.BASELINE == DOING_NOTHING


def test_html_needs_no_internet(tmp_path, scores):
    save(score_figure(scores, "mae", "masked"), tmp_path / "figure.html")
    page = (tmp_path / "figure.html").read_text(encoding="utf-8")
    assert "plotly.js v" in page
    assert "<script src=" not in page


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path, scores):
    figure = score_figure(scores, "mae", "masked")
    with pytest.raises(InputError, match=r"unknown format '\.docx'; use \.html, \.png, \.svg or \.pdf"):
        save(figure, tmp_path / "figure.html", tmp_path / "figure.docx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_pictures_are_drawn_in_print_quality(tmp_path, scores):
    figure = score_figure(scores, "mae", "masked")
    paths = [tmp_path / f"figure.{suffix}" for suffix in ("png", "svg", "pdf")]
    save(figure, *paths)
    size = Image.open(paths[0]).size
    assert size == (template.PICTURE_SCALE * figure.layout.width, template.PICTURE_SCALE * figure.layout.height)
    assert "MAE (fraction of range, protocol masked)" in paths[1].read_text(encoding="utf-8")
    assert paths[2].read_bytes().startswith(b"%PDF")
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.fixture
def no_browser(monkeypatch):
    monkeypatch.setitem(os.environ, "BROWSER_PATH", "/nowhere/chrome")


@pytest.mark.slow
def test_without_a_browser_a_picture_is_refused_in_one_line(tmp_path, scores, no_browser):
    figure = score_figure(scores, "mae", "masked")
    with pytest.raises(InputError, match=r"figure\.png: pictures are drawn by Chrome or Chromium"):
        save(figure, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_show_puts_picture_and_chart_into_the_notebook(scores, monkeypatch):
    calls = []
    monkeypatch.setattr(template.pio, "show", lambda *args, **kwargs: calls.append((args[1], kwargs)))
    figure = score_figure(scores, "mae", "masked")
    show(figure)
    show(figure, interactive=False)
    assert [name for name, _ in calls] == ["plotly_mimetype+png", "png"]
    assert calls[0][1] == {"width": figure.layout.width, "height": figure.layout.height, "scale": 2}


def test_show_without_a_browser_shows_the_chart(scores, monkeypatch):
    calls = []

    def fail_for_pictures(figure, renderer, **_):
        calls.append(renderer)
        if "png" in renderer:
            raise RuntimeError("Kaleido requires Google Chrome to be installed.")

    monkeypatch.setattr(template.pio, "show", fail_for_pictures)
    show(score_figure(scores, "mae", "masked"))
    assert calls == ["plotly_mimetype+png", "plotly_mimetype"]


def test_figures_can_be_stored_as_json(scores, cohort, runs):
    for figure in (score_figure(scores, "mae", "masked"), image_grid(cohort, runs, "sub-06"), training_curves(runs[0])):
        assert json.loads(figure.to_json())["data"]
