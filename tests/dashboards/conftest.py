"""A real Voila server, a real Chromium, and a cohort small enough to know every pixel of."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.display import serve
from ganlib.runs import Run, RunConfig

SHAPE = (2, 48, 40)
VOXEL_MM = (1.0, 1.25, 5.0)
#: What each method adds to the target: a gain and an offset, so that every error has a known size.
METHODS = {"Simple": (0.8, 0.0), "CycleGAN": (1.1, 20.0)}
#: The one pixel that CycleGAN made NaN: subject, slice, row, column.
BROKEN = ("sub-09", 1, 24, 20)


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Folder with the runs of two methods on one cohort of four training and six test subjects."""
    folder = tmp_path_factory.mktemp("compare")
    random = np.random.default_rng(0)
    _write_cohort(folder / "cohort.h5", random)
    with Cohort(folder / "cohort.h5") as cohort:
        for method, change in METHODS.items():
            _write_run(folder / "runs" / method.lower(), cohort, method, change)
    return folder / "runs"


@pytest.fixture(scope="session")
def cohort(runs):
    with Cohort(runs.parent / "cohort.h5") as opened:
        yield opened


@pytest.fixture(scope="session")
def compare_server(runs):
    with serve.start(runs=runs) as server:
        yield server


@pytest.fixture
def page(chromium):
    """A page that cannot reach any other host; `page.outside` lists what it tried, `page.errors` what went wrong."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.outside, page.errors = [], []
    page.route("**/*", lambda route: _only_here(route, page.outside))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def viewer(page, compare_server):
    """The compare dashboard, open and painted, pixels unsmoothed so that they can be compared with arrays."""
    page.goto(compare_server.address, wait_until="commit")
    page.wait_for_selector(".gv[data-painted]", timeout=60_000)
    page.keyboard.press("s")
    return page


def _only_here(route, outside):
    url = route.request.url
    if url.startswith(("http://127.0.0.1", "data:", "blob:")):
        return route.continue_()
    outside.append(url)
    return route.abort()


def _write_cohort(path, random):
    header = CohortHeader(name="tiny <cohort>", contrasts=["T1w", "T2w"], voxel_mm=VOXEL_MM, phantom=True)
    mask = np.zeros(SHAPE, bool)
    mask[:, 5:43, 4:36] = True
    with CohortWriter(path, header) as writer:
        for number in range(10):
            images = {"T1w": random.uniform(0, 800, SHAPE) * mask, "T2w": random.uniform(0, 300, SHAPE) * mask}
            writer.add(_subject(number), images, mask)


def _subject(number):
    return Subject(
        id=f"sub-{number:02d}", split="train" if number < 4 else "test", affine=np.eye(4).tolist(),
        volume_shape=(40, 48, 2), slice_indices=[0, 1], slice_mm=[10.0, 15.0],
    )  # fmt: skip


def _write_run(folder, cohort, method, change):
    config = RunConfig(
        method=method.lower(), method_label=method, cohort="../../cohort.h5", cohort_fingerprint=cohort.fingerprint,
        phantom=True, contrasts=("T1w", "T2w"), image_shape=SHAPE[1:], epochs=1, learning_rate=1e-4,
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split())
    run.write_synthetic(
        (direction, subject_id, _translation(cohort, direction, subject_id, change))
        for direction in run.directions
        for subject_id in cohort.ids("test")
    )
    run.write_scores(_scores(run, cohort.ids("test")))


def _translation(cohort, direction, subject_id, change):
    images = change[0] * cohort.images(subject_id, direction.target) + change[1]
    if subject_id == BROKEN[0] and change[1]:
        images[BROKEN[1:]] = np.nan
    return images


def _scores(run, subjects):
    """Scores that differ by subject: the last subject is the worst of `Simple`, the first that of `CycleGAN`."""
    slope = -1 if run.label == "Simple" else 1
    rows = [
        {"subject": subject, "method": method, "run": run.name, "direction": direction.name, "protocol": protocol,
         "metric": metric, "seed": 0, "value": level + slope * at}
        for direction in run.directions for at, subject in enumerate(subjects)
        for method, level in ((run.label, 25.0), ("Doing nothing", 12.0))
        for protocol in ("masked", "paper") for metric in ("psnr_db", "mae", "mi_nats")
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def pixels():
    """Functions that read what is on the canvases, addressed by image row and column."""
    return SimpleNamespace(read=_read_panel, painted=_painted, move=_move, field=_field, broken=BROKEN)


def _field(page):
    """Rows and columns of the slice that the panels show at zoom 1."""
    return (*_span(5, 43, 48), *_span(4, 36, 40))


def _span(first, last, size):
    # Recomputed here from the known mask: 4 % and two pixels of margin on either side.
    room = round(0.04 * (last - first)) + 2
    return max(0, first - room), min(size, last + room)


def _read_panel(page, selector):
    """Colours at the centre of every image pixel of a panel: uint8 (rows, columns, 4), for the field of view.

    Where a pixel lies is computed here from the canvas size and the voxel size, so that a stretched picture fails.
    """
    top, bottom, left, right = _field(page)
    size = page.evaluate("(s) => (c => [c.width, c.height])(document.querySelector(s + ' .gv-image'))", selector)
    per_mm = min(size[0] / ((right - left) * VOXEL_MM[1]), size[1] / ((bottom - top) * VOXEL_MM[0]))
    x = size[0] / 2 + (np.arange(left, right) + 0.5 - (left + right) / 2) * VOXEL_MM[1] * per_mm
    y = size[1] / 2 + (np.arange(top, bottom) + 0.5 - (top + bottom) / 2) * VOXEL_MM[0] * per_mm
    script = """([selector, xs, ys]) => {
      const canvas = document.querySelector(selector + " .gv-image");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return ys.flatMap((y) => xs.flatMap((x) => {
        const at = 4 * (Math.floor(y) * canvas.width + Math.floor(x));
        return [data[at], data[at + 1], data[at + 2], data[at + 3]];
      }));
    }"""
    values = page.evaluate(script, [selector, x.tolist(), y.tolist()])
    return np.array(values, np.uint8).reshape(len(y), len(x), 4)


def _painted(page):
    subject, index, direction, count = page.get_attribute(".gv", "data-painted").split("|")
    return subject, int(index), direction, int(count)


def _move(page, key, subject, index=0):
    """Press a key and wait until this subject and slice are on screen."""
    page.keyboard.press(key)
    script = "([s, i]) => document.querySelector('.gv').dataset.painted.startsWith(`${s}|${i}|`)"
    page.wait_for_function(script, arg=json.loads(json.dumps([subject, index])))
