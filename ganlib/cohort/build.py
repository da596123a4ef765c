"""Build a cohort from NIfTI files: list them, check every header, split, then read one subject at a time."""

import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import h5py
import nibabel
import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from tqdm.auto import tqdm

from ganlib import __version__
from ganlib.cohort.masks import computed_mask, given_mask, nonzero_mask
from ganlib.cohort.slices import PLANES, centred_offset, choose_slices, crop_or_pad, padded_size
from ganlib.cohort.sources import SubjectFiles
from ganlib.cohort.split import split_subjects
from ganlib.cohort.store import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.cohort.volumes import Grid, VolumeHeader, read_header, read_volume, resampled
from ganlib.errors import InputError

_DEFAULT_AXIAL_MM = 12.0
#: Voxel sizes that differ by less than this fraction are one size.
_VOXEL_TOLERANCE = 0.01
_Index = Annotated[int, Field(ge=0)]
_Share = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)]


class ImportSettings(BaseModel):
    """How NIfTI files become a cohort. `validation.validated` makes one from a user's values, and errors one line long.

    `normalise="subject"` divides each volume by its own median inside the mask, because scanners and receive gains
    differ; the factor is kept in `Subject.gains`. It hides what it removes: a model can no longer be seen to get a
    subject's overall gain wrong, and a true difference in mean intensity between subjects (age, disease) is gone too.

    Example:
        >>> ImportSettings(slice_mm=(-8, 60), size=(224, 192)).plane
        'axial'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    slice_mm: FiniteFloat | tuple[FiniteFloat, FiniteFloat] | None = Field(
        None,
        description="world coordinate of the slice (RAS), or ends of a range; +12 mm if axial and nothing is given",
    )
    slice_index: _Index | list[_Index] | None = Field(
        None, description="instead of `slice_mm`, canonical index: 0 is the lowest, most anterior or rightmost slice"
    )
    slice_step_mm: PositiveFloat | None = Field(None, description="with a range: one slice every so many mm, not all")
    size: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="height and width, multiples of 4, cropped or padded about the middle; None pads whole slices"
    )
    mask: Literal["nonzero", "computed", "given"] | None = Field(
        None,
        description="None: given if the source names mask files, else nonzero; computed is a head mask, not a brain's",
    )
    normalise: Literal["none", "subject"] = "none"
    resample: bool = Field(False, description="interpolate volumes onto the grid of their subject's first contrast")
    incomplete: Literal["error", "skip"] = Field("error", description="subjects that lack a contrast or their mask")
    incomplete_labels: Literal["error", "skip", "empty"] = Field("error", description="empty: no voxel has the label")
    validation: _Share = Field(0.1, description="number of validation subjects, or a fraction below 1")
    test: _Share = Field(0.2, description="number of test subjects, or a fraction below 1")
    seed: int = 0
    split: dict[str, Literal["train", "validation", "test"]] | None = Field(
        None, description="part of every subject, instead of `validation`, `test` and `seed`"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_position(cls, values):
        given = values.get("slice_mm") is not None or values.get("slice_index") is not None
        if given or values.get("plane", "axial") != "axial":
            return values
        return {**values, "slice_mm": _DEFAULT_AXIAL_MM}

    @model_validator(mode="after")
    def _consistent(self):
        if (self.slice_mm is None) == (self.slice_index is None):
            raise ValueError(f"plane {self.plane}: give either `slice_mm` or `slice_index`")
        is_range = isinstance(self.slice_mm, tuple)
        if is_range and not self.slice_mm[0] < self.slice_mm[1]:
            raise ValueError(f"slice_mm: the range {self.slice_mm} does not ascend")
        if self.slice_step_mm is not None and not is_range:
            raise ValueError("slice_step_mm: needs a range, such as slice_mm=(-8, 60)")
        if self.size is not None and any(length % 4 for length in self.size):
            raise ValueError(f"size: {self.size} are not multiples of 4, but networks halve a slice twice")
        return self


@dataclass(frozen=True)
class _Plan:
    """What is known of a subject before a voxel is read."""

    files: SubjectFiles
    headers: dict[str, VolumeHeader]
    grid: Grid
    indices: list[int]
    labels: dict[str, VolumeHeader] = field(default_factory=dict)
    mask: VolumeHeader | None = None

    @property
    def path(self):
        return next(iter(self.files.contrasts.values()))


def import_cohort(source, path, settings=None, *, name=None, progress=True):
    """Import NIfTI files as a cohort.

    All headers are checked before the first voxel is read. Memory holds one subject at a time. The same files and
    settings give the same bytes. Subjects that are left out, and masks that are cropped, are warned of, and listed
    under `left_out` and `mask_cut_off` in the header's provenance.

    Args:
        source: `FolderSource` or `BidsSource`.
        path: the HDF5 file to make or replace; an existing one is untouched unless the import succeeds.
        settings: `ImportSettings`, or None for the defaults.
        name: the cohort's name; None takes the source folder's name.
        progress: show a progress bar with the time left.

    Returns:
        The `Cohort`, open.

    Raises:
        InputError: a file, setting or the disk does not allow it; one line that names it.

    Example:
        >>> source = BidsSource("lit-ms-mni", ["T1w", "T2w"])                               # doctest: +SKIP
        >>> import_cohort(source, "ms.h5", ImportSettings(validation=0, test=1))            # doctest: +SKIP
    """
    settings = settings or ImportSettings()
    listing = source.find(incomplete=settings.incomplete, incomplete_labels=settings.incomplete_labels)
    _check_mask_setting(source, settings)
    parts = _parts(listing.subjects, settings)
    plans = [_plan(files, settings) for files in listing.subjects]
    _check_voxel_sizes(plans, settings)
    size = settings.size or _common_size(plans, PLANES[settings.plane])
    header = _header(source, listing, plans, settings, name)
    _warn_left_out(listing.left_out)
    with CohortWriter(path, header) as writer:
        for plan in tqdm(plans, desc="Importing", unit="subject", disable=not progress):
            _add(writer, plan, source, settings, size, parts[plan.files.id])
        _warn_cut_off(header.provenance["mask_cut_off"], size)
    return Cohort(path)


def _check_mask_setting(source, settings):
    if settings.mask == "given" and source.mask is None:
        raise InputError("import settings: mask='given', but the source names no mask files; give its `mask`")


def _parts(subjects, settings):
    """Part of the split of every subject."""
    families = {subject.id: subject.family for subject in subjects if subject.family is not None}
    ids = [subject.id for subject in subjects]
    if settings.split is None:
        return split_subjects(
            ids, validation=settings.validation, test=settings.test, seed=settings.seed, families=families
        )
    for subject_id in [*ids, *settings.split]:
        if subject_id not in settings.split or subject_id not in ids:
            where = "`split`" if subject_id in ids else "the source"
            raise InputError(
                f"import settings: split: subject {subject_id!r} is not in {where}; name every subject once"
            )
    _check_families_together(settings.split, families)
    if "train" not in settings.split.values():
        raise InputError("import settings: split: no subject trains; give at least one the part 'train'")
    return settings.split


def _check_families_together(split, families):
    first = {}
    for subject_id, family in families.items():
        relative = first.setdefault(family, subject_id)
        if split[relative] != split[subject_id]:
            raise InputError(
                f"import settings: split: {relative!r} ({split[relative]}) and {subject_id!r} ({split[subject_id]}) "
                f"are of one family, {family!r}; put them in one part"
            )


def _plan(files, settings):
    plane = PLANES[settings.plane]
    headers = {name: read_header(path, plane.orientation) for name, path in files.contrasts.items()}
    labels = {name: read_header(path, plane.orientation) for name, path in files.labels.items() if path is not None}
    use_file = files.mask is not None and settings.mask in (None, "given")
    mask = read_header(files.mask, plane.orientation) if use_file else None
    first, *others = [*headers.values(), *labels.values(), *([mask] if mask else [])]
    if not settings.resample:
        _check_one_grid(files.id, first, others)
    position = settings.model_dump(include={"slice_mm", "slice_index", "slice_step_mm"})
    indices = choose_slices(first.grid, plane, path=first.path, **position)
    return _Plan(files, headers, first.grid, indices, labels, mask)


def _check_one_grid(subject_id, first, others):
    for other in others:
        if not first.grid.matches(other.grid):
            raise InputError(
                f"subject {subject_id!r}: two grids, {first.path} is {first.grid} and {other.path} is {other.grid} "
                f"(as {first.orientation}); register them, or set resample=True if they are registered already"
            )


def _check_voxel_sizes(plans, settings):
    """Pixels of different sizes would be one anatomy at two scales; slice spacing does not matter to a slice."""
    plane = PLANES[settings.plane]
    first = plane.voxel_mm(plans[0].grid)[:2]
    for plan in plans[1:]:
        voxel_mm = plane.voxel_mm(plan.grid)[:2]
        if any(abs(a - b) > _VOXEL_TOLERANCE * b for a, b in zip(voxel_mm, first, strict=True)):
            raise InputError(
                f"{plan.path} has pixels of {_sizes(voxel_mm)} mm, but {plans[0].path} of {_sizes(first)} mm; "
                "resample all subjects to one pixel size first"
            )


def _sizes(voxel_mm):
    return " × ".join(f"{length:.4g}" for length in voxel_mm)


def _common_size(plans, plane):
    first = plane.whole(plans[0].grid)
    for plan in plans[1:]:
        whole = plane.whole(plan.grid)
        if whole != first:
            raise InputError(
                f"{plan.path} has slices of {_sizes(whole)} pixels, but {plans[0].path} of {_sizes(first)}; "
                f"set size, such as size={padded_size(np.maximum(whole, first).tolist())}"
            )
    return padded_size(first)


def _header(source, listing, plans, settings, name):
    plane = PLANES[settings.plane]
    return CohortHeader(
        name=name or Path(source.folder).resolve().name,
        contrasts=source.contrasts,
        plane=settings.plane,
        orientation=plane.orientation,
        voxel_mm=plane.voxel_mm(plans[0].grid),
        label_names=dict(enumerate(source.label_codes, start=1)),
        split_seed=settings.seed if settings.split is None else None,
        provenance={
            "source": source.describe(),
            "settings": settings.model_dump(mode="json"),
            "versions": {
                "ganlib": __version__,
                "nibabel": nibabel.__version__,
                "numpy": np.__version__,
                "h5py": h5py.__version__,
            },
            "files": {plan.files.id: _described(source.folder, plan) for plan in plans},
            "left_out": listing.left_out,
            "mask_cut_off": {},
        },
    )


def _volumes(plan):
    """Every volume of a subject by its name in the cohort: contrasts, `mask`, and `label <name>`."""
    labels = {f"label {name}": header for name, header in plan.labels.items()}
    return plan.headers | ({} if plan.mask is None else {"mask": plan.mask}) | labels


def _described(folder, plan):
    return {
        name: {
            "file": _relative(header.path, folder),
            "orientation": header.file_orientation,
            "affine": header.file_affine.tolist(),
            "dtype": header.file_dtype,
            "resampled": not header.grid.matches(plan.grid),
        }
        for name, header in _volumes(plan).items()
    }


def _relative(path, folder):
    return path.relative_to(folder).as_posix()


def _add(writer, plan, source, settings, size, part):
    plane = PLANES[settings.plane]
    images = {name: _image(header, plan.grid) for name, header in plan.headers.items()}
    mask = _mask(images, plan, settings)
    gains = _gains(images, mask, plan) if settings.normalise == "subject" else {}
    offset = centred_offset(plane.whole(plan.grid), size)

    def stored(volume):
        return crop_or_pad(plane.slices(volume)[plan.indices], size, offset)

    for name, image in images.items():
        _check_slices(plane.slices(image)[plan.indices], f"{plan.headers[name].path}", plan, plane)
    _check_slices(stored(mask), f"subject {plan.files.id!r}: its mask", plan, plane)
    _note_cut_off(writer.header.provenance["mask_cut_off"], plan, plane.slices(mask)[plan.indices], stored(mask))
    labels = stored(_labels(plan, source)) if source.label_codes else None
    arrays = {name: stored(image) / np.float32(gains.get(name, 1)) for name, image in images.items()}
    writer.add(_subject(plan, source, part, gains, offset, plane), arrays, stored(mask), labels)


def _image(header, grid):
    data = _on_grid(header, grid, order=1)
    if not data.any():
        where = "" if header.grid.matches(grid) else " on the grid of its subject's first contrast"
        raise InputError(f"{header.path}: every voxel is 0{where}; give the image that belongs here")
    return data


def _on_grid(header, grid, *, order):
    volume = read_volume(header.path, header.orientation)
    return volume.data if header.grid.matches(grid) else resampled(volume, grid, order=order)


def _mask(images, plan, settings):
    if plan.mask is not None:
        return given_mask(_on_grid(plan.mask, plan.grid, order=0), subject_id=plan.files.id, path=plan.mask.path)
    compute = computed_mask if settings.mask == "computed" else nonzero_mask
    return compute(images, subject_id=plan.files.id)


def _gains(images, mask, plan):
    """Median of each volume inside the mask, by which its intensities are divided."""
    gains = {name: float(np.median(image[mask])) for name, image in images.items()}
    for name, gain in gains.items():
        if not gain > 0:
            raise InputError(
                f"{plan.headers[name].path}: its median inside the mask is {gain:g}, so that it cannot be normalised; "
                "check image and mask, or use normalise='none'"
            )
    return gains


def _labels(plan, source):
    """Label map of a whole volume: uint8 (x, y, z), codes 1… in the order of the source's labels."""
    codes_of, codes = source.label_codes, np.zeros(plan.grid.shape, np.uint8)
    for code, name in enumerate(codes_of, start=1):
        if name in plan.labels:
            volume = _on_grid(plan.labels[name], plan.grid, order=0)
            codes[volume != 0 if codes_of[name] is None else np.isin(volume, codes_of[name])] = code
    return codes


