"""The command line: run a notebook, open a dashboard. A user's mistake is one line and exit code 2."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ganlib import __version__
from ganlib.errors import InputError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="GAN image-to-image translation between MR contrasts.",
)  # fmt: skip


@app.command()
def notebook(
    source: Annotated[Path, typer.Argument(help="the notebook, such as notebooks/02_train.ipynb")],
    output: Annotated[Path, typer.Argument(help="where the executed copy goes")],
    parameter: Annotated[list[str], typer.Option("-p", "--parameter", help="name=value, the value in YAML")] = (),
):
    """Execute a notebook with checked parameters."""
    from ganlib.notebook import run_notebook

    run_notebook(source, output, dict(_parsed(text) for text in parameter))


@app.command()
def dashboard(
    runs: Annotated[Path, typer.Argument(help="the folder that holds the run folders")],
    port: Annotated[int | None, typer.Option(help="port on this machine; by default a free one")] = None,
):
    """Serve the compare dashboard on this machine until it is stopped with Ctrl-C."""
    from ganlib.display import serve

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


def _parsed(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"parameter {text!r} is not of the form name=value")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"parameter {name!r}: {value!r} is not YAML") from error
