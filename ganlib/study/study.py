"""A perceptual study as it is stored: joined by raters, watched and closed by its organiser."""

import hashlib
import secrets
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import func, insert, select, update

from ganlib.errors import InputError
from ganlib.study import schema
from ganlib.study.database import utc_now
from ganlib.study.raters import EXPERIENCE, SIMULATED, Rater, checked_name, distinct_labels, token_hash
from ganlib.study.trials import TrialList, is_unchanged


def study_names(database):
    """Names of the studies in a database, the oldest first."""
    with database.reading() as connection:
        return list(connection.scalars(select(schema.studies.c.name).order_by(schema.studies.c.id)))


class Study:
    """A stored study.

    Args:
        database: `StudyDatabase`.
        name: its name; may be left out where the database has one study only.

    Raises:
        InputError: there is no such study, or its trial list was changed after it was stored.
    """

    def __init__(self, database, name=None):
        self.database = database
        names = study_names(database)
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            shown = ", ".join(map(repr, names)) or "none"
            wanted = "several studies, so that one must be named" if name is None and names else f"no study {name!r}"
            raise InputError(f"{database.shown}: {wanted}; it has {shown}")
        self._load(name)

    def __repr__(self):
        return f"Study({self.name!r}, {self.trials.num_steps} trials, {len(self.raters())} raters)"

    @cached_property
    def methods(self):
        """Names of the methods in print."""
        return self.trials.methods

    @property
    def is_closed(self):
        """Whether the study takes no more answers."""
        with self.database.reading() as connection:
            return connection.scalar(self._closed) is not None

    def require_open(self, connection):
        """Raise `InputError` if the study is closed; it cannot be closed before the transaction ends."""
        if connection.scalar(self._closed.with_for_update(read=True)) is not None:
            raise self.closed()

    def closed(self):
        """The error of a study that takes no more answers."""
        return InputError(f"study {self.name!r} is closed and takes no more answers; all answers until then are stored")

    def close(self):
        """Take no more answers and no more raters. Closing again changes nothing."""
        with self.database.writing() as connection:
            rows = (schema.studies.c.id == self.id) & schema.studies.c.closed_utc.is_(None)
            connection.execute(update(schema.studies).where(rows).values(closed_utc=utc_now()))

    def require_organiser(self, token):
        """Raise `InputError` unless the token is the one that `create_study` returned."""
        if not secrets.compare_digest(token_hash(token), self._organiser_hash):
            raise InputError(f"study {self.name!r}: this is not the organiser's token; it was printed when it was made")

    def join(self, name="", *, experience="none", consent=False):
        """Take on a rater.

        Args:
            name: name or pseudonym; several raters may have the same. If empty, the rater's number stands for it.
            experience: one of `EXPERIENCE`; `SIMULATED` for a rater who is none.
            consent: whether the rater has agreed that the answers are stored.

        Returns:
            The rater's token, with which they answer and come back. It is not stored and cannot be had again.

        Raises:
            InputError: no consent, a name or an experience that cannot be used, or the study is closed.
        """
        if consent is not True:
            raise InputError("the answers can only be stored with the rater's consent; tick the box to go on")
        if experience not in (*EXPERIENCE, SIMULATED):
            raise InputError(f"experience {str(experience)!r} is unknown; use one of {', '.join(EXPERIENCE)}")
        name = checked_name(name, "name") if str(name).strip() else ""
        token = secrets.token_urlsafe(18)
        with self.database.writing() as connection:
            # Locking the study's row makes raters join one after the other, so that each gets a number of their own.
            if connection.scalar(self._closed.with_for_update()) is not None:
                raise self.closed()
            mine = schema.raters.c.study_id == self.id
            number = connection.scalar(select(func.count()).select_from(schema.raters).where(mine)) + 1
            connection.execute(
                insert(schema.raters).values(
                    study_id=self.id, number=number, name=name, experience=experience,
                    token_hash=token_hash(token), joined_utc=utc_now(),
                )
            )  # fmt: skip
        return token

    def raters(self):
        """The raters (`Rater`), in the order in which they joined."""
        columns = schema.raters.c
        query = select(columns.id, columns.number, columns.name, columns.experience, columns.joined_utc)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(columns.study_id == self.id).order_by(columns.number)).all()
        labels = distinct_labels([row.name or f"Rater {row.number}" for row in rows])
        return [Rater(row.id, row.number, label, row.experience, row.joined_utc)
                for row, label in zip(rows, labels, strict=True)]  # fmt: skip

    def progress(self):
        """How far everybody is: a list of dictionaries, one per rater, ready for a table.

        Keys: `rater` (pseudonym), `label`, `experience`, `practice` and `answered` (trials done), `total` (counted
        trials), `finished`, `last_utc` (server's time of the last answer, or None).
        """
        columns, practice = schema.answers.c, len(self.trials.practice)
        query = (
            select(columns.rater_id, func.count(), func.max(columns.answered_utc))
            .join(schema.raters, schema.raters.c.id == columns.rater_id)
            .where(schema.raters.c.study_id == self.id)
            .group_by(columns.rater_id)
        )
        with self.database.reading() as connection:
            done = {row[0]: row[1:] for row in connection.execute(query)}
        rows = []
        for rater in self.raters():
            count, last = done.get(rater.id, (0, None))
            rows.append({
                "rater": rater.pseudonym, "label": rater.label, "experience": rater.experience,
                "practice": min(count, practice), "answered": max(count - practice, 0),
                "total": len(self.trials.trials), "finished": count == self.trials.num_steps, "last_utc": last,
            })  # fmt: skip
        return rows

    def missing_runs(self):
        """One line for each run whose folder is gone. The study goes on without: it holds its own images."""
        return [
            f"run {run.name} is no longer in {run.folder}; the study goes on with the images it has stored"
            for run in self.trials.runs
            if not (Path(run.folder) / "config.json").is_file()
        ]

    def pixels(self, number):
        """Pixels of an image: bytes of uint8, row by row; `InputError` if they are not those that were stored."""
        mine = (schema.images.c.study_id == self.id) & (schema.images.c.number == number)
        with self.database.reading() as connection:
            pixels = connection.scalar(select(schema.images.c.pixels).where(mine))
        if hashlib.sha256(pixels).hexdigest() != self.trials.images[number].sha256:
            raise InputError(f"{self.database.shown}: image {number} was changed; restore the database from a copy")
        return pixels

    @property
    def _closed(self):
        return select(schema.studies.c.closed_utc).where(schema.studies.c.id == self.id)

    def _load(self, name):
        with self.database.reading() as connection:
            row = connection.execute(select(schema.studies).where(schema.studies.c.name == name)).one()
        self.id, self.name, self.fingerprint = row.id, row.name, row.fingerprint
        self.created_utc, self._organiser_hash = row.created_utc, row.organiser_hash
        if not is_unchanged(row.trials, row.fingerprint):
            raise InputError(
                f"{self.database.shown}: the trials of study {name!r} were changed after it was made; "
                "restore the database from a copy"
            )
        try:
            self.trials = TrialList.model_validate_json(row.trials)
        except ValidationError as error:
            raise InputError(
                f"{self.database.shown}: study {name!r} was made by another version of ganlib; open it with that one"
            ) from error
