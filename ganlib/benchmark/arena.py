"""Where the contenders meet: one process each, one of them at work at a time, in turn."""

import contextlib
import multiprocessing
import signal
import tempfile
from pathlib import Path

from tqdm.auto import tqdm

from ganlib.benchmark import worker
from ganlib.benchmark.results import Measurement
from ganlib.errors import InputError


def compete(contenders, settings, *, repeats=1, progress=True):
    """Let contenders train and translate, in turn.

    All of them are started and hold their networks; in each round every one makes its steps while the others sleep.
    So a disturbance that lasts longer than a round falls on all of them.

    Args:
        contenders: list of `Contender`, one of kind `ours` among them, which the others are compared with.
        settings: `BenchmarkSettings`.
        repeats: translations that are timed together.
        progress: whether to show a progress bar.

    Returns:
        List of `Measurement`, in the order of the contenders.

    Raises:
        InputError: a contender cannot be had or is not comparable with ours, or memory ran out.
    """
    _require_comparable(contenders)
    for contender in contenders:
        contender.require_installed()
    ours_first = sorted(contenders, key=lambda contender: contender.kind != "ours")
    bar = tqdm(
        total=len(contenders) * (1 + settings.turns) + settings.rounds, disable=None if progress else True, unit="turn"
    )
    with contextlib.ExitStack() as stack, bar:
        corners, resolved = {}, None
        for contender in ours_first:
            bar.set_description(f"starting {contender.name}")
            corner = stack.enter_context(_Corner(contender, settings, resolved))
            corners[contender] = corner
            resolved = resolved or corner.facts["resolved"]
            bar.update()
        measurements = {contender: _measurement(corners[contender]) for contender in contenders}
        _require_equal_work(list(measurements.values()))
        _train(corners, measurements, settings, bar)
        _translate(corners, measurements, settings, repeats, bar)
    return list(measurements.values())


def _train(corners, measurements, settings, bar):
    for turn in range(settings.turns):
        counts = turn >= settings.warmup_rounds
        for contender, corner in corners.items():
            bar.set_description(f"{contender.name}{'' if counts else ' warming up'}")
            seconds, processor_seconds = corner.ask("go", answer="turn")
            if counts:
                measurements[contender].step_seconds.append(seconds / settings.steps_per_turn)
                measurements[contender].processor_seconds.append(processor_seconds / settings.steps_per_turn)
            bar.update()
    for contender, corner in corners.items():
        vars(measurements[contender]).update(corner.answer("trained"))


def _translate(corners, measurements, settings, repeats, bar):
    bar.set_description("translating")
    jobs = [
        (contender, name, batch)
        for batch in settings.inference_batches
        for contender, corner in corners.items()
        for name in corner.facts["translators"]
    ]
    for contender, name, batch in jobs:
        corners[contender].ask((name, batch, 1), answer="translated")
    for _ in range(settings.rounds):
        for contender, name, batch in jobs:
            seconds = corners[contender].ask((name, batch, repeats), answer="translated")
            measurements[contender].translation_seconds.setdefault((name, batch), []).append(seconds)
        bar.update()


class _Corner:
    """The arena's end of one contender's process.

    Args:
        contender: `Contender`.
        settings: `BenchmarkSettings`.
        resolved: options and defaults of our method, or None if this contender is to say them.
    """

    def __init__(self, contender, settings, resolved):
        self.contender, self.settings = contender, settings
        self._folder = tempfile.TemporaryDirectory(prefix="ganlib-benchmark-")
        self._log = Path(self._folder.name) / "log.txt"
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, contender, settings, resolved, str(self._log))
        self._process = context.Process(target=worker.run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self):
        try:
            self.facts = self.answer("ready")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def ask(self, request, *, answer):
        """Send a request and wait for its answer."""
        self._connection.send(request)
        return self.answer(answer)

    def answer(self, kind):
        """The next answer, which must be of a kind."""
        try:
            found, content = self._connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._death() from None
        if found == "error":
            raise InputError(content)
        if found != kind:
            raise RuntimeError(f"contender {self.contender.name}: {content if found == 'crash' else found}")
        return content

    def _death(self):
        self._process.join(10)
        # Linux ends a process that takes more memory than there is.
        if self._process.exitcode == -signal.SIGKILL:
            return InputError(worker.out_of_memory(self.contender, self.settings))
        said = self._log.read_text(errors="replace").strip().splitlines()[-5:] if self._log.is_file() else []
        return RuntimeError(f"contender {self.contender.name} died with code {self._process.exitcode}: {said}")

    def _stop(self):
        with contextlib.suppress(OSError):
            self._connection.send(None)
            self._connection.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._folder.cleanup()


def _measurement(corner):
    facts = corner.facts
    return Measurement(
        contender=corner.contender, num_parameters=facts["num_parameters"], device=facts["device"],
        versions=facts["versions"],
    )  # fmt: skip


def _require_comparable(contenders):
    if len(set(contenders)) < len(contenders):
        raise InputError("a contender is named twice; name each once")
    if not any(contender.kind == "ours" for contender in contenders):
        raise InputError("none of the contenders is `ours`, which the others are compared with; add it")


def _require_equal_work(measurements):
    """A rival with other networks would be no comparison."""
    counts = {measurement.contender.name: measurement.num_parameters for measurement in measurements}
    if len(set(counts.values())) > 1:
        raise RuntimeError(f"the contenders have different networks, parameters: {counts}")
