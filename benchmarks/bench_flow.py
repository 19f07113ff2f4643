"""What training, sampling and judging a flow costs, beside the plain loop of the reference.

    OMP_NUM_THREADS=1 python benchmarks/bench_flow.py

All variants are timed in turn, several times, in one process and one thread; the smallest CPU time
of each counts, so that other jobs on the machine disturb the ratios little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from nodeflow.datasets import Dataset, load_dataset
from nodeflow.figures.style import colours, drawing, outside_legend, panels, save
from nodeflow.flow import (
    LearnedZoo,
    Origin,
    SampleSettings,
    fit_flow,
    flatten,
    sample,
    settings_of,
)
from nodeflow.flow.codec import fit_codec
from nodeflow.flow.train import train_velocity
from nodeflow.judge import assess, max_iou, nearest_members
from nodeflow.seeds import torch_generator
from nodeflow.stack import Stack
from nodeflow.zoo.perceptrons import classifier, mlp
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import TrainSettings, train_block


class PlainVelocity(nn.Module):
    """The reference's network out of stock layers."""

    def __init__(self, size: int, hidden: int, time_features: int = 64) -> None:
        super().__init__()
        h = hidden
        self.time = nn.Sequential(
            nn.Linear(1, time_features), nn.GELU(), nn.Linear(time_features, time_features)
        )
        self.body = nn.Sequential(
            nn.Linear(size + time_features, h), nn.LayerNorm(h), nn.GELU(), nn.Dropout(0.1),
            nn.Linear(h, h // 2), nn.LayerNorm(h // 2), nn.GELU(), nn.Dropout(0.1),
            nn.Linear(h // 2, h), nn.LayerNorm(h), nn.GELU(), nn.Linear(h, size),
        )  # fmt: skip

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Velocity (B, size) at points (B, size) and times (B, 1)."""
        out: Tensor = self.body(torch.cat([x, self.time(t)], dim=1))
        return out


def plain_loop(points: Tensor, hidden: int, steps: int) -> None:
    """Train as the reference does: data loader, stock AdamW, the loss read at every step."""
    velocity = PlainVelocity(points.shape[1], hidden)
    optimizer = torch.optim.AdamW(
        velocity.parameters(), lr=5e-4, weight_decay=1e-5, betas=(0.9, 0.95)
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, 1e-6)
    loader = DataLoader(TensorDataset(points), batch_size=8, shuffle=True, drop_last=True)
    batches: Iterator[list[Tensor]] = cycle(loader)
    best = np.inf
    for _ in range(steps):
        x1 = next(batches)[0]
        x0 = 0.01 * torch.randn_like(x1)
        t = torch.rand(len(x1), 1)
        x = (1 - t) * x0 + t * x1 + 0.001 * torch.randn_like(x1)
        loss = ((velocity(x, t) - (x1 - x0)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        best = min(best, loss.item())


def smallest(jobs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """CPU seconds of each job, the smallest of several rounds over all of them."""
    seconds = dict.fromkeys(jobs, np.inf)
    for _ in range(repeats):
        for name, work in jobs.items():
            start = time.process_time()
            work()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def train_speed(codes: Tensor, raw: Tensor, steps: int, repeats: int) -> None:
    """Milliseconds a step of the same loss: the plain loop on weights, and ours."""

    def ours(points: Tensor, method: str, hidden: int, batch: int) -> Callable[[], object]:
        settings = settings_of(
            method, {"steps": steps, "batch": batch, "velocity": {"hidden": hidden}}
        )
        return lambda: train_velocity(points, settings, torch_generator(1, "bench"))

    trained = smallest(
        {
            "plain loop, weights, h 512": lambda: plain_loop(raw, 512, steps),
            "plain loop, codes, h 512": lambda: plain_loop(codes, 512, steps),
            "paper, weights, h 512": ours(raw, "paper", 512, 8),
            "paper, codes, h 512": ours(codes, "paper", 512, 8),
            "paper, codes, h 512, batch 64": ours(codes, "paper", 512, 64),
            "method codes, h 256, batch 64": ours(codes, "codes", 256, 64),
        },
        repeats,
    )
    slowest = trained["plain loop, weights, h 512"]
    for name, seconds in trained.items():
        print(f"{name:32s} {1e3 * seconds / steps:8.2f} ms/step   {slowest / seconds:6.1f} ×")


def sample_speed(
    zoo: Stack[torch.Tensor], data: Dataset, steps: int, count: int, repeats: int
) -> pd.DataFrame:
    """Seconds and accuracy of networks that are trained, or sampled, decoded and judged."""
    architecture = classifier(data, [32, 32])
    rows = flatten(zoo.parameters, architecture.shapes)
    errors = assess(architecture, zoo.parameters, data.test_x, data.test_y).errors
    origin = Origin("bench", architecture, data, TrainSettings())
    methods: list[tuple[str, dict[str, Any]]] = [
        ("paper", {"codec": {"kind": "pca"}, "steps": steps}),
        ("ddpm", {"steps": steps}),
        ("descent", {"steps": steps // 10}),
    ]
    flows = {
        method: fit_flow(
            LearnedZoo(zoo, None, origin), settings_of(method, changes), 1, ("bench", method)
        )[0]
        for method, changes in methods
    }
    accuracies: dict[str, np.ndarray] = {}

    def generate(flow: str, how: SampleSettings) -> Callable[[], object]:
        def work() -> None:
            drawn = sample(flows[flow], count, how, 1, ("bench",))
            judged = assess(architecture, drawn.parameters, data.test_x, data.test_y)
            nearest_members(flatten(drawn.parameters, architecture.shapes), rows)
            max_iou(judged.errors, errors)
            accuracies[f"{flow}, {how.solver}, {how.steps} steps"] = judged.accuracy

        return work

    def scratch() -> None:
        """As many members as a stack holds, so that the time of each is what it is in a zoo."""
        block = train_block(architecture, data, range(64), TrainSettings(), 2, "bench")
        accuracies["training from scratch"] = block.metrics["test_accuracy"].to_numpy()

    hows = [
        ("paper", SampleSettings("rk4", 99)), ("paper", SampleSettings("rk4", 6)),
        ("paper", SampleSettings("heun", 12)), ("paper", SampleSettings("euler", 24)),
        ("ddpm", SampleSettings("ddpm", 1000)), ("descent", SampleSettings("euler", 24)),
    ]  # fmt: skip
    jobs = {f"{flow}, {how.solver}, {how.steps} steps": generate(flow, how) for flow, how in hows}
    seconds = smallest({"training from scratch": scratch, **jobs}, repeats)
    return pd.DataFrame(
        [
            {
                "way": way,
                "milliseconds": 1e3 * seconds[way] / len(accuracy),
                "accuracy": accuracy.mean(),
                "error": 1.96 * accuracy.std() / np.sqrt(len(accuracy)),
            }
            for way, accuracy in accuracies.items()
        ]
    )


def draw(table: pd.DataFrame) -> Figure:
    """Accuracy against the time of one network, its evaluation included."""
    figure, (axis,) = panels(1, width=4.6, height=3.2)
    ways = table.to_dict("records")
    for colour, row in zip(colours(range(len(ways))).values(), ways, strict=True):
        axis.errorbar(
            row["milliseconds"], row["accuracy"], row["error"], fmt="o", color=colour,
            label=row["way"],
        )  # fmt: skip
    axis.set(xscale="log", xlabel="milliseconds a network, one core", ylabel="test accuracy")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    outside_legend(axis)
    return figure


def main() -> None:
    """Time everything and print one line for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=100)
    options.add_argument(
        "--steps",
        type=int,
        default=1000,
        help="of the timed training; it reports 50 times however short it is, so that a hundred "
        "steps would time the reports",
    )
    options.add_argument("--flow-steps", type=int, default=5000, help="of the flows sampled from")
    options.add_argument("--samples", type=int, default=1000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--training-only", action="store_true")
    options.add_argument("--figure", help="a PNG to draw times and accuracies into")
    chosen = options.parse_args()
    torch.set_num_threads(1)

    architecture, data = mlp([64, 32, 32, 10]), load_dataset("digits")
    members = range(chosen.members)
    zoo = train_block(architecture, data, members, TrainSettings(), 1, "bench")
    rows = flatten(zoo.parameters, architecture.shapes)
    codec = fit_codec(rows, settings_of("paper", {"codec": {"kind": "pca"}}).codec)
    codes = torch.from_numpy(codec.encode(rows)).float()
    train_speed(codes, torch.from_numpy(rows), chosen.steps, chosen.repeats)
    if chosen.training_only:
        return

    table = sample_speed(
        Block(zoo.members, zoo.parameters), data, chosen.flow_steps, chosen.samples, chosen.repeats
    )
    for row in table.to_dict("records"):
        total = row["milliseconds"] * chosen.samples / 1e3
        print(
            f"{row['way']:28s} {row['milliseconds']:8.3f} ms a network, {total:7.2f} s for "
            f"{chosen.samples}, accuracy {100 * row['accuracy']:.2f} ± {100 * row['error']:.2f} %"
        )
    if chosen.figure:
        with drawing():
            save(draw(table), chosen.figure, Path(chosen.figure).with_suffix(".pdf"))


if __name__ == "__main__":
    main()
