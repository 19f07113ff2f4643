"""Conditional flows: several zoos of one architecture learned together, their names as labels.

Guidance without a classifier (Ho & Salimans 2022, arXiv:2207.12598), for velocities: one field
learns with and without labels, and samples follow v(x, t) + w (v(x, t | label) − v(x, t)). So w = 0
ignores the label, w = 1 follows it, and larger ones exaggerate it. A diffusion is guided likewise,
by the noise that it predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from nodeflow.flow.codec import Shapes, finite_rows, fit_codec
from nodeflow.flow.settings import FlowSettings
from nodeflow.flow.train import Flow, FlowProblem, flow_over
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.store import Block
from nodeflow.zoo.tensors import check_shapes

__all__ = ["Condition", "check_zoos", "fit_conditional_flow", "guided"]

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Condition:
    """What a conditional flow is asked for.

    Attributes:
        label: name of a zoo that it learned.
        guidance: w, at least 0; see this module.
    """

    label: str
    guidance: float = 1.0

    def __post_init__(self) -> None:
        if not self.guidance >= 0:
            raise FlowProblem(f"guidance is {self.guidance}; it must be at least 0.")


def guided(
    velocity: nn.Module, label: Tensor, none: int, guidance: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """The field (points (B, k), times (B,)) → (B, k) that a condition makes of a velocity.

    At guidance 0 and 1 it is the velocity without and with the label, to the last bit, and takes
    one evaluation; else it takes two.

    Args:
        velocity: v(x, t, label).
        label: (B,) int64.
        none: number that stands for no label.
        guidance: w.
    """
    without = torch.full_like(label, none)

    def field(x: Tensor, t: Tensor) -> Tensor:
        if guidance in (0, 1):
            only: Tensor = velocity(x, t, label if guidance else without)
            return only
        return torch.lerp(velocity(x, t, without), velocity(x, t, label), guidance)

    return field


@one_thread_if_small
def fit_conditional_flow(
    zoos: Mapping[str, tuple[Block, Block]],
    shapes: Shapes,
    settings: FlowSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
) -> tuple[Flow, pd.DataFrame]:
    """Fit one codec and train one velocity field on the members of several zoos.

    Args:
        zoos: name, which becomes a label → members to learn from, and held-out ones, of which only
            the loss is recorded.
        shapes: name → shape of one network's tensors, the same in all zoos.
        settings: all choices.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from (root_seed, "flow", *labels).
        device: where the velocity field is trained.

    Returns:
        The flow, on the CPU, and its history as `nodeflow.flow.train.train_velocity` gives it.

    Raises:
        FlowProblem: see `check_zoos`.
    """
    check_zoos(zoos, shapes)
    learned, unseen = ({name: pair[k] for name, pair in zoos.items()} for k in (0, 1))
    rows, classes = _pooled(learned, shapes, "the members")
    others, other_classes = _pooled(unseen, shapes, "the held-out members")
    codec = fit_codec(rows, settings.codec)
    return flow_over(
        codec,
        codec.encode(rows),
        codec.encode(others),
        shapes,
        settings,
        torch_generator(root_seed, "flow", *labels),
        device,
        tuple(zoos),
        (classes, other_classes),
    )


def check_zoos(zoos: Mapping[str, tuple[Block, Block]], shapes: Shapes) -> None:
    """Find out whether a conditional flow can learn these zoos of networks of these shapes.

    Raises:
        FlowProblem: fewer than two zoos, or one with fewer than two members to learn from.
        TensorProblem: networks of a zoo have other tensors.
    """
    if len(zoos) < 2 or any(len(learned) < 2 for learned, _ in zoos.values()):
        counts = ", ".join(f"{name} ({len(learned)})" for name, (learned, _) in zoos.items())
        raise FlowProblem(
            "a conditional flow needs at least two zoos, each with at least two members to learn "
            f"from; it has {counts}."
        )
    for name, (learned, _) in zoos.items():
        check_shapes(learned.shapes, shapes, f"the members of {name}")


def _pooled(zoos: Mapping[str, Block], shapes: Shapes, what: str) -> tuple[np.ndarray, Tensor]:
    """Flat networks of all zoos, and the number of the zoo that each is from."""
    rows = [
        finite_rows(block.parameters, shapes, f"{what} of {name}") for name, block in zoos.items()
    ]
    classes = [torch.full((len(block),), number) for number, block in enumerate(zoos.values())]
    return np.concatenate(rows), torch.cat(classes)
