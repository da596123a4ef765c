"""The danger in pictures: one healthy subject and one patient, with what each method kept, erased and invented."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from skimage.measure import find_contours

from ganlib.display.grid import box_around
from ganlib.display.palette import method_colour
from ganlib.display.template import DARK_TEMPLATE, FAINT_LIGHT_INK, LIGHT_INK
from ganlib.errors import InputError
from ganlib.evaluation.audit import REAL
from ganlib.evaluation.lesion_marks import mark_lesions
from ganlib.evaluation.lesion_reference import Tissue

#: Colour and dash of what is outlined (Okabe & Ito), and what it is called.
MARKS = {"kept": ("#56B4E9", "solid"), "erased": ("#F0E442", "dot"), "invented": ("#FF7A45", "solid")}

_PANEL_PX, _LEFT, _RIGHT, _TOP, _BOTTOM, _ROW_GAP = 158, 150, 16, 140, 66, 46
_ARROW_PX = 20


def hallucination_grid(cohort, runs, found, *, lesion="lesion", tissue="white matter"):
    """Source, truth and every method's image of four cases: a healthy subject and a patient, both directions.

    Outlined is what the audit counts. Shown are, in each direction, the healthy subject with the most invented
    lesions and the patient with the most erased ones, over all runs together: the worst, and the title says so.

    Args:
        cohort: the open cohort.
        runs: list of `ganlib.runs.Run` that were audited together.
        found: their `ganlib.evaluation.audit.Audit`.
        lesion: name of the lesions' label.
        tissue: as for `ganlib.evaluation.audit.audit`.

    Returns:
        `plotly.graph_objects.Figure`.

    Raises:
        InputError: no test subject has a lesion.
    """
    cases = _cases(runs, found)
    codes, methods = Tissue.named(cohort, lesion, tissue), _methods(runs, found)
    columns = [("source", None), ("real target", None), *methods.items()]
    figure = make_subplots(len(cases), len(columns), horizontal_spacing=0.004, vertical_spacing=0.03)
    for row, case in enumerate(cases, start=1):
        for column, (name, run) in enumerate(columns, start=1):
            _add_panel(figure, row, column, cohort, codes, found, case, name, run)
    height = _panel_height(cohort, cases)
    _lay_out(figure, cohort, cases, columns, height)
    return figure


def runs_named(runs, names):
    """Some of several runs, in the order of their names.

    Args:
        runs: list of `ganlib.runs.Run`.
        names: of the runs, or nothing for all of them.

    Raises:
        InputError: no run has such a name; the message says which names there are.
    """
    known = {run.name: run for run in runs}
    for name in names:
        if name not in known:
            raise InputError(f"no run is called {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] or list(runs)


def _cases(runs, found):
    """Direction, subject and kind of each row."""
    cases = []
    of_runs = found.subjects[found.subjects["run"].isin([run.name for run in runs])]
    for direction in runs[0].directions:
        mine = of_runs[of_runs["direction"] == direction.name]
        kinds = (("healthy", "lesion_invented", mine["healthy"]), ("patient", "lesion_erased", mine["lesions"] > 0))
        for kind, metric, chosen in kinds:
            rows = mine[chosen & (mine["metric"] == metric)]
            total = (rows["value"] * np.maximum(rows["lesions"], 1)).groupby(rows["subject"]).sum()
            if len(total):
                cases.append((direction, total.idxmax(), kind))
    if not any(kind == "patient" for *_, kind in cases):
        raise InputError("no test subject has a lesion that can be seen; audit a cohort that has some in its test part")
    return cases


def _methods(runs, found):
    """Runs by the name that the audit gives their method; of several seeds the first."""
    names = found.subjects.drop_duplicates("run").set_index("run")["method"]
    methods = {}
    for run in runs:
        methods.setdefault(names[run.name], run)
    return methods


def _add_panel(figure, row, column, cohort, codes, found, case, name, run):
    direction, subject_id, _ = case
    contrast = direction.source if name == "source" else direction.target
    image = cohort.images(subject_id, contrast) if run is None else run.synthetic(subject_id, direction)
    index, box = _view(cohort, subject_id)
    low, high = cohort.ranges[contrast].low, cohort.ranges[contrast].high
    figure.add_trace(
        go.Heatmap(z=image[index][box], colorscale="gray", zmin=low, zmax=high, showscale=False, name=name),
        row=row, col=column,
    )  # fmt: skip
    marks = mark_lesions(cohort, codes, found.references[contrast], contrast, subject_id, image)
    for kind, places in marks._asdict().items():
        if name == "source" and kind == "invented":
            continue
        for place in places:
            _outline(figure, row, column, place[index][box], kind)
    if name != "source":
        _caption(figure, row, column, found, case, REAL if run is None else name)


def _outline(figure, row, column, place, kind):
    colour, dash = MARKS[kind]
    for line in find_contours(np.pad(place.astype(float), 1), 0.5):
        figure.add_trace(
            go.Scatter(
                x=line[:, 1] - 1, y=line[:, 0] - 1, mode="lines", line={"color": colour, "width": 1.6, "dash": dash},
                name=kind, hoverinfo="name",
            ), row=row, col=column,
        )  # fmt: skip
    if kind != "kept" and place.any():
        rows, columns = np.nonzero(place)
        at = np.argmax(columns - rows)  # the corner that the arrow comes from
        figure.add_annotation(
            x=columns[at] + 0.5, y=rows[at] - 0.5, ax=_ARROW_PX, ay=-_ARROW_PX, showarrow=True, arrowhead=2,
            arrowsize=1, arrowwidth=1.8, arrowcolor=colour, text="", row=row, col=column,
        )  # fmt: skip


def _caption(figure, row, column, found, case, method):
    """What the audit counts in this image, and what the whole brain's SSIM says of it."""
    direction, subject_id, kind = case
    table = found.subjects
    mine = table[
        (table["method"] == method) & (table["direction"] == direction.name) & (table["subject"] == subject_id)
    ]
    value = mine.groupby("metric")["value"].mean()
    lesions = int(mine["lesions"].iloc[0])
    parts = []
    if kind == "patient":
        erased = round(value["lesion_erased"] * lesions)
        parts.append(f"<span style='color:{MARKS['erased'][0]}'>erased {erased} of {lesions}</span>" if erased else
                     f"kept {lesions} of {lesions}")  # fmt: skip
    invented = value.get("lesion_invented")
    if invented is not None and (kind == "healthy" or invented):
        number = f"invented {invented:.3g}"
        parts.append(f"<span style='color:{MARKS['invented'][0]}'>{number}</span>" if invented else number)
    text = "search on the truth:<br>" if method == REAL else ""
    ssim = "" if method == REAL else f"<br>SSIM {value['ssim']:.3f}"
    figure.add_annotation(
        text=text + " · ".join(parts) + ssim, x=0.5, xref="x domain", y=-0.01, yref="y domain", yanchor="top",
        showarrow=False, font={"size": 11, "color": LIGHT_INK}, row=row, col=column,
    )  # fmt: skip


