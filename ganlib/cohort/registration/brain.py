"""Match a head to the template: the way to MNI152, and a brain mask where none is given."""

from ganlib.cohort.registration.align import align, head_mask
from ganlib.cohort.registration.images import simpleitk
from ganlib.cohort.registration.template import template

#: The template's brain is widened by this many mm, so that its border counts in the match, and little of the scalp.
_RIM_MM = 8


def to_template(image, *, seed=0):
    """Affine from points of the MNI152 template to points of an image, LPS mm.

    Args:
        image: ITK image of a head or a brain, of any contrast.
        seed: of the voxels that are compared.

    Returns:
        ITK `AffineTransform`.

    Raises:
        InputError: they do not overlap enough.
    """
    brain, mask = template()
    rim = simpleitk().BinaryDilate(mask, [_RIM_MM] * 3)
    return align(brain, image, kind="affine", fixed_mask=rim, seed=seed)


def atlas_mask(image, affine):
    """Brain mask of an image: the template's, laid over it by an affine, where the image shows a head.

    What it can: tell brain from scalp, eyes and neck, well enough to leave them out of scores, intensity ranges and
    registration. What it cannot: follow the cortex. No affine fits an individual's brain, so that the border is some
    millimetres off, dura and skull marrow are kept here and gyri cut there; a large lesion or atrophy moves it further.
    It is no skull stripping for measuring volumes; give masks of a dedicated tool where the border matters.

    Args:
        image: ITK image.
        affine: as from `to_template`.

    Returns:
        ITK image, uint8, on the grid of `image`.
    """
    sitk = simpleitk()
    _, mask = template()
    laid = sitk.Resample(mask, image, affine.GetInverse(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    return sitk.BinaryFillhole(sitk.And(laid, sitk.Cast(head_mask(image), sitk.sitkUInt8)))
