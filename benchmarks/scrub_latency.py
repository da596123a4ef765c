"""How long a key press takes to change the pixels of the compare dashboard, in a real browser on a real server.

    python benchmarks/scrub_latency.py [--runs FOLDER] [--json FILE] [--moves 60]

Without `--runs` it makes its own cohort: subjects of 256 x 256 pixels of smooth anatomy with noise (noise is what does
not compress), and the translations of four methods. Measured are, over single moves with the neighbours prefetched,
the time from the key event to the painted canvases and to the next frame; over a burst of held keys, the time from
the last key to its pixels; and from opening the page to the first pixels.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from scipy.ndimage import gaussian_filter

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.display import serve
from ganlib.runs import Run, RunConfig

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
METHODS = {"Simple": 6.0, "Generators_s": 3.0, "CycleGAN": 1.5, "UNIT": 2.0}

# The key event's own time stamp is when the browser received it; a mutation observer runs right after the handler.
LISTEN = """() => {
  const frame = document.querySelector(".gv");
  window.scrub = {keys: [], paints: [], frames: []};
  document.addEventListener("keydown", (event) => window.scrub.keys.push(event.timeStamp), true);
  new MutationObserver(() => {
    window.scrub.paints.push(performance.now());
    requestAnimationFrame(() => window.scrub.frames.push(performance.now()));
  }).observe(frame, {attributes: true, attributeFilter: ["data-painted"]});
}"""


def make_runs(folder, *, subjects=24, size=256, seed=0):
    """A cohort of noisy images and one run per method, with translations in both directions.

    Returns:
        `pathlib.Path` of the folder that holds the run folders.
    """
    random = np.random.default_rng(seed)
    folder = Path(folder)
    _write_cohort(folder / "cohort.h5", random, subjects, size)
    with Cohort(folder / "cohort.h5") as cohort:
        for method, blur in METHODS.items():
            _write_run(folder / "runs" / method.lower(), cohort, method, blur, random)
    return folder / "runs"


def measure(address, moves=60, burst=14):
    """Open the dashboard at an address and scrub through it.

    Returns:
        Dictionary of milliseconds, seconds and bytes.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        start = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(".gv[data-painted]", timeout=60_000)
        first = time.perf_counter() - start
        page.wait_for_timeout(1500)
        page.evaluate(LISTEN)
        singles = _singles(page, moves)
        result = {"first_pixels_s": first, **singles, "burst_ms": _burst(page, burst)}
        result["bytes_per_position"] = int(page.get_attribute(".gv", "data-bytes"))
        browser.close()
    return result


def _singles(page, moves):
    to_paint, to_frame = [], []
    for move in range(moves):
        before = page.evaluate("window.scrub.paints.length")
        page.keyboard.press("ArrowRight" if (move // 12) % 2 == 0 else "ArrowLeft")
        page.wait_for_function(f"window.scrub.frames.length > {before}")
        key, paint, frame = page.evaluate(
            "[window.scrub.keys.at(-1), window.scrub.paints.at(-1), window.scrub.frames.at(-1)]"
        )
        to_paint.append(paint - key)
        to_frame.append(frame - key)
        page.wait_for_timeout(250)
    return {**_summary("key_to_pixels", to_paint), **_summary("key_to_frame", to_frame), "moves": moves}


def _summary(name, values):
    return {f"{name}_median_ms": statistics.median(values), f"{name}_p95_ms": float(np.percentile(values, 95))}


def _burst(page, count):
    """Keys at 30 ms, as when a key is held: from the last one to its pixels, through subjects not all fetched yet."""
    page.keyboard.press("End")
    page.wait_for_timeout(1000)
    for _ in range(count):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(30)
    page.wait_for_function(
        "(frame => frame.dataset.painted.startsWith(frame.dataset.wanted.split('|').slice(1).join('|')))"
        "(document.querySelector('.gv'))"
    )
    return page.evaluate("Math.max(0, window.scrub.paints.at(-1) - window.scrub.keys.at(-1))")


def _write_cohort(path, random, subjects, size):
    header = CohortHeader(name="scrub-latency", contrasts=["T1w", "T2w"], voxel_mm=(0.7, 0.7, 0.7), phantom=True)
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    mask = (rows**2 + columns**2 < 0.2)[None]
    with CohortWriter(path, header) as writer:
        for number in range(subjects):
            anatomy = gaussian_filter(random.normal(size=(1, size, size)), (0, 6, 6)) * 8
            noise = random.normal(0, 15, (2, 1, size, size))
            images = {"T1w": (600 + 250 * anatomy + noise[0]) * mask, "T2w": (500 - 200 * anatomy + noise[1]) * mask}
            writer.add(_subject(number, subjects, size), images, mask)


def _subject(number, subjects, size):
    return Subject(
        id=f"sub-{number:03d}", split="train" if number < subjects // 4 else "test", affine=np.eye(4).tolist(),
        volume_shape=(size, size, 1), slice_indices=[0], slice_mm=[12.0],
    )  # fmt: skip


def _write_run(folder, cohort, method, blur, random):
    config = RunConfig(
        method=method.lower(), method_label=method, cohort="../../cohort.h5", cohort_fingerprint=cohort.fingerprint,
        phantom=True, contrasts=("T1w", "T2w"), image_shape=cohort.shape, epochs=1, learning_rate=1e-4,
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split())
    run.write_synthetic(
        (direction, subject_id, _degraded(cohort.images(subject_id, direction.target), blur, random))
        for direction in run.directions
        for subject_id in cohort.ids("test")
    )


def _degraded(image, blur, random):
    return gaussian_filter(image, (0, blur, blur)) + random.normal(0, 10, image.shape) * (image > 0)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=Path, help="folder of run folders; default: a cohort of its own")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--moves", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = arguments.runs or make_runs(folder)
        with serve.start(runs=runs) as server:
            result = measure(server.address, arguments.moves)
    for name, value in result.items():
        print(f"{name:28s} {value:8.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
