"""Print the table of docs/hallucination.md and take its pictures: `python docs/hallucination.py [results/audit]`."""

import sys
from pathlib import Path

from PIL import Image

from ganlib.display.audit import audit_figure, audit_table, caption_of
from ganlib.display.hallucination import hallucination_grid
from ganlib.display.template import save
from ganlib.evaluation.audit import audit
from ganlib.runs import Run


def main(folder="results/audit", pictures="docs"):
    """Audit every run of a study again, print a Markdown table, write two pictures."""
    runs = [Run(path) for path in sorted(Path(folder, "runs").iterdir())]
    found = audit(runs, progress=False)
    table = audit_table(found).data.reset_index()
    print("| " + " | ".join(table) + " |\n|" + "---|" * table.shape[1])
    for row in table.itertuples(index=False):
        print("| " + " | ".join(row) + " |")
    print("\n" + caption_of(found))
    with runs[0].cohort() as cohort:
        _save_small(hallucination_grid(cohort, runs, found), Path(pictures, "hallucination.png"))
    _save_small(audit_figure(found), Path(pictures, "hallucination_counts.png"))


def _save_small(figure, path):
    """A picture at half of print size, for the screen."""
    save(figure, path)
    Image.open(path).convert("RGB").reduce(2).save(path, optimize=True)


main(*sys.argv[1:])
