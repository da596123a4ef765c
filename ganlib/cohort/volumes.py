"""One NIfTI volume: checked, turned to canonical orientation, with its affine."""

import contextlib
import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel import Nifti1Header, Nifti2Header, aff2axcodes
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from nibabel.volumeutils import apply_read_scaling

from ganlib.errors import InputError

#: Largest volume that is read: 0.5 GiB as float32. A 0.5 mm whole head has about 100 million voxels.
MAX_VOXELS = 2**27
#: Longest axis that is read, so that a hostile volume of one slice is not read in one piece.
MAX_LENGTH = 4096
_VOXELS_AT_A_TIME = 2**20
#: Grids whose corners lie closer than this are one grid; NIfTI stores affines in single precision.
GRID_TOLERANCE_MM = 1e-3
_MAX_DATA_OFFSET = 2**24
#: Deflate cannot compress better than this, so that a smaller file cannot hold the voxels its header promises.
_MAX_DEFLATE = 1032
_HEADERS = {348: Nifti1Header, 540: Nifti2Header}


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie.

    Args:
        shape: number of voxels along each axis, three integers.
        affine: float array (4, 4), voxel index to world RAS mm.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    def __str__(self):
        rows = "; ".join(" ".join(f"{value:.6g}" for value in row) for row in self.affine[:3])
        return f"{_times(self.shape)} with affine [{rows}]"

    @property
    def voxel_mm(self):
        """Voxel size along each axis, mm."""
        return tuple(float(size) for size in np.linalg.norm(self.affine[:3, :3], axis=0))

    def world_mm(self, indices):
        """World RAS mm (…, 3) of voxel indices (…, 3), which may be fractional."""
        return np.asarray(indices) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def matches(self, other):
        """True if both grids have one shape and their corners lie within `GRID_TOLERANCE_MM` of each other."""
        if self.shape != other.shape:
            return False
        corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(self.shape) - 1)
        return bool(np.abs(self.world_mm(corners) - other.world_mm(corners)).max() <= GRID_TOLERANCE_MM)


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """What a NIfTI file says of its volume.

    Args:
        path: the file.
        orientation: axis codes of the canonical orientation, index to direction, such as `LPS`.
        grid: canonical grid.
        file_orientation: axis codes of the grid in the file.
        file_affine: affine (4, 4) of the grid in the file, RAS mm.
        file_dtype: name of the stored type, such as `int16`.
    """

    path: Path
    orientation: str
    grid: Grid
    file_orientation: str
    file_affine: np.ndarray
    file_dtype: str


@dataclass(frozen=True, eq=False)
class Volume(VolumeHeader):
    """A `VolumeHeader` and the voxels: `data`, float32 (x, y, z) in canonical orientation."""

    data: np.ndarray


def read_header(path, orientation="LPS"):
    """Check a NIfTI file as far as its header goes, without reading a voxel.

    Args:
        path: `.nii` or `.nii.gz` file, NIfTI-1 or NIfTI-2.
        orientation: axis codes of the canonical orientation, index to direction.

    Returns:
        `VolumeHeader`.

    Raises:
        InputError: the file is missing, is not a NIfTI file, is too short or too large for what its header promises, is
            not one 3-D volume of real numbers, or its affine is missing or singular.
    """
    path = Path(path)
    with _explained(path), _opened(path) as file:
        return _volume_header(path, _checked_header(path, file), orientation)


def file_header(path):
    """Header of a NIfTI file as nibabel reads it, checked as in `read_header`: `Nifti1Header` or `Nifti2Header`."""
    path = Path(path)
    with _explained(path), _opened(path) as file:
        return _checked_header(path, file)


