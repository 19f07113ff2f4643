"""Transfer: how fast networks learn a changed task, beside fresh initializations.

Tasks are data sets with items of the same shape: the one that networks were trained on, seen
another way, or another one. Where it has another number of classes, the tensors that this gives
another shape start anew. Labels keep their numbers, whatever they stand for. Networks of a set take
each step together, as in a zoo, as many as are held in memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.judge.settings import TransferProblem, TransferSettings
from nodeflow.optimizers import Adam
from nodeflow.seeds import torch_generator
from nodeflow.stack import Supply, check_networks, pieces
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build
from nodeflow.zoo.loss import cross_entropies
from nodeflow.zoo.predict import evaluate, with_statistics

__all__ = ["TransferProblem", "TransferSettings", "transfer"]

_CPU = torch.device("cpu")
_SHARE = 4
"""Of networks in training there are so many copies: with gradients and Adam's two moments."""


@one_thread_if_small
def transfer(
    architecture: Architecture,
    sets: Mapping[str, Supply],
    tasks: Mapping[str, Dataset],
    settings: TransferSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Train networks of each set on each task and test them on the way.

    Network i of every set sees the items of a task in the same order. Networks with batch
    normalization that come without running statistics start with those measured on calibration
    items.

    Args:
        architecture: of all networks.
        sets: name → networks; the first `settings.networks` of each count.
        tasks: name → data set to train on and to be tested on.
        settings: what to measure.
        root_seed: the run's root seed.
        labels: what names this measurement; orders of items follow from (root_seed, *labels), and
            so do tensors that start anew.
        calibration: items that running statistics are measured on, if some are missing: training
            items of what networks were trained on.
        device: where to train.

    Returns:
        Rows with the columns of `TRANSFER`.

    Raises:
        TransferProblem: networks cannot read the items of a task.
        StackProblem: a set is a bare dictionary.
        StatisticsProblem: running statistics and items to measure them on are both missing.
    """
    for name, networks in sets.items():
        check_networks(networks, f"the networks of the set {name}")
    tables = []
    for task, dataset in tasks.items():
        wanted = _fitted(architecture, dataset, task)
        train_x = torch.as_tensor(dataset.train_x, device=device)
        train_y = torch.as_tensor(dataset.train_y, device=device)
        for name, networks in sets.items():
            first = networks.select(np.arange(min(len(networks), settings.networks)))
            for places in pieces(first, _SHARE):
                given = architecture.arrange(first.take(places).tensors, f"the set {name}")
                given = {n: t.float().to(device) for n, t in given.items()}
                whole = with_statistics(architecture, given, calibration, device)
                names = (root_seed, *labels, task)
                learners = _Learners(architecture, wanted, whole, places, names, device)
                for epoch in range(max(settings.epochs) + 1):
                    if epoch in settings.epochs:
                        table = learners.tested(dataset)
                        table.insert(0, "task", task)
                        table.insert(1, "set", name)
                        table.insert(3, "epochs", epoch)
                        tables.append(table)
                    learners.epoch(train_x, train_y, settings)
    return pd.concat(tables, ignore_index=True)


def _fitted(architecture: Architecture, dataset: Dataset, task: str) -> Architecture:
    """The architecture with as many classes as a task has."""
    features = math.prod(architecture.item)
    if dataset.train_x.shape[1] != features or dataset.train_y.dtype.kind not in "iu":
        raise TransferProblem(
            f"networks that read {features} numbers cannot learn the task {task}, whose items have "
            f"{dataset.train_x.shape[1]}, or whose labels are no classes; choose another task."
        )
    recipe = architecture.recipe
    if recipe.get("classes", dataset.classes) == dataset.classes:
        return architecture
    return build(recipe["settings"], recipe["item"], dataset.classes)


class _Learners:
    """Networks of one set that take each step together, each in its own order of items."""

    def __init__(
        self,
        architecture: Architecture,
        wanted: Architecture,
        networks: Mapping[str, Tensor],
        places: np.ndarray,
        names: tuple[int | str | float, ...],
        device: torch.device,
    ) -> None:
        root_seed, *labels = names
        self._architecture, self._device, self._places = wanted, device, places

        def generators(purpose: str) -> list[torch.Generator]:
            return [torch_generator(int(root_seed), purpose, *labels, int(k)) for k in places]

        # Tensors that a task gives another shape start anew.
        other = [n for n, shape in wanted.shapes.items() if tuple(architecture.shapes[n]) != shape]
        fresh = wanted.initialize(generators("transfer head")) if other else {}
        self._orders = generators("transfer")
        self._networks = {
            name: (fresh[name].to(device) if name in other else networks[name])
            for name in wanted.shapes
        }
        self._statistics = {name: networks[name].to(device) for name in wanted.statistics}
        self._optimizer = Adam(t.requires_grad_() for t in self._networks.values())

    def tested(self, dataset: Dataset) -> pd.DataFrame:
        """Columns index, accuracy and loss on the test items."""
        now = {n: t.detach() for n, t in (self._networks | self._statistics).items()}
        loss, accuracy = evaluate(
            self._architecture, now, dataset.test_x, dataset.test_y, self._device
        )
        return pd.DataFrame({"index": self._places, "accuracy": accuracy, "loss": loss})

    def epoch(self, x: Tensor, y: Tensor, settings: TransferSettings) -> None:
        """One pass over the items of a task."""
        order = torch.stack([torch.randperm(len(y), generator=g) for g in self._orders])
        order = order.to(x.device)
        for start in range(0, len(y), settings.batch_size):
            batch = order[:, start : start + settings.batch_size]
            logits = self._architecture.forward_training(self._networks, self._statistics, x[batch])
            losses = cross_entropies(logits, y[batch]).mean(dim=1)
            self._optimizer.zero_grad()
            losses.sum().backward()  # type: ignore[no-untyped-call]
            self._optimizer.step(settings.learning_rate)
