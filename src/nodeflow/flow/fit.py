"""A flow of any method, from the members of a zoo."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch

from nodeflow.datasets import Dataset
from nodeflow.flow.descent import fit_descent
from nodeflow.flow.sample import AnyFlow
from nodeflow.flow.settings import DescentSettings, FlowSettings
from nodeflow.flow.train import fit_flow
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import TrainSettings, initial_parameters

__all__ = ["Origin", "fit_any_flow"]

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
            training.shapes,
            settings,
            root_seed=root_seed,
            labels=labels,
            held_out=held_out.parameters if len(held_out) else None,
            device=device,
        )
    starts = [
        initial_parameters(
            origin.architecture, block.members, origin.training, root_seed, origin.zoo
        )
        for block in (training, held_out)
    ]
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
