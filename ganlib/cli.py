"""The command line: import a cohort, run a notebook, open a dashboard. A user's mistake is one line and exit code 2."""

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ganlib import __version__
from ganlib.errors import InputError
from ganlib.study_cli import app as study_app

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="GAN image-to-image translation between MR contrasts.",
)  # fmt: skip
app.add_typer(study_app, name="study")


@app.command()
def notebook(
    source: Annotated[Path, typer.Argument(help="the notebook, such as notebooks/02_train.ipynb")],
    output: Annotated[Path, typer.Argument(help="where the executed copy goes")],
    parameter: Annotated[list[str], typer.Option("-p", "--parameter", help="name=value, the value in YAML")] = (),
):
    """Execute a notebook with checked parameters."""
    from ganlib.notebook import run_notebook

    run_notebook(source, output, dict(_parsed(text) for text in parameter))


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="where the NIfTI files are")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="the cohort file to make or replace")] = None,
    layout: Annotated[str, typer.Option(help="pattern, bids, hcp, ixi or brats")] = "pattern",
    contrast: Annotated[
        list[str],
        typer.Option("-c", "--contrast", help="name, or name=pattern (pattern), name=suffix (bids); repeated"),
    ] = (),
    option: Annotated[
        list[str], typer.Option("-O", "--option", help="name=value of the source, in YAML; repeated")
    ] = (),
    setting: Annotated[
        list[str], typer.Option("-s", "--setting", help="name=value of the import, such as slice_mm=12; repeated")
    ] = (),
    name: Annotated[str | None, typer.Option(help="the cohort's name; by default the folder's")] = None,
    workers: Annotated[int | None, typer.Option(help="subjects read side by side; by default as memory allows")] = None,
    split_file: Annotated[Path | None, typer.Option(help="write the split to this .json, .csv or .tsv file")] = None,
    dry_run: Annotated[bool, typer.Option(help="list what there is, and what would be left out, and stop")] = False,
):
    """Make a cohort from NIfTI files. Started again after it was stopped, it goes on where it was."""
    from ganlib.cohort.look import look, open_source
    from ganlib.cohort.split import write_split

    if output is None and not dry_run:
        raise InputError("import: --output is missing; name the cohort file to make, or add --dry-run")
    contrasts = _contrasts(contrast)
    options, settings = (dict(_parsed(text) for text in texts) for texts in (option, setting))
    found = look(layout, str(folder), contrasts, options, settings)
    typer.echo(found.text if dry_run or found.problem is None else "", nl=dry_run or found.problem is None)
    if found.problem is not None:
        raise found.problem
    if split_file is not None:
        write_split(split_file, found.parts)
    if not dry_run:
        _import(open_source(layout, str(folder), contrasts, options), output, settings, name, workers)


@app.command()
def fetch(
    data: Annotated[str, typer.Argument(help="which data: ixi")],
    folder: Annotated[Path, typer.Argument(help="where they go")],
    contrast: Annotated[list[str], typer.Option("-c", "--contrast", help="T1, T2 or PD; repeated")] = ("T1", "T2"),
    keep: Annotated[bool, typer.Option(help="keep the archives after they are unpacked")] = False,
):
    """Download public data, checked; started again after it was stopped, it goes on where it was."""
    from ganlib.cohort.fetch import fetch_ixi

    if data != "ixi":
        raise InputError(f"data {data!r} cannot be fetched; only ixi can (HCP and BraTS need a registration)")
    for path in fetch_ixi(folder, contrast, keep=keep, progress=sys.stderr.isatty()):
        typer.echo(path)


