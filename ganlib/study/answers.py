"""The answers as a table, each beside its trial; and the files in which they leave the database."""

import csv
import io
import json
from pathlib import Path

from sqlalchemy import select

from ganlib import atomic
from ganlib.errors import InputError
from ganlib.study import schema
from ganlib.study.measures import RATINGS

#: Columns of the answers, and what each says: the data dictionary.
COLUMNS = {
    "rater": "pseudonym of the rater; names stay in the database",
    "experience": "what the rater said of themselves; `simulated` for a rater who is none",
    "step": "0 for the rater's first trial, practice included",
    "position": "1 for the first trial of its part: practice, or the study proper",
    "practice": "1 for a practice trial, whose answer is not counted",
    "showing": "1 where the rater meets this image (pair) for the first time, 2 for its hidden repeat",
    "kind": "`real` or `synthetic`; `pair` in a two-alternative study",
    "method": "method that made the synthetic image; empty for a real image",
    "run": "run that the synthetic image came from; empty for a real image",
    "contrast": "contrast of the image or of both images of the pair",
    "subject": "subject of the image; in a pair, of the synthetic one",
    "slice_index": "slice of the subject in the cohort, from 0",
    "image": "number of the image in the trial list; in a pair, of the synthetic one",
    "paired_image": "number of the real image of a pair; empty otherwise",
    "truth": "right answer: `real` or `synthetic`; in a pair, side of the real image, `left` or `right`",
    "verdict": "answer: one of the same words",
    "confidence": "1 guess, 2 probably, 3 sure",
    "rating": "verdict and confidence in one: 1 surely synthetic (left) to 6 surely real (right)",
    "correct": "1 where the verdict is the truth",
    "response_ms": "ms from the image on screen to the key, by the browser's clock; empty where it is not known",
    "resumed": "1 where the rater had seen the trial on an earlier visit, so that the response time means little",
    "answered_utc": "when the answer was stored, by the server's clock (UTC); their order is that of `step`",
}
_SIGNAL = ("real", "right")


def answers_table(study):
    """All answers of a study, by rater and step.

    Args:
        study: `Study`.

    Returns:
        `pandas.DataFrame` with the columns `COLUMNS`; `practice`, `correct` and `resumed` are bool, what is empty is
        None or NaN.
    """
    import pandas as pd  # slow to import, and the rating page needs no table

    columns = schema.answers.c
    query = (
        select(schema.answers, schema.raters.c.number)
        .join(schema.raters, schema.raters.c.id == columns.rater_id)
        .where(schema.raters.c.study_id == study.id)
        .order_by(schema.raters.c.number, columns.step)
    )
    with study.database.reading() as connection:
        given = connection.execute(query).all()
    raters = {rater.number: rater for rater in study.raters()}
    rows, seen, orders = [], set(), {}
    for answer in given:
        if answer.number not in orders:
            orders[answer.number] = study.trials.order(answer.number)
        row = _row(study.trials, orders[answer.number], answer, raters[answer.number])
        key = (row["rater"], row["practice"], row["image"])
        row["showing"] = 2 if key in seen else 1
        seen.add(key)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"response_ms": float})


def export(study, folder):
    """Write a study's answers, raters and trial list, with the data dictionary, as files for other programs.

    Args:
        study: `Study`.
        folder: where; made if missing. Written are `answers.csv`, `raters.csv`, `data_dictionary.csv` and
            `trials.json`, each whole or not at all. They hold pseudonyms only, and the answer key, but not
            where the runs lie.

    Returns:
        List of the paths.

    Raises:
        InputError: a file cannot be written.
    """
    folder, table = Path(folder), answers_table(study)
    trials = study.trials.model_dump(mode="json", exclude={"runs": {"__all__": {"folder"}}})
    for name in ("practice", "correct", "resumed"):
        table[name] = table[name].astype(int)
    files = {
        "answers.csv": table.to_csv(index=False, lineterminator="\n"),
        "raters.csv": _csv(["rater", "experience", "joined_utc"],
                           [[rater.pseudonym, rater.experience, rater.joined_utc] for rater in study.raters()]),
        "data_dictionary.csv": _csv(["column", "meaning"], COLUMNS.items()),
        "trials.json": json.dumps({"fingerprint": study.fingerprint, **trials}, indent=1),
    }  # fmt: skip
    for name, text in files.items():
        atomic.write_text(folder / name, text)
    return [folder / name for name in files]


def require_answers(table, study):
    """Raise `InputError` unless somebody has answered a counted trial."""
    if not (~table["practice"].astype(bool)).any():
        raise InputError(f"study {study.name!r}: no counted answer yet, so that there is nothing to analyse")


def _row(trials, order, answer, rater):
    trial, practice = trials.trial(answer.step, order), trials.is_practice(answer.step)
    number, truth = trials.subject_image(trial), trials.truth(trial)
    image, pair = trials.images[number], len(trial.images) > 1
    return {
        "rater": rater.pseudonym, "experience": rater.experience, "step": answer.step,
        "position": answer.step + 1 - (0 if practice else len(trials.practice)), "practice": practice,
        "kind": "pair" if pair else image.kind, "method": image.method, "run": image.run, "contrast": image.contrast,
        "subject": image.subject, "slice_index": image.slice_index, "image": number,
        "paired_image": next((other for other in trial.images if other != number), None), "truth": truth,
        "verdict": answer.verdict, "confidence": answer.confidence,
        "rating": rating(answer.verdict, answer.confidence), "correct": answer.verdict == truth,
        "response_ms": answer.response_ms, "resumed": answer.resumed, "answered_utc": answer.answered_utc,
    }  # fmt: skip


def rating(verdict, confidence):
    """Verdict and confidence as one number, 1 to 6.

    Args:
        verdict: `real`, `synthetic`, `left` or `right`.
        confidence: 1 to 3.

    Example:
        >>> rating("synthetic", 3), rating("synthetic", 1), rating("real", 1), rating("right", 3)
        (1, 3, 4, 6)
    """
    half = RATINGS // 2
    return half + confidence if verdict in _SIGNAL else half + 1 - confidence


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
