"""The compare dashboard as a reader meets it: a real Voila server, a real browser, and the pixels on the screen."""

import json
import re

import numpy as np
import psutil
import pytest
from PIL import Image

from ganlib.display import panels, serve
from ganlib.errors import InputError
from ganlib.runs import Direction, Run

FIRST = "sub-04"
FORWARD = Direction("T1w", "T2w")
TRUTH, SOURCE = ".gv-target", ".gv-source"
SIMPLE, CYCLEGAN = '.gv-synthetic[data-model="Simple"]', '.gv-synthetic[data-model="CycleGAN"]'
SIMPLE_ERROR, CYCLEGAN_ERROR = '.gv-error[data-model="Simple"]', '.gv-error[data-model="CycleGAN"]'


def grey(image, window, level):
    return np.clip(np.rint((image - (level - window / 2)) / window * 255), 0, 255)


def field(image, pixels, page):
    top, bottom, left, right = pixels.field(page)
    return image[top:bottom, left:right]


def assert_shows(page, pixels, panel, image, window, level):
    shown = pixels.read(page, panel).astype(int)
    expected = grey(field(image, pixels, page), window, level)
    assert expected.std() > 20  # a flat picture would match anything
    assert np.abs(shown[..., 0] - expected).max() <= 1
    assert (shown[..., 0] == shown[..., 1]).all()
    assert (shown[..., 0] == shown[..., 2]).all()


def synthetic(runs, method, subject, direction=FORWARD, index=0):
    return Run(runs / method.lower()).synthetic(subject, direction)[index]


def full_window(cohort, contrast):
    ends = cohort.ranges[contrast]
    return ends.width, (ends.low + ends.high) / 2


def relative_error(cohort, made):
    real, ends = cohort.images(FIRST, "T2w")[0], cohort.ranges["T2w"]
    return np.abs(made - real) / np.maximum(np.abs(real - ends.low), panels.RELATIVE_ERROR_FLOOR * ends.width)


def colour_bar(page):
    """The 256 colours of the map on screen, lowest first."""
    data = page.evaluate("[...document.querySelector('.gv-ramp').getContext('2d').getImageData(0, 0, 1, 256).data]")
    return np.array(data).reshape(256, 4)[::-1, :3]


def assert_error_map(page, pixels, panel, levels, mask):
    shown = pixels.read(page, panel).astype(int)
    levels, mask = field(levels, pixels, page), field(mask, pixels, page)
    expected = colour_bar(page)[np.clip(np.rint(levels), 0, 255).astype(int)]
    assert len(np.unique(np.rint(levels[mask]))) > 10
    assert np.abs(shown[..., :3] - expected)[mask].max() <= 6  # half a level apart where a value lies on an edge
    assert (shown[~mask][:, :3] == 0).all()


