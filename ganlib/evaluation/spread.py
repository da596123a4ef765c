"""What the protocol alone does to a number: the same images under every protocol."""

import pandas as pd

from ganlib.evaluation.compare import select, summary
from ganlib.evaluation.protocols import PROTOCOLS, score_under_all


def images_under_every_protocol(images, target, *, mask, intensity_range, metric="psnr_db"):
    """Score several synthetic images of one real one under every protocol of error.

    Args:
        images: dictionary from what each image is, in words, to the image, as `target`; such as
            `ganlib.evaluation.degradations.known_errors`.
        target: real image, float array (height, width) or (slices, height, width).
        mask: boolean array of the same shape.
        intensity_range: `IntensityRange`, or (low, high), of the target contrast.
        metric: a measure that all protocols have.

    Returns:
        `pandas.DataFrame`, a row per image and a column per protocol.

    Raises:
        ValueError: as `ganlib.evaluation.protocols.score`.
    """
    settings = {"mask": mask, "intensity_range": intensity_range}
    rows = {words: score_under_all(target, image, **settings)[metric] for words, image in images.items()}
    return pd.DataFrame(rows).T.rename_axis(index="image", columns=None)


def methods_under_every_protocol(scores, direction, metric="psnr_db"):
    """Mean over subjects of every method under every protocol of error.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        direction: name of a direction, such as `t1w_to_t2w`.
        metric: a measure that all protocols have.

    Returns:
        `pandas.DataFrame`, a row per method, in `METHOD_ORDER`, and a column per protocol.

    Raises:
        InputError: the table lacks the measure under a protocol.
    """
    columns = {}
    for protocol in PROTOCOLS:
        rows = select(scores, metric, protocol)
        means = summary(rows[rows["direction"] == direction], metric, protocol)
        columns[protocol] = means.set_index("method")["mean"]
    return pd.DataFrame(columns).reindex(means["method"]).rename_axis(index="method", columns=None)
