"""A report of several runs: one file that opens offline and prints well."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from ganlib import __version__, atomic
from ganlib.display.comparison import comparison_figures
from ganlib.errors import InputError
from ganlib.evaluation.results import read_results
from ganlib.report.parts import Picture, Table
from ganlib.report.pictures import embedded
from ganlib.report.sections import sections


def write_report(runs, path, *, title=None, subject_id="", figures=None, results=None):
    """Write what is known of several runs as one HTML page.

    The page holds everything it needs, so that it opens without internet, can be sent by mail, and prints on A4. It
    says what was compared and how, shows every table and figure, and says what the numbers cannot.

    Args:
        runs: list of `ganlib.runs.Run`, all evaluated (`03_evaluate.ipynb`), on one cohort with the same test subjects.
        path: the `.html` file to write; an existing one is replaced.
        title: of the page; default the contrasts and the cohort's name.
        subject_id: test subject whose images are shown; empty for the typical one.
        figures: as from `ganlib.display.comparison.comparison_figures`, where they are there already.
        results: as from `ganlib.evaluation.results.read_results`, likewise.

    Returns:
        `pathlib.Path` of the page.

    Raises:
        InputError: a run was not evaluated, a translation is missing, runs differ in cohort or split (the difference is
            named), or the page cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path}: a report is an .html file; give it that suffix")
    results = results or read_results(runs)
    figures = figures or comparison_figures(results, subject_id)
    parts = sections(results, figures, subject_id)
    atomic.write_text(path, _page(results, title or _title(results), parts))
    return path


def _page(results, title, parts):
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    pictures = [part for section in parts for part in section.parts if isinstance(part, Picture)]
    drawn = dict(zip(map(id, pictures), map(Markup, embedded(pictures)), strict=True))
    tables = [part for section in parts for part in section.parts if isinstance(part, Table)]
    numbers = {id(part): place for kind in (pictures, tables) for place, part in enumerate(kind, start=1)}
    return environment.get_template("page.html.j2").render(
        title=title, sections=parts, drawn=drawn, numbers=numbers, phantom=results.phantom, version=__version__,
        style=Markup(_file("page.css")), made=f"{datetime.now():%Y-%m-%d %H:%M}", key=id,
        runs=[run.name for run in results.runs], subjects=results.scores["subject"].nunique(),
    )  # fmt: skip


def _file(name):
    return files("ganlib.report").joinpath(name).read_text(encoding="utf-8")


def _title(results):
    first, second = results.runs[0].config.contrasts
    methods = len(results.names)
    return f"{first} ↔ {second}: {methods} method{'s' * (methods != 1)} compared"
