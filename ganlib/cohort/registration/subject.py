"""One subject: its contrasts brought onto one grid, with what was done and how well, in figures."""

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from ganlib import __version__, atomic
from ganlib.cohort.registration.align import align, head_mask
from ganlib.cohort.registration.bias import corrected
from ganlib.cohort.registration.brain import atlas_mask, to_template
from ganlib.cohort.registration.given import read_transform
from ganlib.cohort.registration.images import from_itk, simpleitk, to_itk, volume_to_itk
from ganlib.cohort.registration.settings import TEMPLATE
from ganlib.cohort.registration.template import scaled_grid, template, template_grid
from ganlib.cohort.volumes import read_volume
from ganlib.errors import InputError

_DIGITS = 5


@dataclass(frozen=True)
class Job:
    """What is to be done for a subject, in values that can be sent to another process.

    Args:
        id: the subject's id.
        files: file of each contrast.
        mask: brain mask file on the grid of `reference`, or None.
        given: transform file of each contrast that is not to be computed.
        reference: contrast whose grid, or place in the template, the others take.
        settings: `RegistrationSettings`.
        folder: where the results go.
        fingerprint: what the results depend on, for knowing them again.
    """

    id: str
    files: dict[str, Path]
    mask: Path | None
    given: dict[str, Path]
    reference: str
    settings: object
    folder: Path
    fingerprint: str


