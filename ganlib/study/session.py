"""One rater's session: the object behind the rating page. Nothing it hands out tells a real image from a synthetic one.

A page keeps one `RatingSession` per kernel, shows `current()`, and hands what was pressed to `answer()`. All that must
survive the page is in the database: a rater who comes back, in another browser or on another server, meets the same
trial.
"""

import math
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from ganlib.errors import InputError
from ganlib.study import schema
from ganlib.study.database import utc_now
from ganlib.study.raters import UnknownRaterError, token_hash
from ganlib.study.study import Study

_VERDICTS = {"yes_no": ("real", "synthetic"), "two_alternative": ("left", "right")}
CONFIDENCES = (1, 2, 3)
#: A response time above this is a clock that jumped or a rater who left, ms.
_LONGEST_RESPONSE_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class TrialView:
    """What a rater sees of a trial, and all that the browser receives.

    Args:
        step: which trial this is, to be sent back with the answer; 0 is the first practice trial.
        practice: whether it is a practice trial.
        position: 1 for the first trial of its part (practice, or the study proper).
        total: number of trials of its part.
        break_due: whether to suggest a break before it.
        images: pixels, bytes of uint8 (height, width) row by row; two, left and right, in a pair.
        height: pixels.
        width: pixels.
        pixel_mm: row and column spacing, for the true aspect ratio.
        verdicts: the two answers to choose from.
        resumed: whether the rater has seen it before, on an earlier visit.
    """

    step: int
    practice: bool
    position: int
    total: int
    break_due: bool
    images: tuple[bytes, ...]
    height: int
    width: int
    pixel_mm: tuple[float, float]
    verdicts: tuple[str, str]
    resumed: bool

    def message(self):
        """Everything but the pixels, ready for JSON."""
        fields = {name: value for name, value in vars(self).items() if name != "images"}
        return {**fields, "pixel_mm": list(self.pixel_mm), "verdicts": list(self.verdicts), "count": len(self.images)}


@dataclass(frozen=True)
class Feedback:
    """What a rater is told after a practice trial: whether it was right, and what would have been."""

    correct: bool
    truth: str


