"""The quality page as a reader meets it: pictures with known pixels, and decisions that are on the disk."""

import json
import shutil

import numpy as np
import pytest

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.cohort.decisions import decide, decisions_path, read_decisions
from ganlib.display import serve

SHAPE = (3, 60, 50)
VOXEL_MM = (1.0, 1.25, 4.0)
EDGE = (255, 176, 0)


def _write_cohort(path):
    random = np.random.default_rng(0)
    header = CohortHeader(name="<b>ward</b>", contrasts=["T1w", "T2w", "FLAIR"], voxel_mm=VOXEL_MM, phantom=True)
    mask = np.zeros(SHAPE, bool)
    mask[:, 6:54, 5:45] = True
    with CohortWriter(path, header) as writer:
        for number in range(9):
            grey = random.uniform(50, 300, SHAPE)
            grey[:, 20:40, 15:35] += 400
            shift = 6 if number == 4 else 0
            images = {"T1w": grey * mask, "T2w": np.roll(900 - grey, shift, 1) * mask, "FLAIR": (0.5 * grey + 9) * mask}
            subject = Subject(
                id=f"sub-{number}", split="train" if number < 5 else "test", affine=np.eye(4).tolist(),
                volume_shape=(50, 60, 3), slice_indices=[0, 1, 2], slice_mm=[-4.0, 0.0, 4.0],
            )  # fmt: skip
            writer.add(subject, images, mask)
    return path


@pytest.fixture(scope="module")
def cohort_path(tmp_path_factory):
    return _write_cohort(tmp_path_factory.mktemp("quality") / "cohort.h5")


@pytest.fixture(scope="module")
def quality_server(cohort_path):
    with serve.start(serve.DASHBOARDS / "quality.ipynb", cohort=cohort_path) as server:
        yield server


@pytest.fixture
def quality_page(page, quality_server, cohort_path):
    """The page, open and painted, with no decision from an earlier test."""
    decisions_path(cohort_path).unlink(missing_ok=True)
    page.goto(quality_server.address, wait_until="commit")
    page.wait_for_selector(".gq[data-painted]", timeout=60_000)
    return page


def _move(page, key, subject, index=1):
    page.keyboard.press(key)
    script = "([s, i]) => document.querySelector('.gq').dataset.painted.startsWith(`${s}|${i}|`)"
    page.wait_for_function(script, arg=[subject, index])


def _decided(page, subject, verdict, note=""):
    page.wait_for_function(
        "(text) => document.querySelector('.gq').dataset.stored === text", arg=f"{subject}|{verdict}|{note}"
    )


def _pixels(page, kind):
    """Colours of a picture as it is shown: uint8 (rows, columns, 3)."""
    script = """(kind) => {
      const shown = document.querySelector(`.gq-${kind} .gv-image`);
      return shown.getContext("2d").getImageData(0, 0, shown.width, shown.height).data.reduce(
        (all, value, at) => (at % 4 < 3 && all.push(value), all), [shown.width, shown.height]);
    }"""
    width, height, *values = page.evaluate(script, kind)
    return np.array(values, np.uint8).reshape(height, width, 3)


def _middle_of_edges(page):
    """Mean row of the edges that are drawn, as a share of the picture's height."""
    drawn = (_pixels(page, "edges") == EDGE).all(axis=2)
    return np.nonzero(drawn)[0].mean() / len(drawn)


def _held(cohort_path):
    with Cohort(cohort_path) as cohort:
        return read_decisions(cohort_path, cohort.fingerprint)


