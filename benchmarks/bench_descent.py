"""What a descent costs and how its networks compare with held-out members, by architecture.

    OMP_NUM_THREADS=1 python benchmarks/bench_descent.py mlp
    OMP_NUM_THREADS=1 python benchmarks/bench_descent.py mlp --changes '{"steps": 420, "batch": 4}'
    OMP_NUM_THREADS=1 python benchmarks/bench_descent.py resnet --members 60 --held-out 40

Zoos of the digits as those of config/config.yaml are trained, of as many members as are asked for.
Nothing but this table is made of held-out members. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.datasets import load_dataset
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import sample
from nodeflow.flow.settings import SampleSettings
from nodeflow.judge import PanelSettings, closest_gauge, judge_panel, summarize
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import TrainSettings, train_block

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
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", choices=ZOOS)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--changes", type=json.loads, default={})
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings, training = ZOOS[asked.zoo]
    digits = load_dataset("digits")
    architecture = build(settings, (1, 8, 8), digits.classes)
    began = time.process_time()
    count = asked.members + asked.held_out
    block = train_block(architecture, digits, range(count), training, 1, "digits")
    trained = time.process_time()
    members, held_out = Block(block.members, block.parameters, block.statistics).split(
        asked.members
    )
    zoo = LearnedZoo(members, held_out, Origin("digits", architecture, digits, training))
    descent = settings_of("descent", asked.changes)
    flow, history = fit_flow(zoo, descent, 1, ("bench",))
    fitted = time.process_time()
    how = SampleSettings("euler", descent.evaluations)
    samples = sample(flow, asked.held_out, how, 1, ("bench",))
    sampled = time.process_time()
    panel = judge_panel(
        architecture, members, held_out, samples, digits.test_x, digits.test_y,
        PanelSettings(noise_scales=(0.1,), controls=asked.held_out), 1, ("bench",),
        align=closest_gauge(derive_symmetry(architecture), MatchSettings()),
        calibration=digits.train_x,
    )  # fmt: skip
    summary = summarize(panel, 1, ("bench",)).set_index("set")
    each = (trained - began) / count, (sampled - fitted) / asked.held_out
    print(
        f"{architecture.name}, {asked.members} members, {asked.changes}: a member {each[0]:.3f} s, "
        f"the fit {fitted - trained:.0f} s, a network {each[1]:.3f} s, loss on held-out members "
        f"{history['held_out_loss'].iloc[-1]:.3f}\n"
    )
    print(
        "| networks | accuracy, % | distance (p) | replicas | distinct | overlap (p) | mixing p |"
    )
    print("| --- " * 7 + "|")
    for name in ("held-out", "generated"):
        row = summary.loc[name]
        accuracy, low, high = (100 * row[f"accuracy{end}"] for end in ("", "_low", "_high"))
        print(
            f"| {name} ({row['n']}) | {accuracy:.1f} [{low:.1f}, {high:.1f}] | "
            f"{row['nearest_relative']:.3f} ({row['nearest_p']:.2g}) | "
            f"{row['replica_share']:.0%} | {row['distinct']} | "
            f"{row['max_iou']:.2f} ({row['max_iou_p']:.2g}) | {row['neighbour_p']:.2g} |"
        )


if __name__ == "__main__":
    main()
