"""A flow of any method, from the members of a zoo or of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.flow.conditional import check_zoos, fit_conditional_flow
from nodeflow.flow.descent import Lesson, fit_descent
from nodeflow.flow.labelled import fit_labelled_descents
from nodeflow.flow.sample import AnyFlow
from nodeflow.flow.settings import DescentSettings, FlowSettings
from nodeflow.flow.train import FlowProblem, fit_flow
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import TrainSettings, initial_parameters

__all__ = ["Origin", "fit_any_flow", "fit_conditional"]

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Origin:
    """How the members of a zoo came to be; a descent learns from that too.

    Attributes:
        zoo: its name, a label of the members' random streams.
        architecture: of the members.
        dataset: what they were trained on; only its training items are used.
        training: how.
    """

    zoo: str
    architecture: Architecture
    dataset: Dataset
    training: TrainSettings


@one_thread_if_small
def fit_any_flow(
    training: Block,
    held_out: Block,
    settings: FlowSettings | DescentSettings,
    origin: Origin,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
) -> tuple[AnyFlow, pd.DataFrame]:
    """Train a flow of the method that the settings are of.

    Args:
        training: members to learn from.
        held_out: members whose loss is recorded and that nothing is learned from; may be empty.
        settings: of `fit_flow` or of `fit_descent`.
        origin: how the members came to be.
        root_seed: the run's root seed.
        labels: what names this flow.
        device: where to train.
    """
    if isinstance(settings, FlowSettings):
        return fit_flow(
            training.parameters,
            origin.architecture.shapes,
            settings,
            root_seed=root_seed,
            labels=labels,
            held_out=held_out.parameters if len(held_out) else None,
            device=device,
        )
    starts = [_starts(block, origin, root_seed) for block in (training, held_out)]
    return fit_descent(
        training.parameters,
        starts[0],
        origin.architecture,
        origin.dataset.train_x,
        origin.dataset.train_y,
        settings,
        root_seed=root_seed,
        labels=labels,
        initializations=origin.training.initializations,
        held_out=(held_out.parameters, starts[1]) if len(held_out) else None,
        device=device,
    )


@one_thread_if_small
def fit_conditional(
    zoos: Mapping[str, tuple[Block, Block]],
    settings: FlowSettings | DescentSettings,
    origins: Mapping[str, Origin],
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
) -> tuple[AnyFlow, pd.DataFrame]:
    """Train a flow on several zoos, whose names become its labels, by any method.

    Args:
        zoos: name → members to learn from, and held-out ones, of which only the loss is recorded.
        settings: of `fit_conditional_flow` or of `fit_labelled_descents`.
        origins: how the members of each zoo came to be.
        root_seed: the run's root seed.
        labels: what names this flow.
        device: where to train.

    Raises:
        FlowProblem: fewer than two zoos, or one with fewer than two members to learn from; for a
            descent, zoos whose members start differently.
        TensorProblem: zoos of other tensors than the architecture of the first.
    """
    names = list(zoos)
    check_zoos(zoos, origins[names[0]].architecture.shapes if names else {})
    first = origins[names[0]]
    if isinstance(settings, FlowSettings):
        shapes = first.architecture.shapes
        return fit_conditional_flow(zoos, shapes, settings, root_seed, labels, device)
    initializations = first.training.initializations
    for name in names:
        other = origins[name].training.initializations
        if other != initializations:
            raise FlowProblem(
                f"a conditional descent needs zoos whose members start alike; those of {names[0]} "
                f"start from {', '.join(initializations)}, those of {name} from {', '.join(other)}."
            )
    lessons = {}
    for name, (training, held_out) in zoos.items():
        origin = origins[name]
        learned, others = (
            (block.parameters, _starts(block, origin, root_seed)) for block in (training, held_out)
        )
        data = origin.dataset.train_x, origin.dataset.train_y
        lessons[name] = Lesson(
            origin.architecture, learned, data, settings, others if len(held_out) else None, device
        )
    return fit_labelled_descents(
        lessons, first.architecture, settings, initializations, root_seed, labels, device
    )


def _starts(block: Block, origin: Origin, root_seed: int) -> dict[str, Tensor]:
    """What the members of a block started from."""
    return initial_parameters(
        origin.architecture, block.members, origin.training, root_seed, origin.zoo
    )
