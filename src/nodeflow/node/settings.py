"""The three recipes by which neural ODEs are trained, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.problems import Problem

__all__ = [
    "FEWEST_TIMES",
    "RECIPES",
    "GaussNewtonSettings",
    "MatchingSettings",
    "PaperSettings",
    "RecipeProblem",
    "Settings",
    "fewest_times",
    "recipe_settings",
    "snapshot_steps",
]

_FIRST_SNAPSHOT = 10

FEWEST_TIMES = {"gauss_newton": 8, "matching": 7, "paper": 2}
"""Observation times that each recipe needs with its default settings; see `fewest_times`.

Gauss–Newton smooths with splines of degree 5, whose error cross-validation has to judge; matching
needs a window; the paper's recipe a start and an end."""


class RecipeProblem(Problem):
    """A recipe or one of its settings does not exist or makes no sense."""


@dataclass(frozen=True)
class GaussNewtonSettings:
    """Gauss–Newton on the trajectories, in the space of functions; see `nodeflow.node.estimate`.

    The three functions and the curvature of the trajectory loss are estimated once for a graph;
    networks are then trained on that quadratic form, first by Adam, then by Levenberg–Marquardt.

    Attributes:
        hidden: widths of the hidden layers of each network.
        scale: variance of the initial weights times their fan-in.
        steps: Levenberg–Marquardt steps.
        warmup: Adam steps before them (the learning rate falls to 0 along a cosine).
        learning_rate: of Adam at the start.
        trajectories: at most so many of each graph are used.
        times: time steps of the error equation along them.
        knots: pieces of the splines that stand for the functions.
        ridge: how strongly networks keep to the estimate where the data say little.
    """

    hidden: tuple[int, ...] = (64, 64, 64)
    scale: float = 0.01
    steps: int = 150
    warmup: int = 200
    learning_rate: float = 3e-3
    trajectories: int = 8
    times: int = 40
    knots: int = 48
    ridge: float = 0.03

    def gentler(self) -> GaussNewtonSettings:
        """The same with smaller steps."""
        return replace(self, learning_rate=self.learning_rate / 3, ridge=self.ridge * 3)


@dataclass(frozen=True)
class MatchingSettings:
    """Vector-field matching: the networks learn the slopes of the observed trajectories.

    Slopes are those of local polynomials through the observations (Savitzky and Golay, Anal. Chem.
    36, 1627, 1964, for any spacing of times), so nothing but the trajectories is used.

    Attributes:
        hidden: widths of the hidden layers of each network.
        scale: variance of the initial weights times their fan-in.
        steps: optimizer steps (Adam, the learning rate falls to 0 along a cosine).
        batch: states of the whole graph in a step.
        learning_rate: at the start.
        clip: largest norm of a replicate's gradient.
        knots: of the lookup tables that stand for the networks in training.
        window: observation times in each local polynomial.
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

    def gentler(self) -> MatchingSettings:
        """The same with smaller steps."""
        return replace(self, learning_rate=self.learning_rate / 3)


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
        snapshots: how often parameters are kept in training, beside the untrained ones: at steps
            equally spaced on a logarithmic scale; 0 keeps none at all.
    """

    hidden: tuple[int, ...] = (64, 64, 64)
    scale: float = 0.01
    steps: int = 300_000
    batch: int = 32
    learning_rate: float = 1e-3
    tolerance: float = 1e-4
    first_step: float = 1e-5
    snapshots: int = 100

    def gentler(self) -> PaperSettings:
        """The same with smaller steps."""
        return replace(self, learning_rate=self.learning_rate / 3)


Settings = GaussNewtonSettings | MatchingSettings | PaperSettings

RECIPES: Mapping[str, type[Settings]] = {
    "gauss_newton": GaussNewtonSettings,
    "matching": MatchingSettings,
    "paper": PaperSettings,
}
"""Settings of each recipe by its name."""


def recipe_settings(recipe: str, changes: Mapping[str, Any]) -> Settings:
    """The settings of a recipe with some of them changed.

    Raises:
        RecipeProblem: no such recipe or setting, or an order that does not fit the window.
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
    settings = RECIPES[recipe](**values)
    if isinstance(settings, MatchingSettings) and not 1 <= settings.order < settings.window:
        raise RecipeProblem(
            f"recipe matching has order {settings.order} and window {settings.window}; the order "
            "has to be at least 1 and below the window."
        )
    return settings


def fewest_times(settings: Settings) -> int:
    """How many observation times a recipe needs: its `FEWEST_TIMES`; for matching, its window."""
    if isinstance(settings, MatchingSettings):
        return settings.window
    return FEWEST_TIMES["paper" if isinstance(settings, PaperSettings) else "gauss_newton"]


def snapshot_steps(settings: Settings) -> NDArray[np.int64]:
    """After how many steps a recipe keeps the parameters, from 0, the start, to all of them.

    Empty for a recipe that keeps none. Early steps that would be equal are one.
    """
    if not isinstance(settings, PaperSettings) or not settings.snapshots:
        return np.empty(0, np.int64)
    # From the end, so that a single one is the end.
    first = min(_FIRST_SNAPSHOT, settings.steps)
    steps = np.geomspace(settings.steps, first, settings.snapshots)
    return np.unique(np.round([0, *steps]).astype(np.int64))