def read_volume(path, orientation="LPS"):
    """Read a NIfTI volume as float32 in canonical orientation.

    Voxels are only re-ordered, never interpolated: an oblique volume is turned to the nearest axes, and its affine
    says how it lies. The whole file is decompressed, so that gzip verifies its checksum.

    Args:
        path: `.nii` or `.nii.gz` file, NIfTI-1 or NIfTI-2.
        orientation: axis codes of the canonical orientation, index to direction.

    Returns:
        `Volume`.

    Raises:
        InputError: as `read_header`, and if the file is damaged or a voxel is NaN or infinite.
    """
    path = Path(path)
    with _explained(path), _opened(path) as file:
        header = _checked_header(path, file)
        file.seek(0)
        described = _volume_header(path, header, orientation)
        data = np.empty(described.grid.shape, np.float32, order="F")  # as files are, which is twice as fast
        back = ornt_transform(axcodes2ornt(tuple(orientation)), io_orientation(header.get_best_affine()))
        _read_voxels(path, file, header, apply_orientation(data, back))
        return Volume(**vars(described), data=data)


def resampled(volume, grid, *, order):
    """Interpolate a volume onto another grid of the same world space; it is 0 outside its own field of view.

    No smoothing precedes the interpolation: thin slices taken onto a coarse grid are sampled, not averaged.

    Args:
        volume: `Volume`.
        grid: canonical `Grid` to interpolate onto.
        order: order of the spline; 1 for images, 0 (nearest voxel) for masks and labels.

    Returns:
        float32 array of `grid.shape`.
    """
    from nibabel.processing import resample_from_to
    from nibabel.spatialimages import SpatialImage

    image = SpatialImage(volume.data, volume.grid.affine)
    return np.asarray(resample_from_to(image, (grid.shape, grid.affine), order=order, cval=0).dataobj, np.float32)


def _opened(path):
    if not path.is_file():
        what = (
            "is a link to a missing file" if path.is_symlink() else "is a folder" if path.is_dir() else "no such file"
        )
        raise InputError(f"{path}: {what}; give an existing .nii or .nii.gz file")
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


@contextlib.contextmanager
def _explained(path):
    try:
        yield
    except (InputError, MemoryError):
        raise
    except gzip.BadGzipFile as error:
        if "CRC" in str(error) or "length" in str(error):
            raise _damaged(path, "its gzip checksum is wrong") from error
        raise InputError(f"{path}: named .gz, but not compressed with gzip; check what the file is") from error
    except (EOFError, zlib.error) as error:
        raise _damaged(path, "its compressed data break off or are wrong") from error
    except Exception as error:  # nibabel meets a corrupt header with many kinds of exception
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path}: its NIfTI header cannot be used ({reason}); convert or copy the file anew"
        ) from error


def _damaged(path, how):
    return InputError(f"{path}: truncated or damaged ({how}); copy or download the file again")


def _checked_header(path, file):
    header = _nifti_header(path, file.read(max(_HEADERS)))
    _check_shape(path, header)
    _check_type(path, header)
    _check_bytes(path, header)
    _check_affine(path, header)
    return header


def _nifti_header(path, start):
    sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")} & set(_HEADERS)
    size = sizes.pop() if sizes else None
    if size is None or len(start) < size:
        raise InputError(f"{path}: not a NIfTI file; give a .nii or .nii.gz file (convert DICOM with dcm2niix)")
    header = _HEADERS[size](start[:size])
    if not header["magic"].item().startswith(b"n+"):
        raise InputError(f"{path}: a NIfTI header without its image; convert the .hdr/.img pair to one .nii file")
    return header


def _shape(header):
    shape = [int(length) for length in header.get_data_shape()]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _check_shape(path, header):
    shape = _shape(header)
    if len(shape) > 3:
        raise InputError(f"{path}: {len(shape)}-D ({_times(shape)}); split it, and give one 3-D volume per contrast")
    if len(shape) < 3 or min(shape) < 1:
        raise InputError(f"{path}: not a 3-D volume ({_times(shape) or 'no axes'}); give a volume of several slices")
    if math.prod(shape) > MAX_VOXELS or max(shape) > MAX_LENGTH:
        raise InputError(
            f"{path}: {_times(shape)} voxels, more than the {MAX_VOXELS} (and {MAX_LENGTH} along an axis) that are "
            "read; crop or resample it"
        )


