"""Where a synthetic volume comes from: the JSON file beside it."""

import hashlib
import json
from datetime import UTC, datetime

from ganlib import __version__, atomic

WARNING = "Synthetic image, made by a neural network. Not for diagnosis."
_BLOCK = 1 << 20


def identity(run, preparation, direction, weights, source, settings):
    """What a translation depends on: equal for two that must be the same.

    Args:
        run: `Run`.
        preparation: its `Preparation`.
        direction: `Direction`.
        weights: key of `ganlib.runs.folder.WEIGHTS`.
        source: the source file.
        settings: dictionary of what else was set, such as the number of samples.

    Returns:
        Dictionary, ready for JSON. Files stand in it by name and checksum, without their folder, which may be private.
    """
    return {
        "run": run.name,
        "method": run.label,
        "direction": direction.name,
        "source_contrast": direction.source,
        "target_contrast": direction.target,
        "cohort": preparation.cohort,
        "cohort_fingerprint": run.config.cohort_fingerprint,
        "split_hash": preparation.split_hash,
        "weights": weights,
        "weights_sha256": sha256(run.weights(weights)),
        "source": source.name,
        "source_sha256": sha256(source),
        "settings": settings,
        "versions": {"ganlib": __version__, "keras": run.config.versions.get("keras")},
    }


def write(path, known, facts, phantom):
    """Write the file beside a synthetic volume.

    Args:
        path: the JSON file.
        known: as from `identity`.
        facts: what was found while translating, such as how much was cut off.
        phantom: whether the run learned from a phantom.
    """
    words = {"warning": WARNING, "synthetic": True, "for_diagnosis": False, "trained_on_phantom": phantom}
    made = {"made": datetime.now(UTC).isoformat(timespec="seconds")}
    atomic.write_text(path, json.dumps({**words, **known, **facts, **made}, indent=1) + "\n")


def is_done(path, known):
    """True if the file says that the same translation was finished before."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and all(found.get(name) == value for name, value in known.items())


def sha256(path):
    """Checksum of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