class RatingSession:
    """A rater at work.

    Args:
        database: `StudyDatabase`.
        token: the rater's token, from `Study.join`.
        study: the `Study`, if it is at hand; it is opened otherwise.

    Raises:
        UnknownRaterError: the token is unknown.
        InputError: the database is in trouble.
    """

    def __init__(self, database, token, study=None):
        self.database = database
        rater = self._rater(token)
        self.study = study if study is not None and study.id == rater.study_id else _study(database, rater.study_id)
        self._rater_id = rater.id
        self._order = self.study.trials.order(rater.number)
        self._step = self._count()
        # The trial on which a rater comes back was seen before, so that its response time means nothing.
        self._resumed_step = self._step if self._visit() else None

    def __repr__(self):
        return f"RatingSession(step {self._step} of {self.study.trials.num_steps})"

    @property
    def state(self):
        """`rating`, `finished` or `closed`."""
        if self._step == self.study.trials.num_steps:
            return "finished"
        return "closed" if self.study.is_closed else "rating"

    def current(self):
        """The trial that waits for an answer (`TrialView`), or None if all are answered or the study is closed."""
        return self._view() if self.state == "rating" else None

    def score(self):
        """Counted answers that were right, and how many there are; None until the study is finished.

        Earlier it would teach the rater, and help to work out the answers.
        """
        if self.state != "finished":
            return None
        columns, trials = schema.answers.c, self.study.trials
        query = select(columns.step, columns.verdict).where(columns.rater_id == self._rater_id)
        with self.database.reading() as connection:
            given = [row for row in connection.execute(query) if not trials.is_practice(row.step)]
        return sum(trials.truth(trials.trial(row.step, self._order)) == row.verdict for row in given), len(given)

    def answer(self, step, verdict, confidence, response_ms=None, *, resumed=None):
        """Store an answer, once and for good; it is committed when this returns.

        Sending the same step again, because a connection broke or a key was pressed twice, changes nothing: the first
        answer stands.

        Args:
            step: `TrialView.step` of the trial that was answered.
            verdict: one of `TrialView.verdicts`; in a pair, the side that was taken for real.
            confidence: 1 (guess) to 3 (sure).
            response_ms: time from the image's appearance to the answer, by the browser's monotonic clock. What cannot
                be a time (negative, not finite, more than a day) is stored as unknown; the answer counts all the same.
            resumed: whether the trial had been seen on an earlier visit, where the page knows better: an answer that
                was given before the connection broke, and is sent now.

        Returns:
            `Feedback` of a practice trial, None otherwise.

        Raises:
            InputError: verdict or confidence are not among the choices, the trial is not reached yet, the study is
                closed, or the database is in trouble; then nothing is stored and the same trial waits.
        """
        values = self._checked(step, verdict, confidence, response_ms)
        if resumed is not None:
            values["resumed"] = bool(resumed)
        try:
            with self.database.writing() as connection:
                done = self._count(connection)
                if step > done:
                    raise InputError(f"trial {step + 1} is not reached yet; the next one is {done + 1}")
                if step == done:
                    self._insert(connection, values)
                self._step = max(done, step + 1)
        except IntegrityError:
            # The same trial was answered through another window at the same moment; that answer stands.
            self._step = self._count()
        return self._feedback(step)

    def _rater(self, token):
        columns = schema.raters.c
        query = select(columns.id, columns.study_id, columns.number).where(columns.token_hash == token_hash(token))
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRaterError("this link belongs to no rater of this database; join the study anew")
        return row

    def _visit(self):
        """Note that the rater is here; True if they were here before."""
        mine = select(func.count()).select_from(schema.visits).where(schema.visits.c.rater_id == self._rater_id)
        with self.database.writing() as connection:
            before = connection.scalar(mine)
            values = {"rater_id": self._rater_id, "step": self._step, "utc": utc_now()}
            connection.execute(insert(schema.visits).values(**values))
        return before > 0

    def _count(self, connection=None):
        """Number of answers given, which is also the step that comes next."""
        if connection is None:
            with self.database.reading() as connection:
                return self._count(connection)
        mine = select(func.count()).select_from(schema.answers).where(schema.answers.c.rater_id == self._rater_id)
        return connection.scalar(mine)

    def _view(self):
        trials, step = self.study.trials, self._step
        practice = trials.is_practice(step)
        position = step if practice else step - len(trials.practice)
        due = not practice and position > 0 and position % trials.design.break_every == 0
        images = trials.trial(step, self._order).images
        return TrialView(
            step=step, practice=practice, position=position + 1, break_due=due,
            total=len(trials.practice if practice else trials.trials),
            images=tuple(self.study.pixels(number) for number in images),
            height=trials.image_shape[0], width=trials.image_shape[1], pixel_mm=trials.pixel_mm,
            verdicts=_VERDICTS[trials.design.mode], resumed=step == self._resumed_step,
        )  # fmt: skip

    def _checked(self, step, verdict, confidence, response_ms):
        choices = _VERDICTS[self.study.trials.design.mode]
        if verdict not in choices:
            raise InputError(f"verdict {str(verdict)[:20]!r} is unknown; use {' or '.join(choices)}")
        if isinstance(confidence, bool) or confidence not in CONFIDENCES:
            raise InputError(f"confidence {str(confidence)[:20]!r} is unknown; use 1, 2 or 3")
        if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < self.study.trials.num_steps:
            raise InputError(f"trial {str(step)[:20]!r} is unknown; this study has {self.study.trials.num_steps}")
        return {
            "rater_id": self._rater_id, "step": step, "verdict": verdict, "confidence": int(confidence),
            "response_ms": _plausible(response_ms), "resumed": step == self._resumed_step,
        }  # fmt: skip

    def _insert(self, connection, values):
        self.study.require_open(connection)
        connection.execute(insert(schema.answers).values(**values, answered_utc=utc_now()))

    def _feedback(self, step):
        trials = self.study.trials
        if not trials.is_practice(step):
            return None
        mine = (schema.answers.c.rater_id == self._rater_id) & (schema.answers.c.step == step)
        with self.database.reading() as connection:
            verdict = connection.scalar(select(schema.answers.c.verdict).where(mine))
        truth = trials.truth(trials.practice[step])
        return Feedback(correct=verdict == truth, truth=truth)


def _study(database, study_id):
    with database.reading() as connection:
        name = connection.scalar(select(schema.studies.c.name).where(schema.studies.c.id == study_id))
    return Study(database, name)


def _plausible(response_ms):
    """A response time that can be one, or None."""
    try:
        value = float(response_ms)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) and 0 <= value <= _LONGEST_RESPONSE_MS else None
