"""The command line: run a notebook, open a dashboard, write a report, and the commands of the modules beside this one.

A user's mistake is one line and exit code 2.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganlib import __version__, cohort_cli, generator_cli, study_cli
from ganlib.assignments import assignments
from ganlib.errors import InputError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="GAN image-to-image translation between MR contrasts.",
)  # fmt: skip
app.add_typer(cohort_cli.app)
app.add_typer(generator_cli.app)
app.add_typer(study_cli.app, name="study")


@app.command()
def notebook(
    source: Annotated[Path, typer.Argument(help="the notebook, such as notebooks/02_train.ipynb")],
    output: Annotated[Path, typer.Argument(help="where the executed copy goes")],
    parameter: Annotated[list[str], typer.Option("-p", "--parameter", help="name=value, the value in YAML")] = (),
):
    """Execute a notebook with checked parameters."""
    from ganlib.notebook import run_notebook

    run_notebook(source, output, assignments(parameter))


@app.command()
def dashboard(
    runs: Annotated[Path, typer.Argument(help="the folder that holds the run folders; or a cohort file")],
    port: Annotated[int | None, typer.Option(help="port on this machine; by default a free one")] = None,
    study: Annotated[str | None, typer.Option(help="study database to serve beside it")] = None,
):
    """Serve a dashboard on this machine until Ctrl-C: compare runs, or the quality of a cohort's subjects."""
    from ganlib.display import serve, study_server

    if runs.is_file():
        cohort_cli.measured(runs)
        serve.run(serve.DASHBOARDS / "quality.ipynb", cohort=runs, port=port)
    elif study is None:
        serve.run(runs=runs, port=port)
    elif "://" in study or Path(study).is_file():
        study_server.run_beside(runs, study, port=port)
    else:
        raise InputError(f"{study}: no such study database; make one with `ganlib study create`, or leave out --study")


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
