"""The rating page: one image at a time, one key, nothing in the browser that tells real from synthetic.

What the page may know is what `RatingSession` hands out. The page itself (`client/rate.js`) holds the images only as
long as they are on screen, takes the response time, and keeps the rater's token and an answer that is not confirmed
yet, so that neither a reload nor a dead kernel or server loses one.
"""

import os
from pathlib import Path
from urllib.parse import parse_qs

import anywidget
import traitlets

from ganlib.errors import InputError
from ganlib.study.database import StudyDatabase
from ganlib.study.raters import EXPERIENCE, UnknownRaterError
from ganlib.study.session import RatingSession
from ganlib.study.study import Study

_CLIENT = Path(__file__).parent / "client"
_SCRIPTS = (
    "elements.js", "connection.js", "rate_memory.js", "rate_stage.js", "rate_scale.js", "rate_start.js", "rate.js",
)  # fmt: skip
#: Shorter than the page's patience: it must hear that the database is locked before it gives the server up.
_DATABASE_TIMEOUT_S = 6.0


def rate(database=None, study=None):
    """The rating page.

    Args:
        database: path or URL of the study database; default the environment variable `GANLIB_STUDY`.
        study: the study's name; default what the page's address says (`?study=name`), then the environment variable
            `GANLIB_STUDY_NAME`, then the only study there is.

    Returns:
        The page (a widget), or a widget with one line of text if there is nothing to rate.
    """
    try:
        opened = open_database(database)
        return RatingPage(Study(opened, study or _asked_for() or os.environ.get("GANLIB_STUDY_NAME") or None))
    except InputError as error:
        return refused(error)


def open_database(database=None):
    """The study database of a page; `InputError` if none is named or it cannot be used."""
    address = database or os.environ.get("GANLIB_STUDY")
    if not address:
        raise InputError("no study database is named; start this page with `ganlib study serve DATABASE`")
    return StudyDatabase(address, timeout_s=_DATABASE_TIMEOUT_S)


def refused(error):
    """One line of text instead of a page."""
    from ganlib.display.panels import refusal  # needs HDF5, which a page that works does not

    return refusal(error)


class RatingPage(anywidget.AnyWidget):
    """Talks to one rater's browser.

    Requests are dictionaries with a `kind` and a `key` that comes back with the reply:
    `hello` (with the `token` of a rater who comes back and the `pending` answer that was never confirmed),
    `join` (name, experience, consent), `answer` (step, verdict, confidence, response_ms, resumed) and `ping`.

    Args:
        study: `Study`.
    """

    _esm = "\n".join((_CLIENT / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    _css = (_CLIENT / "study.css").read_text(encoding="utf-8")
    about = traitlets.Dict().tag(sync=True)

    def __init__(self, study):
        super().__init__(about=describe(study))
        self._study = study
        self._session = None
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
        if kind == "hello":
            return self._welcome(request)
        if kind == "join":
            token = self._study.join(
                request.get("name", ""), experience=request.get("experience"), consent=request.get("consent")
            )
            self._session = RatingSession(self._study.database, token, self._study)
            return self._now({"token": token})
        if kind == "answer" and self._session is not None:
            return self._now({"feedback": self._store(request)})
        raise InputError(f"request {str(kind)[:20]!r} cannot be answered now; reload this page")

    def _welcome(self, request):
        if not request.get("token"):
            return {"kind": "start", "closed": self._study.is_closed}, []
        self._session = None
        try:
            session = RatingSession(self._study.database, request["token"], self._study)
            if session.study.id != self._study.id:
                raise UnknownRaterError("this link belongs to another study of this database")
        except UnknownRaterError as error:  # all else passes: the page has to keep token and answer
            return {"kind": "start", "closed": self._study.is_closed, "text": str(error)}, []
        self._session = session
        try:
            also = {"feedback": self._store(request["pending"])} if request.get("pending") else {}
        except InputError as error:  # closed meanwhile, or not stored: the same trial waits
            also = {"text": str(error)}
        return self._now(also)

    def _store(self, given):
        feedback = self._session.answer(
            given.get("step"), given.get("verdict"), given.get("confidence"), given.get("response_ms"),
            resumed=given.get("resumed"),
        )  # fmt: skip
        return feedback and vars(feedback)

    def _now(self, also):
        """Where the rater stands: the trial that waits, or the end."""
        view = self._session.current()
        if view is not None:
            return {"kind": "trial", **view.message(), **also}, list(view.images)
        return {"kind": self._session.state, "score": self._session.score(), **also}, []


def describe(study):
    """What every visitor of the page may know, ready for JSON.

    Args:
        study: `Study`.
    """
    trials = study.trials
    pairs = trials.design.mode == "two_alternative"
    return {
        "study": study.name,
        "fingerprint": study.fingerprint,
        "phantom": trials.phantom,
        "mode": trials.design.mode,
        "contrasts": list(trials.contrasts),
        "practice": len(trials.practice),
        "total": len(trials.trials),
        "minutes": max(1, round(len(trials.trials) * (5 if pairs else 4) / 60)),
        "break_every": trials.design.break_every,
        "experience": list(EXPERIENCE),
        "shape": list(trials.image_shape),
        "pixel_mm": list(trials.pixel_mm),
    }


def _asked_for():
    """Name of the study in the page's address."""
    return parse_qs(os.environ.get("QUERY_STRING", "")).get("study", [None])[0]
