"""The organiser's page: make studies from runs, watch raters live, close, export, see results. Behind its own token."""

import hashlib
import io
import os
import secrets
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import anywidget
import traitlets

from ganlib.display.rating import _CLIENT, open_database, refused
from ganlib.errors import InputError
from ganlib.study.create import create_study
from ganlib.study.design import PRESETS, study_design
from ganlib.study.study import Study, study_names

_SCRIPTS = ("elements.js", "connection.js", "organise.js")
#: Settings of the design that the page offers; all others have their defaults.
_SETTINGS = ("synthetic_per_cell", "practice", "repeats", "seed")


def organise(database=None, runs=None):
    """The organiser's page.

    Args:
        database: path or URL of the study database; default the environment variable `GANLIB_STUDY`.
        runs: folder of the runs that studies can be made from; default `GANLIB_STUDY_RUNS`.

    Returns:
        The page (a widget), or a widget with one line of text if there is no database.
    """
    try:
        return OrganiserPage(open_database(database), runs or os.environ.get("GANLIB_STUDY_RUNS"))
    except InputError as error:
        return refused(error)


class OrganiserPage(anywidget.AnyWidget):
    """Talks to the organiser's browser; knows nothing and does nothing until a token has opened it.

    The token printed at the start of the server opens all studies, a study's own token that study only.

    Args:
        database: `StudyDatabase`.
        runs: folder of run folders, or None.
    """

    _esm = "\n".join((_CLIENT / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    _css = (_CLIENT / "study.css").read_text(encoding="utf-8")
    about = traitlets.Dict().tag(sync=True)

    def __init__(self, database, runs=None):
        super().__init__(about={})
        self._database = database
        self._runs = Path(runs).expanduser() if runs else None
        self._may_create = False
        self._allowed = []
        self._deeds = {
            "studies": self._studies, "progress": self._progress, "create": self._create, "close": self._close,
            "results": self._results, "export": self._export,
        }  # fmt: skip
        self.on_msg(self._reply)

    def _reply(self, _, request, __):
        # An exception in a callback would be silent in Voila, hence every failure is sent to the page as a sentence.
        try:
            content, buffers = self._respond(request)
        except InputError as error:
            content, buffers = {"kind": "failure", "text": str(error)}, []
        except Exception as error:
            content, buffers = {"kind": "failure", "text": f"unexpected {type(error).__name__}: {error}"}, []
        self.send({**content, "key": request.get("key")}, buffers)

    def _respond(self, request):
        kind = request.get("kind")
        if kind == "ping":
            return {"kind": "pong"}, []
        if kind == "open":
            self._open(str(request.get("token", "")))
            return self._studies(request)
        if not self._allowed and not self._may_create:
            raise InputError("the organiser's token is needed first")
        if kind not in self._deeds:
            raise InputError(f"request {str(kind)[:20]!r} is unknown; reload this page")
        return self._deeds[kind](request)

    def _open(self, token):
        hashed = hashlib.sha256(token.encode(errors="replace")).hexdigest()
        self._may_create = secrets.compare_digest(hashed, os.environ.get("GANLIB_ORGANISER_HASH", ""))
        self._allowed = study_names(self._database) if self._may_create else self._opened_by(token)
        if not self._may_create and not self._allowed:
            raise InputError(
                "this is not an organiser's token; it was printed when the server started, or the study made"
            )

    def _opened_by(self, token):
        found = []
        for name in study_names(self._database):
            try:
                Study(self._database, name).require_organiser(token)
            except InputError:
                continue
            found.append(name)
        return found

    def _study(self, request):
        name = request.get("study")
        if self._may_create:
            self._allowed = study_names(self._database)
        if name not in self._allowed:
            raise InputError(f"this token does not open a study {str(name)[:80]!r}")
        return Study(self._database, name)

    def _studies(self, _):
        runs = [run.name for run in self._found_runs()] if self._may_create else []
        if self._may_create:
            self._allowed = study_names(self._database)
        address = os.environ.get("GANLIB_RATERS_ADDRESS", "")
        return {
            "kind": "studies", "studies": self._allowed, "runs": runs, "presets": list(PRESETS), "address": address,
            "may_create": self._may_create, "folder": str(self._runs or ""),
        }, []  # fmt: skip

    def _progress(self, request):
        study = self._study(request)
        trials = study.trials
        return {
            "kind": "progress", "study": study.name, "closed": study.is_closed, "created": study.created_utc,
            "trials": len(trials.trials), "practice": len(trials.practice), "preset": trials.design.preset,
            "mode": trials.design.mode, "methods": list(study.methods), "contrasts": list(trials.contrasts),
            "phantom": trials.phantom, "fingerprint": study.fingerprint, "raters": study.progress(),
            "missing": study.missing_runs(),
        }, []  # fmt: skip

    def _create(self, request):
        if not self._may_create:
            raise InputError("a study's own token makes no further studies; use the one printed at the server's start")
        wanted = request.get("runs", [])
        chosen = [run for run in self._found_runs() if run.name in wanted]
        settings = {name: value for name, value in request.get("settings", {}).items() if name in _SETTINGS}
        if request.get("all_splits"):
            settings["real_from"] = ("test", "validation", "train")
        design = study_design(str(request.get("preset")), **settings)
        study, token = create_study(self._database, request.get("name", ""), chosen, design)
        return {"kind": "created", "study": study.name, "token": token}, []

    def _close(self, request):
        self._study(request).close()
        return self._progress(request)

    def _results(self, request):
        from ganlib.display.study_report import html_report  # pandas and Plotly take a second to import
        from ganlib.study.results import StudyResults

        return {"kind": "results"}, [html_report(StudyResults(self._study(request))).encode()]

    def _export(self, request):
        from ganlib.study.answers import export

        study, packed = self._study(request), io.BytesIO()
        with TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in export(study, folder):
                archive.write(path, path.name)
        return {"kind": "export"}, [packed.getvalue()]

    def _found_runs(self):
        from ganlib.display.panels import find_runs

        return find_runs(self._runs)[0] if self._runs is not None and self._runs.is_dir() else []
