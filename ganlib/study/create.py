"""Making a study: its trials are drawn and its images rendered once, before anybody answers."""

import secrets

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from ganlib.errors import InputError
from ganlib.study import schema
from ganlib.study.database import utc_now
from ganlib.study.design import StudyDesign
from ganlib.study.draw import draw_trials
from ganlib.study.images import image_pool, pixel_hash, render_images, require_one_cohort
from ganlib.study.raters import checked_name, token_hash
from ganlib.study.study import Study, study_names
from ganlib.study.trials import fingerprint


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
    name = checked_name(name, "study name")
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
    raw = [pixels.tobytes() for pixels in pictures]
    store(database, name, trials.model_copy(update={"images": tuple(hashed)}), raw, token)
    return Study(database, name), token


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


def store(database, name, trials, pictures, token):
    """Write a study whose trials are drawn and whose images are rendered.

    Args:
        database: `StudyDatabase`.
        name: the study's name.
        trials: `TrialList`, with the hashes of its images.
        pictures: bytes of each image's pixels.
        token: the organiser's.
    """
    stored = trials.model_dump_json()
    values = {
        "name": name, "trials": stored, "fingerprint": fingerprint(stored), "organiser_hash": token_hash(token),
        "created_utc": utc_now(),
    }  # fmt: skip
    # Not compressed: the time that unpacking takes would tell smooth images from textured ones.
    try:
        with database.writing() as connection:
            key = connection.execute(insert(schema.studies).values(**values)).inserted_primary_key[0]
            rows = [{"study_id": key, "number": number, "pixels": pixels} for number, pixels in enumerate(pictures)]
            connection.execute(insert(schema.images), rows)
    except IntegrityError:
        _require_free(database, name)
        raise
