"""Many raters at once on one Voila server: how long from a key to the next image, and whether every answer is there.

    python benchmarks/study_load.py [--raters 30] [--answers 40] [--think 1.0] [--database postgresql://…] [--json FILE]

Every rater is a page without a browser: it opens the rating page, which starts a kernel, joins, and sends the messages
that a browser sends, with a pause of about `--think` seconds before each answer. Measured is from sending an answer to
having the next image. All stays on this machine.
"""

import argparse
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import select

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ganlib.display import serve, study_server  # noqa: E402
from ganlib.study import StudyDatabase, create_study, schema, study_design  # noqa: E402
from tests.dashboards.raw_client import RawClient, at_once  # noqa: E402
from tests.evaluation.fake_runs import write_fake_run  # noqa: E402
from tests.study.conftest import write_cohort  # noqa: E402


def make_study(folder, database, *, answers=40, shape=(256, 208)):
    """A study with room for so many answers, its images as large as those of a usual slice.

    Returns:
        `Study`.
    """
    cohort = write_cohort(Path(folder) / "cohort.h5", subjects=90, shape=shape)
    runs = [write_fake_run(Path(folder) / name.lower(), cohort, label=name) for name in ("CycleGAN", "UNIT")]
    design = study_design(synthetic_per_cell=max(answers // 8, 1) + 1, practice=0, real_from=("train", "test"))
    return create_study(database, f"load {secrets.token_hex(4)}", runs, design)[0]


def load(study, *, raters=30, answers=40, think_s=1.0):
    """Let raters answer at once.

    Args:
        study: `Study`, of at least so many trials.
        raters: number of raters.
        answers: answers of each.
        think_s: mean pause before an answer, s; from half to one and a half times of it.

    Returns:
        Dictionary: `p50_ms`, `p95_ms`, `worst_ms` from answer to next image; `open_s` until the last rater has the
        first image; `rows` stored, `lost` and `double` of what was pressed.
    """
    address = study.database._url.render_as_string(hide_password=False)
    settings = study_server.variables(study.database.shown if study.database.is_sqlite else address, study.name)
    before = _rows(study)
    begun = time.perf_counter()
    with serve.start(serve.DASHBOARDS / "rate.ipynb", variables=settings) as server:
        pages = at_once(lambda number: _open(server.address, number), raters)
        opened = time.perf_counter() - begun
        found = at_once(lambda number: _rate(*pages[number], answers, think_s, number), raters)
    times = np.concatenate([own for own, _ in found])
    pressed = sorted((study.name, number, *entry) for number, (_, own) in enumerate(found) for entry in own)
    stored = sorted((study.name, int(label.split()[-1]), *rest) for label, *rest in _rows(study)[len(before) :])
    return {
        "raters": raters, "answers": answers, "think_s": think_s, "open_s": opened,
        "p50_ms": float(np.percentile(times, 50)), "p95_ms": float(np.percentile(times, 95)),
        "worst_ms": float(times.max()), "rows": len(stored), "lost": len(set(pressed) - set(stored)),
        "double": len(stored) - len(set(stored)), "as_pressed": stored == pressed,
    }  # fmt: skip


def _open(address, number):
    client = RawClient(address)
    client.request({"kind": "hello"})
    joined = client.request({"kind": "join", "name": f"rater {number}", "experience": "none", "consent": True})
    if joined["kind"] != "trial":
        raise RuntimeError(joined)
    return client, joined


def _rate(client, trial, answers, think_s, number):
    rng, times, pressed = np.random.default_rng(number), [], []
    with client:
        for _ in range(answers):
            time.sleep(think_s * rng.uniform(0.5, 1.5))
            given = {"step": trial["step"], "verdict": str(rng.choice(["real", "synthetic"])),
                     "confidence": int(rng.integers(1, 4))}  # fmt: skip
            sent = time.perf_counter()
            trial = client.request({"kind": "answer", "response_ms": 900.0, **given})
            times.append(1000 * (time.perf_counter() - sent))
            if trial["kind"] not in ("trial", "finished"):
                raise RuntimeError(trial)
            pressed.append(tuple(given.values()))
    return times, pressed


def _rows(study):
    columns = schema.answers.c
    query = (
        select(schema.raters.c.name, columns.step, columns.verdict, columns.confidence)
        .join(schema.raters, schema.raters.c.id == columns.rater_id)
        .where(schema.raters.c.study_id == study.id)
        .order_by(columns.id)
    )
    with study.database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--raters", type=int, default=30)
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--think", type=float, default=1.0, help="mean pause before an answer, s")
    parser.add_argument("--database", help="URL; default an SQLite file")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = StudyDatabase(arguments.database or Path(folder) / "study.db", create=True)
        study = make_study(folder, database, answers=arguments.answers)
        found = load(study, raters=arguments.raters, answers=arguments.answers, think_s=arguments.think)
        database.close()
    print(json.dumps(found, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
