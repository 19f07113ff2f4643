"""Training of all members of a block at once, each as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.job import Progress
from nodeflow.optimizers import Adam
from nodeflow.seeds import derive_seed, torch_generator
from nodeflow.stack import Stack, joined
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.loss import losses as losses_of
from nodeflow.zoo.predict import as_items, as_labels, check_labels, evaluate, predict
from nodeflow.zoo.settings import TrainProblem, TrainSettings
from nodeflow.zoo.store import Block

__all__ = [
    "OPTIMIZERS",
    "Fresh",
    "TrainProblem",
    "TrainSettings",
    "TrainedBlock",
    "Trainees",
    "initial_parameters",
    "train_block",
    "train_block_after",
]

OPTIMIZERS: Mapping[str, Callable[..., Adam]] = {
    "adam": Adam,
    "adamw": partial(Adam, decoupled=True),
}
"""Optimizers by name: weight decay is part of the gradient in "adam", apart from it in "adamw"."""

_CPU = torch.device("cpu")
_CACHE = 4 * 2**20
"""Bytes of items that a CPU's cache is taken to hold beside everything else."""


@dataclass(frozen=True)
class TrainedBlock(Stack[Tensor]):
    """The members that were trained, and a row for every member that was tried.

    Attributes:
        metrics: columns of `ZOO_METRICS`, one row a member, in the order in which they were asked
            for; a member with status "failed" is not among `members`.
    """

    metrics: pd.DataFrame = field(kw_only=True)


