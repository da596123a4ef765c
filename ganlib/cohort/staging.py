"""Where an import keeps the subjects it has done, so that it goes on there after it was killed."""

import contextlib
import hashlib
import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np

from ganlib import __version__, atomic
from ganlib.cohort.extract import Extract
from ganlib.errors import InputError

#: Settings that change the voxels; the others only choose or divide subjects.
_OF_VOXELS = ("plane", "mask", "normalise", "resample")


class Staging:
    """A hidden folder beside a cohort file, `.<name>.importing`, with a file per subject that is done.

    A file's name is a fingerprint of everything its content depends on: paths, sizes and times of the subject's files,
    and the settings. Whatever has changed since is thus read anew, and whatever has not is not.

    Args:
        cohort: the cohort file to be.
    """

    def __init__(self, cohort):
        self.cohort = Path(cohort)
        self.folder = self.cohort.with_name(f".{self.cohort.name}.importing")
        self._started = time.time()

    def path(self, plan, settings, size, label_codes):
        """File of one subject under these settings."""
        status = {name: header.path.stat() for name, header in plan.volumes.items()}
        key = {
            "version": __version__,
            "files": {name: [os.path.realpath(header.path), status[name].st_size, status[name].st_mtime_ns]
                      for name, header in plan.volumes.items()},
            "settings": settings.model_dump(mode="json", include=set(_OF_VOXELS)),
            "slices": plan.indices, "size": size, "labels": label_codes,
        }  # fmt: skip
        return self.folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.npz"

    def write(self, path, extract):
        """Keep an `Extract`, whole or not at all."""
        arrays = {f"image {name}": image for name, image in extract.images.items()} | {"mask": extract.mask}
        if extract.labels is not None:
            arrays["labels"] = extract.labels
        facts = {"gains": extract.gains, "cut_off": extract.cut_off, "digests": extract.digests}
        arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        try:
            with atomic.replacing(path) as partial:
                _save(partial, arrays)
        except InputError as error:
            raise InputError(str(error).replace(str(path), str(self.cohort))) from error

    def read(self, path):
        """The `Extract` of a file; None if there is none, or not a whole one."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            facts = json.loads(arrays.pop("facts").tobytes())
            mask, labels = arrays.pop("mask"), arrays.pop("labels", None)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return Extract({name.removeprefix("image "): image for name, image in arrays.items()}, mask, labels, **facts)

    def remove(self):
        """Forget everything, and what killed imports of the same cohort left behind."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.cohort.parent.glob(f".{self.cohort.stem}.*.partial{self.cohort.suffix}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < self._started:
                    path.unlink()


def _save(path, arrays):
    """As `numpy.savez_compressed`, but at the level that is fast enough for stacks of slices."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