@pytest.mark.browser
@pytest.mark.slow
class TestPictures:
    def test_every_panel_shows_its_array_and_nothing_leaves_this_machine(self, viewer, pixels, cohort, runs):
        assert pixels.painted(viewer)[:3] == (FIRST, 0, "t1w_to_t2w")
        window, level = full_window(cohort, "T2w")
        assert_shows(viewer, pixels, TRUTH, cohort.images(FIRST, "T2w")[0], window, level)
        assert_shows(viewer, pixels, SIMPLE, synthetic(runs, "Simple", FIRST), window, level)
        assert_shows(viewer, pixels, CYCLEGAN, synthetic(runs, "CycleGAN", FIRST), window, level)
        assert_shows(viewer, pixels, SOURCE, cohort.images(FIRST, "T1w")[0], *full_window(cohort, "T1w"))
        assert viewer.outside == []
        assert viewer.errors == []

    def test_a_key_changes_the_pixels_and_going_back_restores_them(self, viewer, pixels, cohort):
        first = pixels.read(viewer, TRUTH), pixels.read(viewer, SIMPLE), pixels.read(viewer, SIMPLE_ERROR)
        pixels.move(viewer, "ArrowRight", "sub-05")
        second = pixels.read(viewer, TRUTH), pixels.read(viewer, SIMPLE), pixels.read(viewer, SIMPLE_ERROR)
        assert all((before != after).any() for before, after in zip(first, second, strict=True))
        assert_shows(viewer, pixels, TRUTH, cohort.images("sub-05", "T2w")[0], *full_window(cohort, "T2w"))
        pixels.move(viewer, "ArrowLeft", FIRST)
        again = pixels.read(viewer, TRUTH), pixels.read(viewer, SIMPLE), pixels.read(viewer, SIMPLE_ERROR)
        assert all((before == after).all() for before, after in zip(first, again, strict=True))

    def test_slices_and_both_directions(self, viewer, pixels, cohort, runs):
        pixels.move(viewer, "ArrowUp", FIRST, 1)
        assert_shows(viewer, pixels, TRUTH, cohort.images(FIRST, "T2w")[1], *full_window(cohort, "T2w"))
        viewer.keyboard.press("d")
        viewer.wait_for_function("document.querySelector('.gv').dataset.painted.includes('|t2w_to_t1w|')")
        backward = Direction("T2w", "T1w")
        assert_shows(viewer, pixels, TRUTH, cohort.images(FIRST, "T1w")[1], *full_window(cohort, "T1w"))
        image = synthetic(runs, "CycleGAN", FIRST, backward, 1)
        assert_shows(viewer, pixels, CYCLEGAN, image, *full_window(cohort, "T1w"))

    def test_a_value_that_is_not_finite_is_not_painted_as_black(self, viewer, pixels):
        subject, index, row, column = pixels.broken
        pixels.move(viewer, "ArrowUp", FIRST, index)
        pixels.move(viewer, "End", subject, index)
        top, _, left, _ = pixels.field(viewer)
        for panel in (CYCLEGAN, CYCLEGAN_ERROR):
            shown = pixels.read(viewer, panel)[..., :3]
            assert (shown == (150, 70, 220)).all(axis=2).sum() == 1
            assert tuple(shown[row - top, column - left]) == (150, 70, 220)

    def test_burst_of_keys_ends_at_the_right_subject(self, viewer, pixels, cohort):
        for _ in range(12):
            viewer.keyboard.press("ArrowRight")
            viewer.keyboard.press("ArrowLeft")
        for _ in range(4):
            viewer.keyboard.press("ArrowRight")
        pixels.move(viewer, "ArrowRight", "sub-09")
        assert_shows(viewer, pixels, TRUTH, cohort.images("sub-09", "T2w")[0], *full_window(cohort, "T2w"))


@pytest.mark.browser
@pytest.mark.slow
class TestErrors:
    def test_relative_error_is_that_of_numpy(self, viewer, pixels, cohort, runs):
        # Simple errs by 20 % wherever the divisor is not the floor, and by less below it; CycleGAN by 10 % and more.
        for method, panel in (("Simple", SIMPLE_ERROR), ("CycleGAN", CYCLEGAN_ERROR)):
            error = relative_error(cohort, synthetic(runs, method, FIRST))
            assert_error_map(viewer, pixels, panel, error / 1.0 * 255, cohort.mask(FIRST)[0])
        viewer.keyboard.press("<")  # upper limit 100 % to 75 %
        assert_error_map(viewer, pixels, CYCLEGAN_ERROR, error / 0.75 * 255, cohort.mask(FIRST)[0])

    def test_signed_difference_is_centred_at_zero(self, viewer, pixels, cohort, runs):
        viewer.keyboard.press("e")
        real, made = cohort.images(FIRST, "T2w")[0], synthetic(runs, "Simple", FIRST)
        levels = 127.5 + 127.5 * (made - real) / cohort.ranges["T2w"].width / 0.30
        assert_error_map(viewer, pixels, SIMPLE_ERROR, levels, cohort.mask(FIRST)[0])

    def test_colour_map_is_magma(self, viewer):
        from plotly.colors import hex_to_rgb, sequential

        bar = colour_bar(viewer)
        anchors = np.array([hex_to_rgb(code) for code in sequential.Magma])
        assert np.abs(bar[np.rint(np.linspace(0, 255, len(anchors))).astype(int)] - anchors).max() <= 4
        brightness = bar @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(brightness) >= -0.5).all()

    def test_the_colour_bar_says_quantity_unit_range_and_floor(self, viewer, cohort):
        text = viewer.inner_text(".gv-says") + viewer.inner_text(".gv-colour-bar")
        floor = f"{0.05 * cohort.ranges['T2w'].width:.1f}"
        for word in ("Relative error", "%", "floor", "5 %", floor, "masked", "≥ 100 %"):
            assert word in text


