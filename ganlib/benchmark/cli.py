"""The command line of the benchmark. A user's mistake is one line and exit code 2."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from ganlib import atomic
from ganlib.assignments import assignments
from ganlib.benchmark.arena import compete
from ganlib.benchmark.results import summary
from ganlib.benchmark.settings import BenchmarkSettings, Contender
from ganlib.benchmark.table import as_text
from ganlib.errors import InputError
from ganlib.validation import validated

_DEFAULT_CONTENDERS = {"cyclegan": ["ours", "original", "torch"], "unit": ["ours", "original"]}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def benchmark(
    contender: Annotated[
        list[str],
        typer.Option(
            "-c", "--contender",
            help="KIND[@BACKEND][:PRECISION], repeatable; kinds: ours, original[-our-layers], torch[-compile]",
        ),
    ] = (),
    method: Annotated[str, typer.Option(help="cyclegan or unit")] = "cyclegan",
    backend: Annotated[str, typer.Option(help="of Keras: tensorflow, jax or torch")] = "tensorflow",
    precision: Annotated[str, typer.Option(help="float32 or bfloat16")] = "float32",
    size: Annotated[str, typer.Option(help="HEIGHTxWIDTH in pixels")] = "128x128",
    batch: Annotated[int, typer.Option(min=1, help="images of each contrast in a step")] = 1,
    option: Annotated[list[str], typer.Option("-o", "--option", help="name=value, a setting of the method")] = (),
    rounds: Annotated[int, typer.Option(min=1, help="turns of each contender that count")] = 20,
    warmup: Annotated[int, typer.Option(min=1, help="turns before them")] = 3,
    steps_per_turn: Annotated[int, typer.Option(min=1, help="steps timed together; on a GPU take 20")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="cores of a contender; by default all")] = None,
    deterministic: Annotated[bool, typer.Option(help="same bits every time, as training has it by default")] = True,
    images: Annotated[int, typer.Option(min=1, help="images of an epoch")] = 900,
    output: Annotated[Path | None, typer.Option(help="JSON file for all figures")] = None,
):  # fmt: skip
    """Measure our training step against a step written in PyTorch and against the order of the paper's code."""
    settings = validated(BenchmarkSettings, {
        "method": method, "size": _size(size), "batch_size": batch, "options": assignments(option, what="option"),
        "rounds": rounds, "warmup_rounds": warmup, "steps_per_turn": steps_per_turn, "threads": threads,
        "deterministic": deterministic, "images_per_epoch": images,
    })  # fmt: skip
    texts = contender or _DEFAULT_CONTENDERS[settings.method]
    contenders = [Contender.parse(text, backend=backend, precision=precision) for text in texts]
    figures = summary(compete(contenders, settings, repeats=steps_per_turn), settings)
    typer.echo(as_text(figures))
    if output is not None:
        atomic.write_text(output, json.dumps(figures, indent=1))


def main():
    """Run the command line."""
    try:
        app()
    except InputError as error:
        typer.echo(f"ganlib.benchmark: {error}", err=True)
        sys.exit(2)


def _size(text):
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise InputError(f"--size {text!r} is not of the form HEIGHTxWIDTH, such as 304x256")
    return tuple(map(int, found.groups()))
