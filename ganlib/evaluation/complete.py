"""Everything that can be measured of runs without their networks, in one call."""

from ganlib.evaluation.evaluate import evaluate_realism, evaluate_regions, evaluate_registration, evaluate_runs
from ganlib.evaluation.two_sample import FEWEST_SUBJECTS, evaluate_two_sample


def evaluate_completely(runs, *, progress=True):
    """Score runs under every protocol, then their realism, registration and regions, and test realism by classifier.

    Args:
        runs: list of `ganlib.runs.Run` that were translated, as for `ganlib.evaluation.evaluate.evaluate_runs`; give
            all runs of a comparison together, and the baselines are measured once.
        progress: whether to show progress bars.

    Returns:
        List of lines: what could not be measured on this cohort, and what it would need. Empty where all was.

    Raises:
        InputError: as `evaluate_runs`.
    """
    runs = list(runs)
    for measure in (evaluate_runs, evaluate_realism, evaluate_registration):
        measure(runs, progress=progress)
    with runs[0].cohort() as cohort:
        lacking = [] if cohort.has_labels else ["Regions: the cohort has no labels; import a label map with it."]
    if not lacking:
        evaluate_regions(runs, progress=progress)
    subjects = len(runs[0].split["test"])
    if subjects >= FEWEST_SUBJECTS:
        evaluate_two_sample(runs, progress=progress)
    else:
        needed = f"it needs {FEWEST_SUBJECTS} at least; make the test part larger."
        lacking.append(
            f"Classifier two-sample test: {subjects} test subject{'s' if subjects != 1 else ''}, and {needed}"
        )
    return lacking
