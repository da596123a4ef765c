"""Hidden information of a trained run: its cycles under noise, stored as `steganography.parquet`."""

from tqdm.auto import tqdm

from ganlib.errors import InputError
from ganlib.evaluation.steganography import COLUMNS as NOISE_COLUMNS
from ganlib.evaluation.steganography import NOISE, steganography_test
from ganlib.memory import explaining_out_of_memory
from ganlib.models import generators
from ganlib.runs.passage import Passage

COLUMNS = ["method", "run", "direction", "source", "target", "seed", *NOISE_COLUMNS, "phantom"]

#: Test subjects that are looked at; each is translated 13 times in either direction.
SUBJECTS = 8


def measure_cycles(run, *, weights="best", subjects=SUBJECTS, noise=NOISE, seed=0, progress=True):
    """Measure whether both cycles of a run reconstruct their source from what can be seen.

    The test itself is `ganlib.evaluation.steganography.cycle_under_noise`. It needs the networks, so that it is not
    part of the evaluation of stored translations.

    Args:
        run: a trained `Run`.
        weights: as for `ganlib.translate.translate_test_set`.
        subjects: how many of the test subjects, the first ones; they need both contrasts.
        noise: standard deviations of the noise, fractions of the intermediate contrast's range; 0 among them.
        seed: of the noise.
        progress: whether to show a progress bar.

    Returns:
        `pandas.DataFrame` with the columns `COLUMNS`, one row per direction, subject and strength.

    Raises:
        InputError: the run has no such weights, its cohort is missing or has changed, there is no test subject, or
            memory ran out.
    """
    import pandas as pd  # slow to import

    if subjects < 1 or not run.split["test"]:
        raise InputError(f"{run.folder}: no test subject to translate there and back; choose 1 at least")
    remedy = "use fewer subjects' slices, or a machine with more memory"
    with run.cohort() as cohort, explaining_out_of_memory(f"{run.folder}: cycles under noise", remedy):
        functions = _functions(run, cohort, weights)
        tables = [
            _of_direction(run, cohort, functions, direction, subjects, noise, seed, progress)
            for direction in run.directions
        ]
    table = pd.concat(tables, ignore_index=True)[COLUMNS]
    run.write_scores(table, "steganography")
    return table


def _functions(run, cohort, weights):
    """Translations by direction: from and to images in fractions of their contrasts' ranges."""
    passage = Passage(run.config, cohort.ranges)
    networks = generators.load(run.weights(weights))
    return {
        direction: _in_fractions(passage, generators.compiled(network), direction, cohort.ranges)
        for direction, network in zip(run.directions, networks, strict=True)
    }


def _in_fractions(passage, function, direction, ranges):
    source, target = (ranges[contrast] for contrast in direction)

    def translate(fractions):
        return target.fraction(passage.translate(function, source.low + source.width * fractions, direction))

    return translate


def _of_direction(run, cohort, functions, direction, subjects, noise, seed, progress):
    [back] = [other for other in run.directions if other != direction]
    ids = run.split["test"][:subjects]
    shown = tqdm(
        ids, desc=f"{run.label}: cycles, {direction.label}", unit="subject", disable=None if progress else True
    )
    try:
        table = steganography_test(
            (_case(cohort, direction, subject_id) for subject_id in shown),
            forward=functions[direction], backward=functions[back], noise=noise, seed=seed,
        )  # fmt: skip
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{run.folder}: {direction.name}, {error}") from error
    return table.assign(
        method=run.label, run=run.name, direction=direction.name, source=direction.source, target=direction.target,
        seed=run.config.seed, phantom=run.config.phantom,
    )  # fmt: skip


def _case(cohort, direction, subject_id):
    images = (cohort.ranges[contrast].fraction(cohort.images(subject_id, contrast)) for contrast in direction)
    return (subject_id, *images, cohort.mask(subject_id))