def _check_type(path, header):
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise InputError(f"{path}: voxels are {dtype}, not real numbers; convert it to a magnitude image")


def _check_bytes(path, header):
    """Refuse a file that cannot hold its voxels, before memory is set aside for them."""
    if header.get_data_offset() > _MAX_DATA_OFFSET:
        raise InputError(
            f"{path}: its voxels start at byte {header.get_data_offset()}, which is absurd; convert it anew"
        )
    room = path.stat().st_size * (_MAX_DEFLATE if path.suffix == ".gz" else 1)
    if _bytes_needed(header) > room:
        raise _damaged(path, f"too small for {_times(_shape(header))} voxels of {header.get_data_dtype()}")


def _bytes_needed(header):
    return int(header.get_data_offset()) + math.prod(_shape(header)) * header.get_data_dtype().itemsize


def _check_affine(path, header):
    if header["sform_code"] <= 0 and header["qform_code"] <= 0:
        raise InputError(
            f"{path}: sform and qform are both unset, so that left and right are unknown; set the affine in the file"
        )
    affine = header.get_best_affine()
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    # Relative to the voxel's edges, so that the test does not depend on the voxel size.
    if not np.isfinite(affine).all() or not lengths.all() or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
        raise InputError(
            f"{path}: its affine is singular or not finite, {Grid((), affine)}; set the affine in the file"
        )
    unit = header.get_xyzt_units()[0]
    if unit not in ("unknown", "mm"):
        raise InputError(f"{path}: its affine is in {unit}; convert the file to mm")


def _read_voxels(path, file, header, data):
    """Fill `data`, a view in the file's own orientation, slab by slab, so that nothing else of its size is needed."""
    needed, done = _bytes_needed(header), int(header.get_data_offset())
    dtype, scaling = header.get_data_dtype(), header.get_slope_inter()
    slice_shape, bad = data.shape[:2], 0
    _read_exactly(path, file, done, 0, needed)
    slice_bytes = math.prod(slice_shape) * dtype.itemsize
    step = max(1, _VOXELS_AT_A_TIME // math.prod(slice_shape))
    for start in range(0, data.shape[2], step):
        number = min(step, data.shape[2] - start)
        raw = _read_exactly(path, file, number * slice_bytes, done, needed)
        done += len(raw)
        stored = np.frombuffer(raw, dtype).reshape((*slice_shape, number), order="F")
        with np.errstate(over="ignore", invalid="ignore"):
            slab = np.asarray(apply_read_scaling(stored, *scaling)).astype(np.float32)
        bad += slab.size - np.count_nonzero(np.isfinite(slab))
        data[:, :, start : start + number] = slab
    # One byte more: gzip verifies its checksum when the end is reached. Nothing beyond is decompressed.
    file.read(1)
    if bad:
        raise InputError(
            f"{path}: {bad} of {data.size} voxels are NaN or infinite; replace them (by 0 if outside the head)"
        )


def _read_exactly(path, file, number, done, needed):
    raw = file.read(number)
    if len(raw) < number:
        raise _damaged(path, f"{done + len(raw)} bytes where its header promises {needed}")
    return raw


def _turn(affine, orientation):
    return ornt_transform(io_orientation(affine), axcodes2ornt(tuple(orientation)))


def _volume_header(path, header, orientation):
    affine, shape = header.get_best_affine(), _shape(header)
    turn = _turn(affine, orientation)
    canonical = tuple(shape[axis] for axis in np.argsort(turn[:, 0]))
    return VolumeHeader(
        path=path,
        orientation=orientation,
        grid=Grid(canonical, affine @ inv_ornt_aff(turn, shape)),
        file_orientation="".join(aff2axcodes(affine)),
        file_affine=affine,
        file_dtype=header.get_data_dtype().newbyteorder("=").name,
    )


def _times(shape):
    return "×".join(str(length) for length in shape)
