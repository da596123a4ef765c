"""Find the rigid or affine transform that lays one volume on another, whatever their contrasts."""

import contextlib

import numpy as np

from ganlib.cohort.registration.images import simpleitk
from ganlib.errors import InputError

#: Voxel size at which images are compared, coarse to fine, mm, and how much they are smoothed before, mm.
_LEVELS_MM = (8.0, 4.0, 2.0)
_SMOOTHING = 0.5
_BINS = 48
#: Share of the reference's voxels from which mutual information is estimated, by level.
_SAMPLED = (1.0, 0.5, 0.2)
_ITERATIONS = (120, 80, 60)
#: Background around the head that is compared along with it, mm.
_RIM_MM, _RIM_VOXEL_MM = 12.0, 4.0


def align(fixed, moving, *, kind="rigid", fixed_mask=None, seed=0):
    """Register two images by mutual information, from coarse to fine.

    Three starts are tried at the coarsest level (as the files lie in the world, centres of mass, centres of the fields
    of view), and the best goes on. An affine starts from the rigid result. One seed gives one result.

    Args:
        fixed: ITK image that stays, float32.
        moving: ITK image that is moved.
        kind: `"rigid"` or `"affine"`.
        fixed_mask: ITK image, uint8 on the grid of `fixed`; None for a head mask.
        seed: of the voxels that are compared.

    Returns:
        ITK transform (`Euler3DTransform` or `AffineTransform`) from points of `fixed` to points of `moving`, LPS mm.

    Raises:
        InputError: the images do not overlap enough to be compared.

    Reference: Mattes et al. 2003, doi:10.1109/TMI.2003.809072, as in ITK.
    """
    sitk = simpleitk()
    mask = _widened(head_mask(fixed)) if fixed_mask is None else fixed_mask
    levels = [(_coarse(fixed, size), _coarse_mask(mask, size), _coarse(moving, size)) for size in _LEVELS_MM]
    best = None
    for start in _starts(levels[0]):
        found = _optimised(levels[0], start, 0, seed)
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    if best is None:
        raise InputError("the two images do not overlap enough to be registered; check that both show the head")
    transform = best[1]
    for level in range(1, len(levels)):
        transform = _refined(levels[level], transform, level, seed)
    if kind == "rigid":
        return sitk.Euler3DTransform(transform)
    transform = _as_affine(transform)
    for level in range(1, len(levels)):
        transform = _refined(levels[level], transform, level, seed)
    return sitk.AffineTransform(transform)


def head_mask(image):
    """Voxels that are not background, by Otsu's threshold on the root of the intensities, closed: ITK image, uint8."""
    sitk = simpleitk()
    root = sitk.Sqrt(sitk.Clamp(sitk.Cast(image, sitk.sitkFloat32), sitk.sitkFloat32, 0, 1e30))
    mask = sitk.OtsuThreshold(root, 0, 1)
    coarse = sitk.BinaryMorphologicalClosing(_coarse_mask(mask, 4.0), [2, 2, 2])
    coarse = sitk.BinaryFillhole(coarse)
    return sitk.Resample(coarse, mask, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def _widened(mask):
    """A mask with a rim of background, without which nothing would tell how large the head is."""
    sitk = simpleitk()
    coarse = _coarse_mask(mask, _RIM_VOXEL_MM)
    radius = [max(1, round(_RIM_MM / spacing)) for spacing in coarse.GetSpacing()]
    wide = sitk.BinaryDilate(coarse, radius)
    return sitk.Resample(wide, mask, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def displacement_mm(first, second, points):
    """How far two transforms send the same points apart.

    Args:
        first: ITK transform.
        second: ITK transform.
        points: float array (points, 3), LPS mm.

    Returns:
        float array (points,), mm.
    """
    ends = [np.array([transform.TransformPoint(tuple(point)) for point in points]) for transform in (first, second)]
    return np.linalg.norm(ends[0] - ends[1], axis=1)


@contextlib.contextmanager
def one_thread():
    """Let ITK work in one thread: with more, sums are rounded differently from run to run."""
    process = simpleitk().ProcessObject
    before = process.GetGlobalDefaultNumberOfThreads()
    process.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        process.SetGlobalDefaultNumberOfThreads(before)


def _starts(level):
    sitk = simpleitk()
    fixed, _, moving = level
    centre = fixed.TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in fixed.GetSize()])
    initialise = sitk.CenteredTransformInitializer
    filters = sitk.CenteredTransformInitializerFilter
    yield sitk.Euler3DTransform(centre)
    for how in (filters.MOMENTS, filters.GEOMETRY):
        yield sitk.Euler3DTransform(initialise(fixed, moving, sitk.Euler3DTransform(), how))


def _refined(level, transform, number, seed):
    found = _optimised(level, transform, number, seed)
    if found is None:
        raise InputError("the two images overlap too little when compared finely; check that both show the head")
    return found[1]


def _optimised(level, start, number, seed):
    """Metric and transform after optimisation; None if the images do not overlap."""
    sitk = simpleitk()
    fixed, mask, moving = level
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.NONE if _SAMPLED[number] == 1 else method.RANDOM)
    if _SAMPLED[number] < 1:
        method.SetMetricSamplingPercentage(_SAMPLED[number], seed + 1)  # 0 would be the time of day
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=_LEVELS_MM[number] / 2, minStep=1e-3, numberOfIterations=_ITERATIONS[number],
        relaxationFactor=0.6, gradientMagnitudeTolerance=1e-6,
    )  # fmt: skip
    method.SetOptimizerScalesFromPhysicalShift()
    transform = type(start)(start)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        with one_thread():
            method.Execute(fixed, moving)
    except RuntimeError as error:
        if "map" in str(error) or "overlap" in str(error).lower() or "sample" in str(error).lower():
            return None
        raise
    return method.GetMetricValue(), transform


def _as_affine(rigid):
    sitk = simpleitk()
    affine = sitk.AffineTransform(3)
    affine.SetCenter(rigid.GetCenter())
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation(rigid.GetTranslation())
    return affine


def _coarse(image, size_mm):
    """The image smoothed and sampled at about `size_mm`, finer axes made coarser only."""
    sitk = simpleitk()
    image = sitk.Cast(image, sitk.sitkFloat32)
    sigmas = [_SMOOTHING * size_mm if spacing < size_mm else 0 for spacing in image.GetSpacing()]
    smooth = image
    for axis, sigma in enumerate(sigmas):
        if sigma and image.GetSize()[axis] >= 4:
            smooth = sitk.RecursiveGaussian(smooth, sigma, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, axis)
    return _sampled(smooth, size_mm, sitk.sitkLinear)


def _coarse_mask(mask, size_mm):
    sitk = simpleitk()
    return sitk.Cast(_sampled(mask, size_mm, sitk.sitkNearestNeighbor), sitk.sitkUInt8)


def _sampled(image, size_mm, interpolator):
    sitk = simpleitk()
    spacing = [max(size_mm, old) for old in image.GetSpacing()]
    size = [
        max(1, round(length * old / new))
        for length, old, new in zip(image.GetSize(), image.GetSpacing(), spacing, strict=True)
    ]
    # The middle of the field of view stays where it is.
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in image.GetSize()]))
    directions = np.array(image.GetDirection()).reshape(3, 3)
    origin = middle - directions @ ((np.array(size) - 1) / 2 * np.array(spacing))
    return sitk.Resample(
        image, size, sitk.Transform(), interpolator, tuple(origin), spacing, image.GetDirection(), 0.0,
        image.GetPixelID(),
    )  # fmt: skip
