"""The run folder: what is in it, and how it is read. No deep-learning framework is needed.

config.json        `RunConfig`
split.json         subject ids of each split, and the cohort's fingerprint; where not every training subject was seen
                   in both contrasts, also those that were seen in each
preparation.json   what the cohort did to images before the networks saw them (`Preparation`)
history.csv        one row per epoch: part losses and validation scores
alarms.json        what went wrong in training, with what to do; an empty list where nothing did
checkpoint/        weights, optimisers, image pools and epoch of the last finished epoch (see `training.checkpoint`)
generators.keras   both generators, at the best epoch on the validation subjects
generators_last.keras   both generators, after the last epoch
generators_averaged.keras   averaged weights of both generators, after the last epoch, where they were averaged
samples/           one picture per epoch: the same validation subjects, source, synthetic and target
synthetic.h5       translations of the test subjects, both directions, and their uncertainty where it was sampled
scores.parquet     one row per subject, direction, protocol and metric; likewise realism, registration and regions, and
                   two_sample with one row per direction
card.md            the run in words
"""

import json
import os
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
from pydantic import ValidationError

from ganlib import atomic
from ganlib.cohort import Cohort
from ganlib.cohort.decisions import warn_of_rejected
from ganlib.errors import InputError
from ganlib.runs import scores
from ganlib.runs.config import RunConfig
from ganlib.runs.preparation import Preparation

#: File of the generators by which weights they have.
WEIGHTS = {
    "best": "generators.keras",
    "last": "generators_last.keras",
    "averaged": "generators_averaged.keras",
}
_UNCERTAINTY = "uncertainty"
_DOMAINS = "domains"
_PREPARATION = "preparation.json"