@pytest.mark.browser
@pytest.mark.slow
class TestLooking:
    def test_window_drag_changes_real_and_synthetic_alike_and_not_the_source(self, viewer, pixels, cohort, runs):
        source = pixels.read(viewer, SOURCE)
        box = viewer.locator(f"{SIMPLE} .gv-stage").bounding_box()
        x, y = box["x"] + 60, box["y"] + 100
        viewer.mouse.move(x, y)
        viewer.mouse.down()
        viewer.mouse.move(x - 60, y + 30, steps=3)
        viewer.mouse.up()
        viewer.wait_for_timeout(100)
        width, level = full_window(cohort, "T2w")
        window, level = width - 60 * width / 300, level + 30 * width / 300
        assert_shows(viewer, pixels, TRUTH, cohort.images(FIRST, "T2w")[0], window, level)
        assert_shows(viewer, pixels, CYCLEGAN, synthetic(runs, "CycleGAN", FIRST), window, level)
        assert (pixels.read(viewer, SOURCE) == source).all()
        viewer.mouse.dblclick(x, y)
        viewer.wait_for_timeout(100)
        assert_shows(viewer, pixels, TRUTH, cohort.images(FIRST, "T2w")[0], *full_window(cohort, "T2w"))

    def test_blink_shows_the_real_image_only_while_the_key_is_down_and_says_so(self, viewer, pixels):
        truth, made = pixels.read(viewer, TRUTH), pixels.read(viewer, SIMPLE)
        for key in ("b", " "):
            viewer.keyboard.down(key)
            assert (pixels.read(viewer, SIMPLE) == truth).all()
            assert viewer.inner_text(f"{SIMPLE} .gv-note") == "REAL (blink)"
            viewer.keyboard.up(key)
            assert (pixels.read(viewer, SIMPLE) == made).all()
            assert viewer.inner_text(f"{SIMPLE} .gv-note") == "synthetic"

    def test_crosshair_tells_the_value_in_every_panel(self, viewer, pixels, cohort, runs):
        for _ in range(3):
            viewer.keyboard.press("Shift+ArrowRight")
        row, column = 24, 23  # the keyboard's crosshair starts in the middle of the slice
        real, made = cohort.images(FIRST, "T2w")[0][row, column], synthetic(runs, "Simple", FIRST)[row, column]
        assert float(viewer.inner_text(f"{TRUTH} .gv-value")) == pytest.approx(real, abs=0.06)
        assert float(viewer.inner_text(f"{SIMPLE} .gv-value")) == pytest.approx(made, abs=0.06)
        error = 100 * abs(made - real) / max(real, 0.05 * cohort.ranges["T2w"].width)
        assert float(viewer.inner_text(f"{SIMPLE_ERROR} .gv-value").split()[0]) == pytest.approx(error, abs=0.06)

    def test_zoom_keeps_the_pixel_under_the_cursor(self, viewer, pixels, cohort):
        box = viewer.locator(f"{TRUTH} .gv-stage").bounding_box()
        x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"]
        viewer.mouse.move(x, y)
        viewer.wait_for_timeout(100)
        before = viewer.inner_text(f"{TRUTH} .gv-value"), pixels.read(viewer, SIMPLE)
        viewer.mouse.wheel(0, -500)
        viewer.wait_for_timeout(100)
        viewer.mouse.move(x + 0.2, y)
        viewer.wait_for_timeout(100)
        assert viewer.inner_text(f"{TRUTH} .gv-value") == before[0]
        assert (pixels.read(viewer, SIMPLE) != before[1]).any()  # linked: the other panels zoom too

    def test_digits_hide_and_show_a_model(self, viewer):
        assert viewer.locator(SIMPLE).count() == 1
        viewer.keyboard.press("1")
        assert viewer.locator(SIMPLE).count() == 0
        assert viewer.locator(CYCLEGAN).count() == 1
        viewer.keyboard.press("1")
        assert viewer.locator(SIMPLE).count() == 1

    def test_says_what_the_reader_must_know(self, viewer):
        head = viewer.inner_text(".gv-head")
        assert "PHANTOM" in head
        assert "Synthetic images, not for diagnosis" in head
        assert "tiny <cohort>" in head
        assert viewer.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_nothing_scrolls_sideways_on_a_small_screen(self, viewer):
        viewer.set_viewport_size({"width": 1024, "height": 768})
        viewer.wait_for_function(
            """() => {
                const panels = [...document.querySelectorAll(".gv-panel")];
                const right = panels.at(-1).getBoundingClientRect().right;
                return document.documentElement.scrollWidth <= 1024 && 0 < right && right <= 1024;
            }"""
        )

    def test_saved_picture_holds_the_panels_and_the_warning(self, viewer, tmp_path):
        with viewer.expect_download() as download:
            viewer.keyboard.press("g")
        assert re.fullmatch(r"tiny-cohort-_sub-04_t1w_to_t2w_synthetic\.png", download.value.suggested_filename)
        download.value.save_as(tmp_path / "picture.png")
        picture = np.asarray(Image.open(tmp_path / "picture.png").convert("RGB")).astype(int)
        stage = viewer.locator(f"{TRUTH} .gv-stage").bounding_box()
        assert picture.shape[1] > 3 * 2 * stage["width"]
        warning = picture[-60:]  # the amber line at the bottom
        assert ((warning[..., 0] > 200) & (warning[..., 2] < 120)).sum() > 200


