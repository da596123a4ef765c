"""The cohort file: registered slices of many subjects in one HDF5 file, read lazily.

Layout, version 1:

    /                       attributes `format`, `format_version`, `fingerprint`, `header` (JSON), `subjects` (JSON)
    /subjects/<id>/<contrast>   float32 (slices, height, width), intensities in the units of the cohort, one chunk
    /subjects/<id>/mask         uint8   (slices, height, width), 1 inside
    /subjects/<id>/labels       uint8   (slices, height, width), present if the cohort has labels

A picture's rows run from anterior to posterior and its columns from the patient's right to the patient's left
(axial), that is, in radiological convention: it is shown as stored.
"""

import contextlib
import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ganlib import __version__, atomic
from ganlib.cohort.decisions import read_decisions
from ganlib.cohort.intensity import IntensityRange
from ganlib.cohort.split import split_hash
from ganlib.errors import InputError

FORMAT = "ganlib-cohort"
FORMAT_VERSION = 1
SPLITS = ("train", "validation", "test")
_RESERVED = {"mask", "labels"}
_VOXELS_FOR_RANGE = 8_000_000


class Subject(BaseModel):
    """What a cohort knows of one subject besides the voxels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    split: Literal["train", "validation", "test"]
    family: str | None = None
    person: str | None = Field(None, description="who was scanned; None where every subject is a person of its own")
    site: str | None = None
    traits: dict[str, str] = Field(default_factory=dict, description="what else is known, such as sex")
    sources: dict[str, str] = Field(default_factory=dict, description="file of each contrast, mask and label volume")
    affine: list[list[float]] = Field(description="4 x 4, canonical voxel index to world RAS mm, of the whole volume")
    volume_shape: tuple[int, int, int] = Field(description="of the whole volume, canonical orientation")
    gains: dict[str, float] = Field(
        default_factory=dict, description="per contrast, intensity in the file / stored intensity (1 where absent)"
    )
    slice_indices: list[int] = Field(description="canonical index of each stored slice")
    slice_mm: list[float] = Field(description="world coordinate of each stored slice along the slice axis")
    offset: tuple[int, int] = Field(
        (0, 0), description="stored pixel (row, column) + offset = pixel of the whole slice; negative where padded"
    )


class CohortHeader(BaseModel):
    """What holds for every subject of a cohort."""

    model_config = ConfigDict(extra="forbid")

    name: str
    contrasts: list[str]
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    orientation: str = Field("LPS", description="axis codes of the canonical orientation, index to direction")
    voxel_mm: tuple[float, float, float] = Field(description="row, column and slice spacing")
    phantom: bool = Field(False, description="true if no scanner was involved")
    label_names: dict[int, str] = Field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    split_seed: int | None = None
    split_hash: str | None = Field(None, description="`split.split_hash` of the parts; filled in when written")
    provenance: dict = Field(default_factory=dict, description="how the cohort was made: settings, versions, sources")


class Cohort:
    """Read access to a cohort file. Subjects are read when asked for.

    Args:
        path: the HDF5 file.

    Raises:
        InputError: the file is missing, is not a cohort, is damaged, or has another format version.

    Example:
        >>> cohort = Cohort("cohort.h5")                         # doctest: +SKIP
        >>> cohort.images(cohort.ids("test")[0], "T1w").shape    # doctest: +SKIP
        (1, 112, 96)
    """

    def __init__(self, path):
        self.path = Path(path)
        self._file = _open(self.path)
        with _damage_explained(self.path):
            self.header = CohortHeader.model_validate_json(self._file.attrs["header"])
            self.subjects = tuple(Subject.model_validate(entry) for entry in json.loads(self._file.attrs["subjects"]))
            self.fingerprint = str(self._file.attrs["fingerprint"])
        self.ranges = {name: IntensityRange(*ends) for name, ends in self.header.ranges.items()}
        self._by_id = {subject.id: subject for subject in self.subjects}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __len__(self):
        return len(self.subjects)

    def close(self):
        """Close the file; the cohort cannot be read after that."""
        self._file.close()

    @property
    def contrasts(self):
        """Names of the contrasts, in the order they were given."""
        return tuple(self.header.contrasts)

    @property
    def shape(self):
        """Height and width of every slice, in pixels."""
        return self._file["subjects"][self.subjects[0].id][self.contrasts[0]].shape[1:]

    @property
    def has_labels(self):
        """True if every subject has a label map."""
        return bool(self.header.label_names)

    def subject(self, subject_id):
        """The `Subject` of this id; `InputError` if there is none."""
        if subject_id not in self._by_id:
            raise InputError(f"{self.path}: no subject {subject_id!r}; it has {len(self)} subjects, see Cohort.ids()")
        return self._by_id[subject_id]

    @cached_property
    def rejected(self):
        """`Decision` on each subject that was rejected in quality control before this was first asked, by its id."""
        held = read_decisions(self.path, self.fingerprint)
        return {name: held[name] for name in self._by_id if name in held and held[name].verdict == "rejected"}

    def ids(self, split=None, *, rejected=False):
        """Subject ids, of one split (`"train"`, `"validation"`, `"test"`) or of all.

        Args:
            split: which part; None for all.
            rejected: True to have also those that were rejected in quality control.
        """
        if split is not None and split not in SPLITS:
            raise InputError(f"split {split!r} is unknown; use one of {', '.join(SPLITS)}")
        left_out = () if rejected else self.rejected
        return [
            subject.id for subject in self.subjects if split in (None, subject.split) and subject.id not in left_out
        ]

    def split(self):
        """Subject ids of each split, without the rejected, as a dictionary."""
        return {name: self.ids(name) for name in SPLITS}

    @property
    def split_hash(self):
        """Fingerprint of who stands in which part, by which splits of different cohorts can be compared.

        It is `header.split_hash` as long as nobody is rejected.
        """
        return split_hash({subject.id: subject.split for subject in self.subjects if subject.id not in self.rejected})

    def images(self, subject_id, contrast):
        """Slices of a subject: float32 (slices, height, width), in the units of the cohort.

        These are the units of the source file, divided by the subject's gain if the cohort was made with one.
        """
        if contrast not in self.contrasts:
            raise InputError(f"{self.path}: no contrast {contrast!r}; it has {', '.join(self.contrasts)}")
        return self._read(subject_id, contrast)

    def mask(self, subject_id):
        """Mask of a subject: bool (slices, height, width), True inside."""
        return self._read(subject_id, "mask").astype(bool)

    def labels(self, subject_id):
        """Label map of a subject: uint8 (slices, height, width), codes as in `header.label_names`, or None."""
        return self._read(subject_id, "labels") if self.has_labels else None

    def scaled(self, subject_id, contrast):
        """Slices of a subject in network units: float32 (slices, height, width), [-1, 1] within the range."""
        return self.ranges[contrast].scale(self.images(subject_id, contrast))

    def stack(self, contrast, subject_ids, *, neighbours=0):
        """Scaled slices of several subjects, one below the other.

        Args:
            contrast: its name.
            subject_ids: whose slices, in this order.
            neighbours: how many stored slices on either side come along as channels (2.5-D). Beyond a subject's first
                and last slice these are repeated; a subject never sees another's.

        Returns:
            float32 (all slices, height, width); with neighbours (all slices, height, width, 2 * neighbours + 1), the
            slice itself in the middle channel.
        """
        volumes = [self.scaled(subject_id, contrast) for subject_id in subject_ids]
        if not neighbours:
            return np.concatenate(volumes)
        return np.concatenate([_with_neighbours(volume, neighbours) for volume in volumes])

    def _read(self, subject_id, name):
        key = self.subject(subject_id).id
        with _damage_explained(self.path):
            return self._file["subjects"][key][name][()]


class CohortWriter:
    """Write a cohort subject by subject; the file appears under its name only when the block ends without an error.

    Args:
        path: the HDF5 file to make or replace.
        header: what holds for every subject; its `ranges` are filled in at the end.

    Example:
        >>> with CohortWriter("cohort.h5", header) as writer:         # doctest: +SKIP
        ...     writer.add(subject, images={"T1w": t1, "T2w": t2}, mask=mask)
    """

    def __init__(self, path, header):
        clash = _RESERVED & set(header.contrasts)
        if clash:
            raise InputError(f"contrast name {clash.pop()!r} is reserved; choose another name")
        self.path = Path(path)
        self.header = header
        self.subjects = []
        self._digest = hashlib.sha256()

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self._file = self._stack.enter_context(atomic.replacing_hdf5(self.path))
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            return self._stack.__exit__(kind, error, traceback)
        with self._stack:
            self._finish()
        return None

    def add(self, subject, images, mask, labels=None):
        """Append one subject.

        Args:
            subject: its `Subject`.
            images: dictionary from contrast to float array (slices, height, width), in the units of the cohort.
            mask: bool array of the same shape.
            labels: uint8 array of the same shape, or None.

        Raises:
            ValueError: a contrast is missing, a shape differs, or labels lack names or names lack labels.
            InputError: the disk is full.
        """
        if set(images) != set(self.header.contrasts):
            raise ValueError(f"subject {subject.id!r}: contrasts {sorted(images)}, not {sorted(self.header.contrasts)}")
        if bool(self.header.label_names) != (labels is not None):
            raise ValueError(
                f"subject {subject.id!r}: `labels` and `header.label_names` go together; give both or neither"
            )
        arrays = {name: np.asarray(images[name], np.float32) for name in self.header.contrasts}
        arrays["mask"] = np.asarray(mask, np.uint8)
        if labels is not None:
            arrays["labels"] = np.asarray(labels, np.uint8)
        shapes = {name: array.shape for name, array in arrays.items()}
        if len(set(shapes.values())) > 1 or arrays["mask"].ndim != 3:
            raise ValueError(f"subject {subject.id!r}: shapes differ or are not 3-D: {shapes}")
        group = self._file.create_group(f"subjects/{subject.id}")
        for name, array in arrays.items():
            options = {"chunks": array.shape, "compression": "gzip", "compression_opts": 1, "shuffle": True}
            group.create_dataset(name, data=array, **options)
            self._digest.update(np.ascontiguousarray(array).tobytes())
        self._file.check()
        self.subjects.append(subject)

    def _finish(self):
        training = [subject.id for subject in self.subjects if subject.split == "train"]
        for contrast in self.header.contrasts:
            values = self._voxels(training, contrast)
            intensity_range = IntensityRange.of(values, contrast)
            self.header.ranges[contrast] = (intensity_range.low, intensity_range.high)
        self.header.split_hash = split_hash({subject.id: subject.split for subject in self.subjects})
        self.header.provenance.setdefault("versions", {"ganlib": __version__})
        header = self.header.model_dump_json()
        subjects = json.dumps([subject.model_dump() for subject in self.subjects])
        self._digest.update((header + subjects).encode())
        self._file.attrs["format"] = FORMAT
        self._file.attrs["format_version"] = FORMAT_VERSION
        self._file.attrs["fingerprint"] = self._digest.hexdigest()
        self._file.attrs["header"] = header
        self._file.attrs["subjects"] = subjects

    def _voxels(self, subject_ids, contrast):
        """Training voxels inside the mask, evenly thinned to a bounded number."""
        if not subject_ids:
            raise InputError(f"{self.path}: no training subject, so that no intensity range can be taken")
        quota = max(_VOXELS_FOR_RANGE // len(subject_ids), 1000)
        parts = []
        for subject_id in subject_ids:
            group = self._file["subjects"][subject_id]
            inside = group[contrast][()][group["mask"][()] > 0]
            parts.append(inside[:: -(-inside.size // quota) or 1])
        return np.concatenate(parts)


def _with_neighbours(volume, neighbours):
    offsets = np.arange(-neighbours, neighbours + 1)
    numbers = np.clip(np.arange(len(volume))[:, np.newaxis] + offsets, 0, len(volume) - 1)
    return np.moveaxis(volume[numbers], 1, -1)


@contextlib.contextmanager
def _damage_explained(path):
    try:
        yield
    except (KeyError, ValueError, OSError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: damaged ({reason}); make it anew with notebooks/01_prepare.ipynb") from error


def _open(path):
    if not path.is_file():
        raise InputError(f"{path}: no such cohort file; make one with notebooks/01_prepare.ipynb")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: not a readable cohort file; make it anew with notebooks/01_prepare.ipynb") from error
    if file.attrs.get("format") != FORMAT:
        file.close()
        raise InputError(f"{path}: an HDF5 file, but not a ganlib cohort; make one with notebooks/01_prepare.ipynb")
    version = file.attrs.get("format_version")
    if version != FORMAT_VERSION:
        file.close()
        raise InputError(
            f"{path}: cohort format version {version}, this ganlib reads {FORMAT_VERSION}; "
            "make it anew with notebooks/01_prepare.ipynb"
        )
    return file
