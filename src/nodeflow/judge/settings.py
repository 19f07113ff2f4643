"""How generated networks are judged, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from nodeflow.problems import Problem
from nodeflow.settings.fields import Count, OneOf, Positive, Size, Unique, Whole, checked, meaning

__all__ = [
    "STATISTICS",
    "DistanceSettings",
    "JudgeProblem",
    "PanelSettings",
    "TransferProblem",
    "TransferSettings",
]

STATISTICS = ("recalibrated", "reference", "none")
"""Where running statistics of generated networks come from; see `PanelSettings`."""


class JudgeProblem(Problem):
    """Networks cannot be judged as asked."""


class TransferProblem(Problem):
    """A transfer that cannot be measured; the text says why."""


@checked(JudgeProblem)
@dataclass(frozen=True)
class PanelSettings:
    """Which controls stand beside the generated networks.

    Statistics are for networks with batch normalization, whose running means and variances no flow
    learns. By the first, all networks of the panel are judged: "recalibrated" measures them anew
    for every network, trained ones too; "reference" gives those of the first training member to
    networks that were not trained, and "none" those of a network that has seen nothing. By each
    further one, generated networks are judged once more, as the set "generated (NAME)".
    """

    noise_scales: Annotated[
        Unique[Positive],
        MinLen(1),
        meaning("noise controls, in units of each tensor's standard deviation over the zoo"),
    ] = (0.05, 0.1, 0.2, 0.4)
    soup: Annotated[
        Whole, Ge(2), Le(10**9), meaning("members that a soup is the mean of, of those there are")
    ] = 16
    controls: Annotated[
        Count, meaning("networks in each control; no more members are judged either")
    ] = 100
    candidates: Annotated[
        Whole,
        Ge(2),
        Le(10**9),
        meaning(
            "members whose units are matched to each network to find the nearest: twice so many, "
            "those nearest as given and by what no order of units changes"
        ),
    ] = 8
    statistics: Annotated[
        Unique[Annotated[str, OneOf(STATISTICS)]],
        MinLen(1),
        meaning(
            "running statistics of generated networks: measured anew, of the first member, fresh; "
            "the first for all sets, others for generated networks once more"
        ),
    ] = ("recalibrated",)
    calibration: Annotated[Size, meaning("training items that they are measured on")] = 1000


@checked(JudgeProblem)
@dataclass(frozen=True)
class DistanceSettings:
    """How far from the members networks are compared."""

    factors: Annotated[
        Unique[Positive],
        MinLen(1),
        meaning(
            "distances to the nearest member at which networks are compared, in units of the "
            "median distance of a member to its nearest"
        ),
    ] = (1.0, 2.0, 3.0, 4.0, 6.0)
    networks: Annotated[Count, meaning("networks of each set, at each distance")] = 30


@checked(TransferProblem)
@dataclass(frozen=True)
class TransferSettings:
    """What is measured, and how networks are trained on."""

    epochs: Annotated[
        Unique[Annotated[Whole, Ge(0), Le(10**9)]],
        MinLen(1),
        meaning("passes over the changed items after which networks are tested; 0 is before any"),
    ] = (0, 1, 2, 5)
    networks: Annotated[Count, meaning("networks of each set")] = 50
    batch_size: Annotated[Count, meaning("items in a step")] = 64
    learning_rate: Annotated[Positive, meaning("of Adam, constant")] = 1e-3