def _view(cohort, subject_id):
    """The slice with the most lesion or, without any, the most brain; and the box around the brain."""
    mask = cohort.mask(subject_id)
    index = int(np.argmax(mask.sum((1, 2))))
    return index, box_around(mask[index])


def _panel_height(cohort, cases):
    dy, dx, _ = cohort.header.voxel_mm
    ratios = []
    for _, subject_id, _ in cases:
        index, box = _view(cohort, subject_id)
        rows, columns = cohort.mask(subject_id)[index][box].shape
        ratios.append(rows * dy / (columns * dx))
    return _PANEL_PX * max(ratios)


def _lay_out(figure, cohort, cases, columns, height):
    rows = len(cases)
    width = _LEFT + _RIGHT + _PANEL_PX * len(columns)
    total = _TOP + _BOTTOM + rows * height + (rows - 1) * _ROW_GAP
    inner = total - _TOP - _BOTTOM
    phantom = "PHANTOM · " if cohort.header.phantom else ""
    figure.update_layout(
        template=DARK_TEMPLATE, width=round(width), height=round(total),
        margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM},
        title={
            "text": f"{phantom}What each method kept, erased and invented", "yref": "container", "y": 1 - 32 / total,
            "subtitle": {"text": _legend()},
        },
    )  # fmt: skip
    dy, dx, _ = cohort.header.voxel_mm
    for place in range(rows * len(columns)):
        row, key = place // len(columns), "" if not place else str(place + 1)
        top = 1 - row * (height + _ROW_GAP) / inner
        figure.layout[f"yaxis{key}"].update(
            domain=[max(top - height / inner, 0), top], autorange="reversed", scaleanchor=f"x{key}", scaleratio=dy / dx,
            constrain="domain",
        )  # fmt: skip
        figure.layout[f"xaxis{key}"].constrain = "domain"
    for column, (name, run) in enumerate(columns, start=1):
        _head(figure, column, name, run)
    for row, case in enumerate(cases):
        _label_row(figure, row, case, 1 - (row * (height + _ROW_GAP) + height / 2) / inner)
    warning = f"Synthetic images{', phantom data' if cohort.header.phantom else ''}: not for diagnosis."
    figure.add_annotation(
        text=warning, x=0, xref="paper", y=0, yref="paper", yanchor="top", yshift=-38, xanchor="left", showarrow=False,
        font={"size": 12, "color": FAINT_LIGHT_INK},
    )  # fmt: skip


def _legend():
    parts = {
        "kept": "lesion kept",
        "erased": "lesion erased (less than half of its contrast left)",
        "invented": "lesion invented (the truth has none there)",
    }
    marks = "   ".join(f"<span style='color:{MARKS[kind][0]}'>◯</span> {text}" for kind, text in parts.items())
    return marks + "<br>Shown: the test subjects with the most invented and the most erased lesions, over all methods"


def _head(figure, column, name, run):
    method, _, note = name.partition(" (")
    text = f"<b>{name}</b>"
    if run is not None:
        text = f"<span style='color:{method_colour(method)}'>■</span> <b>{method}</b>"
        text += f"<br><span style='color:{FAINT_LIGHT_INK}'>{_trained_on(run, note.rstrip(')'))}</span>"
    figure.add_annotation(
        text=text, x=0.5, xref="x domain", y=1.01, yref="y domain", yanchor="bottom", showarrow=False,
        font={"size": 12, "color": LIGHT_INK}, row=1, col=column,
    )  # fmt: skip


def _trained_on(run, note):
    """Prevalence that a run was trained with, `T1w 0 %, T2w 100 %`, or its name where it was not drawn by it."""
    shares = run.config.prevalence
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items()) if shares else note


def _label_row(figure, row, case, middle):
    direction, subject_id, kind = case
    text = f"<b>{direction.label}</b><br>{kind}<br><span style='color:{FAINT_LIGHT_INK}'>{subject_id}</span>"
    figure.add_annotation(
        text=text, x=0, xref="paper", xanchor="right", xshift=-12, y=middle, yref="paper", yanchor="middle",
        align="right", showarrow=False, font={"size": 13, "color": LIGHT_INK},
    )  # fmt: skip