def _check_slices(slices, what, plan, plane):
    positions = plane.positions_mm(plan.grid)
    for index, pixels in zip(plan.indices, slices, strict=True):
        if not pixels.any():
            raise InputError(
                f"{what} is empty in slice {index} ({positions[index]:+.1f} mm); choose other slices, or a larger size"
            )


def _note_cut_off(record, plan, whole, stored):
    lost = 1 - stored.sum() / whole.sum()
    if lost > 0:
        record[plan.files.id] = round(float(lost), 6)


def _subject(plan, source, part, gains, offset, plane):
    positions = plane.positions_mm(plan.grid)
    return Subject(
        id=plan.files.id,
        split=part,
        family=plan.files.family,
        sources={name: _relative(header.path, source.folder) for name, header in _volumes(plan).items()},
        affine=plan.grid.affine.tolist(),
        volume_shape=plan.grid.shape,
        gains=gains,
        slice_indices=plan.indices,
        slice_mm=[round(float(positions[index]), 6) for index in plan.indices],
        offset=offset,
    )


def _warn_left_out(left_out):
    if left_out:
        reasons = ", ".join(f"{subject_id} ({reason})" for subject_id, reason in left_out.items())
        warnings.warn(f"{len(left_out)} subjects left out: {reasons}", stacklevel=3)


def _warn_cut_off(record, size):
    if record:
        worst = max(record, key=record.get)
        text = f"size {size[0]} × {size[1]} cuts off part of the mask of {len(record)} subjects"
        warnings.warn(f"{text}, at worst {math.ceil(record[worst] * 1000) / 10:.1f} % ({worst})", stacklevel=3)
