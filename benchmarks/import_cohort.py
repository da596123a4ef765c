"""Time and memory of importing a cohort of the Human Connectome Project's size, killed half way and started again.

    python benchmarks/import_cohort.py [--subjects 1113] [--workers N] [--kill-at 0.5] [--json FILE]

It makes its own tree in a temporary folder: a few pairs of T1w and T2w volumes of 260 x 311 x 260 voxels, noise in an
ellipsoid of a brain's size, to which the subjects' files are hard links, so that the disk stays small; and a table of
families. `ganlib import` then takes one slice of each, in a process of its own whose peak memory the system reports.
With `--kill-at` it is first killed with SIGKILL when that share of the subjects is done.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

SHAPE, VOXEL_MM = (260, 311, 260), 0.7
PAIRS = 3
FIRST_ID = 100_004


def make_tree(folder, subjects):
    """Folders of the HCP's layout and `restricted.csv`; two subjects in three have a twin."""
    originals = [_write_pair(folder / ".originals" / str(pair), pair) for pair in range(PAIRS)]
    rows = ["Subject,Family_ID,Mother_ID,Father_ID"]
    for number in range(subjects):
        subject, family = str(FIRST_ID + number), number - (number % 3 == 1)
        images = folder / subject / "MNINonLinear"
        images.mkdir(parents=True)
        for name, original in originals[number % PAIRS].items():
            (images / f"{name}_restore_brain.nii.gz").hardlink_to(original)
        rows.append(f"{subject},F{family},M{family},P{family}")
    (folder / "restricted.csv").write_text("\n".join(rows) + "\n")


def _write_pair(folder, seed):
    random = np.random.default_rng(seed)
    axes = (np.linspace(-1, 1, length, dtype=np.float32) * 1.35 for length in SHAPE)
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    inside = x**2 + y**2 + z**2 < 1
    affine = np.diag([-VOXEL_MM, VOXEL_MM, VOXEL_MM, 1])
    affine[:3, 3] = 90, -126, -72
    folder.mkdir(parents=True)
    paths = {}
    for name in ("T1w", "T2w"):
        data = np.where(inside, random.normal(900, 120, SHAPE), 0).astype(np.float32)
        paths[name] = folder / f"{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(data, affine), paths[name])
    return paths


def start_import(folder, output, workers):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ganlib", "import", str(folder), "-o", str(output), "--layout", "hcp"]
    command += ["-O", "table=restricted.csv"] + (["--workers", str(workers)] if workers else [])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process):
    """Wait for it: what it said last, and its peak memory in bytes."""
    said = process.stdout.read().strip().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"the import failed: {said}")
    return said[-1], usage.ru_maxrss * 1024


def kill_when(process, staging, number):
    """Kill it when so many subjects are done; returns how many are."""
    while process.poll() is None and len(list(staging.glob("*.npz"))) < number:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return len(list(staging.glob("*.npz")))


def main():
    """Make the tree, import it, print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=1113)
    parser.add_argument("--workers", type=int, help="by default as many as the import chooses")
    parser.add_argument("--kill-at", type=float, help="fraction of the subjects after which it is killed once")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, output, killed = Path(scratch) / "hcp", Path(scratch) / "cohort.h5", 0
        make_tree(folder, arguments.subjects)
        start = time.perf_counter()
        process = start_import(folder, output, arguments.workers)
        if arguments.kill_at:
            number = int(arguments.kill_at * arguments.subjects)
            killed = kill_when(process, output.with_name(".cohort.h5.importing"), number)
            killed_s, start = time.perf_counter() - start, time.perf_counter()
            print(f"killed after {killed_s:.0f} s with {killed} subjects done")
            process = start_import(folder, output, arguments.workers)
        said, peak_bytes = finish(process)
        seconds = time.perf_counter() - start
        read = arguments.subjects - killed
        print(said)
        print(f"{seconds:.0f} s for {read} subjects of 2 volumes, {seconds / read:.2f} s each; "
              f"peak memory {peak_bytes / 1e6:.0f} MB; file {output.stat().st_size / 1e6:.0f} MB")  # fmt: skip
        if arguments.json:
            record = {"subjects": arguments.subjects, "read": read, "seconds": seconds, "peak_bytes": peak_bytes}
            arguments.json.write_text(json.dumps(record))


if __name__ == "__main__":
    main()
