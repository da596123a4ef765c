"""A whole phantom cohort."""

from pathlib import Path

import nibabel
import nilearn
import numpy as np
import scipy
from tqdm.auto import tqdm

from ganlib import __version__
from ganlib.cohort.phantom.anatomy import SLAB_MARGIN_MM, icbm152
from ganlib.cohort.phantom.label_maps import label_map_anatomy, label_map_files
from ganlib.cohort.phantom.lesions import LESION_LABEL
from ganlib.cohort.phantom.settings import PhantomSettings
from ganlib.cohort.phantom.subject import UNITS, Streams, scan_subject, subject_grid
from ganlib.cohort.phantom.tissues import LABEL_NAMES
from ganlib.cohort.store import SPLITS, Cohort, CohortHeader, CohortWriter, Subject

#: Of all heads, the share that is kept for each split, so that no head is in two of them.
_HEADS_KEPT = {"test": 0.2, "validation": 0.1}


def make_phantom(path, settings=None, *, progress=True):
    """Make the phantom cohort.

    The random numbers of a subject depend on the seed, its split and its number in it, and on nothing else: more
    subjects in any split leave the others as they were. The same settings make the same bytes.

    With a folder of label maps each subject is a variation of one head, which is its family. Three heads or more are
    dealt to the splits, so that none is in two of them; fewer are in every split, and the provenance says so.

    Args:
        path: the HDF5 file to make or replace.
        settings: `PhantomSettings`, or None for the standard ones.
        progress: show a progress bar.

    Returns:
        `Cohort`, opened.

    Raises:
        InputError: the folder of label maps is unusable, or the file cannot be written.

    Example:
        >>> cohort = make_phantom("phantom.h5")         # doctest: +SKIP
        >>> cohort.images("train-000", "T2w").shape     # doctest: +SKIP
        (1, 112, 96)
    """
    settings = settings or PhantomSettings()
    heads = heads_of_splits(settings)
    counts = {"train": settings.num_train, "validation": settings.num_validation, "test": settings.num_test}
    members = [(split, number) for split in SPLITS for number in range(counts[split])]
    with CohortWriter(path, _header(settings, heads)) as writer:
        for split, number in tqdm(members, desc="Phantom", unit="subject", disable=not progress):
            subject, scan = phantom_subject(split, number, heads[split], settings)
            writer.add(subject, scan.images, scan.mask, scan.labels)
    return Cohort(path)


def phantom_subject(split, number, heads, settings):
    """One subject of the cohort.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        number: its number in the split, from 0.
        heads: label maps it may be a variation of; none: the ICBM152 head.
        settings: `PhantomSettings`.

    Returns:
        `Subject` and `Scan`.
    """
    streams = Streams.of(settings.seed, SPLITS.index(split), number)
    grid = subject_grid(streams, settings)
    head = heads[streams.position.integers(len(heads))] if heads else None
    scan = scan_subject(_anatomy(head, settings), grid, streams, settings)
    subject = Subject(
        id=f"{split}-{number:03d}",
        split=split,
        family=head.name.split(".")[0] if head else None,
        affine=grid.affine.tolist(),
        volume_shape=grid.shape[::-1],
        slice_indices=list(range(grid.num_slices)),
        slice_mm=grid.z_mm.tolist(),
    )
    return subject, scan


def heads_of_splits(settings):
    """Label maps that each split draws from: none for ICBM152; apart where there are three or more.

    Returns:
        Dictionary from split to list of `pathlib.Path`.
    """
    if settings.anatomy == "icbm152":
        return {split: [] for split in SPLITS}
    files = label_map_files(settings.anatomy)
    if len(files) < len(SPLITS):
        return dict.fromkeys(SPLITS, files)
    shuffled = [files[number] for number in np.random.default_rng(settings.seed).permutation(len(files))]
    heads = {}
    for split, share in _HEADS_KEPT.items():
        kept = max(1, round(share * len(files)))
        heads[split], shuffled = sorted(shuffled[:kept]), shuffled[kept:]
    return {**heads, "train": sorted(shuffled)}


def _anatomy(head, settings):
    reach_mm = (settings.num_slices - 1) / 2 * settings.slice_spacing_mm + settings.slice_jitter_mm + SLAB_MARGIN_MM
    slab = (settings.slice_mm - reach_mm, settings.slice_mm + reach_mm)
    return label_map_anatomy(head, *slab) if head else icbm152(*slab)


def _header(settings, heads):
    versions = {"ganlib": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    versions |= {"nilearn": nilearn.__version__, "nibabel": nibabel.__version__}
    shared = bool(heads["train"]) and heads["train"] == heads["test"]
    return CohortHeader(
        name="phantom",
        contrasts=list(UNITS),
        voxel_mm=(settings.voxel_mm, settings.voxel_mm, settings.slice_spacing_mm),
        phantom=True,
        label_names=LABEL_NAMES | ({LESION_LABEL: "lesion"} if settings.lesion_prevalence else {}),
        split_seed=settings.seed,
        provenance={
            "made_by": "ganlib.cohort.phantom",
            "settings": settings.model_dump(mode="json"),
            "heads": {split: [Path(file).name for file in files] for split, files in heads.items()},
            "heads_in_several_splits": shared,
            "versions": versions,
        },
    )