class Trainees:
    """Members that take each step together."""

    def __init__(
        self,
        architecture: Architecture,
        members: Sequence[int],
        seeds: Sequence[int],
        settings: TrainSettings,
        device: torch.device,
    ) -> None:
        self.architecture, self.settings, self.device = architecture, settings, device
        # A stack of one takes another path through torch, which rounds differently: give it a twin.
        self.count = len(members)
        twins = 2 if self.count == 1 and architecture.module is not None else 1
        self.members, self.seeds = list(members) * twins, list(seeds) * twins
        start = architecture.initialize(
            [torch_generator(seed, "initialize") for seed in self.seeds],
            [_initialization(member, settings) for member in self.members],
        )
        self.orders = [torch_generator(seed, "order") for seed in self.seeds]
        # All members' parameters are views of one vector, so the optimizer takes one call a step.
        memory = torch.zeros(sum(_room(t) for t in start.values()), device=device)
        memory.grad = torch.zeros_like(memory)
        self.gradients = list(_views(memory.grad, start).values())
        self.parameters = _views(memory, start)
        for name, tensor in start.items():
            self.parameters[name].copy_(tensor).requires_grad_()
        self.optimizer = OPTIMIZERS[settings.optimizer](
            [memory], weight_decay=settings.weight_decay
        )
        self.statistics = {
            name: tensor.to(device)
            for name, tensor in architecture.fresh_statistics(len(self.members)).items()
        }
        self.kept = {name: t.detach().clone() for name, t in self._now().items()}
        self.kept_epoch = np.zeros(len(self.members), dtype=np.int64)
        self.kept_loss = np.full(len(self.members), np.inf)

    def _now(self) -> dict[str, Tensor]:
        return {**self.parameters, **self.statistics}

    def step_through(self, x: Tensor, y: Tensor, after: Callable[[], None] | None = None) -> float:
        """One epoch; returns the mean loss of its last step, and calls `after` after each."""
        order = torch.stack([torch.randperm(len(y), generator=g) for g in self.orders])
        order = order.to(self.device)
        for start in self.starts(len(y)):
            batch = order[:, start : start + self.settings.batch_size]
            items = batch.flatten()
            read = x.index_select(0, items).view(*batch.shape, *x.shape[1:])
            try:
                logits = self.architecture.forward_training(self.parameters, self.statistics, read)
                losses = losses_of(logits, y.index_select(0, items).view(batch.shape)).mean(1)
                # Members share no parameter, so the gradient of the sum is each member's own.
                gradients = torch.autograd.grad(
                    losses.sum(), list(self.parameters.values()), materialize_grads=True
                )
            except Exception as error:  # whatever a module of one's own may raise
                reason = " ".join(str(error).split()) or type(error).__name__
                if "random operation" in reason:
                    reason = "it draws random numbers, as dropout does; set their rate to 0."
                raise TrainProblem(
                    f"{self.architecture.name} cannot be trained as a stack of networks: "
                    f"{reason[:200]}"
                ) from error
            for stored, new in zip(self.gradients, gradients, strict=True):
                stored.copy_(new)
            self.optimizer.step(self.settings.learning_rate)
            if after is not None:
                after()
        return float(losses.detach().mean())

    def starts(self, items: int) -> range:
        """Where the steps of an epoch begin.

        Modules leave out the rest of the items, which change with the epoch: normalization over
        too few items is noise, and the shape of a step decides how products are rounded.
        """
        rest = 0 if self.architecture.module is None else items % self.settings.batch_size
        return range(0, items - rest, self.settings.batch_size)

    def validation_loss(self, dataset: Dataset) -> np.ndarray:
        """Loss of each member on the validation items."""
        now = {name: tensor.detach() for name, tensor in self._now().items()}
        loss, _ = evaluate(
            self.architecture, now, dataset.validation_x, dataset.validation_y, self.device
        )
        return loss

    def keep(self, epoch: int, loss: np.ndarray) -> None:
        """Keep the finite weights of the members whose `loss` is lower than what they kept."""
        now = self._now()
        finite = torch.stack([tensor.flatten(1).isfinite().all(1) for tensor in now.values()])
        better = (loss < self.kept_loss) & finite.all(0).cpu().numpy()
        where = torch.from_numpy(np.flatnonzero(better)).to(self.device)
        for name, tensor in self.kept.items():
            tensor[where] = now[name].detach()[where]
        self.kept_epoch[better], self.kept_loss[better] = epoch, loss[better]

    def forget(self) -> None:
        """Keep nothing, until something is kept anew."""
        self.kept_epoch[:], self.kept_loss[:] = 0, np.inf

    def result(self, dataset: Dataset) -> TrainedBlock:
        """What was kept, and how good it is."""
        trained = slice(self.count)  # leaves out the twin
        ok, ids = self.kept_epoch[trained] > 0, self.members[trained]
        kept = {name: tensor[trained] for name, tensor in self.kept.items()}
        metrics = pd.DataFrame(
            {
                "member": ids,
                "seed": self.seeds[trained],
                "initialization": [_initialization(m, self.settings) for m in ids],
                "epoch": self.kept_epoch[trained],
                **_scores(self.architecture, kept, ok, dataset, self.device),
                "status": np.where(ok, "ok", "failed"),
                "reason": np.where(ok, "", "its weights or its validation loss are not finite"),
            }
        )
        where = torch.from_numpy(np.flatnonzero(ok))
        kept = {name: tensor.cpu()[where] for name, tensor in kept.items()}
        parameters, statistics = (
            {name: kept[name] for name in part} for part in (self.parameters, self.statistics)
        )
        about = {
            str(name): column.to_numpy()[ok]
            for name, column in metrics.items()
            if column.dtype.kind in "if"
        }
        return TrainedBlock(parameters, statistics, about, metrics=metrics)


