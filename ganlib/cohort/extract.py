"""One subject's slices, taken out of its volumes."""

import hashlib
from dataclasses import dataclass

import numpy as np

from ganlib.cohort.masks import computed_mask, given_mask, nonzero_mask
from ganlib.cohort.slices import PLANES, centred_offset, crop_or_pad
from ganlib.cohort.volumes import read_volume, resampled
from ganlib.errors import InputError


@dataclass(frozen=True)
class Extract:
    """What a cohort keeps of a subject's volumes.

    Args:
        images: float32 (slices, height, width) of each contrast, in the units of the cohort.
        mask: bool (slices, height, width).
        labels: uint8 (slices, height, width), or None.
        gains: factor by which each contrast was divided; empty if it was not.
        cut_off: fraction of the mask that `size` cuts off.
        digests: fingerprint of each contrast's slices as they are in the file, by which the same image is known again.
    """

    images: dict[str, np.ndarray]
    mask: np.ndarray
    labels: np.ndarray | None
    gains: dict[str, float]
    cut_off: float
    digests: dict[str, str]


def extract(plan, settings, size, label_codes):
    """Read a subject's volumes and keep its slices.

    One volume is in memory at a time, unless all are needed at once (a computed mask, normalisation).

    Args:
        plan: `Plan` of the subject.
        settings: `ImportSettings`.
        size: height and width that slices are cropped or padded to.
        label_codes: dictionary from label to the codes that carry it, None for every non-zero code.

    Returns:
        `Extract`.

    Raises:
        InputError: a file is damaged, an image or slice is empty, or a mask cannot be had.
    """
    plane = PLANES[settings.plane]
    offset = centred_offset(plane.whole(plan.grid), size)

    def stored(volume):
        return crop_or_pad(plane.slices(volume)[plan.indices], size, offset)

    volumes, images, digests = {}, {}, {}
    for name, header in plan.headers.items():
        image = _image(header, plan.grid)
        slices = np.ascontiguousarray(plane.slices(image)[plan.indices])
        _check_slices(slices, f"{header.path}", plan, plane)
        digests[name] = hashlib.blake2b(slices, digest_size=16).hexdigest()
        images[name] = stored(image)
        volumes[name] = image if _needs_volumes(settings) else image != 0
        del image
    mask = _mask(volumes, plan, settings)
    gains = _gains(volumes, mask, plan) if settings.normalise == "subject" else {}
    _check_slices(stored(mask), f"subject {plan.files.id!r}: its mask", plan, plane)
    return Extract(
        images={name: image / np.float32(gains.get(name, 1)) for name, image in images.items()},
        mask=stored(mask),
        labels=stored(_labels(plan, label_codes)) if label_codes else None,
        gains=gains,
        cut_off=max(0.0, float(1 - stored(mask).sum() / plane.slices(mask)[plan.indices].sum())),
        digests=digests,
    )


def memory_needed(plan, settings):
    """Estimate of the bytes that `extract` takes at its peak."""
    voxels = max(int(np.prod(header.grid.shape)) for header in plan.volumes.values())
    kept = len(plan.headers) * (4 if _needs_volumes(settings) else 1)
    resampling = 16 if settings.resample else 0
    computing = 12 if settings.mask == "computed" else 0
    return voxels * (4 + 2 + kept + resampling + computing)


def _needs_volumes(settings):
    return settings.normalise == "subject" or settings.mask == "computed"


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


def _labels(plan, label_codes):
    """Label map of a whole volume: uint8 (x, y, z), codes 1… in the order of the source's labels."""
    codes, volumes = np.zeros(plan.grid.shape, np.uint8), {}
    for code, name in enumerate(label_codes, start=1):
        if name in plan.labels:
            header = plan.labels[name]
            if header.path not in volumes:  # several labels of one file
                volumes = {header.path: _on_grid(header, plan.grid, order=0)}
            volume, wanted = volumes[header.path], label_codes[name]
            codes[volume != 0 if wanted is None else np.isin(volume, wanted)] = code
    return codes


def _check_slices(slices, what, plan, plane):
    positions = plane.positions_mm(plan.grid)
    for index, pixels in zip(plan.indices, slices, strict=True):
        if not pixels.any():
            raise InputError(
                f"{what} is empty in slice {index} ({positions[index]:+.1f} mm); choose other slices, or a larger size"
            )
