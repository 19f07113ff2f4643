"""What stacked networks say about items, and how right they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.modules.batchnorm import _NormBase

from nodeflow.problems import Problem
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture, in_turn
from nodeflow.zoo.loss import losses as losses_of
from nodeflow.zoo.ties import copied
from nodeflow.zoo.torch_modules import reading

__all__ = [
    "ItemProblem",
    "StatisticsProblem",
    "as_items",
    "as_labels",
    "check_labels",
    "evaluate",
    "predict",
    "predict_labels",
    "recalibrated",
    "with_statistics",
]

_CPU = torch.device("cpu")


class StatisticsProblem(Problem):
    """Networks that cannot be evaluated for want of running statistics."""


class ItemProblem(Problem):
    """Items or labels that networks cannot be evaluated on; the text says what they need."""


_ITEMS = 512
"""How many items to take at once: what comes of them fits the cache of a CPU."""


@one_thread_if_small
def predict(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> Tensor:
    """Logits of K networks on n items.

    Args:
        architecture: of all K networks.
        parameters: tensors of shape (K, *shape), running statistics among them.
        x: items that all networks see, shape (n, features) or (n, *item).
        device: where to compute.
        batch: how many networks to evaluate at once.

    Returns:
        Logits of shape (K, n, classes), on the CPU.

    Raises:
        TensorProblem: networks are not of the architecture.
        StatisticsProblem: running statistics are missing.
        ItemProblem: items are of another shape, or not finite.
    """
    return _predicted(architecture, parameters, x, device, batch, lambda logits: logits)


@one_thread_if_small
def predict_labels(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> Tensor:
    """The most likely class by each network for each item, int64 of shape (K, n); see `predict`."""
    return _predicted(architecture, parameters, x, device, batch, lambda logits: logits.argmax(2))


def _predicted(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device,
    batch: int,
    of: Callable[[Tensor], Tensor],
) -> Tensor:
    """What is wanted of the logits (K', n', classes) of a part of the networks and items."""
    whole, items = _whole(architecture, parameters), as_items(architecture, x)
    return torch.cat(
        [
            torch.cat([of(z) for z in _logits(architecture, part, items, device)], 1).cpu()
            for part in _batches(whole, batch)
        ]
    )


@one_thread_if_small
def evaluate(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy and accuracy of K networks on n items.

    Returns:
        Loss in nats and accuracy in [0, 1], float64 of shape (K,) each; where a number is predicted
        the mean squared error and the share of its variance that is explained, R². A network whose
        outputs are not finite has a loss that is not finite.

    Raises:
        ItemProblem: also for labels that are no classes of these networks; see `predict`.
    """
    whole, items = _whole(architecture, parameters), as_items(architecture, x)
    target = as_labels(y, len(items)).to(device)
    outputs = 0
    losses, accuracies = [], []
    for part in _batches(whole, batch):
        loss = torch.zeros(_members(part), dtype=torch.float64, device=device)
        right = torch.zeros_like(loss)
        for start, logits in zip(
            range(0, len(target), _ITEMS), _logits(architecture, part, items, device), strict=True
        ):
            if start == 0:
                check_labels(target, logits.shape[2])
            label = target[start : start + _ITEMS]
            loss += losses_of(logits, label).sum(1, dtype=torch.float64)
            right += (logits.argmax(2) == label).sum(1)
            outputs = logits.shape[2]
        if outputs == 1:
            right = len(target) - loss / target.double().var(correction=0)
        losses.append(loss.cpu() / len(target))
        accuracies.append(right.cpu() / len(target))
    return torch.cat(losses).numpy(), torch.cat(accuracies).numpy()


@one_thread_if_small
@torch.no_grad()
def recalibrated(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
) -> dict[str, Tensor]:
    """Running statistics of K networks measured anew, over all items as one batch.

    So they are pooled: the variance holds what differs between any parts of the items, as in
    algorithm 1 of Gupta et al. 2026 (arXiv:2601.05052).

    Args:
        architecture: of all networks.
        tensors: their parameters, of shape (K, *shape); statistics among them are of no account.
        x: training items, shape (n, features), at least 2.
        device: where to compute.

    Returns:
        Running means and (unbiased) variances, on the CPU; none where networks have none.
    """
    if architecture.module is None or not architecture.statistics:
        return {}
    module = copied(architecture.module).eval()
    for part in module.modules():
        if isinstance(part, _NormBase):
            part.train().momentum = 1.0  # the statistics are those of the last batch
    given = architecture.arrange(tensors)
    parameters = {name: given[name].to(device) for name in architecture.shapes}
    items = as_items(architecture, x)
    items = items.to(device=device, dtype=next(iter(parameters.values())).dtype, copy=True)
    items = items.reshape(-1, *architecture.item)
    members = _members(parameters)
    statistics = {n: t.to(items) for n, t in architecture.fresh_statistics(members).items()}
    constants = architecture.shared(parameters)
    for k in range(members):
        one = {name: tensor[k] for name, tensor in [*parameters.items(), *statistics.items()]}
        with reading(architecture.name, architecture.item), in_turn(module):
            functional_call(module, {**one, **constants}, (items.clone(),))
    return {name: tensor.cpu() for name, tensor in statistics.items()}


