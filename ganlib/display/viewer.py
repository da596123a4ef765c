"""The viewer of a comparison: real and synthetic slices side by side, drawn on canvases in the browser.

The kernel only reads slices and sends them; windowing, zoom, error maps, blinking and the score strips are
`client/`, so that nothing but a slice that was not fetched before needs a round trip. A slice travels as unsigned
16-bit codes with its own offset and step (`encode`): half the bytes of float32, at an error of at most half a step,
that is 1/131068 of the slice's span.
"""

from collections import OrderedDict
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ganlib.errors import InputError

#: Folder of what the browser does.
CLIENT = Path(__file__).parent / "client"
# One module for the browser, which cannot import files of a widget: joined in the order of their dependence.
_SCRIPTS = ("elements.js", "drawing.js", "slices.js", "panel.js", "scores.js", "toolbar.js",
            "colour_bar.js", "pointer.js", "keyboard.js", "picture.js", "viewer.js")  # fmt: skip
_LARGEST_CODE = 65534
_NOT_FINITE = 65535


def encode(image):
    """Quantise an image to 16-bit codes; `offset + step * code` gives it back.

    Args:
        image: float array (height, width).

    Returns:
        offset (float), step (float), codes as little-endian uint16 bytes. Code 65535 stands for a value that is not
        finite: the viewer paints it in a colour of its own, so that a diverged model is not taken for a black image.
    """
    image = np.asarray(image, np.float64)
    finite = np.isfinite(image)
    offset, top = (image[finite].min(), image[finite].max()) if finite.any() else (0.0, 0.0)
    step = (top - offset) / _LARGEST_CODE or 1.0
    codes = np.full(image.shape, _NOT_FINITE, "<u2")
    codes[finite] = np.rint((image[finite] - offset) / step)
    return float(offset), float(step), codes.tobytes()


class SliceReader:
    """Reads what the viewer shows at one position: source, target, mask and the synthetic image of every run.

    Whole subjects are kept in memory, the least recently used leave first: a subject is one compressed chunk, so that
    walking through its slices would otherwise decompress it at every step.

    Args:
        cohort: open `Cohort`.
        runs: list of `Run`, in the order of the viewer's columns.
        capacity_bytes: most bytes of decompressed subjects to keep.
    """

    def __init__(self, cohort, runs, capacity_bytes=2**28):
        self.cohort = cohort
        self.runs = list(runs)
        self.capacity_bytes = capacity_bytes
        self._volumes = OrderedDict()
        self._translated = {}

    def read(self, direction, subject_id, index):
        """One slice of everything.

        Args:
            direction: `Direction`.
            subject_id: id of the subject.
            index: number of the slice, from 0.

        Returns:
            scales: list of (offset, step) for source, target and each run; None where a run has no such translation.
            buffers: the codes of those that are there, then the mask as uint8 bytes.

        Raises:
            InputError: the subject has no such slice, or a file cannot be read.
        """
        images = [self._real(subject_id, direction.source), self._real(subject_id, direction.target)]
        images += [self._synthetic(run, subject_id, direction) for run in self.runs]
        mask = self._volume(("mask", subject_id), lambda: self.cohort.mask(subject_id).view(np.uint8))
        if not 0 <= index < len(mask):
            raise InputError(f"{self.cohort.path}: subject {subject_id!r} has {len(mask)} slices, no slice {index}")
        encoded = [None if image is None else encode(image[index]) for image in images]
        buffers = [entry[2] for entry in encoded if entry is not None]
        return [entry and entry[:2] for entry in encoded], [*buffers, mask[index].tobytes()]

    def stored(self, subject_id):
        """Images of every contrast, float arrays (slices, height, width), and the mask, uint8, of a subject."""
        images = [self._real(subject_id, contrast) for contrast in self.cohort.contrasts]
        return images, self._volume(("mask", subject_id), lambda: self.cohort.mask(subject_id).view(np.uint8))

    def field(self, subject_ids):
        """Smallest rectangle that holds these subjects' masks, with a margin: what the panels show at first.

        Brains fill half of a usual slice, so that showing all of it would waste half of the screen.

        Returns:
            First row, row after the last, first column, column after the last.
        """
        union = np.zeros(self.cohort.shape, bool)
        for subject_id in subject_ids:
            union |= self.cohort.mask(subject_id).any(axis=0)
        if not union.any():
            return [0, union.shape[0], 0, union.shape[1]]
        return [*_span(union.any(axis=1)), *_span(union.any(axis=0))]

    def translated(self, run, direction):
        """Ids of the subjects that a run translated, as a set."""
        key = (run.folder, direction.name)
        if key not in self._translated:
            self._translated[key] = set(run.synthetic_ids(direction))
        return self._translated[key]

    def _real(self, subject_id, contrast):
        return self._volume(("real", subject_id, contrast), lambda: self.cohort.images(subject_id, contrast))

    def _synthetic(self, run, subject_id, direction):
        if subject_id not in self.translated(run, direction):
            return None
        key = (run.folder, subject_id, direction.name)
        return self._volume(key, lambda: self._checked(run, subject_id, direction))

    def _checked(self, run, subject_id, direction):
        volume = run.synthetic(subject_id, direction)
        expected = self._real(subject_id, direction.target).shape
        if volume.shape != expected:
            raise InputError(
                f"{run.folder / 'synthetic.h5'}: {direction.name}/{subject_id} is {volume.shape}, the cohort's slices "
                f"are {expected}; translate anew with 03_evaluate.ipynb"
            )
        return volume

    def _volume(self, key, read):
        if key not in self._volumes:
            self._volumes[key] = read()
            while sum(volume.nbytes for volume in self._volumes.values()) > self.capacity_bytes:
                if len(self._volumes) == 1:
                    break
                self._volumes.popitem(last=False)
        self._volumes.move_to_end(key)
        return self._volumes[key]


def _span(occupied, margin=0.04):
    """First and last + 1 index that is occupied, with a margin on either side, inside the picture."""
    inside = np.flatnonzero(occupied)
    first, last = int(inside[0]), int(inside[-1]) + 1
    room = round(margin * (last - first)) + 2
    return max(0, first - room), min(len(occupied), last + room)


class CompareViewer(anywidget.AnyWidget):
    """Canvas viewer of a comparison; see `panels.compare` for how it is made.

    Args:
        reader: `SliceReader`.
        directions: the `Direction`s that can be shown.
        description: everything the page has to know before the first slice, ready for JSON (see `panels.describe`).
        scores: function that returns the score strips' content; called after the first picture, since reading tables
            takes longer than reading a slice.
    """

    _esm = "\n".join((CLIENT / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    _css = (CLIENT / "viewer.css").read_text(encoding="utf-8")
    description = traitlets.Dict().tag(sync=True)

    def __init__(self, reader, directions, description, scores):
        super().__init__(description=description)
        self._reader = reader
        self._scores = scores
        self._directions = {direction.name: direction for direction in directions}
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
        if request.get("kind") == "ping":
            return {"kind": "pong"}, []
        if request.get("kind") == "scores":
            return {"kind": "scores", **self._scores()}, []
        direction = self._directions[request["direction"]]
        scales, buffers = self._reader.read(direction, request["subject"], request["slice"])
        return {"kind": "slice", "scales": scales}, buffers
