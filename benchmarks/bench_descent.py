"""What descents cost and how their networks compare with members, by architecture and settings.

    OMP_NUM_THREADS=1 python benchmarks/bench_descent.py mlp --out descents.jsonl \
        --changes '{"steps": 420, "batch": 4}' --changes '{"doublings": 2}'
    OMP_NUM_THREADS=1 python benchmarks/bench_descent.py mlp --held-out --changes '{}' --out ...
    python -m docs.numbers --bench bench_descent.py

Zoos of the digits as those of config/config.yaml are trained: members to learn from, as many for
validation, on which settings are chosen, and as many that are held out, for what was chosen. Each
row of the table is a descent with some settings changed. Its networks are compared with members of
one kind, without which everything else is made: differences are in standard deviations of those,
with Welch's 95 % interval. Seconds are of the processor; those of a member are of its training.

Rows go to the file of `--out`; what is there is not computed again. `--zoos` names a folder in
which zoos are kept for the next call.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from laws_tables import lined, read
from scipy import stats

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.datasets import load_dataset
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import sample
from nodeflow.flow.settings import SampleSettings
from nodeflow.judge import PanelSettings, closest_gauge, summarize
from nodeflow.judge.bench import enter
from nodeflow.stack import Stack
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import Block, read_block, write_block
from nodeflow.zoo.train import TrainSettings, train_block

ROWS = Path(__file__).parent / "descent_rows.jsonl"
VALIDATION, HELD_OUT = "validation", "held-out"

ZOOS: dict[str, tuple[dict[str, Any], TrainSettings]] = {
    "mlp": ({"kind": "mlp", "hidden": [32, 32]}, TrainSettings()),
    "resnet": (
        {"kind": "resnet", "widths": [4, 8, 16], "blocks": [1, 1, 1]},
        TrainSettings(epochs=10, learning_rate=3e-3),
    ),
    "vit": (
        {"kind": "vit", "patch": 2, "width": 24, "depth": 2, "heads": 3, "hidden": 48},
        TrainSettings(epochs=40, learning_rate=3e-3),
    ),
}


def main() -> None:
    """Compute what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", nargs="?", choices=ZOOS)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--judged", type=int, default=200, help="of each kind")
    parser.add_argument("--held-out", action="store_true", help="compare with held-out members")
    parser.add_argument("--changes", type=json.loads, action="append", default=[])
    parser.add_argument("--zoos", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = read(asked.out or ROWS)
    if asked.zoo and asked.out:
        bench = Bench(asked.zoo, asked.members, asked.judged, asked.zoos)
        against = HELD_OUT if asked.held_out else VALIDATION
        known = [(row["name"], row["members"], row["against"], row["changes"]) for row in rows]
        for changes in asked.changes:
            if (asked.zoo, asked.members, against, changes) in known:
                continue
            row = bench.measured(changes, against)
            with asked.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            rows.append(row)
    print("\n".join(table(rows)))


class Bench:
    """A zoo, and what descents make of it."""

    def __init__(self, name: str, members: int, judged: int, folder: Path | None) -> None:
        recipe, self.training = ZOOS[name]
        self.name, self.data = name, load_dataset("digits")
        self.architecture = build(recipe, (1, 8, 8), self.data.classes)
        count = members + 2 * judged
        path = None if folder is None else folder / f"{name}_{count}.safetensors"
        if path is None or not path.exists():
            began = time.process_time()
            block: Stack[torch.Tensor] = train_block(
                self.architecture, self.data, range(count), self.training, 1, "digits"
            )
            seconds = np.full(count, (time.process_time() - began) / count)
            about = {"seconds": seconds}
            block = Block(block.members, block.parameters, block.statistics, about)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_block(path, block, asdict(self.training))
        else:
            block = read_block(path)
        self.seconds = float(block.about["seconds"][0])
        self.members, others = block.split(members)
        validation, held_out = others.split(members + judged)
        self.others = {VALIDATION: validation, HELD_OUT: held_out}

    def measured(self, changes: dict[str, Any], against: str) -> dict[str, Any]:
        """The row of a descent with some settings changed."""
        others, digits = self.others[against], self.data
        origin = Origin("digits", self.architecture, digits, self.training)
        settings = settings_of("descent", changes)
        began = time.process_time()
        flow, history = fit_flow(LearnedZoo(self.members, others, origin), settings, 1, ("bench",))
        fitted = time.process_time()
        how = SampleSettings("euler", settings.evaluations)
        samples = sample(flow, len(others), how, 1, ("bench",))
        sampled = time.process_time()
        # Nothing but these sets: controls are as dear as the fit.
        entered = enter(
            self.architecture, self.members, others, samples, (digits.test_x, digits.test_y),
            PanelSettings(controls=len(others)),
            closest_gauge(derive_symmetry(self.architecture), MatchSettings()),
            digits.train_x, torch.device("cpu"),
        )  # fmt: skip
        assert entered.held_out is not None
        first = np.arange(min(len(others), len(self.members)))
        panel = pd.concat([
            entered.bench("zoo", entered.training.select(first), own=first),
            entered.bench("held-out", entered.held_out),
            entered.bench("generated", entered.drawn, samples.seeds),
        ])  # fmt: skip
        summary = summarize(panel, 1, ("bench",)).set_index("set").to_dict("index")["generated"]
        good = panel[panel["status"] == "ok"].groupby("set")
        return {
            "name": self.name, "members": len(self.members), "against": against, "changes": changes,
            "judged": len(others), "failed": int(summary["failed"]), "member": self.seconds,
            "fit": fitted - began, "network": (sampled - fitted) / len(others),
            "held_out_loss": float(history["held_out_loss"].iloc[-1]),
            **{name: float(summary[name]) for name in
               ("nearest_p", "max_iou_p", "neighbour_p", "replica_share")},
            **{f"{name} {column}": good.get_group(name)[column].round(6).tolist()
               for name in ("held-out", "generated") for column in COLUMNS},
        }  # fmt: skip


COLUMNS = "accuracy", "nearest", "max_iou", "loss"


def table(rows: list[dict[str, Any]]) -> list[str]:
    """One line a descent."""
    header = ["networks, members", "changed", "fit, s", "a network, s", "a member, s",
              "compared with", "their accuracy, %", "accuracy, %", "distance", "overlap", "loss",
              "p of distance, overlap, mixing", "replicas"]  # fmt: skip
    lines = []
    for row in rows:
        changes = ", ".join(f"{key} {value}" for key, value in row["changes"].items())
        accuracies = [100 * pd.Series(row[f"{name} accuracy"]).mean()
                      for name in ("held-out", "generated")]  # fmt: skip
        lines.append([
            f"{row['name']}, {row['members']}", changes or "nothing", f"{row['fit']:.0f}",
            f"{row['network']:.3f}", f"{row['member']:.3f}",
            f"{row['judged']} {row['against']}", *(f"{x:.1f}" for x in accuracies),
            *(difference(row, column) for column in COLUMNS[1:]),
            ", ".join(f"{row[name]:.2g}" for name in ("nearest_p", "max_iou_p", "neighbour_p")),
            f"{row['replica_share']:.0%}",
        ])  # fmt: skip
    return lined(header, lines)


def difference(row: dict[str, Any], column: str) -> str:
    """Generated less others, in standard deviations of those, with Welch's interval."""
    generated, others = (pd.Series(row[f"{name} {column}"]) for name in ("generated", "held-out"))
    test = stats.ttest_ind(generated, others, equal_var=False)
    low, high = test.confidence_interval()
    values = [x / others.std() for x in (generated.mean() - others.mean(), low, high)]
    return "{:.2f} [{:.2f}, {:.2f}]".format(*values)


if __name__ == "__main__":
    main()
