"""The page itself: complete, self-contained, honest about what it shows, and refused where it would not be."""

import base64
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from ganlib import cli
from ganlib.display.comparison import comparison_figures
from ganlib.errors import InputError
from ganlib.report import pictures, write_report
from ganlib.report.parts import Picture
from ganlib.runs import Run, open_runs
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run
from tests.measured import write_labelled_cohort

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><g id="a" clip-path="url(#a)"/></svg>'


def draw_nothing(parts):
    return [pictures._own_names(SVG, f"picture-{place}") for place in range(len(parts))]


class Reader(HTMLParser):
    """Words of a page, what it loads, and its headings."""

    def __init__(self, page):
        super().__init__()
        self.words, self.loads, self.ids, self.links, self.within = [], [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.within.append(tag)
        self.loads += [
            values[key] for key in ("src", "href") if key in values and tag in ("script", "link", "img", "image")
        ]
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if tag == "a" else []

    def handle_endtag(self, tag):
        self.within = self.within[: -1 - self.within[::-1].index(tag)] if tag in self.within else self.within

    def handle_data(self, data):
        if not {"style", "script", "svg"} & set(self.within):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def figures(results):
    return comparison_figures(results)


@pytest.fixture
def drawn(monkeypatch):
    """Stands for the browser; the pictures themselves are looked at in the tests marked slow."""
    monkeypatch.setattr(pictures, "_drawn", draw_nothing)


@pytest.fixture(scope="module")
def page(results, figures, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "_drawn", draw_nothing)
        path = tmp_path_factory.mktemp("page") / "report.html"
        return write_report(results.runs, path, results=results, figures=figures).read_text(encoding="utf-8")


def test_it_says_what_was_compared_how_and_what_it_is_not(page):
    text = Reader(page).text
    for words in (
        "T1w ↔ T2w: 3 methods compared", "PHANTOM.", "Not for diagnosis.", "12 test subjects", "What was compared",
        "How it was measured", "masked: mask only", "own-max: whole slice", "Wilcoxon", "Holm", "Who differs from whom",
        "Realism, apart from error", "By region", "Registration", "Hidden information", "What it costs", "12.3",
        "No alarm was raised", "Limits", "tiny <b>&", "batch", "fingerprint",
    ):  # fmt: skip
        assert words in text
    assert not re.search(r"\bnan\b|\binf\b|None|\{\{", text)


def test_every_table_and_figure_has_a_number_and_a_caption(page, figures):
    for kind, count in (("Figure", len(figures)), ("Table", page.count("<table"))):
        assert count > 5
        assert re.findall(rf"<strong>{kind} (\d+)\.", page) == [str(number) for number in range(1, count + 1)]
    assert page.count("<figure") == page.count("<figcaption") == len(figures)


def test_it_loads_nothing_and_its_links_lead_somewhere(page):
    seen = Reader(page)
    assert all(address.startswith("data:") for address in seen.loads)
    assert "@import" not in page
    assert "url(http" not in page
    assert seen.links
    assert {link.removeprefix("#") for link in seen.links} <= set(seen.ids)
    assert len(set(seen.ids)) == len(seen.ids)


def test_names_are_escaped(page):
    assert "tiny <b>" not in page
    assert "tiny &lt;b&gt;&amp;" in page


def test_a_title_and_a_subject_of_ones_own(results, drawn, tmp_path):
    path = write_report(results.runs, tmp_path / "r.html", title="Mine <3", subject_id="sub-07", results=results)
    text = Reader(path.read_text(encoding="utf-8")).text
    assert "Mine <3" in text
    assert "Subject sub-07: chosen by hand" in text


def test_runs_that_were_only_scored_have_a_report_too(tmp_path, drawn):
    """No labels and two test subjects: no regions, no classifier; nothing of cycles and cost."""
    from ganlib.evaluation.evaluate import evaluate

    path = write_labelled_cohort(tmp_path / "runs" / "cohort.h5", tests=2, labels=False)
    run = write_fake_run(tmp_path / "runs" / "unit", path, label="UNIT")
    evaluate(run, progress=False)
    text = Reader(write_report([run], tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "Regions: not measured" in text
    assert "Classifier two-sample test: not measured" in text
    assert "By region" not in text
    assert "2 test subjects" in text


def test_pictures_that_share_a_page_keep_their_names_apart():
    first, second = (pictures._own_names('<?xml version="1.0"?>' + SVG, name) for name in ("one", "two"))
    assert first.startswith("<svg")
    assert 'id="one-a" clip-path="url(#one-a)"' in first
    assert 'id="two-a" clip-path="url(#two-a)"' in second


def test_without_a_browser_the_charts_are_live_and_plotly_is_there_once(results, figures, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")

    def no_browser(parts):
        raise pictures.NoBrowserError("none")

    monkeypatch.setattr(pictures, "_drawn", no_browser)
    found = pictures.embedded([Picture("one", figures["mae"]), Picture("two", figures["psnr_db"])])
    assert "plotly.js v" in found[0]
    assert len(found[1]) < 200_000
    assert "plotly-graph-div" in found[1]


def test_the_report_imports_no_deep_learning_framework():
    script = "import json, sys, ganlib.report; print(json.dumps(list(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"keras", "tensorflow", "jax", "torch"} & set(json.loads(loaded))


def report(monkeypatch, capfd, *arguments):
    monkeypatch.setattr(sys, "argv", ["ganlib", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code, capfd.readouterr()


def test_on_the_command_line(measured_home, drawn, tmp_path, monkeypatch, capfd):
    code, said = report(monkeypatch, capfd, measured_home / "runs", "-o", tmp_path / "out" / "r.html")
    assert (code, said.err) == (0, "")
    assert said.out.strip() == str(tmp_path / "out" / "r.html")
    assert "3 methods compared" in (tmp_path / "out" / "r.html").read_text(encoding="utf-8")


def test_runs_are_named_one_by_one_or_by_their_folder(measured_home):
    names = ["cyclegan", "simple", "unit"]
    assert [run.name for run in open_runs([measured_home / "runs"])] == names
    assert [run.name for run in open_runs([measured_home / "runs" / "unit", measured_home / "runs"])] == [
        "unit",
        "cyclegan",
        "simple",
    ]
    with pytest.raises(InputError, match=r"config\.json: not found, so .*nowhere is no run folder"):
        open_runs([measured_home / "nowhere"])


def refusals(measured_home, tmp_path):
    """What is asked for, and words of the line that is expected."""
    other = write_fake_run(tmp_path / "other", write_tiny_cohort(tmp_path / "other.h5"))
    unit = Run(measured_home / "runs" / "unit")
    path = tmp_path / "cohort.h5"
    path.symlink_to(measured_home / "runs" / "cohort.h5")
    split = {**unit.split, "test": unit.split["test"][:3]}
    fewer = write_fake_run(tmp_path / "fewer", path, label="Simple", split=split)
    unscored = write_fake_run(tmp_path / "unscored", path, label="Simple")
    return {
        "cohort": ([unit.folder, other.folder], ["unit and", "other were trained on different cohorts"]),
        "split": ([unit.folder, fewer.folder], ["different test subjects", "unit alone has sub-07"]),
        "scores": ([unscored.folder], ["unscored/scores.parquet: not found; evaluate the run with 03_evaluate.ipynb"]),
        "suffix": ([unit.folder, "-o", tmp_path / "report.pdf"], ["report.pdf: a report is an .html file"]),
        "folder": ([tmp_path / "none"], ["none is no run folder"]),
        "subject": ([unit.folder, "--subject", "sub-99"], ["sub-99"]),
    }


@pytest.mark.parametrize("case", ["cohort", "split", "scores", "suffix", "folder", "subject"])
def test_a_mistake_is_one_line_and_writes_nothing(case, measured_home, drawn, tmp_path, monkeypatch, capfd):
    arguments, words = refusals(measured_home, tmp_path)[case]
    monkeypatch.chdir(tmp_path)
    code, said = report(monkeypatch, capfd, *arguments)
    assert code == 2
    assert len(said.err.strip().splitlines()) == 1
    for word in words:
        assert word in said.err
    assert not (tmp_path / "report.html").exists()


def test_a_missing_translation_is_named(measured_home, drawn, tmp_path, monkeypatch, capfd):
    path = tmp_path / "cohort.h5"
    path.symlink_to(measured_home / "runs" / "cohort.h5")
    run = write_fake_run(tmp_path / "partly", path, label="Simple")
    from ganlib.evaluation.evaluate import evaluate

    evaluate(run, progress=False)
    table = run.scores()
    with run.cohort() as cohort:
        run.write_synthetic([(run.directions[0], "sub-04", cohort.images("sub-04", "T2w"))])
    run.write_scores(table)
    code, said = report(monkeypatch, capfd, run.folder, "--subject", "sub-05", "-o", tmp_path / "r.html")
    assert code == 2
    assert "synthetic.h5: no t1w_to_t2w/sub-05; translate anew" in said.err


@pytest.mark.slow
def test_pictures_are_lines_but_for_images(results, figures, tmp_path):
    path = write_report(results.runs, tmp_path / "report.html", results=results, figures=figures)
    page = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 8_000_000
    assert page.count("<svg") >= len(figures) - 1
    [picture] = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    seen = Reader(page)
    assert len(set(seen.ids)) == len(seen.ids)
    assert all(address.startswith(("data:", "#")) for address in seen.loads)


@pytest.mark.slow
@pytest.mark.browser
def test_it_opens_offline_and_nothing_is_cut_off_on_paper(results, figures, chromium, tmp_path):
    """Every figure is painted and no table is wider than the page it is printed on."""
    path = write_report(results.runs, tmp_path / "report.html", results=results, figures=figures)
    page = chromium.new_page(viewport={"width": 1024, "height": 768})
    errors, outside = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: outside.append(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    assert (errors, outside) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.eval_on_selector_all(
        "figure", "all => all.map(f => f.firstElementChild.getBoundingClientRect().height)"
    )
    assert len(sizes) == len(figures)
    assert min(sizes) > 200
    # A4 without its margins, at 96 pixels to the inch.
    page.set_viewport_size({"width": round((210 - 28) / 25.4 * 96), "height": 1000})
    page.emulate_media(media="print")
    widths = page.eval_on_selector_all("table, svg, img", "all => all.map(e => e.getBoundingClientRect().right)")
    assert max(widths) <= (210 - 28) / 25.4 * 96 + 1
    [drawn, stored] = page.eval_on_selector(
        "figure img", "e => [e.clientWidth / e.clientHeight, e.naturalWidth / e.naturalHeight]"
    )
    assert drawn == pytest.approx(stored, rel=0.01)
    page.close()
