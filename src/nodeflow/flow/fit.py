"""The door to flows of all methods: one zoo or several in, a model of their networks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from nodeflow.flow.method import Fitting, Generator, LearnedZoo
from nodeflow.flow.methods import METHODS
from nodeflow.flow.settings import FlowProblem
from nodeflow.stack import check_networks
from nodeflow.tensors import check_shapes

__all__ = ["fit_flow"]


def fit_flow(
    zoos: LearnedZoo | Mapping[str, LearnedZoo],
    settings: Any,
    root_seed: int,
    labels: Sequence[str | float],
    device: torch.device | str = "cpu",
) -> tuple[Generator, pd.DataFrame]:
    """Train a flow of the method that the settings are of.

    Args:
        zoos: one to learn; or several of one architecture by name, which become labels.
        settings: what `settings_of` gave.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from (root_seed, "flow", *labels).
        device: where to train.

    Returns:
        The model, on the CPU, and its history with the columns of `FLOW_HISTORY`.

    Raises:
        FlowProblem: a zoo, of several, with fewer than two members to learn from; see also
            `Method.fit`.
        TensorProblem: networks of another architecture than the first zoo's, or not finite.
        StackProblem: members are a bare dictionary.
    """
    named = {"": zoos} if isinstance(zoos, LearnedZoo) else dict(zoos)
    if not named:
        raise FlowProblem("there are no zoos to learn; give at least one.")
    for name, zoo in named.items():
        of = f" of {name}" if name else ""
        check_networks(zoo.training, f"the members{of}")
        if zoo.held_out is not None:
            check_networks(zoo.held_out, f"the held-out members{of}")
    if len(named) > 1:
        _check_several(named)
    return METHODS[settings.method].fit(named, Fitting(settings, root_seed, labels, device))


def _check_several(zoos: Mapping[str, LearnedZoo]) -> None:
    if any(len(zoo.training) < 2 for zoo in zoos.values()):
        counts = ", ".join(f"{name} ({len(zoo.training)})" for name, zoo in zoos.items())
        raise FlowProblem(
            "a flow over several zoos needs at least two members of each to learn from; it has "
            f"{counts}."
        )
    first = next(iter(zoos.values()))
    shapes = first.training.shapes if first.origin is None else first.origin.architecture.shapes
    for name, zoo in zoos.items():
        check_shapes(zoo.training.shapes, shapes, f"the members of {name}")