@app.command()
def register(
    folder: Annotated[Path, typer.Argument(help="where the raw NIfTI files are")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder of the results, a folder per subject")],
    to: Annotated[str, typer.Option(help="the contrast whose grid the others take, or MNI152")],
    layout: Annotated[str, typer.Option(help="pattern, bids, hcp, ixi or brats")] = "pattern",
    contrast: Annotated[list[str], typer.Option("-c", "--contrast", help="as for import; repeated")] = (),
    option: Annotated[list[str], typer.Option("-O", "--option", help="as for import; repeated")] = (),
    setting: Annotated[
        list[str], typer.Option("-s", "--setting", help="name=value, such as n4=true or kind=affine; repeated")
    ] = (),
    workers: Annotated[int | None, typer.Option(help="subjects side by side; by default one per core")] = None,
    pictures: Annotated[bool, typer.Option(help="a picture per subject, before and after")] = True,
):
    """Register raw volumes: each subject's contrasts onto one grid. Started again, it goes on where it was."""
    from ganlib.cohort.look import open_source
    from ganlib.cohort.registration import RegistrationSettings, register_folder
    from ganlib.display.alignment import write_pictures
    from ganlib.validation import validated

    contrasts, options = _contrasts(contrast), dict(_parsed(text) for text in option)
    source = open_source(layout, str(folder), contrasts, options)
    settings = validated(RegistrationSettings, {"to": to, **dict(_parsed(text) for text in setting)})
    progress = sys.stderr.isatty()
    report = register_folder(source, output, settings, workers=workers, progress=progress)
    for subject_id, record in report.records.items():
        again = "" if subject_id in report.fresh else " (was there already)"
        typer.echo(f"{subject_id}{again}: {_nmi_in_words(record)}")
    if pictures:
        write_pictures(source, report, progress=progress)
    patterns = " ".join(f"-c '{name}={pattern}'" for name, pattern in report.patterns.items())
    options = "".join(f" -O '{name}={yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}'"
                      for name, value in report.options.items())  # fmt: skip
    typer.echo(f"to make a cohort: ganlib import {output} {patterns}{options} -o COHORT.h5")
    for reason in report.failed.values():
        typer.echo(f"failed: {reason}", err=True)
    if report.failed:
        raise InputError(f"register: {len(report.failed)} subjects failed, {len(report.records)} are done")


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


@app.command()
def dashboard(
    runs: Annotated[Path, typer.Argument(help="the folder that holds the run folders; or a cohort file")],
    port: Annotated[int | None, typer.Option(help="port on this machine; by default a free one")] = None,
    study: Annotated[str | None, typer.Option(help="study database to serve beside it, if it is there")] = None,
):
    """Serve a dashboard on this machine until Ctrl-C: compare runs, or the quality of a cohort's subjects."""
    from ganlib.display import serve, study_server

    if runs.is_file():
        _measured(runs)
        serve.run(serve.DASHBOARDS / "quality.ipynb", cohort=runs, port=port)
    elif study is not None and ("://" in study or Path(study).is_file()):
        study_server.run_beside(runs, study, port=port)
    else:
        serve.run(runs=runs, port=port)


@app.command()
def quality(cohort: Annotated[Path, typer.Argument(help="the cohort file")]):
    """Measure every subject of a cohort and name those that stand out; `ganlib dashboard COHORT` shows them."""
    table = _measured(cohort)
    for row in table.to_dict("records"):
        for flag in row["flags"]:
            typer.echo(f"{row['subject']}: {flag}")
    flagged = sum(bool(flags) for flags in table["flags"])
    typer.echo(f"{len(table)} subjects, {flagged} flagged; look at them: ganlib dashboard {cohort}")


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="run folders, or folders that hold run folders")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the page to write")] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="of the page; by default the contrasts")] = None,
    subject: Annotated[str, typer.Option(help="test subject whose images are shown; by default a typical one")] = "",
):
    """Write one page about evaluated runs: methods, cohort, scores, tests, figures, limits. It opens offline."""
    from ganlib.report import write_report
    from ganlib.runs import open_runs

    typer.echo(write_report(open_runs(runs), output, title=title, subject_id=subject))


@app.command()
def version():
    """Print the version."""
    typer.echo(__version__)


def main():
    """Run the command line."""
    try:
        app()
    except InputError as error:
        typer.echo(f"ganlib: {error}", err=True)
        sys.exit(2)


def _import(source, output, settings, name, workers):
    """Import, with a progress bar where somebody watches, and warnings as plain lines after it."""
    from ganlib.cohort.build import ImportSettings, import_cohort
    from ganlib.validation import validated

    if workers is not None and workers < 1:
        raise InputError(f"import: --workers must be 1 or more, not {workers}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        progress = sys.stderr.isatty()
        cohort = import_cohort(
            source, output, validated(ImportSettings, settings), name=name, progress=progress, workers=workers
        )
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            typer.echo(f"note: {warning.message}")
    typer.echo(f"{output}: {len(cohort)} subjects, fingerprint {cohort.fingerprint[:12]}")


def _nmi_in_words(record):
    """Normalised mutual information of each contrast with the reference, before and after."""
    parts = [
        f"{name} {record['nmi_before'][name] or 1:.3f} to {after or 1:.3f}"
        for name, after in record["nmi_after"].items()
    ]  # fmt: skip
    return f"NMI with {record['nmi_against']} from {', '.join(parts)}" if parts else "nothing to move"


def _say_translated(done):
    for source, made in done.items():
        typer.echo(f"{made.path}{'' if made.fresh else ' (was there already)'}")
        for note in made.notes:
            typer.echo(f"note: {source.name}: {note}")
    if done:
        typer.echo("Synthetic images: not for diagnosis.")


def _measured(path):
    """The figures of a cohort, with a progress bar where they are not there yet."""
    from ganlib.cohort import Cohort
    from ganlib.evaluation.quality import quality_of

    with Cohort(path) as cohort:
        return quality_of(cohort, progress=sys.stderr.isatty())


def _contrasts(texts):
    """List of names; or a dictionary, if one of them is of the form name=value."""
    if not any("=" in text for text in texts):
        return list(texts)
    return {text.partition("=")[0]: text.partition("=")[2] or text for text in texts}


def _parsed(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"parameter {text!r} is not of the form name=value")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"parameter {name!r}: {value!r} is not YAML") from error
