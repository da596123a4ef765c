"""The commands that take a trained generator somewhere: translate volumes, and export it alone."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganlib.errors import InputError

app = typer.Typer()


@app.command()
def translate(
    run: Annotated[Path, typer.Argument(help="the run folder")],
    source: Annotated[Path, typer.Argument(help="a .nii or .nii.gz volume, or a folder of them")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the volume, or the folder, to write")],
    direction: Annotated[
        str | None, typer.Option(help="such as t1w_to_t2w; by default as the file's name says")
    ] = None,
    weights: Annotated[str, typer.Option(help="best, last or averaged")] = "best",
    samples: Annotated[int, typer.Option(help="UNIT: so many draws, and a volume of their deviation")] = 0,
    seed: Annotated[int, typer.Option(help="of the draws")] = 0,
    resample: Annotated[bool, typer.Option(help="interpolate onto pixels of the run's size, and back")] = False,
    zero_background: Annotated[bool, typer.Option(help="set what lies outside the source's mask to 0")] = False,
    mask: Annotated[Path | None, typer.Option(help="mask of one volume, where the run's cohort had such")] = None,
    pattern: Annotated[str, typer.Option(help="of a folder, which files")] = "**/*",
    batch_size: Annotated[int, typer.Option(help="slices at a time")] = 16,
):
    """Translate whole volumes: the results lie where their sources do. Started again, a folder goes on where it was."""
    from ganlib.runs import Run
    from ganlib.translate import translate_folder, translate_volume

    settings = {"weights": weights, "samples": samples, "seed": seed, "resample": resample,
                "zero_background": zero_background, "batch_size": batch_size}  # fmt: skip
    progress = sys.stderr.isatty()
    if not source.is_dir():
        made = translate_volume(
            Run(run), source, output, direction=direction, mask=mask, progress=progress, **settings
        )  # fmt: skip
        _say_translated({source: made})
        return
    if mask is not None:
        raise InputError("translate: --mask belongs to one volume; translate volumes that need one singly")
    report = translate_folder(
        Run(run), source, output, pattern=pattern, direction=direction, progress=progress, **settings
    )  # fmt: skip
    _say_translated(report.done)
    for path in report.passed_over:
        typer.echo(f"passed over: {path} (its name names no source contrast)")
    for reason in report.failed.values():
        typer.echo(f"failed: {reason}", err=True)
    if report.failed:
        raise InputError(f"translate: {len(report.failed)} of {len(report.done) + len(report.failed)} volumes failed")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="the run folder")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the folder to write")],
    direction: Annotated[str | None, typer.Option(help="such as t1w_to_t2w; by default the run's first")] = None,
    formats: Annotated[list[str], typer.Option("-f", "--format", help="keras, saved_model, onnx; repeated")] = (
        "keras",
    ),
    weights: Annotated[str, typer.Option(help="best, last or averaged")] = "best",
):
    """Write one generator alone, with a model card: cohort, split, scores with their protocol, use and limits."""
    from ganlib.export import export_generator
    from ganlib.runs import Run

    done = export_generator(Run(run), output, direction=direction, formats=formats, weights=weights)
    for path in [*done.models.values(), done.folder / "README.md"]:
        typer.echo(path)
    for reason in done.refused.values():
        typer.echo(f"not written: {reason}", err=True)
    if done.refused:
        raise InputError(f"export: {len(done.refused)} of {len(formats)} formats could not be written")


def _say_translated(done):
    for source, made in done.items():
        typer.echo(f"{made.path}{'' if made.fresh else ' (was there already)'}")
        for note in made.notes:
            typer.echo(f"note: {source.name}: {note}")
    if done:
        typer.echo("Synthetic images: not for diagnosis.")
