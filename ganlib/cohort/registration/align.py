"""Find the rigid or affine transform that lays one volume on another, whatever their contrasts."""

import contextlib
from typing import NamedTuple

import numpy as np

from ganlib.cohort.registration.images import simpleitk
from ganlib.errors import InputError

_SMOOTHING = 0.5
_BINS = 48
#: Background around the head that is compared along with it, mm.
_RIM_MM, _RIM_VOXEL_MM = 12.0, 4.0


class Level(NamedTuple):
    """One step from coarse to fine.

    Fields:
        voxel_mm: size at which images are compared; they are smoothed before by half of it.
        sampled: share of the reference's voxels from which mutual information is estimated.
        iterations: at most.
        rim: whether background around the head is compared along with it. It shows from afar how large the head is
            and where, but it lays skin on skin, and fat is shifted from contrast to contrast.
    """

    voxel_mm: float
    sampled: float
    iterations: int
    rim: bool


_LEVELS = (Level(8.0, 1.0, 120, True), Level(4.0, 0.5, 80, True), Level(2.0, 0.2, 60, True))
_LAST = Level(1.0, 0.15, 40, False)


def align(fixed, moving, *, kind="rigid", fixed_mask=None, seed=0):
    """Register two images by mutual information, from coarse to fine.

    Three starts are tried at the coarsest level (as the files lie in the world, centres of mass, centres of the fields
    of view), and the best goes on. A rigid transform is refined last inside the head alone. An affine starts from the
    rigid result of 2 mm. One seed gives one result.

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
    inside = head_mask(fixed) if fixed_mask is None else fixed_mask
    wide = _widened(inside) if fixed_mask is None else fixed_mask
    first, *others = [_Compared(level, fixed, wide if level.rim else inside, moving, seed) for level in _LEVELS]
    found = [optimised for start in _starts(fixed, moving) if (optimised := first.optimised(start)) is not None]
    if not found:
        raise InputError("the two images do not overlap enough to be registered; check that both show the head")
    transform = min(found, key=lambda each: each[0])[1]
    for compared in others:
        transform = compared.refined(transform)
    if kind == "rigid":
        last = _Compared(_LAST, fixed, inside, moving, seed)
        return sitk.Euler3DTransform(last.refined(transform))
    transform = _as_affine(transform)
    for compared in others:
        transform = compared.refined(transform)
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


def _starts(fixed, moving):
    sitk = simpleitk()
    centre = fixed.TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in fixed.GetSize()])
    initialise = sitk.CenteredTransformInitializer
    filters = sitk.CenteredTransformInitializerFilter
    yield sitk.Euler3DTransform(centre)
    for how in (filters.MOMENTS, filters.GEOMETRY):
        yield sitk.Euler3DTransform(initialise(fixed, moving, sitk.Euler3DTransform(), how))


class _Compared:
    """Two images at one level, and how well a transform lays them on each other."""

    def __init__(self, level, fixed, mask, moving, seed):
        self.level, self.seed = level, seed
        self.fixed, self.moving = (_coarse(image, level.voxel_mm) for image in (fixed, moving))
        self.mask = _coarse_mask(mask, level.voxel_mm)

    def refined(self, start):
        """The transform after optimisation."""
        found = self.optimised(start)
        if found is None:
            raise InputError("the two images overlap too little when compared finely; check that both show the head")
        return found[1]

    def optimised(self, start):
        """Metric and transform after optimisation; None if the images do not overlap."""
        method = self._method()
        transform = type(start)(start)
        method.SetInitialTransform(transform, inPlace=True)
        try:
            with one_thread():
                method.Execute(self.fixed, self.moving)
        except RuntimeError as error:
            if "map" in str(error) or "overlap" in str(error).lower() or "sample" in str(error).lower():
                return None
            raise
        return method.GetMetricValue(), transform

    def _method(self):
        method = simpleitk().ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(self.mask)
        # By default ITK differentiates images smoothed by the thickest slice, and walks away from the optimum.
        method.MetricUseFixedImageGradientFilterOff()
        method.MetricUseMovingImageGradientFilterOff()
        method.SetMetricSamplingStrategy(method.NONE if self.level.sampled == 1 else method.RANDOM)
        if self.level.sampled < 1:
            method.SetMetricSamplingPercentage(self.level.sampled, self.seed + 1)  # 0 would be the time of day
        method.SetInterpolator(simpleitk().sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=self.level.voxel_mm / 2, minStep=1e-3, numberOfIterations=self.level.iterations,
            relaxationFactor=0.6, gradientMagnitudeTolerance=1e-6,
        )  # fmt: skip
        method.SetOptimizerScalesFromPhysicalShift()
        return method


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
