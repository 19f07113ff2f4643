"""The two recipes by which neural ODEs are trained, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nodeflow.problems import Problem

__all__ = ["RECIPES", "MatchingSettings", "PaperSettings", "RecipeProblem", "recipe_settings"]


class RecipeProblem(Problem):
    """A recipe or one of its settings does not exist or makes no sense."""


@dataclass(frozen=True)
class MatchingSettings:
    """Vector-field matching: the networks learn the slopes of the observed trajectories.

    Slopes are those of local polynomials through the observations (Savitzky–Golay), so nothing but
    the trajectories is used.

    Attributes:
        hidden: widths of the hidden layers of each network.
        scale: variance of the initial weights times their fan-in.
        steps: optimizer steps (Adam, the learning rate falls to 0 along a cosine).
        batch: states of the whole graph in a step.
        learning_rate: at the start.
        clip: largest norm of a replicate's gradient.
        knots: of the lookup tables that stand for the networks in training.
        window: observation times in each local polynomial, an odd number.
        order: its degree.
    """

    hidden: tuple[int, ...] = (64, 64, 64)
    scale: float = 0.01
    steps: int = 2000
    batch: int = 64
    learning_rate: float = 3e-3
    clip: float = 1.0
    knots: int = 256
    window: int = 7
    order: int = 6


@dataclass(frozen=True)
class PaperSettings:
    """Trajectory matching as in Laber, Eliassi-Rad, Klein 2026 (arXiv:2602.08980).

    Attributes:
        hidden: widths of the hidden layers of each network.
        scale: variance of the initial weights times their fan-in.
        steps: optimizer steps (Adagrad).
        batch: trajectories in a step.
        learning_rate: constant.
        tolerance: relative and absolute, of the Dormand–Prince integrator.
        first_step: of the integrator.
    """

    hidden: tuple[int, ...] = (64, 64, 64)
    scale: float = 0.01
    steps: int = 300_000
    batch: int = 32
    learning_rate: float = 1e-3
    tolerance: float = 1e-4
    first_step: float = 1e-5


RECIPES: Mapping[str, type[MatchingSettings] | type[PaperSettings]] = {
    "matching": MatchingSettings,
    "paper": PaperSettings,
}
"""Settings of each recipe by its name."""


def recipe_settings(recipe: str, changes: Mapping[str, Any]) -> MatchingSettings | PaperSettings:
    """The settings of a recipe with some of them changed.

    Raises:
        RecipeProblem: no such recipe or setting.
    """
    if recipe not in RECIPES:
        raise RecipeProblem(f'recipe is "{recipe}"; allowed are {", ".join(RECIPES)}.')
    known = [entry.name for entry in fields(RECIPES[recipe])]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise RecipeProblem(
            f"recipe {recipe} has no setting {unknown[0]}; there are {', '.join(known)}."
        )
    values = dict(changes)
    if "hidden" in values:
        values["hidden"] = tuple(values["hidden"])
    return RECIPES[recipe](**values)
