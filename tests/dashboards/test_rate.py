"""The rating page as a rater meets it: a real Voila server, a real browser, keys, reloads, and things that die."""

import os
import re
import signal
import sqlite3

import numpy as np
import psutil
import pytest
from sqlalchemy import select

from ganlib.display import serve, study_server
from ganlib.study import StudyDatabase, create_study, schema, study_design
from tests.dashboards.raw_client import RawClient, decoded
from tests.evaluation.fake_runs import write_fake_run
from tests.study.conftest import METHODS as PAPER_METHODS
from tests.study.conftest import write_cohort

RATE = serve.DASHBOARDS / "rate.ipynb"
VERDICTS = {
    1: ("synthetic", 3),
    2: ("synthetic", 2),
    3: ("synthetic", 1),
    4: ("real", 1),
    5: ("real", 2),
    6: ("real", 3),
}


@pytest.fixture(scope="session")
def paper_runs(tmp_path_factory):
    """Runs of three methods on a cohort large enough for the paper's design."""
    folder = tmp_path_factory.mktemp("paper")
    cohort = write_cohort(folder / "cohort.h5", subjects=190)
    return [write_fake_run(folder / name.lower(), cohort, label=name, error=0.1) for name in PAPER_METHODS]


@pytest.fixture(scope="session")
def odd_runs(paper_runs):
    """Runs of methods whose names no program of a page contains; `unit` is in Voila's."""
    cohort = paper_runs[0].cohort_path
    return [write_fake_run(cohort.parent / name, cohort, label=name.title()) for name in ("okapiwren", "lynxheron")]


@pytest.fixture
def make_study(tmp_path, paper_runs):
    """Function that stores a study and gives it back."""
    database = StudyDatabase(tmp_path / "study.db", create=True)

    def make(preset="balanced", name="tiny", runs=paper_runs, **changes):
        return create_study(database, name, runs, study_design(preset, **changes))[0]

    yield make
    database.close()


@pytest.fixture
def small_study(make_study):
    return make_study(synthetic_per_cell=2, practice=2, repeats=0.25, break_every=10)


def served(study, **settings):
    return serve.start(RATE, variables=study_server.variables(study.database.shown), **settings)


def answers(study):
    columns = schema.answers.c
    with study.database.reading() as connection:
        query = select(columns.rater_id, columns.step, columns.verdict, columns.confidence, columns.response_ms,
                       columns.resumed).order_by(columns.id)  # fmt: skip
        return connection.execute(query).all()


def begin(page, address, name="Anna"):
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".gr[data-state=start]", timeout=60_000)
    page.fill("#gr-name", name)
    page.check("#gr-consent")
    page.click(".gr-go")


def wait_for(page, step):
    page.wait_for_selector(f".gr[data-ready='{step}'][data-state=trial]", timeout=60_000)


def press(page, step, rating, key=None):
    """Answer a trial by keyboard, and go on through whatever stands between it and the next one."""
    wait_for(page, step)
    page.keyboard.press(key or str(rating))


def go_on(page, study, step):
    """After an answer: practice feedback, the end of practice, breaks."""
    practice = len(study.trials.practice)
    if step < practice:
        page.wait_for_selector(".gr[data-state=feedback]")
        page.keyboard.press("Space")
    counted = step + 1 - practice
    every = study.trials.design.break_every
    if step + 1 < study.trials.num_steps and (counted == 0 or (counted > 0 and counted % every == 0)):
        page.wait_for_selector(".gr[data-state=pause]")
        page.keyboard.press("Space")


def rate(page, study, first, last):
    """Press a key at every step; returns what was pressed."""
    pressed = []
    for step in range(first, last):
        rating = 1 + (5 * step) % 6
        press(page, step, rating, key=None if step % 2 else "sdfjkl"[rating - 1])
        pressed.append((step, *VERDICTS[rating]))
        go_on(page, study, step)
    return pressed


def stored(study):
    return [(row.step, row.verdict, row.confidence) for row in answers(study)]


