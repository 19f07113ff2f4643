"""Where the predictions of generated networks lie among those of a zoo's members.

    OMP_NUM_THREADS=1 python benchmarks/bench_prediction_spread.py \
        results/flow/fashion_large_descent/raw/capacity~160/flow.safetensors

Held-out members and generated networks, with the noise that was learned and with other strengths of
it, are compared with the training members of the Fashion-MNIST zoo of config/generation.yaml, all
on training items: how far they are from each other, from their nearest member and from the members'
mean; how much of that distance lies outside of the directions in which members differ most; and how
much their errors overlap with those of all members, and of the one whose errors they share most.
All distances are between square roots of probabilities, in mean squares over items, summed over
classes.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nodeflow.datasets import load_dataset
from nodeflow.flow.descent import Descent
from nodeflow.flow.sample import sample
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.store import read_flow
from nodeflow.judge.novelty import error_overlaps
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.predict import predict
from nodeflow.zoo.store import read_blocks

ITEMS = 4096
TRAINING = 800
AXES = (3, 30, 300)
STRENGTHS = {"noise 0.3": (0.3, 0), "noise 0.6": (0.6, 0), "1, last 2": (1.0, -2)}
"""Name → standard deviation of the probes' weights, and the evaluation from which on, 0 before."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", type=Path)
    parser.add_argument("--zoo", type=Path, default=Path("results/zoo/fashion_large/raw"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_dataset("fashion_mnist")
    architecture = classifier(dataset, [32, 32])
    training, held_out = read_blocks(sorted(given.zoo.glob("block~*.safetensors"))).split(TRAINING)
    x, y = dataset.train_x[:ITEMS], torch.from_numpy(dataset.train_y[:ITEMS])
    flow = read_flow(given.flow)
    assert isinstance(flow, Descent)
    networks = {"training": training.parameters, "held-out": held_out.parameters}
    networks["generated"] = _drawn(flow)
    for name, (strength, first) in STRENGTHS.items():
        with torch.no_grad():
            flow.field.noise.zero_()[first:] = strength
        networks[name] = _drawn(flow)
    seen = {name: _seen(predict(architecture, each, x), y) for name, each in networks.items()}
    members, member_errors = seen.pop("training")
    mean = members.mean(dim=0)
    _, axes = torch.linalg.eigh((members - mean) @ (members - mean).T)
    # Directions in which members differ, most first.
    directions = axes.flip(1).T @ (members - mean)
    directions = directions / directions.norm(dim=1, keepdim=True)
    head = [f"outside {k}" for k in AXES]
    columns = ["apart", "nearest", "from mean", *head, "errors %", "overlap", "largest"]
    print(f"{'':10s}" + "".join(f"{column:>12s}" for column in columns))
    for name, (rows, errors) in seen.items():
        off = rows - mean
        inside = (off @ directions.T).square().cumsum(dim=1)
        outside = [
            float((off.square().sum(dim=1) - inside[:, k - 1]).clamp_min(0).mean().sqrt())
            for k in AXES
        ]
        overlap = error_overlaps(errors, member_errors)
        numbers = [
            float(torch.pdist(rows).mean()),
            float(torch.cdist(rows, members).min(dim=1).values.mean()),
            float(off.square().sum(dim=1).mean().sqrt()),
            *outside,
            100 * float(errors.mean()),
            float(overlap.mean()),
            float(overlap.max(axis=1).mean()),
        ]
        print(f"{name:10s}" + "".join(f"{number:12.4f}" for number in numbers))


def _drawn(flow: Descent) -> dict[str, Tensor]:
    """100 networks, of the same seeds each time."""
    settings = SampleSettings("euler", flow.settings.evaluations)
    return sample(flow, 100, settings, 0, ("prediction spread",)).parameters


def _seen(logits: Tensor, y: Tensor) -> tuple[Tensor, np.ndarray]:
    """Square roots of probabilities, a row each network, and which items it gets wrong."""
    roots = torch.exp(torch.log_softmax(logits, dim=2) / 2).flatten(1) / math.sqrt(len(y))
    return roots, (logits.argmax(dim=2) != y).numpy()


if __name__ == "__main__":
    main()
