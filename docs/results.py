"""Print the README's results table from the demo's results: `python docs/results.py [results/demo]`."""

import sys
from pathlib import Path

import pandas as pd

from ganlib.display.tables import with_uncertainty

_MEASURES = {"mae": "MAE", "psnr_db": "PSNR (dB)", "mi_nats": "MI (nats)"}
_ORDER = ["Doing nothing", "Mean image", "Simple", "Generators_s", "CycleGAN_s", "CycleGAN"]


def main(folder="results/demo"):
    """Print a Markdown table: a row per method, protocol `paper`."""
    table = pd.read_csv(Path(folder) / "comparison" / "summary.csv")
    table = table[table["protocol"] == "paper"].set_index(["method", "metric", "target"]).sort_index()
    targets = ["T2w", "T1w"]
    print(
        "| | " + " | ".join(f"{name}, synthetic {target}" for name in _MEASURES.values() for target in targets) + " |"
    )
    print("|---|" + "---|" * (len(_MEASURES) * len(targets)))
    for method in _ORDER:
        rows = [table.loc[(method, metric, target)] for metric in _MEASURES for target in targets]
        print(
            f"| {method} | " + " | ".join(with_uncertainty(row["mean"], row["low"], row["high"]) for row in rows) + " |"
        )


main(*sys.argv[1:])
