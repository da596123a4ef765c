"""A perceptual study: made from runs once, joined by raters, closed by its organiser."""

import hashlib
import re
import secrets
import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ganlib.errors import InputError
from ganlib.study import schema
from ganlib.study.database import utc_now
from ganlib.study.design import StudyDesign
from ganlib.study.draw import draw_trials
from ganlib.study.images import image_pool, pixel_hash, render_images, require_one_cohort
from ganlib.study.trials import TrialList, fingerprint

#: What a rater may say of themselves, from least to most used to MR images.
EXPERIENCE = ("none", "student", "researcher", "radiographer", "radiologist")
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Rater:
    """One rater of a study.

    Args:
        id: key in the database.
        number: 1 for the first who joined; `pseudonym` is made of it.
        label: the name as given, with a number behind it where several have the same name. It may hold anything a
            person can type: escape it before it goes into a page.
        experience: one of `EXPERIENCE`.
        joined_utc: server's time.
    """

    id: int
    number: int
    label: str
    experience: str
    joined_utc: str

    @property
    def pseudonym(self):
        """`R01`: what stands for the rater wherever answers leave the database."""
        return f"R{self.number:02d}"


def create_study(database, name, runs, design=None):
    """Make a study: draw its trials, render its images, and store both. From here on it needs neither runs nor cohort.

    Args:
        database: `StudyDatabase`.
        name: the study's name, unlike those of other studies in the database.
        runs: list of translated `ganlib.runs.Run` of one cohort.
        design: `StudyDesign`; default the balanced design.

    Returns:
        study: `Study`.
        organiser_token: the secret that opens the organiser's page; it is not stored and cannot be had again.

    Raises:
        InputError: the name is taken, the runs do not fit together, or there are too few subjects for the design.
    """
    name = _name(name, "study name")
    design = design or StudyDesign()
    runs = list(runs)
    require_one_cohort(runs)
    _require_free(database, name)
    with runs[0].cohort() as cohort:
        trials = _draw(design, runs, cohort)
        pictures = render_images(trials, runs, cohort)
    hashed = [image.model_copy(update={"sha256": pixel_hash(pixels)})
              for image, pixels in zip(trials.images, pictures, strict=True)]  # fmt: skip
    token = secrets.token_urlsafe(18)
    _store(database, name, trials.model_copy(update={"images": tuple(hashed)}), pictures, token)
    return Study(database, name), token


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
            raise InputError(f"{database.shown}: no study {name!r}; it has {shown}")
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
            experience: one of `EXPERIENCE`.
            consent: whether the rater has agreed that the answers are stored.

        Returns:
            The rater's token, with which they answer and come back. It is not stored and cannot be had again.

        Raises:
            InputError: no consent, a name or an experience that cannot be used, or the study is closed.
        """
        if consent is not True:
            raise InputError("the answers can only be stored with the rater's consent; tick the box to go on")
        if experience not in EXPERIENCE:
            raise InputError(f"experience {str(experience)!r} is unknown; use one of {', '.join(EXPERIENCE)}")
        name = _name(name, "name") if str(name).strip() else ""
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
        labels = _labels([row.name or f"Rater {row.number}" for row in rows])
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
            pixels = zlib.decompress(connection.scalar(select(schema.images.c.pixels).where(mine)))
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
        if fingerprint(row.trials) != row.fingerprint:
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


def token_hash(token):
    """What is stored of a token: its SHA-256 (hexadecimal)."""
    return hashlib.sha256(str(token).encode(errors="replace")).hexdigest()


def _draw(design, runs, cohort):
    pool = image_pool(runs, cohort, design)
    low, high = design.window
    ranges = {contrast: cohort.ranges[contrast] for contrast in pool.contrasts}
    windows = {name: (ends.low + low * ends.width, ends.low + high * ends.width) for name, ends in ranges.items()}
    return draw_trials(
        design, pool, cohort=cohort.header.name, cohort_fingerprint=cohort.fingerprint, phantom=cohort.header.phantom,
        windows=windows, image_shape=cohort.shape, pixel_mm=cohort.header.voxel_mm[:2],
    )  # fmt: skip


def _require_free(database, name):
    if name in study_names(database):
        raise InputError(f"{database.shown}: there is already a study {name!r}; choose another name")


def _store(database, name, trials, pictures, token):
    stored = trials.model_dump_json()
    values = {
        "name": name, "trials": stored, "fingerprint": fingerprint(stored), "organiser_hash": token_hash(token),
        "created_utc": utc_now(),
    }  # fmt: skip
    packed = [zlib.compress(pixels.tobytes()) for pixels in pictures]
    try:
        with database.writing() as connection:
            key = connection.execute(insert(schema.studies).values(**values)).inserted_primary_key[0]
            rows = [{"study_id": key, "number": number, "pixels": pixels} for number, pixels in enumerate(packed)]
            connection.execute(insert(schema.images), rows)
    except IntegrityError:
        _require_free(database, name)
        raise


def _name(given, what):
    """A name with single blanks; `InputError` if it is empty, too long, or holds what cannot be seen."""
    name = re.sub(r"\s+", " ", unicodedata.normalize("NFC", str(given))).strip()
    if not name:
        raise InputError(f"the {what} is empty; write at least one letter")
    if len(name) > _LONGEST_NAME:
        raise InputError(f"the {what} has {len(name)} characters; use at most {_LONGEST_NAME}")
    if not name.isprintable():
        raise InputError(f"the {what} holds a character that cannot be seen; use letters, digits and signs")
    return name


def _labels(names):
    """Names, with a number behind those that occur again."""
    seen, labels = Counter(), []
    for name in names:
        seen[name.casefold()] += 1
        again = seen[name.casefold()]
        labels.append(f"{name} ({again})" if again > 1 else name)
    return labels