def train_block(
    architecture: Architecture,
    dataset: Dataset,
    members: Sequence[int],
    settings: TrainSettings,
    root_seed: int,
    zoo: str,
    device: torch.device = _CPU,
    progress: Progress | None = None,
    together: int | None = None,
) -> TrainedBlock:
    """Train members of a zoo with a softmax cross-entropy, or the squared error of a number.

    More than eight parameters, because a block is named by data, members, settings and zoo, and
    reports its progress.

    The initialization and the order of items of member m follow from (root seed, zoo, m) alone.
    On a CPU its weights are the same to the last bit whichever members share its block or stack,
    if the batch size is a multiple of 16 or the architecture a perceptron; otherwise, and on
    another device, they may differ by rounding.

    Args:
        architecture: of all members.
        dataset: steps use its training items; selection uses its validation items.
        members: their numbers in the zoo, at least one.
        settings: how to train.
        root_seed: the run's root seed.
        zoo: name of the zoo, a label of the random streams.
        device: where to train.
        progress: told after each epoch; its total is `settings.epochs`.
        together: how many members step at once; by default, on a CPU, as many as have the items of
            a step in its cache, and elsewhere all.

    Returns:
        The trained members, on the CPU.

    Raises:
        TrainProblem: no members, fewer items than a module needs for a step, or a module that
            cannot be trained as a stack or has parameters that are not to be trained.
        ItemProblem: networks cannot read the items, or labels are none of their classes.
    """
    after = train_block_after(
        [settings.epochs], architecture, dataset, members, settings, root_seed, zoo, device,
        progress, together,
    )  # fmt: skip
    return after[settings.epochs]


@one_thread_if_small
def train_block_after(
    epochs: Sequence[int],
    architecture: Architecture,
    dataset: Dataset,
    members: Sequence[int],
    settings: TrainSettings,
    root_seed: int,
    zoo: str,
    device: torch.device = _CPU,
    progress: Progress | None = None,
    together: int | None = None,
) -> dict[int, TrainedBlock]:
    """Train members once, and give what `train_block` would for each of several numbers of epochs.

    Learning rates are constant, so that shorter trainings are the beginnings of longer ones.
    More than eight parameters, because these are all of `train_block`.

    Args:
        epochs: numbers of them, from 1 to `settings.epochs`.
        architecture: as of `train_block`, like all that follow.
        dataset: see there.
        members: see there.
        settings: see there.
        root_seed: see there.
        zoo: see there.
        device: see there.
        progress: see there.
        together: see there.

    Returns:
        Number of epochs → the block, to the last bit that of `train_block` with so many.

    Raises:
        TrainProblem, ItemProblem: see `train_block`.
    """
    ids = [int(member) for member in members]
    if not ids:
        raise TrainProblem("This block has no members; ask for at least one.")
    if architecture.module is not None and len(dataset.train_y) < settings.batch_size:
        raise TrainProblem(
            f"batch_size {settings.batch_size} is above the {len(dataset.train_y)} training items; "
            "make it smaller."
        )
    _check(architecture, dataset, settings)
    seeds = [derive_seed(root_seed, "zoo member", zoo, member) for member in ids]
    if together is None:
        together = _fitting(dataset, settings) if device.type == "cpu" else len(ids)
    stacks = [
        Trainees(architecture, ids[k : k + together], seeds[k : k + together], settings, device)
        for k in range(0, len(ids), together)
    ]
    x = torch.as_tensor(dataset.train_x, device=device)
    y = torch.as_tensor(dataset.train_y, device=device)
    found = {}
    for epoch in range(1, max(epochs) + 1):
        loss = 0.0
        for stack in stacks:
            loss += stack.step_through(x, y) / len(stacks)
            if settings.keep == "best":
                stack.keep(epoch, stack.validation_loss(dataset))
            elif epoch in epochs:
                stack.forget()
                stack.keep(epoch, np.zeros_like(stack.kept_loss))
        if progress is not None:
            progress.update(epoch, loss=loss)
        if epoch in epochs:
            found[epoch] = _joined([stack.result(dataset) for stack in stacks])
    return found


def _joined(blocks: Sequence[TrainedBlock]) -> TrainedBlock:
    trained: Stack[Tensor] = joined(blocks)
    return TrainedBlock(
        trained.parameters,
        trained.statistics,
        trained.about,
        metrics=pd.concat([block.metrics for block in blocks], ignore_index=True),
    )