@pytest.mark.browser
@pytest.mark.slow
class TestQualityPage:
    def test_pictures_differ_in_the_way_they_should(self, quality_page):
        page = quality_page
        page.keyboard.press("s")  # smoothed pixels would be mixed where two fields meet
        first, second, checker, edges = (_pixels(page, kind) for kind in ("first", "second", "checkerboard", "edges"))
        assert first.shape == second.shape == checker.shape == edges.shape
        assert first.std() > 20
        assert (np.ptp(first.astype(int), axis=2) == 0).all()
        same_as_first, same_as_second = ((checker == other).all(axis=2) for other in (first, second))
        assert 0.25 < same_as_first.mean() < 0.95
        assert 0.25 < same_as_second.mean() < 0.95
        assert (same_as_first | same_as_second).all()
        assert 0.01 < (edges == EDGE).all(axis=2).mean() < 0.2
        assert page.outside == []
        assert page.errors == []

    def test_edges_are_those_of_the_anatomy_and_not_of_the_mask(self, quality_page):
        sound = _middle_of_edges(quality_page)
        _move(quality_page, "f", "sub-4")  # its T2w lies 6 of some 56 rows lower
        assert 0.07 < _middle_of_edges(quality_page) - sound < 0.15

    def test_blink_shows_the_other_contrast_while_the_key_is_down(self, quality_page):
        page = quality_page
        first, second = _pixels(page, "first"), _pixels(page, "second")
        page.keyboard.down("b")
        np.testing.assert_array_equal(_pixels(page, "first"), second)
        page.keyboard.up("b")
        np.testing.assert_array_equal(_pixels(page, "first"), first)
        page.keyboard.press("c")
        page.wait_for_function("document.querySelector('.gq').dataset.painted.includes('T1w+FLAIR')")
        assert (_pixels(page, "second") != second).any()

    def test_what_stands_out_is_said_and_can_be_gone_to(self, quality_page):
        page = quality_page
        _move(page, "f", "sub-4")
        assert "mm apart" in page.inner_text(".gq-flags")
        assert "gq-bad" in page.locator(".gq-row").first.get_attribute("class")
        page.click('[data-filter="flagged"]')
        assert page.locator(".gq-list li:visible").count() == 1
        page.keyboard.press("ArrowRight")
        assert page.get_attribute(".gq", "data-painted").startswith("sub-4|")
        assert "<b>ward</b>" in page.inner_text(".gv-head h1")

    def test_accept_goes_on_and_reject_takes_a_note_by_keyboard_alone(self, quality_page, cohort_path):
        page = quality_page
        page.keyboard.press("a")
        _decided(page, "sub-0", "accepted")
        page.wait_for_function("document.querySelector('.gq').dataset.painted.startsWith('sub-1|')")
        page.keyboard.press("r")
        _decided(page, "sub-1", "rejected")
        page.keyboard.type('moved <i>"a lot"</i>')
        page.keyboard.press("Enter")
        _decided(page, "sub-1", "rejected", 'moved <i>"a lot"</i>')
        page.wait_for_function("document.querySelector('.gq').dataset.painted.startsWith('sub-2|')")
        page.keyboard.press("r")
        _decided(page, "sub-2", "rejected")
        page.keyboard.press("Escape")
        page.keyboard.press("x")
        _decided(page, "sub-2", "undecided")
        held = _held(cohort_path)
        assert {name: decision.verdict for name, decision in held.items()} == {"sub-0": "accepted", "sub-1": "rejected"}
        assert held["sub-1"].note == 'moved <i>"a lot"</i>'
        assert "1 accepted, 1 rejected, 7 to do" in page.inner_text(".gq-counts")
        with Cohort(cohort_path) as cohort:
            assert "sub-1" not in cohort.ids()

    def test_decisions_are_there_when_the_page_is_opened_again(self, quality_page, quality_server, cohort_path):
        page = quality_page
        page.click('.gq-decision [data-verdict="rejected"]')
        _decided(page, "sub-0", "rejected")
        page.goto(quality_server.address, wait_until="commit")
        page.wait_for_selector(".gq[data-painted]", timeout=60_000)
        assert page.get_attribute('.gq-list [data-subject="sub-0"]', "data-verdict") == "rejected"
        assert page.get_attribute(".gq-decision", "data-verdict") == "rejected"

    def test_a_decision_that_cannot_be_stored_is_not_said_to_be(self, quality_page, cohort_path):
        page = quality_page
        decisions_path(cohort_path).mkdir()
        try:
            page.keyboard.press("a")
            page.wait_for_selector(".gv-message:has-text('could not be stored')")
            assert page.get_attribute('.gq-list [data-subject="sub-0"]', "data-verdict") == "undecided"
            assert "stored" not in page.inner_text(".gq-stored")
        finally:
            shutil.rmtree(decisions_path(cohort_path))

    @pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
    def test_everything_fits_without_scrolling_sideways(self, quality_page, width, height):
        page = quality_page
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(
            """() => {
                const [all, main] = [document.documentElement, document.querySelector(".gq-main")];
                return all.scrollWidth <= innerWidth && main.scrollWidth <= main.clientWidth;
            }"""
        )


@pytest.mark.browser
@pytest.mark.slow
def test_a_missing_cohort_is_one_line(page, tmp_path):
    with serve.start(serve.DASHBOARDS / "quality.ipynb", cohort=tmp_path / "none.h5") as server:
        page.goto(server.address, wait_until="commit")
        page.wait_for_selector(".ganlib-refusal", timeout=60_000)
        assert "no such cohort file" in page.inner_text(".ganlib-refusal")


def test_description_is_json_and_heeds_decisions(cohort_path):
    from ganlib.display.quality import describe
    from ganlib.display.viewer import SliceReader
    from ganlib.evaluation.quality import measure_quality

    decisions_path(cohort_path).unlink(missing_ok=True)
    with Cohort(cohort_path) as cohort:
        decide(cohort, "sub-3", "rejected", "ghosts")
        found = json.loads(
            json.dumps(describe(cohort, measure_quality(cohort, progress=False), SliceReader(cohort, [])))
        )
    assert [subject["id"] for subject in found["subjects"]] == [f"sub-{number}" for number in range(9)]
    assert found["subjects"][3]["decision"]["note"] == "ghosts"
    assert found["subjects"][4]["far"]
    assert sum(found["histograms"]["T1w"]["cohort"]["middle"]) == pytest.approx(100, abs=15)
    decisions_path(cohort_path).unlink()
