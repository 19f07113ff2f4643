"""Flows over networks that were trained elsewhere, in two calls: fit, and sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.canonical.align import align_block
from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.settings import MatchSettings
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import Generator, LearnedZoo
from nodeflow.flow.methods import METHODS, settings_of
from nodeflow.flow.sample import sample
from nodeflow.flow.settings import SampleSettings
from nodeflow.stack import Stack
from nodeflow.zoo.exports import completed
from nodeflow.zoo.imports import Imported

__all__ = ["FittedCheckpoints", "fit_checkpoints"]


@dataclass(frozen=True)
class FittedCheckpoints:
    """A flow over networks that were trained elsewhere.

    Attributes:
        zoo: the networks.
        aligned: the same in one order of their hidden units: what was learned.
        flow: the model of them.
        history: of its training, with the columns of `FLOW_HISTORY`.
        seed: that it was fitted with.
    """

    zoo: Imported
    aligned: Stack[Tensor]
    flow: Generator
    history: pd.DataFrame
    seed: int

    def sample(
        self,
        count: int,
        seed: int = 0,
        items: np.ndarray | None = None,
        device: torch.device | str = "cpu",
    ) -> list[dict[str, Tensor]]:
        """New networks, each as `load_state_dict(strict=True)` of the user's module takes it.

        Args:
            count: how many; those that are not finite are left out.
            seed: of the draw.
            items: training items, (n, features), that running statistics are measured on; None
                gives networks those of the first member.
            device: where to compute.
        """
        method = METHODS[self.flow.settings.method]
        solver = "heun" if "heun" in method.solvers else method.solvers[0]
        drawn = sample(self.flow, count, SampleSettings(solver), seed, ("checkpoints",), device)
        good = drawn.take(np.flatnonzero(drawn.ok))
        zoo = self.zoo
        networks, _ = completed(zoo.architecture, good, items, self.aligned, torch.device(device))
        return [
            zoo.state_dict({name: x[place] for name, x in networks.items()})
            for place in range(len(good))
        ]


def fit_checkpoints(
    zoo: Imported,
    method: str = "codes",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> FittedCheckpoints:
    """Bring networks into one order of their hidden units, and learn a flow over their weights.

    Args:
        zoo: the networks, from `nodeflow.zoo.import_checkpoints`.
        method: of the flow, one that need not know what members started from: codes, paper, ddpm.
        settings: changes to the method; see `settings_of`.
        seed: every random number follows from it.
        device: where to train.

    Raises:
        FlowProblem: a method that has to know more of the members than checkpoints hold.
        FlowSettingsProblem: no such method or setting.
    """
    members = zoo.members
    aligned = align_block(
        members.tensors,
        members.first,
        derive_symmetry(zoo.architecture),
        MatchSettings(),
        members.members,
    )
    ordered = members.with_tensors(aligned.parameters)
    flow, history = fit_flow(
        LearnedZoo(ordered), settings_of(method, settings), seed, ("checkpoints",), device
    )
    return FittedCheckpoints(zoo, ordered, flow, history, seed)
