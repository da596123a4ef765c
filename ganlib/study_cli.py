"""`ganlib study …`: make, serve, watch, close, export and evaluate a perceptual study."""

from pathlib import Path
from typing import Annotated

import typer

from ganlib.assignments import assignments

app = typer.Typer(no_args_is_help=True, help="The perceptual study: can people tell synthetic from real?")

Database = Annotated[str, typer.Argument(help="SQLite file, or postgresql://user@host/name", show_default=False)]
Name = Annotated[str | None, typer.Option(help="name of the study; may be left out if there is only one")]


@app.command()
def create(
    database: Database,
    runs: Annotated[list[Path], typer.Argument(help="run folders, or one folder that holds them")],
    name: Annotated[str, typer.Option(help="name of the study, as raters see it")] = "study",
    preset: Annotated[str, typer.Option(help="balanced, paper_2018 or two_alternative")] = "balanced",
    setting: Annotated[
        list[str], typer.Option("-s", "--setting", help="name=value of the design, in YAML; repeated")
    ] = (),
    if_missing: Annotated[bool, typer.Option(help="leave a study of this name as it is, if there is one")] = False,
):
    """Draw the trials, render the images, store both, and print the organiser's token, which is shown only once."""
    from ganlib.study import StudyDatabase, create_study, study_design, study_names

    opened = StudyDatabase(database, create=True)
    if if_missing and name in study_names(opened):
        typer.echo(f"{opened.shown}: study {name!r} is there already")
        return
    design = study_design(preset, **assignments(setting, what="setting"))
    study, token = create_study(opened, name, find_runs(runs), design)
    typer.echo(f"{opened.shown}: study {name!r}, {study.trials.num_steps} trials, fingerprint {study.fingerprint[:12]}")
    typer.echo(f"organiser's token (keep it, it is not shown again): {token}")


@app.command()
def serve(
    database: Database,
    name: Name = None,
    runs: Annotated[
        Path | None, typer.Option(help="folder of run folders that the organiser may make studies from")
    ] = None,
    port: Annotated[int | None, typer.Option(help="of the raters' page; by default a free one")] = None,
    organiser_port: Annotated[int | None, typer.Option(help="of the organiser's page; by default a free one")] = None,
    public: Annotated[bool, typer.Option(help="let others in the network open the raters' page")] = False,
):
    """Serve the raters' and the organiser's page until stopped with Ctrl-C."""
    from ganlib.display import study_server

    study_server.run(database, name, runs=runs, port=port, organiser_port=organiser_port, public=public)


@app.command("list")
def list_(database: Database):
    """Show the studies of a database, and how far their raters are."""
    from ganlib.study import Study, StudyDatabase, study_names

    opened = StudyDatabase(database)
    for name in study_names(opened):
        study = Study(opened, name)
        rows = study.progress()
        state = "closed" if study.is_closed else "open"
        finished = sum(row["finished"] for row in rows)
        typer.echo(f"{name}: {state}, {study.trials.num_steps} trials, {len(rows)} raters, {finished} finished")
        for row in rows:
            typer.echo(f"  {row['rater']}  {row['answered']:4d} / {row['total']}  {row['experience']}")
        for line in study.missing_runs():
            typer.echo(f"  {line}")


@app.command()
def close(database: Database, name: Name = None):
    """Take no more answers and no more raters."""
    study = _open(database, name)
    study.close()
    typer.echo(f"study {study.name!r} is closed")


@app.command()
def export(
    database: Database,
    folder: Annotated[Path, typer.Argument(help="where the files go")],
    name: Name = None,
):
    """Write answers, raters and trials as CSV and JSON, with a data dictionary; pseudonyms only."""
    from ganlib.study.answers import export as write

    for path in write(_open(database, name), folder):
        typer.echo(path)


@app.command()
def results(
    database: Database,
    name: Name = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="also write a page of figures, .html")] = None,
):
    """Say in plain words what the answers are worth."""
    from ganlib.study.results import StudyResults
    from ganlib.study.summary import summary

    found = StudyResults(_open(database, name))
    for line in summary(found):
        typer.echo(line)
    if output is not None:
        from ganlib import atomic
        from ganlib.display.study_report import html_report

        atomic.write_text(output, html_report(found))
        typer.echo(output)


@app.command()
def power(
    d_prime: Annotated[float, typer.Option(help="discriminability of a typical rater")] = 1.0,
    rater_sd: Annotated[float, typer.Option(help="its standard deviation between raters")] = 0.3,
    image_sd: Annotated[float, typer.Option(help="how much images differ, in units of the raters' noise")] = 0.5,
):
    """Print how small a difference between two methods is found, by raters and images."""
    from ganlib.study.power import power_table
    from ganlib.study.simulation import SimulatedRaters

    population = SimulatedRaters(d_prime=d_prime, d_prime_sd=rater_sd, bias_sd=rater_sd, image_sd=image_sd)
    typer.echo("Smallest difference in 'called real' between two methods in one contrast that is found with 80 % power")
    typer.echo("(two-sided 5 %), in percentage points, for raters down and images per method and contrast across:")
    typer.echo(power_table(population).round().astype(int).to_string())


@app.command()
def simulate(
    database: Database,
    name: Name = None,
    raters: Annotated[int, typer.Option(min=1, help="how many")] = 5,
    seed: Annotated[int, typer.Option(help="of their answers")] = 0,
):
    """Let simulated raters answer, to try the analysis; every result then says that they are simulated."""
    from ganlib.study.simulated_session import simulate_raters

    study = _open(database, name)
    simulate_raters(study, raters, seed=seed)
    typer.echo(f"study {study.name!r}: {raters} simulated raters have answered")


def find_runs(paths):
    """The runs in given folders: each a run folder, or a folder of run folders."""
    from ganlib.runs import Run

    found = []
    for path in paths:
        inside = sorted(config.parent for config in path.glob("*/config.json"))
        found += [Run(path)] if (path / "config.json").is_file() or not inside else map(Run, inside)
    return [run for run in found if len(paths) == len(found) or (run.folder / "synthetic.h5").is_file()]


def _open(database, name):
    from ganlib.study import Study, StudyDatabase

    return Study(StudyDatabase(database), name)
