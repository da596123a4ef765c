"""The quality page: every subject of a cohort with its figures, to be accepted or rejected by a person.

Slices travel as in `viewer`; decisions go to the journal beside the cohort (`ganlib.cohort.decisions`) before the page
is told that they were stored.
"""

import math
import os
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ganlib.cohort import Cohort
from ganlib.cohort.decisions import Decision, decide, earlier_decisions, read_decisions
from ganlib.display.panels import refusal
from ganlib.display.viewer import CLIENT, SliceReader, encode
from ganlib.errors import InputError
from ganlib.evaluation.quality import quality_of
from ganlib.evaluation.quality_flags import FIGURES, far_subjects

#: Where the cohort is looked for if neither an argument nor `GANLIB_COHORT` says so.
DEFAULT_COHORT = Path("results/demo/cohort.h5")
_SCRIPTS = (
    "elements.js", "drawing.js", "slices.js", "quality_list.js", "quality_decision.js", "quality_keyboard.js",
    "quality_pointer.js", "quality_pictures.js", "quality_figures.js", "quality.js",
)  # fmt: skip
_BINS = 64
#: Histograms reach from the lower end of the training range to this multiple of its width.
_REACH = 1.25
_BAND = (5, 50, 95)
_MOST_FOR_BAND = 200


def quality(cohort_path=None):
    """The quality page of a cohort.

    Args:
        cohort_path: the cohort file; default the environment variable `GANLIB_COHORT`, then `results/demo/cohort.h5` in
            the current folder or one above it.

    Returns:
        The viewer (a widget), or a widget with one line of text if there is no such cohort.
    """
    try:
        cohort = Cohort(_cohort_path(cohort_path))
        return QualityViewer(cohort, quality_of(cohort, progress=False))
    except InputError as error:
        return refusal(error)


