"""What training, sampling and judging a flow costs, beside the plain loop of the reference.

    OMP_NUM_THREADS=1 python benchmarks/bench_flow.py

All variants are timed in turn, several times, in one process; the smallest time of each counts, so
that other jobs on the machine disturb the ratios little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from nodeflow.datasets import load_dataset
from nodeflow.flow import SampleSettings, fit_flow, flatten, flow_settings, sample
from nodeflow.flow.codec import fit_codec
from nodeflow.flow.train import train_velocity
from nodeflow.judge import assess, max_iou, nearest_members
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architectures import mlp
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
    """Seconds of each job, the smallest of several rounds over all of them."""
    seconds = dict.fromkeys(jobs, np.inf)
    for _ in range(repeats):
        for name, work in jobs.items():
            start = time.perf_counter()
            work()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def main() -> None:
    """Time everything and print one line for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=100)
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--samples", type=int, default=1000)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    torch.set_num_threads(1)

    architecture, data = mlp([64, 32, 32, 10]), load_dataset("digits")
    zoo = train_block(architecture, data, range(chosen.members), TrainSettings(), 1, "bench")
    rows = flatten(zoo.parameters, architecture.shapes)
    paper = flow_settings("paper", {"codec": {"kind": "pca"}})
    codes = torch.from_numpy(fit_codec(rows, paper.codec).encode(rows)).float()
    raw = torch.from_numpy(rows)
    steps = chosen.steps

    def ours(points: Tensor, method: str, hidden: int, batch: int) -> Callable[[], object]:
        settings = flow_settings(
            method, {"steps": steps, "batch": batch, "velocity": {"hidden": hidden}}
        )
        return lambda: train_velocity(points, settings, torch_generator(1, "bench"))

    trained = smallest(
        {
            "plain loop, weights, h 512": lambda: plain_loop(raw, 512, steps),
            "plain loop, codes, h 512": lambda: plain_loop(codes, 512, steps),
            "paper, weights, h 512": ours(raw, "paper", 512, 8),
            "paper, weights, h 64": ours(raw, "paper", 64, 8),
            "paper, codes, h 512": ours(codes, "paper", 512, 8),
            "paper, codes, h 64": ours(codes, "paper", 64, 8),
            "paper, codes, h 512, batch 64": ours(codes, "paper", 512, 64),
            "ours, codes, h 256, batch 64": ours(codes, "codes", 256, 64),
        },
        chosen.repeats,
    )
    slowest = trained["plain loop, weights, h 512"]
    for name, seconds in trained.items():
        print(f"{name:32s} {1e3 * seconds / steps:8.2f} ms/step   {slowest / seconds:6.1f} ×")

    flow, _ = fit_flow(
        zoo.parameters, architecture.shapes, flow_settings("paper", {"codec": {"kind": "pca"},
        "steps": 100}), 1, ("bench",),
    )  # fmt: skip
    errors = assess(architecture, zoo.parameters, data.test_x, data.test_y).errors

    def generate(solver: str, count: int) -> Callable[[], object]:
        how = SampleSettings(solver, count)

        def work() -> None:
            found = sample(flow, chosen.samples, how, 1, ("bench",))
            judged = assess(architecture, found.parameters, data.test_x, data.test_y)
            nearest_members(flatten(found.parameters, architecture.shapes), rows)
            max_iou(judged.errors, errors)

        return work

    sampled = smallest(
        {f"{solver}, {count} steps": generate(solver, count)
         for solver, count in (("rk4", 99), ("rk4", 6), ("heun", 12), ("euler", 24))},
        chosen.repeats,
    )  # fmt: skip
    for name, seconds in sampled.items():
        print(f"{chosen.samples} sampled, decoded, judged: {name:16s} {seconds:6.2f} s")


if __name__ == "__main__":
    main()
