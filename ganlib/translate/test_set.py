"""Apply a trained run: translate the test subjects of its cohort."""

import functools

import numpy as np
from tqdm.auto import tqdm

from ganlib.memory import explaining_out_of_memory
from ganlib.models import generators
from ganlib.runs.passage import Passage

_REMEDY = "use precision bfloat16 when training, or a machine with more memory"


def translate_test_set(run, *, weights="best", samples=0, seed=0, progress=True):
    """Translate every test subject in both directions and store the result in the run.

    Args:
        run: a trained `Run`.
        weights: `"best"` on the validation subjects, `"last"`, or `"averaged"` (after the last epoch).
        samples: of a method with a latent space (UNIT), the number of draws whose mean and standard deviation are
            stored, at least 2; 0 for the one translation that does not depend on chance.
        seed: seed of the draws.
        progress: whether to show a progress bar.

    Raises:
        InputError: the run has no such weights, its cohort is missing or has changed, it cannot be sampled, or memory
            ran out.
    """
    with run.cohort() as cohort, explaining_out_of_memory(f"{run.folder}: translating", _REMEDY):
        translator = _Sampler(run, cohort, weights, samples, seed) if samples else _Translator(run, cohort, weights)
        test_ids = run.test_ids(cohort)
        jobs = [(direction, subject_id) for direction in run.directions for subject_id in test_ids]
        shown = tqdm(jobs, desc=f"{run.label}: translating", unit="subject", disable=None if progress else True)
        run.write_synthetic(((*job, *translator.translate(*job)) for job in shown), weights=weights)


class _Translator:
    """Translates subjects with the networks of a run."""

    def __init__(self, run, cohort, weights):
        self.cohort, self.passage = cohort, Passage(run.config, cohort.ranges)
        networks = generators.load(run.weights(weights))
        self.functions = {
            direction: self._function(network) for direction, network in zip(run.directions, networks, strict=True)
        }

    @staticmethod
    def _function(network):
        return generators.compiled(network)

    def translate(self, direction, subject_id):
        """The synthetic slices of a subject, in the units of the target contrast: a tuple of one array."""
        source = self.cohort.images(subject_id, direction.source)
        return (self.passage.translate(self.functions[direction], source, direction),)


class _Sampler(_Translator):
    """Draws translations; the draws of a subject depend on the seed and on its place among the test subjects alone."""

    def __init__(self, run, cohort, weights, samples, seed):
        super().__init__(run, cohort, weights)
        self.samples, self.seed, self.places = samples, seed, run.split["test"]

    @staticmethod
    def _function(network):
        return generators.sampled(network)

    def translate(self, direction, subject_id):
        """Mean and standard deviation of a subject's draws, in the units of the target contrast."""
        entered = self.passage.enter(self.cohort.images(subject_id, direction.source), direction.source)
        generator = np.random.default_rng([self.seed, self.places.index(subject_id)])
        draw = functools.partial(self.functions[direction], samples=self.samples, generator=generator)
        mean, deviation = self.passage.through(draw, entered)
        target = direction.target
        return self.passage.leave(mean, target), self.passage.spread(deviation, target)