class QualityViewer(anywidget.AnyWidget):
    """Canvas viewer of a cohort's subjects, with decisions.

    Args:
        cohort: open `Cohort`.
        table: its figures, as `ganlib.evaluation.quality.measure_quality` gives them.
    """

    _esm = "\n".join((CLIENT / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    _css = "\n".join((CLIENT / name).read_text(encoding="utf-8") for name in ("viewer.css", "quality.css"))
    description = traitlets.Dict().tag(sync=True)

    def __init__(self, cohort, table):
        self._cohort, self._reader = cohort, SliceReader(cohort, [])
        super().__init__(description=describe(cohort, table, self._reader))
        self.on_msg(self._answer)

    def _answer(self, _, request, __):
        # An exception in a callback would be silent in Voila, hence every failure is sent to the page as a sentence.
        try:
            content, buffers = self._respond(request)
        except InputError as error:
            content, buffers = {"kind": "failure", "text": str(error)}, []
        except Exception as error:
            content, buffers = {"kind": "failure", "text": f"unexpected {type(error).__name__}: {error}"}, []
        self.send({**content, "key": request.get("key")}, buffers)

    def _respond(self, request):
        kind, subject_id = request.get("kind"), request.get("subject")
        if kind == "ping":
            return {"kind": "pong"}, []
        if kind == "decide":
            made = decide(self._cohort, subject_id, request["verdict"], request.get("note", ""))
            return {"kind": "decided", "subject": subject_id, "decision": _shown(made)}, []
        if kind == "histogram":
            found = {name: shares.tolist() for name, shares in _histograms(self._cohort, subject_id).items()}
            return {"kind": "histogram", "subject": subject_id, "histograms": found}, []
        return self._slice(subject_id, request["slice"])

    def _slice(self, subject_id, index):
        images, mask = self._reader.stored(subject_id)
        if not 0 <= index < len(mask):
            raise InputError(f"{self._cohort.path}: subject {subject_id!r} has {len(mask)} slices, no slice {index}")
        encoded = [encode(image[index]) for image in images]
        encoded += encoded[:1] if len(encoded) == 1 else []
        buffers = [entry[2] for entry in encoded]
        return {"kind": "slice", "scales": [entry[:2] for entry in encoded]}, [*buffers, mask[index].tobytes()]


def describe(cohort, table, reader):
    """Everything the page has to know before the first slice, ready for JSON.

    Args:
        cohort: open `Cohort`.
        table: its figures.
        reader: `SliceReader` of the cohort.
    """
    ids = cohort.ids(rejected=True)
    some = ids[:: max(1, -(-len(ids) // _MOST_FOR_BAND))]
    held = read_decisions(cohort.path, cohort.fingerprint)
    far = {name: set(numbers) for name, numbers in far_subjects(table, cohort.header.voxel_mm).items()}
    return {
        "cohort": cohort.header.name,
        "phantom": cohort.header.phantom,
        "plane": cohort.header.plane,
        "voxel_mm": list(cohort.header.voxel_mm[:2]),
        "shape": list(cohort.shape),
        "contrasts": list(cohort.contrasts),
        "ranges": {name: [ends.low, ends.high] for name, ends in cohort.ranges.items()},
        "field": reader.field(some[:24]),
        "figures": [{"key": name, **figure._asdict()} for name, figure in FIGURES.items() if table[name].notna().any()],
        "histograms": _cohort_histograms(cohort, some),
        "subjects": [_entry(cohort, row, number, held, far) for number, row in enumerate(table.to_dict("records"))],
        "notes": _notes(cohort),
    }


def _entry(cohort, row, number, held, far):
    subject = cohort.subject(row["subject"])
    undecided = Decision(subject=subject.id, verdict="undecided", cohort=cohort.fingerprint)
    return {
        "id": subject.id,
        "split": subject.split,
        "slice_mm": subject.slice_mm,
        "middle": _fullest(cohort, subject),
        "figures": {name: _json_number(row[name]) for name in FIGURES},
        "far": [name for name in FIGURES if number in far[name]],
        "flags": list(row["flags"]),
        "decision": _shown(held.get(subject.id, undecided)),
    }


def _fullest(cohort, subject):
    """Number of the slice with the largest mask; the middle one of several such."""
    sizes = cohort.mask(subject.id).sum(axis=(1, 2))
    largest = np.flatnonzero(sizes == sizes.max())
    return int(largest[len(largest) // 2])


def _shown(decision):
    return {"verdict": decision.verdict, "note": decision.note, "made": decision.made}


def _notes(cohort):
    earlier = earlier_decisions(cohort.path, cohort.fingerprint)
    if not earlier:
        return []
    names = f"{', '.join(earlier[:5])}{f' and {len(earlier) - 5} more' if len(earlier) > 5 else ''}"
    return [f"Rejected before this cohort was made anew, and to be looked at again: {names}"]


def _histograms(cohort, subject_id):
    """Percent of the voxels inside the mask by bin of intensity, for each contrast."""
    mask, found = cohort.mask(subject_id), {}
    for name in cohort.contrasts:
        inside = cohort.images(subject_id, name)[mask]
        inside = inside[np.isfinite(inside)]
        counts = np.histogram(np.clip(inside, *_ends(cohort, name)), _BINS, _ends(cohort, name))[0]
        found[name] = np.round(100 * counts / max(inside.size, 1), 4)
    return found


def _cohort_histograms(cohort, subject_ids):
    each = [_histograms(cohort, subject_id) for subject_id in subject_ids]
    found = {}
    for name in cohort.contrasts:
        low, middle, high = np.percentile([histograms[name] for histograms in each], _BAND, axis=0).round(4).tolist()
        band = {"low": low, "middle": middle, "high": high}
        found[name] = {"cohort": band, "ends": list(_ends(cohort, name))}
    return found


def _ends(cohort, contrast):
    intensity_range = cohort.ranges[contrast]
    return intensity_range.low, intensity_range.low + _REACH * intensity_range.width


def _cohort_path(chosen):
    chosen = chosen or os.environ.get("GANLIB_COHORT")
    if chosen:
        return Path(chosen).expanduser()
    # Voila starts the kernel in the notebook's folder, which lies below the repository's root.
    here = Path.cwd()
    candidates = [parent / DEFAULT_COHORT for parent in (here, *here.parents)]
    return next((path for path in candidates if path.is_file()), here / DEFAULT_COHORT)


def _json_number(value):
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None