def register_subject(job):
    """Register a subject and write the results: volumes, transforms, mask, and `registration.json` last.

    Every contrast is interpolated once, from its file to the result, however many transforms lie between.

    Args:
        job: `Job`.

    Returns:
        The record, as in `registration.json`.

    Raises:
        InputError: a file cannot be used, or images do not overlap.
    """
    sitk = simpleitk()
    volumes = {name: read_volume(path) for name, path in job.files.items()}
    images = {name: volume_to_itk(volume) for name, volume in volumes.items()}
    if job.settings.n4:
        images = {name: corrected(sitk.Clamp(image, sitk.sitkFloat32, 0, 1e30), head_mask(image))
                  for name, image in images.items()}  # fmt: skip
    to_reference = {name: _to_reference(name, images, volumes, job) for name in images}
    affine = _template_affine(images[job.reference], job.settings)
    mask = _mask(job, images[job.reference], affine)
    grid = _result_grid(volumes[job.reference].grid, job.settings)
    placed = affine if job.settings.to == TEMPLATE else sitk.Transform(3, sitk.sitkIdentity)
    canvas = to_itk(np.zeros(grid.shape, np.float32), grid)
    results, transforms = {}, {}
    for name, image in images.items():
        transforms[name] = sitk.CompositeTransform([to_reference[name], placed])
        results[name] = _interpolated(image, canvas, transforms[name], job.settings)
    laid = None if mask is None else sitk.Resample(mask, canvas, placed, sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    if job.settings.strip:
        results = {name: sitk.Mask(image, laid) for name, image in results.items()}
    record = _record(job, images, results, transforms, laid)
    _write(job, results, laid, transforms, grid, record)
    return record


def result_path(folder, subject_id, name):
    """Where a contrast (or `mask`) of a subject is after registration."""
    return Path(folder) / subject_id / f"{subject_id}_{name}.nii.gz"


def _to_reference(name, images, volumes, job):
    """Transform from points of the reference to points of a contrast."""
    if name == job.reference:
        return simpleitk().Transform(3, simpleitk().sitkIdentity)
    if name in job.given:
        return read_transform(job.given[name], fixed=volumes[job.reference], moving=volumes[name])
    try:
        return align(
            images[job.reference], images[name], kind=job.settings.between_contrasts, seed=job.settings.seed
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"subject {job.id!r}: {name} onto {job.reference}: {error}") from error


def _template_affine(image, settings):
    if settings.to != TEMPLATE and settings.brain_mask != "atlas":
        return None
    return to_template(image, seed=settings.seed)


def _mask(job, reference, affine):
    if job.mask is not None:
        given = volume_to_itk(read_volume(job.mask))
        given = simpleitk().Cast(given > 0.5, simpleitk().sitkUInt8)
        identity = simpleitk().Transform(3, simpleitk().sitkIdentity)
        return simpleitk().Resample(given, reference, identity, simpleitk().sitkNearestNeighbor, 0)
    return atlas_mask(reference, affine) if job.settings.brain_mask == "atlas" else None


def _result_grid(reference, settings):
    if settings.to == TEMPLATE:
        return template_grid(settings.voxel_mm)
    return reference if settings.voxel_mm is None else scaled_grid(reference, settings.voxel_mm)


def _interpolated(image, canvas, transform, settings):
    sitk = simpleitk()
    how = sitk.sitkBSpline if settings.interpolation == "bspline" else sitk.sitkLinear
    return sitk.Resample(image, canvas, transform, how, 0.0, sitk.sitkFloat32)


def _record(job, images, results, transforms, mask):
    """What was done, and normalised mutual information with the reference before and after."""
    sitk = simpleitk()
    region = mask if mask is not None else head_mask(results[job.reference])
    before = {
        name: sitk.Resample(image, results[name], sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear, 0.0)
        for name, image in images.items()
    }
    against = template()[0] if job.settings.to == TEMPLATE else results[job.reference]
    against = sitk.Resample(against, region, sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear, 0.0)
    moved = [name for name in images if job.settings.to == TEMPLATE or name != job.reference]
    return {
        "subject": job.id,
        "reference": job.reference,
        "settings": job.settings.model_dump(mode="json"),
        "given": sorted(job.given),
        "files": {name: path.name for name, path in job.files.items()},
        "nmi_against": TEMPLATE if job.settings.to == TEMPLATE else job.reference,
        "nmi_before": {name: _nmi(against, before[name], region) for name in moved},
        "nmi_after": {name: _nmi(against, results[name], region) for name in moved},
        "mask_fraction": None if mask is None else round(float(sitk.GetArrayViewFromImage(mask).mean()), _DIGITS),
        "versions": {"ganlib": __version__, "SimpleITK": sitk.Version().VersionString()},
        "fingerprint": job.fingerprint,
    }


def _nmi(fixed, moving, region):
    """Normalised mutual information inside a region, 64 bins (Studholme et al. 1999, as in scikit-image): 1 to 2."""
    from skimage.metrics import normalized_mutual_information

    sitk = simpleitk()
    inside = sitk.GetArrayViewFromImage(region) > 0
    first, second = (sitk.GetArrayViewFromImage(image)[inside] for image in (fixed, moving))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return round(float(normalized_mutual_information(first, second, bins=64)), _DIGITS)


def _write(job, results, mask, transforms, grid, record):
    sitk = simpleitk()
    outcome = {**results} if mask is None else {**results, "mask": mask}
    for name, image in outcome.items():
        _save(result_path(job.folder, job.id, name), from_itk(image)[0], grid)
    for name, transform in transforms.items():
        if name != job.reference or job.settings.to == TEMPLATE:
            transform.FlattenTransform()
            to = TEMPLATE if job.settings.to == TEMPLATE else job.reference
            with atomic.replacing(job.folder / job.id / f"{job.id}_{name}_to_{to}.tfm") as partial:
                sitk.WriteTransform(transform, str(partial))
    atomic.write_text(job.folder / job.id / "registration.json", json.dumps(record, indent=1) + "\n")


def _save(path, data, grid):
    image = nib.Nifti1Image(data, grid.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(grid.affine, 2)
    image.set_qform(grid.affine, 2)
    with atomic.replacing(path) as partial:
        plain = partial.with_name(f"{partial.stem}.nii.gz")
        nib.save(image, plain)
        plain.replace(partial)