class Run:
    """A run folder, opened for reading and for adding results.

    Args:
        folder: the run folder.

    Raises:
        InputError: the folder is missing or its `config.json` cannot be used.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        path = self.folder / "config.json"
        if not path.is_file():
            raise InputError(f"{path}: not found, so {self.folder} is no run folder; train one with 02_train.ipynb")
        try:
            self.config = RunConfig.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a run configuration ({_first_problem(error)}); train anew") from error

    @classmethod
    def create(cls, folder, config, split, domains=None, preparation=None):
        """Make a run folder; `config.json` is written last, so that a folder that has one is a whole run folder.

        Args:
            folder: where; made if missing.
            config: `RunConfig`.
            split: subject ids of each split, as `Cohort.split()` gives them.
            domains: where not everybody trains both contrasts, the ids of the training subjects of each.
            preparation: `Preparation`, by which volumes can be translated without the cohort file.
        """
        folder = Path(folder)
        if preparation is not None:
            atomic.write_text(folder / _PREPARATION, preparation.model_dump_json(indent=1))
        record = {"cohort_fingerprint": config.cohort_fingerprint, **split}
        if domains:
            record[_DOMAINS] = domains
        atomic.write_text(folder / "split.json", json.dumps(record, indent=1))
        atomic.write_text(folder / "config.json", config.model_dump_json(indent=1))
        return cls(folder)

    def __repr__(self):
        return f"Run({str(self.folder)!r}, method={self.config.method_label!r}, epochs={len(self.history)})"

    @property
    def name(self):
        """The folder's name."""
        return self.folder.name

    @property
    def label(self):
        """The method's name in print."""
        return self.config.method_label

    @property
    def directions(self):
        """Both `Direction`s, A to B first."""
        return self.config.directions

    @cached_property
    def split(self):
        """Subject ids of each split, as they were when the run was trained."""
        return {name: ids for name, ids in self._split_record.items() if name not in ("cohort_fingerprint", _DOMAINS)}

    def test_ids(self, cohort):
        """Ids of the test subjects, without those that were rejected in quality control, of which a warning tells.

        Args:
            cohort: the run's open `Cohort`.
        """
        rejected = [subject_id for subject_id in self.split["test"] if subject_id in cohort.rejected]
        warn_of_rejected(rejected)
        return [subject_id for subject_id in self.split["test"] if subject_id not in rejected]

    @property
    def domains(self):
        """Ids of the training subjects that each contrast was learned from; by default all of them."""
        everybody = self._split_record["train"]
        return self._split_record.get(_DOMAINS) or dict.fromkeys(self.config.contrasts, everybody)

    @cached_property
    def _split_record(self):
        return json.loads((self.folder / "split.json").read_text(encoding="utf-8"))

    @property
    def history(self):
        """One row per finished epoch (`pandas.DataFrame`); empty before the first."""
        import pandas as pd  # slow to import, and a dashboard's first picture needs no table

        path = self.folder / "history.csv"
        return pd.read_csv(path) if path.is_file() else pd.DataFrame({"epoch": []})

    def alarms(self):
        """What went wrong in training, in the order in which it began: list of dictionaries.

        Each has `kind`, `epoch`, `message` (what is wrong and what to do) and, where it has one, `direction`.
        """
        path = self.folder / "alarms.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    @property
    def cohort_path(self):
        """Where the cohort file should be."""
        return Path(os.path.normpath(self.folder / self.config.cohort))

    def cohort(self):
        """Open the cohort of this run.

        Raises:
            InputError: the file is missing, or is another cohort than the one the run was trained on.
        """
        cohort = Cohort(self.cohort_path)
        if cohort.fingerprint != self.config.cohort_fingerprint:
            raise InputError(
                f"{self.cohort_path}: changed since {self.folder} was trained on it; restore it, or train anew"
            )
        return cohort

    def preparation(self):
        """What the cohort did to images before the networks saw them: from the run folder, else from the cohort.

        Raises:
            InputError: the folder has no such record, or a damaged one, and the cohort is missing or has changed.
        """
        path = self.folder / _PREPARATION
        if path.is_file():
            try:
                return Preparation.model_validate_json(path.read_text(encoding="utf-8"))
            except (ValidationError, UnicodeDecodeError) as error:
                reason = f"{path}: damaged ({_first_problem(error)})"
                raise InputError(f"{reason}; delete it, and it is taken from the cohort") from error
        with self.cohort() as cohort:
            return Preparation.of(cohort, self.config.contrasts)

    def weights(self, which="best"):
        """Path of the generators.

        Args:
            which: `"best"` on the validation subjects, `"last"`, or `"averaged"` (after the last epoch).

        Raises:
            InputError: the run has no weights yet, or no averaged ones.
        """
        if which not in WEIGHTS:
            raise InputError(f"weights {which!r} are unknown; use one of {', '.join(WEIGHTS)}")
        if which == "averaged" and self.config.ema is None:
            raise InputError(f"{self.folder}: no averaged weights; train with `ema` (such as 0.999), or use another")
        path = self.folder / WEIGHTS[which]
        if not path.is_file():
            raise InputError(f"{path}: not found, so the run has no weights; train it with 02_train.ipynb")
        return path

    def samples(self):
        """Paths of the sample pictures, one per epoch, in order."""
        return sorted((self.folder / "samples").glob("epoch_*.png"))

    def write_synthetic(self, translations, weights="best"):
        """Store the translations of the test subjects.

        Args:
            translations: iterable of (direction, subject id, float array (slices, height, width)), in the units of
                the cohort's target contrast; where the translation was sampled, a fourth entry is the standard
                deviation, of the same shape and unit.
            weights: which weights made them, a key of `WEIGHTS`.
        """
        with atomic.replacing_hdf5(self.folder / "synthetic.h5") as file:
            file.attrs["weights"] = weights
            for direction, subject_id, *images in translations:
                for prefix, slices in zip(("", f"{_UNCERTAINTY}/"), images, strict=False):
                    slices = np.asarray(slices, np.float32)
                    file.create_dataset(
                        f"{prefix}{direction.name}/{subject_id}", data=slices, chunks=slices.shape, compression="gzip",
                        compression_opts=1, shuffle=True,
                    )  # fmt: skip

    def synthetic(self, subject_id, direction):
        """Translation of a test subject: float32 (slices, height, width), in the units of the target contrast.

        Raises:
            InputError: the run has no translations, or none of this subject.
        """
        with self._synthetic_file() as file:
            key = f"{direction.name}/{subject_id}"
            if key not in file:
                raise InputError(f"{self.folder / 'synthetic.h5'}: no {key}; translate anew with 03_evaluate.ipynb")
            return file[key][()]

    def uncertainty(self, subject_id, direction):
        """Standard deviation over the samples of a test subject's translation.

        Returns:
            float32 (slices, height, width), in the units of the target contrast, or None if it was not sampled.
        """
        with self._synthetic_file() as file:
            found = file.get(f"{_UNCERTAINTY}/{direction.name}/{subject_id}")
            return None if found is None else found[()]

    def synthetic_ids(self, direction):
        """Ids of the subjects that were translated in this direction."""
        with self._synthetic_file() as file:
            return sorted(file.get(direction.name, {}))

    @property
    def translated_with(self):
        """Which weights made the translations, a key of `WEIGHTS`; None where that was not noted."""
        with self._synthetic_file() as file:
            return file.attrs.get("weights")

    def write_scores(self, table, name="scores"):
        """Store a table of scores as `<name>.parquet`, one row per subject, direction, protocol and metric."""
        scores.write(self.folder, table, name)

    def scores(self, name="scores"):
        """A table of scores (`pandas.DataFrame`); `InputError` if there is none, or the run was translated anew."""
        return scores.read(self.folder, name)

    def _synthetic_file(self):
        path = self.folder / "synthetic.h5"
        if not path.is_file():
            raise InputError(f"{path}: not found; translate the test subjects with 03_evaluate.ipynb")
        try:
            return h5py.File(path, "r")
        except OSError as error:
            raise InputError(f"{path}: not readable; translate anew with 03_evaluate.ipynb") from error


def open_runs(folders):
    """Runs by their folders, or by folders that hold run folders.

    Args:
        folders: list of paths; each is a run folder or holds some.

    Returns:
        List of `Run`, in the order given, those of one folder by name; a run that is named twice is there once.

    Raises:
        InputError: a folder is missing, or is no run folder and holds none.
    """
    found = {}
    for folder in map(Path, folders):
        inside = [path.parent for path in sorted(folder.glob("*/config.json"))]
        whole = (folder / "config.json").is_file() or not inside
        for path in [folder] if whole else inside:
            found.setdefault(path.resolve(), Run(path))
    return list(found.values())


def _first_problem(error):
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
