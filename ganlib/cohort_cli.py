"""The commands that make a cohort of NIfTI files: fetch, register, import, and look at its quality."""

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ganlib.assignments import assignments
from ganlib.errors import InputError

app = typer.Typer()


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
    options, settings = (assignments(texts) for texts in (option, setting))
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

    contrasts, options = _contrasts(contrast), assignments(option)
    source = open_source(layout, str(folder), contrasts, options)
    settings = validated(RegistrationSettings, {"to": to, **assignments(setting)})
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
def quality(cohort: Annotated[Path, typer.Argument(help="the cohort file")]):
    """Measure every subject of a cohort and name those that stand out; `ganlib dashboard COHORT` shows them."""
    table = measured(cohort)
    for row in table.to_dict("records"):
        for flag in row["flags"]:
            typer.echo(f"{row['subject']}: {flag}")
    flagged = sum(bool(flags) for flags in table["flags"])
    typer.echo(f"{len(table)} subjects, {flagged} flagged; look at them: ganlib dashboard {cohort}")


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


def measured(path):
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