def with_statistics(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    x: np.ndarray | Tensor | None,
    device: torch.device = _CPU,
) -> dict[str, Tensor]:
    """K networks with running statistics: measured anew if any is missing; see `recalibrated`.

    Raises:
        StatisticsProblem: some are missing, and there are no items.
    """
    tensors = architecture.arrange(tensors)
    if not set(architecture.statistics) - set(tensors):
        return tensors
    if x is None:
        raise StatisticsProblem(
            "networks come without running statistics; give training items that they can be "
            "measured on."
        )
    return {**tensors, **recalibrated(architecture, tensors, x, device)}


def as_items(architecture: Architecture, x: np.ndarray | Tensor) -> Tensor:
    """Items as networks of an architecture read them, of shape (n, features).

    Args:
        architecture: of the networks.
        x: shape (n, features), or (n, *item) with the item of the architecture.

    Raises:
        ItemProblem: of another shape, no numbers, not finite, or tokens that there are not.
    """
    items = _numbers(x, "items")
    item = architecture.item
    if item and items.ndim > 2 and tuple(items.shape[1:]) == item:
        items = items.flatten(1)
    if len(items.shape) != 2 or (item and items.shape[1] != math.prod(item)) or len(items) == 0:
        expected = f"(n, {math.prod(item)})" if item else "(n, features)"
        raise ItemProblem(
            f"items have shape {tuple(items.shape)}; networks of {architecture.name} read at least "
            f"one item, of shape {expected}" + (f" or (n, {_sizes(item)})." if item[1:] else ".")
        )
    if architecture.tokens:
        outside = ~((items >= 0) & (items < architecture.tokens))
        if outside.any():
            place = int(outside.any(1).nonzero()[0])
            raise ItemProblem(
                f"item {place} holds the token {items[place][outside[place]][0]}; tokens are 0 to "
                f"{architecture.tokens - 1}."
            )
    return items


def as_labels(y: np.ndarray | Tensor, items: int) -> Tensor:
    """Labels as a tensor (n,), classes as int64.

    Raises:
        ItemProblem: not one for each item, no numbers, or not finite.
    """
    labels = _numbers(y, "labels")
    if tuple(labels.shape) != (items,):
        raise ItemProblem(
            f"labels have shape {tuple(labels.shape)} for {items} items; give one number for each, "
            f"shape ({items},)."
        )
    return labels if labels.dtype.is_floating_point else labels.long()


def check_labels(labels: Tensor, outputs: int) -> None:
    """Find out whether labels are classes of networks with so many outputs, if more than one.

    Raises:
        ItemProblem: they are not.
    """
    if outputs == 1:
        return
    if labels.dtype.is_floating_point:
        raise ItemProblem(
            f"labels hold {str(labels.dtype).removeprefix('torch.')}; classes are whole numbers, "
            f"0 to {outputs - 1} for networks with {outputs} outputs, so convert them to integers."
        )
    outside = (labels < 0) | (labels >= outputs)
    if outside.any():
        place = int(outside.nonzero()[0])
        raise ItemProblem(
            f"label {int(labels[place])} of item {place} is no class of networks with {outputs} "
            f"outputs; classes are 0 to {outputs - 1}."
        )


def _numbers(x: np.ndarray | Tensor, what: str) -> Tensor:
    if not isinstance(x, Tensor):
        array = np.asarray(x)
        if array.dtype.kind not in "biuf":
            raise ItemProblem(f"{what} are an array of {array.dtype}; give an array of numbers.")
        x = torch.from_numpy(np.require(array, array.dtype.newbyteorder("="), ["C", "W"]))
    x = x.detach()
    if x.dtype.is_floating_point and not x.isfinite().all():
        place = int((~x.isfinite()).nonzero()[0, 0]) if x.ndim else 0
        raise ItemProblem(f"{what} are not finite at place {place}; leave such items out.")
    return x


def _sizes(item: tuple[int, ...]) -> str:
    return ", ".join(map(str, item))


def _whole(architecture: Architecture, networks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Networks in the order of their architecture, with all running statistics."""
    tensors = architecture.arrange(networks)
    for name in architecture.statistics:
        if name not in tensors:
            raise StatisticsProblem(
                f"running statistics are missing from the networks, {name} first; measure them on "
                "training items with recalibrated."
            )
    return tensors


@torch.no_grad()
def _logits(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: Tensor,
    device: torch.device,
) -> Iterator[Tensor]:
    moved = {name: tensor.to(device) for name, tensor in parameters.items()}
    dtype = next(iter(moved.values())).dtype
    # A copy, because torch aligns its memory and numpy does not, and products round accordingly.
    items = x.to(device=device, dtype=dtype, copy=True)
    for start in range(0, len(items), _ITEMS):
        yield architecture.forward(moved, items[start : start + _ITEMS])


def _batches(parameters: Mapping[str, Tensor], batch: int) -> Iterator[dict[str, Tensor]]:
    for start in range(0, max(_members(parameters), 1), batch):
        yield {name: tensor[start : start + batch] for name, tensor in parameters.items()}


def _members(parameters: Mapping[str, Tensor]) -> int:
    return next(iter(parameters.values())).shape[0]
