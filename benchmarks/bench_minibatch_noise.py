"""How much of a member its initialization decides, and how much the order of its items.

    OMP_NUM_THREADS=1 python benchmarks/bench_minibatch_noise.py

Members of the zoos of config/config.yaml and config/generation.yaml are trained twice from the same
initializations, on the same items in another order. No flow along training can know more of a
member than these pairs have in common; what they have not is the noise that it has to bring.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nodeflow.datasets import dataset_available, load_dataset
from nodeflow.flow.codec import flatten
from nodeflow.seeds import numpy_generator
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.predict import predict
from nodeflow.zoo.train import TrainSettings, initial_parameters, train_block

ITEMS = 512
ZOOS = {
    "digits": (64, TrainSettings()),
    "fashion_mnist": (
        32,
        TrainSettings(epochs=1, batch_size=128, weight_decay=0.01, optimizer="adamw"),
    ),
}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("data            weights: share of squared movement    predictions: over other members'")
    for name, (count, settings) in ZOOS.items():
        if not dataset_available(name, None):
            print(f"{name:15s} is not there")
            continue
        dataset = load_dataset(name)
        order = numpy_generator(0, "another order").permutation(len(dataset.train_y))
        shuffled = replace(dataset, train_x=dataset.train_x[order], train_y=dataset.train_y[order])
        architecture, members = classifier(dataset, [32, 32]), range(count)
        first, second = (
            train_block(architecture, data, members, settings, 0, "twins").parameters
            for data in (dataset, shuffled)
        )
        start = initial_parameters(architecture, members, settings, 0, "twins")
        rows = [flatten(networks, architecture.shapes) for networks in (first, second, start)]
        share = _squares(rows[0], rows[1]) / _squares(rows[0], rows[2])
        seen = [
            _roots(predict(architecture, networks, dataset.train_x[:ITEMS]))
            for networks in (first, second)
        ]
        ratio = math.sqrt(_squares(*seen) / _squares(seen[0], np.roll(seen[1], 1, axis=0)))
        print(f"{name:15s} {share:37.3f} {ratio:37.2f}")


def _squares(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a - b) ** 2).mean())


def _roots(logits: Tensor) -> np.ndarray:
    """Square roots of probabilities, a row each network: what a descent compares."""
    return torch.exp(torch.log_softmax(logits, dim=2) / 2).flatten(1).numpy()


if __name__ == "__main__":
    main()
