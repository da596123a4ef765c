"""Print the tables of docs/hallucination.md and take its pictures: `python docs/hallucination.py [results/audit]`."""

import sys
from pathlib import Path

import pandas as pd
import yaml
from PIL import Image

from ganlib.display.audit import audit_table, caption_of
from ganlib.display.hallucination import hallucination_grid, runs_named
from ganlib.display.prevalence import prevalence_figure
from ganlib.display.template import save
from ganlib.evaluation.audit import audit
from ganlib.evaluation.pairwise import compare_pairs
from ganlib.evaluation.prevalence_curve import compare_at_shares, prevalence_curve
from ganlib.runs import Run

STUDY = Path(__file__).resolve().parents[1] / "notebooks" / "audit.yaml"


def main(folder="results/audit", pictures="docs"):
    """Audit every run of a study again, print Markdown tables, write two pictures."""
    runs = [Run(path) for path in sorted(Path(folder, "runs").iterdir())]
    found = audit(runs, progress=False)
    _print(audit_table(found).data.reset_index())
    print("\n" + caption_of(found) + "\n")
    _print(_by_seed(found))
    _print(_compared(found))
    _print(_of_one_population(found))
    shown = runs_named(runs, yaml.safe_load(STUDY.read_text(encoding="utf-8"))["audit"]["pictured"])
    with runs[0].cohort() as cohort:
        _save_small(hallucination_grid(cohort, shown, found), Path(pictures, "hallucination.png"))
    _save_small(prevalence_figure(found), Path(pictures, "hallucination_shares.png"))


def _by_seed(found):
    """Counts of each training seed."""
    table = prevalence_curve(found, by_seed=True).astype({"erased": int, "invented": int})
    return table[["direction", "method", "target_share", "seed", "erased", "lesions", "invented", "healthy"]].round(2)


def _compared(found):
    """Differences between methods at each share, with P."""
    table = compare_at_shares(found)
    names = ["metric", "direction", "target_share", "method_a", "method_b", "n", "difference", "low", "high", "p_holm"]
    return table[names].round(4)


def _of_one_population(found):
    """A population half of whom have lesions: CycleGAN of biased domains against Generators_s of unselected pairs."""
    rows = found.subjects[found.subjects["method"].str.contains(r"CycleGAN .*\b0 %|Generators_s .50 %")]
    kinds = {"lesion_erased": rows["lesions"] > 0, "lesion_invented": rows["healthy"]}
    tables = [
        compare_pairs(rows[chosen & (rows["metric"] == metric)], metric, "audit").assign(metric=metric)
        for metric, chosen in kinds.items()
    ]
    table = pd.concat(tables)
    table = table[table["method_a"].str.startswith("CycleGAN") != table["method_b"].str.startswith("CycleGAN")]
    return table[["metric", "direction", "method_a", "method_b", "n", "difference", "low", "high", "p"]].round(6)


def _print(table):
    print("| " + " | ".join(table) + " |\n|" + "---|" * table.shape[1])
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def _save_small(figure, path):
    """A picture at half of print size, in 256 colours, for the screen."""
    save(figure, path)
    Image.open(path).convert("RGB").reduce(2).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


main(*sys.argv[1:])
