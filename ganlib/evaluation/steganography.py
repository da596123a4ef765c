"""Hidden information: does a cycle reconstruct its source from what can be seen of the intermediate image?

A network trained on cycle consistency can write details of the source into its synthetic image at an amplitude that
nobody sees, and read them back: the cycle is then nearly perfect, whatever the synthetic image shows (Chu, Zhmoginov &
Sandler 2017, arXiv:1712.02950). Noise of a strength that nobody sees either destroys such a message and leaves an
honest image alone.

Networks come from outside as plain functions, so that nothing here needs a deep-learning framework.
"""

import numpy as np
import pandas as pd

from ganlib.evaluation.statistics import intervals_of
from ganlib.evaluation.voxels import as_slices, inside, require_finite, require_same_shape

#: Standard deviations of the noise, fractions of the intermediate contrast's range.
NOISE = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)

COLUMNS = ["subject", "noise", "cycle_mae", "direct_mae", "advantage", "survival", "intermediate_mae"]


def cycle_under_noise(source, target, *, mask, forward, backward, noise=NOISE, seed=0):
    """How well a source image is recovered from its own translation as noise is added to that translation.

    The same noise is added to the real image of the other contrast, whose translation back can know nothing of the
    source but what is to be seen: the yardstick, and it holds what the noise itself spoils.

    Args:
        source: real image, float array (height, width) or (slices, height, width), in fractions of its contrast's
            range, 0 to 1.
        target: real image of the other contrast, same shape, in fractions of its range.
        mask: boolean array of the same shape; noise is added, and errors are counted, inside it only.
        forward: function from an image of the source's contrast to one of the target's, (slices, height, width) →
            the same shape, in fractions.
        backward: function the other way.
        noise: standard deviations of the Gaussian noise, fractions of the range; it has to have 0 in it.
        seed: of the noise; one pattern serves all strengths.

    Returns:
        List of dictionaries, one per strength: `noise`; `cycle_mae`, the mean absolute error of
        backward(forward(source) + noise) against the source; `direct_mae`, that of backward(target + noise);
        `advantage`, direct_mae - cycle_mae, what the cycle knows more; `survival`, the advantage as a share of that
        without noise: near 1 where it is in what can be seen, near 0 where it was hidden below the noise (NaN where
        there is no advantage without noise); `intermediate_mae`, how much the noise changed the intermediate image.

    Raises:
        ValueError: shapes differ, the mask is empty, a value is not finite, a function changes the shape, or `noise`
            has no 0 or a negative value.
    """
    strengths = [float(strength) for strength in noise]
    if 0 not in strengths or min(strengths) < 0:
        raise ValueError(f"noise {list(noise)}: strengths must not be negative, and 0 must be among them")
    inside(source, target, mask)
    source, target, mask = map(as_slices, (source, target, mask))
    made = _applied("forward", forward, source)
    pattern = np.random.default_rng(seed).standard_normal(source.shape) * mask
    rows = [
        {
            "noise": strength,
            "cycle_mae": _error(source, _applied("backward", backward, made + strength * pattern), mask),
            "direct_mae": _error(source, _applied("backward", backward, target + strength * pattern), mask),
            "intermediate_mae": float(np.mean(np.abs(strength * pattern[mask]))),
        }
        for strength in strengths
    ]
    without = next(row["direct_mae"] - row["cycle_mae"] for row in rows if row["noise"] == 0)
    for row in rows:
        row["advantage"] = row["direct_mae"] - row["cycle_mae"]
        row["survival"] = row["advantage"] / without if without > 0 else float("nan")
    return rows


def steganography_test(subjects, *, forward, backward, noise=NOISE, seed=0):
    """`cycle_under_noise` of several subjects, as a table.

    Args:
        subjects: iterable of (subject id, source, target, mask), images as for `cycle_under_noise`.
        forward: function from an image of the source's contrast to one of the target's.
        backward: function the other way.
        noise: standard deviations of the noise.
        seed: of the noise; every subject gets a pattern of its own.

    Returns:
        `pandas.DataFrame` with the columns `COLUMNS`, one row per subject and strength.

    Raises:
        ValueError: as `cycle_under_noise`; the message names the subject.
    """
    rows = []
    for number, (subject_id, source, target, mask) in enumerate(subjects):
        try:
            found = cycle_under_noise(
                source, target, mask=mask, forward=forward, backward=backward, noise=noise, seed=(seed, number)
            )
        except ValueError as error:
            raise ValueError(f"subject {subject_id}: {error}") from error
        rows += [{"subject": subject_id, **row} for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def advantages(table):
    """What the cycles of each method know more than the real images show, as noise is added: means over subjects.

    Args:
        table: as from `ganlib.evaluation.joined.load_joined(runs, "steganography")`.

    Returns:
        `pandas.DataFrame`, one row per method, direction and strength, with columns: method, direction, source, target,
        noise; n (subjects); cycle_mae and direct_mae; advantage, low and high (its 95 % bootstrap interval, NaN with
        one subject); survival (the mean advantage as a share of that without noise; NaN where the interval without
        noise is not above 0, since there is then nothing to survive). Several seeds are averaged subject by subject.
    """
    keys = ["method", "direction", "source", "target", "noise"]
    measures = ["cycle_mae", "direct_mae", "advantage"]
    values = table.groupby([*keys, "subject"], sort=False, as_index=False)[measures].mean()
    groups = values.groupby(keys, sort=False)
    found = groups[measures].mean().assign(n=groups.size()).reset_index()
    found[["low", "high"]] = intervals_of([part["advantage"].to_numpy() for _, part in groups])
    without = found[found["noise"] == 0].set_index(["method", "direction"])
    base = without["advantage"].where(~(without["low"] <= 0) & (without["advantage"] > 0))
    found["survival"] = (
        found["advantage"] / base.loc[list(zip(found["method"], found["direction"], strict=True))].to_numpy()
    )
    return found[[*keys, "n", *measures, "low", "high", "survival"]]


def _applied(name, function, image):
    made = np.asarray(function(image))
    require_same_shape(**{"image": image, f"{name}(image)": made})
    [made] = require_finite(**{f"{name}(…)": made})
    return made


def _error(real, made, mask):
    return float(np.mean(np.abs(real[mask] - made[mask])))