def _check(architecture: Architecture, dataset: Dataset, settings: TrainSettings) -> None:
    """Find out before any step whether an architecture can learn a data set."""
    module = architecture.original
    for name, parameter in module.named_parameters() if module is not None else ():
        if not parameter.requires_grad:
            raise TrainProblem(
                f"parameter {name} of {architecture.name} is frozen (requires_grad is False), and "
                "all parameters of a zoo are trained; make it a buffer."
            )
    one = initial_parameters(architecture, [0], settings, 0, "check")
    logits = predict(architecture, one | architecture.fresh_statistics(1), dataset.train_x[:1])
    if logits.shape[2] == 1 < dataset.classes:
        raise TrainProblem(
            f"{architecture.name} has one output, which predicts a number, and {dataset.name} has "
            f"{dataset.classes} classes; give it one output for each of them."
        )
    for part in ("train", "validation", "test"):
        x, y = getattr(dataset, f"{part}_x"), getattr(dataset, f"{part}_y")
        if len(x):
            as_items(architecture, x)
            check_labels(as_labels(y, len(x)), logits.shape[2])


def _fitting(dataset: Dataset, settings: TrainSettings) -> int:
    """How many members have the items of one step in a CPU's cache."""
    step = settings.batch_size * int(dataset.train_x[0].nbytes)
    return max(1, _CACHE // step)


@one_thread_if_small
def initial_parameters(
    architecture: Architecture,
    members: Sequence[int] | np.ndarray,
    settings: TrainSettings,
    root_seed: int,
    zoo: str,
) -> dict[str, Tensor]:
    """What `train_block` starts these members from: tensors of shape (K, *shape), on the CPU."""
    ids = [int(member) for member in members]
    seeds = [derive_seed(root_seed, "zoo member", zoo, member) for member in ids]
    return architecture.initialize(
        [torch_generator(seed, "initialize") for seed in seeds],
        [_initialization(member, settings) for member in ids],
    )


@dataclass(frozen=True)
class Fresh:
    """Networks as training starts from them, made when they are asked for; see `Supply`.

    Attributes:
        architecture: of all of them.
        members: their numbers, int64 of shape (K,).
        settings: how they would be trained.
        root_seed: the run's root seed.
        zoo: a label of the random streams.
    """

    architecture: Architecture
    members: np.ndarray
    settings: TrainSettings
    root_seed: int
    zoo: str

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        return self.architecture.shapes

    def __len__(self) -> int:
        return len(self.members)

    def select(self, places: Sequence[int] | np.ndarray) -> Fresh:
        """See `Supply`."""
        return replace(self, members=self.members[np.asarray(places, dtype=np.int64)])

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Tensor]:
        """See `Supply`."""
        members = self.select(places).members
        start = initial_parameters(
            self.architecture, members, self.settings, self.root_seed, self.zoo
        )
        return Block(members, start)


def _initialization(member: int, settings: TrainSettings) -> str:
    return settings.initializations[member % len(settings.initializations)]


def _scores(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    ok: np.ndarray,
    dataset: Dataset,
    device: torch.device,
) -> dict[str, np.ndarray]:
    scores = {}
    for part in ("train", "validation", "test"):
        x, y = getattr(dataset, f"{part}_x"), getattr(dataset, f"{part}_y")
        loss = accuracy = np.full(len(ok), np.nan)
        if len(x):
            loss, accuracy = evaluate(architecture, parameters, x, y, device)
        scores[f"{part}_accuracy"] = np.where(ok, accuracy, np.nan)
        scores[f"{part}_loss"] = np.where(ok, loss, np.nan)
    return scores


def _room(tensor: Tensor) -> int:
    """Elements that a tensor takes in memory shared with others.

    It is a multiple of 16, so that each tensor begins at a multiple of 64 bytes and none has a rest
    that is too short for vector instructions: either would be rounded differently, and so make the
    result depend on the stack.
    """
    return -(-tensor.numel() // 16) * 16


def _views(memory: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the shapes of `like` that lie in `memory` one after the other."""
    views, start = {}, 0
    for name, tensor in like.items():
        views[name] = memory[start : start + tensor.numel()].view(tensor.shape)
        start += _room(tensor)
    return views