@pytest.mark.browser
@pytest.mark.slow
class TestRating:
    def test_the_papers_design_by_keyboard(self, page, make_study):
        study = make_study("paper_2018", practice=4, repeats=0.05)
        with served(study) as server:
            begin(page, server.address)
            pressed = rate(page, study, 0, study.trials.num_steps)
            page.wait_for_selector(".gr[data-state=finished]")
            score = page.inner_text(".gr-score")
        assert len(pressed) == 4 + 168 + 8
        assert stored(study) == pressed
        times = np.array([row.response_ms for row in answers(study)])
        assert (times >= 0).all()
        assert (times < 20_000).all()
        assert f"of {168 + 8}" in score
        assert page.outside == []
        assert page.errors == []

    def test_what_is_on_screen_is_the_stored_image_at_its_true_shape(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            wait_for(page, 0)
            box = page.locator(".gr-image").bounding_box()
            number = small_study.trials.trial(0, small_study.trials.order(1)).images[0]
            image = np.frombuffer(small_study.pixels(number), np.uint8).reshape(24, 20)
            shown = _canvas(page)
        assert box["width"] / box["height"] == pytest.approx(20 * 1.5 / 24, rel=0.01)
        rows = np.round((np.arange(24) + 0.5) * shown.shape[0] / 24 - 0.5).astype(int)
        columns = np.round((np.arange(20) + 0.5) * shown.shape[1] / 20 - 0.5).astype(int)
        assert np.corrcoef(shown[np.ix_(rows, columns)].ravel(), image.ravel())[0, 1] > 0.95
        assert image.std() > 20

    def test_every_image_has_the_same_size_and_place(self, page, small_study):
        boxes = set()
        with served(small_study) as server:
            begin(page, server.address)
            for step in range(8):
                wait_for(page, step)
                box = page.locator(".gr-image").bounding_box()
                boxes.add(tuple(round(box[side]) for side in ("x", "y", "width", "height")))
                page.keyboard.press("4")
                go_on(page, small_study, step)
        assert len(boxes) == 1

    def test_two_alternatives(self, page, make_study):
        study = make_study("two_alternative", synthetic_per_cell=1, practice=1, repeats=0)
        with served(study) as server:
            begin(page, server.address)
            for step in range(study.trials.num_steps):
                press(page, step, 1 + step % 6)
                assert page.locator(".gr-image").count() == 2 or step == study.trials.num_steps - 1
                go_on(page, study, step)
            page.wait_for_selector(".gr[data-state=finished]")
        sides = ["left", "left", "left", "right", "right", "right"]
        assert [row[1] for row in stored(study)] == [sides[step % 6] for step in range(study.trials.num_steps)]

    def test_consent_is_needed_and_a_held_or_early_key_counts_once(self, page, small_study):
        with served(small_study) as server:
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector(".gr[data-state=start]", timeout=60_000)
            page.click(".gr-go")
            assert "without your consent" in page.inner_text(".gr-says")
            assert small_study.raters() == []
            page.check("#gr-consent")
            page.click(".gr-go")
            wait_for(page, 0)
            for _ in range(5):
                page.keyboard.down("5")  # a key that is held repeats
            page.wait_for_selector(".gr[data-state=feedback]")
            page.keyboard.press("5")
            assert len(answers(small_study)) == 1


@pytest.mark.browser
@pytest.mark.slow
class TestComingBack:
    def test_reload_and_closed_tab(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            pressed = rate(page, small_study, 0, 5)
            wait_for(page, 5)
            before = _canvas(page)
            page.reload(wait_until="commit")
            wait_for(page, 5)
            assert (_canvas(page) == before).all()
            pressed += rate(page, small_study, 5, 7)
            wait_for(page, 7)
            before = _canvas(page)
            second = page.context.new_page()
            page.close()
            second.goto(server.address, wait_until="commit")
            second.wait_for_selector(".gr[data-state=pause]", timeout=60_000)
            assert "Welcome back" in second.inner_text(".gr")
            second.keyboard.press("Space")
            wait_for(second, 7)
            assert (_canvas(second) == before).all()
            pressed += rate(second, small_study, 7, 9)
            wait_for(second, 9)
            second.close()
        assert stored(small_study) == pressed
        assert [row.step for row in answers(small_study) if row.resumed] == [5, 7]

    def test_a_link_of_ones_own_works_in_another_browser(self, page, chromium, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            rate(page, small_study, 0, 4)
            wait_for(page, 4)
            page.keyboard.press("Escape")
            link = page.input_value(".gr-link")
            other = chromium.new_page()
            other.goto(link, wait_until="commit")
            other.wait_for_selector(".gr[data-state=pause]", timeout=60_000)
            other.keyboard.press("Enter")
            wait_for(other, 4)
            other.close()
        assert len(small_study.raters()) == 1

    def test_a_killed_kernel_loses_and_repeats_nothing(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            pressed = rate(page, small_study, 0, 5)
            wait_for(page, 5)
            for child in psutil.Process(server.process.pid).children(recursive=True):
                child.kill()
            page.keyboard.press("6")  # into the void; the page sends it again when it is back
            pressed.append((5, "real", 3))
            wait_for(page, 6)
            pressed += rate(page, small_study, 6, small_study.trials.num_steps)
            page.wait_for_selector(".gr[data-state=finished]")
        assert stored(small_study) == pressed

    def test_a_killed_server_loses_and_repeats_nothing(self, page, small_study):
        server = served(small_study)
        try:
            begin(page, server.address)
            pressed = rate(page, small_study, 0, 5)
            wait_for(page, 5)
            _kill(server)
            page.keyboard.press("1")
            pressed.append((5, "synthetic", 3))
            page.wait_for_selector(".gr[data-state=lost]", timeout=40_000)
            assert "What you have answered is safe" in page.inner_text(".gr")
        finally:
            _kill(server)
        with served(small_study, port=int(server.address.rstrip("/").rsplit(":", 1)[1])):
            wait_for(page, 6)
            pressed += rate(page, small_study, 6, small_study.trials.num_steps)
            page.wait_for_selector(".gr[data-state=finished]")
        assert stored(small_study) == pressed


def locked(study):
    """A connection of another program that holds the study's database until it is told `ROLLBACK`."""
    other = sqlite3.connect(study.database.shown, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


@pytest.mark.browser
@pytest.mark.slow
class TestTrouble:
    def test_closed_while_somebody_rates(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            rate(page, small_study, 0, 3)
            wait_for(page, 3)
            small_study.close()
            page.keyboard.press("5")
            page.wait_for_function("document.querySelector('.gr').innerText.includes('closed')")
            page.reload(wait_until="commit")
            page.wait_for_selector(".gr[data-state=closed]", timeout=60_000)
        assert len(answers(small_study)) == 3

    def test_a_locked_database_is_said_and_the_same_image_waits(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            rate(page, small_study, 0, 3)
            wait_for(page, 3)
            other = locked(small_study)
            page.keyboard.press("5")
            page.wait_for_function(
                "document.querySelector('.gr-says')?.textContent.startsWith('Not stored')", timeout=20_000
            )
            assert "locked by another program" in page.inner_text(".gr-says")
            other.execute("ROLLBACK")
            press(page, 3, 5)
            wait_for(page, 4)
        assert len(answers(small_study)) == 4

    def test_a_database_that_is_locked_when_a_rater_comes_back_costs_neither_place_nor_answer(self, page, small_study):
        with served(small_study) as server:
            begin(page, server.address)
            rate(page, small_study, 0, 3)
            wait_for(page, 3)
            other = locked(small_study)
            page.keyboard.press("5")
            page.reload(wait_until="commit")
            page.wait_for_selector(".gr[data-state=pause]", timeout=60_000)
            assert "locked by another program" in page.inner_text(".gr")
            other.execute("ROLLBACK")
            page.keyboard.press("Space")
            wait_for(page, 4)
        assert len(small_study.raters()) == 1
        assert stored(small_study)[3] == (3, "real", 2)

    def test_no_database_and_script_in_a_name(self, page, small_study, tmp_path):
        with serve.start(RATE, variables={"GANLIB_STUDY": str(tmp_path / "no <b>.db")}) as server:
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector(".ganlib-refusal", timeout=60_000)
            assert "no <b>.db: no such study database; create a study first" in page.inner_text(".ganlib-refusal")
        with served(small_study) as server:
            begin(page, server.address, "<img src=x onerror=alert(1)>")
            wait_for(page, 0)
        assert small_study.raters()[0].label == "<img src=x onerror=alert(1)>"
        assert page.errors == []


@pytest.mark.browser
@pytest.mark.slow
class TestSecrecy:
    @pytest.fixture
    def small_study(self, make_study, odd_runs):
        return make_study(runs=odd_runs, synthetic_per_cell=2, practice=2, repeats=0.25, break_every=10)

    def test_nothing_the_browser_receives_tells_before_the_answer(self, page, small_study):
        """All traffic of a session: the same bytes but for pixels, numbers of steps, and what practice tells."""
        received = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
        responses = []
        page.on("response", lambda response: responses.append(response))
        with served(small_study) as server:
            begin(page, server.address)
            rate(page, small_study, 0, 12)
            wait_for(page, 12)
            texts = [_text(response) for response in responses]
        trials = small_study.trials
        secrets = {image.subject for image in trials.images} | {image.sha256 for image in trials.images}
        secrets |= {run.folder for run in trials.runs} | set(trials.methods) | {run.name for run in trials.runs}
        everything = b"".join(frame if isinstance(frame, bytes) else frame.encode() for frame in received)
        everything += "".join(texts).encode()
        assert len(everything) > 100_000
        assert trials.contrasts[0].encode() in everything  # what a rater may know is found
        assert {"Okapiwren", "lynxheron"} < secrets
        assert not [secret for secret in secrets if secret.encode() in everything]
        shown = [found for found in map(_trial, received) if found is not None]
        assert len(shown) == 13
        # The counted trials' messages differ in nothing but the number of the step and the pixels. The first one also
        # brings what was right in the last practice trial.
        counted = [(re.sub(r"\d+", "0", text), lengths) for text, lengths, practice in shown if not practice]
        assert len(counted) == 11
        assert re.search(r"'feedback': {'correct': \w+, 'truth': '\w+'}", counted[0][0])
        assert all("'feedback': None" in text for text, _ in counted[1:])
        counted[0] = (re.sub(r"'feedback': {.*?}", "'feedback': None", counted[0][0]), counted[0][1])
        assert len({str(entry) for entry in counted}) == 1, counted

    def test_the_page_cannot_run_code_in_the_kernel(self, small_study):
        with served(small_study) as server, RawClient(server.address) as client:
            client.send("shell", "execute_request", {"code": "print(6 * 7)", "silent": False})
            assert client.request({"kind": "hello"})["kind"] == "start"
            assert not [
                m for m in client.seen if m["header"]["msg_type"] in ("stream", "execute_result", "execute_reply")
            ]

    def test_frames_are_not_compressed(self, small_study):
        with served(small_study) as server, RawClient(server.address) as client:
            assert "Sec-WebSocket-Extensions" not in client.response_headers


def _canvas(page):
    """Grey levels on the canvas, uint8 (rows, columns)."""
    script = """() => {
      const canvas = document.querySelector(".gr-image");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return [canvas.width, canvas.height, [...data].filter((_, at) => at % 4 === 0)];
    }"""
    width, height, values = page.evaluate(script)
    return np.array(values, np.uint8).reshape(height, width)


def _kill(server):
    if server.process.poll() is not None:
        return
    for process in [*psutil.Process(server.process.pid).children(recursive=True), server.process]:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    server.process.wait()


def _text(response):
    try:
        return response.text()
    except Exception:
        return ""


def _trial(frame):
    """Text of a trial's message, lengths of its binary parts, whether it is practice; None of other messages."""
    message, buffers = decoded(frame)
    content = message.get("content", {}).get("data", {}).get("content", {})
    if content.get("kind") != "trial":
        return None
    return str({**content, "break_due": 0}), [len(buffer) for buffer in buffers], content["practice"]
