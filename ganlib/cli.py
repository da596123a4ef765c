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
def dashboard(
    runs: Annotated[Path, typer.Argument(help="the folder that holds the run folders")],
    port: Annotated[int | None, typer.Option(help="port on this machine; by default a free one")] = None,
    study: Annotated[str | None, typer.Option(help="study database to serve beside it, if it is there")] = None,
):
    """Serve the compare dashboard on this machine until it is stopped with Ctrl-C."""
    from ganlib.display import serve, study_server

    if study is not None and ("://" in study or Path(study).is_file()):
        study_server.run_beside(runs, study, port=port)
    else:
        serve.run(runs=runs, port=port)


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
