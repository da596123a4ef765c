"""The organiser's page: closed without its token; makes, watches and closes studies; shows and saves results."""

import zipfile

import pytest

from ganlib.display import serve, study_server
from ganlib.errors import InputError
from ganlib.study import RatingSession, Study, StudyDatabase, create_study, study_design
from ganlib.study.simulated_session import simulate_raters
from tests.dashboards.raw_client import RawClient
from tests.evaluation.fake_runs import write_fake_run
from tests.study.conftest import write_cohort

ORGANISE = serve.DASHBOARDS / "organise.ipynb"
DESIGN = study_design(synthetic_per_cell=3, practice=2, repeats=0.25, real_from=("train", "test"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("organise")
    cohort = write_cohort(folder / "cohort.h5")
    for label in ("CycleGAN", "Simple"):
        write_fake_run(folder / label.lower(), cohort, label=label)
    return folder


@pytest.fixture
def study(tmp_path, runs):
    """A study and the token of its organiser."""
    from ganlib.runs import Run

    database = StudyDatabase(tmp_path / "study.db", create=True)
    found = [Run(runs / name) for name in ("cyclegan", "simple")]
    yield create_study(database, "tiny", found, DESIGN)
    database.close()


def served(study, runs=None, token="server-token"):
    settings = study_server.variables(study.database.shown, "", runs, token, "http://127.0.0.1:1/")
    return serve.start(ORGANISE, variables=settings)


@pytest.mark.slow
def test_without_a_token_nothing_is_told_or_done(study):
    study, own = study
    with served(study) as server, RawClient(server.address) as client:
        for kind in ("studies", "progress", "results", "export", "close", "create"):
            reply = client.request({"kind": kind, "study": "tiny"})
            assert (reply["kind"], reply["text"]) == ("failure", "the organiser's token is needed first")
        assert client.request({"kind": "open", "token": "guess"})["kind"] == "failure"
        assert client.request({"kind": "progress", "study": "tiny"})["kind"] == "failure"
        opened = client.request({"kind": "open", "token": own})
        assert (opened["studies"], opened["may_create"]) == (["tiny"], False)
        assert client.request({"kind": "create", "name": "x"})["text"].startswith("a study's own token makes no")
        assert client.request({"kind": "progress", "study": "other"})["kind"] == "failure"
    assert not study.is_closed


@pytest.mark.browser
@pytest.mark.slow
def test_make_watch_close_and_see(page, study, runs, tmp_path):
    study, _ = study
    with served(study, runs) as server:
        page.goto(f"{server.address}#organiser=server-token", wait_until="commit")
        page.wait_for_selector(".go[data-state=open]", timeout=60_000)
        assert "server-token" not in page.url
        _watch(page, study)
        _see(page, study, tmp_path)
        _close(page, study)
        _make(page, study)
    assert page.outside == []
    assert page.errors == []


def _watch(page, study):
    page.wait_for_function("document.querySelector('.go').innerText.includes('Nobody has joined yet')")
    token = study.join("<b>Anna</b>", experience="student", consent=True)
    page.wait_for_function("document.querySelector('.go').innerText.includes('<b>Anna</b>')")
    session = RatingSession(study.database, token, study)
    for step in range(5):
        session.answer(step, "real", 1)
    page.wait_for_function("document.querySelector('.go').innerText.includes('3 / 30')")


def _see(page, study, tmp_path):
    page.click("[data-do=results]")
    page.wait_for_function("document.querySelector('.go-says').textContent.includes('nobody has answered half')")
    simulate_raters(study, 2)
    page.click("[data-do=results]")
    page.wait_for_selector("iframe", timeout=30_000)
    frame = page.frame_locator("iframe")
    frame.locator("h2", has_text="In words").wait_for()
    assert "SIMULATED RATERS" in frame.locator("body").inner_text()
    frame.locator(".js-plotly-plot .scatterlayer").first.wait_for(timeout=30_000)
    _whole(page)
    with page.expect_download() as download:
        page.click("[data-do=export]")
    download.value.save_as(tmp_path / "answers.zip")
    with zipfile.ZipFile(tmp_path / "answers.zip") as archive:
        assert "answers.csv" in archive.namelist()
        assert b"Anna" not in archive.read("answers.csv") + archive.read("raters.csv")


def _whole(page):
    """The results neither scroll within the page nor are cut off, also on a small screen."""
    for width, height in ((1440, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        shown = page.frames[-1]
        shown.wait_for_function("innerHeight > 2000 && document.documentElement.scrollHeight <= innerHeight + 2")
        # Waited for, since Plotly draws anew some time after the window's size has changed.
        shown.wait_for_function(
            """() => {
                const right = (selector) =>
                    Math.max(...[...document.querySelectorAll(selector)].map((e) => e.getBoundingClientRect().right));
                const [texts, figures] = [".annotation-text", ".js-plotly-plot"].map(right);
                const page = document.documentElement;
                return page.scrollWidth <= innerWidth && 0 < texts && texts <= figures && figures <= innerWidth;
            }"""
        )
    page.set_viewport_size({"width": 1440, "height": 900})


def _close(page, study):
    page.click("[data-do=close]")
    assert not study.is_closed
    page.click("[data-do=close]")
    page.wait_for_function("[...document.querySelectorAll('.go-badge')].some((badge) => badge.innerText === 'closed')")
    assert study.is_closed
    with pytest.raises(InputError, match="closed"):
        study.join(consent=True)


def _make(page, study):
    page.click(".go-new")
    assert page.input_value("#go-preset") == "balanced"
    page.fill("#go-name", "second <i>")
    page.select_option("#go-preset", "paper_2018")
    assert page.input_value("#go-cell") == "12"
    page.click(".go-form .go-go")
    _refused(page, "shows 3 methods")
    page.select_option("#go-preset", "balanced")
    page.fill("#go-cell", "9")
    page.click(".go-form .go-go")
    _refused(page, "too few")
    page.fill("#go-cell", "2")
    page.check("#go-splits")
    page.click(".go-form .go-go")
    page.wait_for_selector(".go-head h1", timeout=30_000)
    page.wait_for_selector(".go-says code")
    made = Study(study.database, "second <i>")
    made.require_organiser(page.inner_text(".go-says code"))
    assert made.trials.design.synthetic_per_cell == 2
    assert made.trials.design.real_from == ("test", "validation", "train")


def _refused(page, words):
    script = "(words) => document.querySelector('.go-form .go-says').textContent.includes(words)"
    page.wait_for_function(script, arg=words)
