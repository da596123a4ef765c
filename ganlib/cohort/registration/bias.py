"""Correct the bias field of a scan: brightness that drifts across the head with the receive coil."""

from ganlib.cohort.registration.images import simpleitk

#: The field is smooth, and found on voxels of about this size, mm.
_VOXEL_MM = 4.0
_ITERATIONS = (50, 50, 30, 20)


def corrected(image, mask):
    """The image divided by its bias field, which is found inside a mask (N4) and applied everywhere.

    Args:
        image: ITK image, float32, not negative.
        mask: ITK image, uint8, same grid.

    Returns:
        ITK image, float32.

    Reference: Tustison et al. 2010, doi:10.1109/TMI.2010.2046908, as in ITK.
    """
    sitk = simpleitk()
    factors = [max(1, min(round(_VOXEL_MM / spacing), length // 4)) if length >= 8 else 1
               for spacing, length in zip(image.GetSpacing(), image.GetSize(), strict=True)]  # fmt: skip
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(list(_ITERATIONS))
    correction.Execute(sitk.Shrink(image, factors), sitk.Shrink(mask, factors))
    return sitk.Cast(image / sitk.Exp(correction.GetLogBiasFieldAsImage(image)), sitk.sitkFloat32)