@pytest.mark.browser
@pytest.mark.slow
class TestScores:
    def test_numbers_of_the_current_subject_follow_the_slider(self, viewer, pixels):
        viewer.wait_for_selector('[data-metric="psnr_db"] .gv-number')
        numbers = '[data-metric="psnr_db"] .gv-number'
        assert viewer.locator(numbers).all_text_contents() == ["25.0", "25.0", "12.0"]
        pixels.move(viewer, "ArrowRight", "sub-05")
        assert viewer.locator(numbers).all_text_contents()[:2] == ["24.0", "26.0"]  # Simple, CycleGAN
        assert "higher is better" in viewer.inner_text('[data-metric="psnr_db"]')
        assert "lower is better" in viewer.inner_text('[data-metric="mae"]')

    def test_worst_first_and_a_click_on_a_point(self, viewer, pixels):
        viewer.wait_for_selector('[data-metric="psnr_db"] .gv-number')
        viewer.select_option("select[aria-label='Order of subjects']", "psnr_db")
        viewer.wait_for_function("document.querySelector('.gv').dataset.painted.startsWith('sub-09|')")
        point = viewer.locator('[data-metric="psnr_db"] .gv-point').nth(2).bounding_box()  # Simple, third subject
        viewer.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
        viewer.wait_for_function("document.querySelector('.gv').dataset.painted.startsWith('sub-06|')")


@pytest.mark.browser
@pytest.mark.slow
class TestTrouble:
    def test_missing_folder_is_one_line_without_a_traceback(self, page, tmp_path):
        with serve.start(runs=tmp_path / "no <such> folder") as server:
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector(".ganlib-refusal", timeout=60_000)
            text = page.inner_text(".ganlib-refusal")
            body = page.inner_text("body")
        assert "no <such> folder: no such folder; set GANLIB_RUNS" in text
        assert "\n" not in text.strip()
        assert "Traceback" not in body
        assert "InputError" not in body
        assert page.outside == []

    def test_a_dead_kernel_is_said_in_words(self, page, runs):
        with serve.start(runs=runs) as server:
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector(".gv[data-painted]", timeout=60_000)
            for child in psutil.Process(server.process.pid).children(recursive=True):
                child.kill()
            page.wait_for_selector(".gv-message:not([hidden])", timeout=30_000)
            text = page.inner_text(".gv-message")
        assert "No answer from the server" in text
        assert "reload this page" in text


class TestServer:
    def test_missing_notebook_names_the_dashboards(self, tmp_path):
        with pytest.raises(InputError, match=r"no such dashboard; there are .*compare\.ipynb"):
            serve.start(tmp_path / "none.ipynb")

    def test_taken_port_is_said(self):
        import socket

        with socket.socket() as listener:
            listener.bind((serve.HOST, 0))
            listener.listen()
            with pytest.raises(InputError, match="is taken"):
                serve.start(port=listener.getsockname()[1])

    def test_listens_on_this_machine_only(self):
        assert "--Voila.ip=127.0.0.1" in serve.command("compare.ipynb", 1)

    def test_notebook_is_one_import_and_one_call_without_outputs(self):
        cells = json.loads((serve.DASHBOARDS / "compare.ipynb").read_text())["cells"]
        assert ["".join(cell["source"]) for cell in cells] == ["from ganlib.display import panels\n\npanels.compare()"]
        assert cells[0]["outputs"] == []

    def test_template_links_no_other_host(self):
        for path in (serve.DASHBOARDS / "share").rglob("*.*"):
            assert "https://" not in path.read_text(), path
