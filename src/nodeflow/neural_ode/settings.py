"""The three recipes by which neural ODEs are trained, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from nodeflow.neural_ode.layout import ACTIVATIONS, SELU
from nodeflow.problems import Problem
from nodeflow.settings.fields import Count, Counts, OneOf, Positive, Whole, checked, fault, meaning

__all__ = [
    "FEWEST_KNOTS",
    "RECIPES",
    "GaussNewtonSettings",
    "MatchingSettings",
    "PaperSettings",
    "RecipeProblem",
    "Settings",
    "recipe_settings",
    "snapshot_steps",
]

FEWEST_KNOTS = 8
"""Pieces of the splines of the recipe gauss_newton at least."""

_FIRST_SNAPSHOT = 10


class RecipeProblem(Problem):
    """A recipe or one of its settings does not exist or makes no sense."""


@dataclass(frozen=True)
class _Networks:
    """What is trained."""

    hidden: Annotated[
        Counts, meaning("widths of the hidden layers of each of the three networks")
    ] = (64, 64, 64)
    scale: Annotated[Positive, meaning("variance of initial weights times fan-in")] = 0.01


@checked(RecipeProblem)
@dataclass(frozen=True)
class GaussNewtonSettings(_Networks):
    """Gauss–Newton on the trajectories, in the space of functions (`nodeflow.neural_ode.estimate`).

    The three functions and the curvature of the trajectory loss are estimated once for a graph;
    networks are then trained on that quadratic form, first by Adam, then by Levenberg–Marquardt.
    """

    steps: Annotated[Count, meaning("Levenberg–Marquardt steps")] = 150
    warmup: Annotated[Count, meaning("steps of Adam before them")] = 200
    learning_rate: Annotated[
        Positive, meaning("of Adam at the start; it falls to 0 along a cosine")
    ] = 3e-3
    trajectories: Annotated[Count, meaning("of each training graph, at most so many are used")] = 8
    times: Annotated[Count, meaning("time steps of the error equation along them")] = 40
    knots: Annotated[
        Whole,
        Ge(FEWEST_KNOTS),
        Le(1000),
        meaning("pieces of the splines that the three functions are estimated with"),
    ] = 48
    ridge: Annotated[
        Positive,
        meaning("how strongly networks keep to that estimate where the data say little"),
    ] = 0.03
    activation: Annotated[
        str,
        OneOf(ACTIVATIONS),
        meaning("between the layers; selu has kinks, and to cross them takes more steps"),
    ] = SELU

    fewest_times: ClassVar[int] = 7
    """Observation times that smoothing needs: splines of degree 5 have 6 coefficients at least."""

    def gentler(self) -> GaussNewtonSettings:
        """The same with smaller steps."""
        return replace(self, learning_rate=self.learning_rate / 3, ridge=self.ridge * 3)


@checked(RecipeProblem)
@dataclass(frozen=True)
class MatchingSettings(_Networks):
    """Vector-field matching: the networks learn the slopes of the observed trajectories.

    Slopes are those of local polynomials through the observations (Savitzky and Golay, Anal. Chem.
    36, 1627, 1964, for any spacing of times), so nothing but the trajectories is used.
    """

    steps: Annotated[Count, meaning("optimizer steps")] = 2000
    batch: Annotated[Count, meaning("states of the whole graph in a step")] = 64
    learning_rate: Annotated[
        Positive, meaning("of Adam at the start; it falls to 0 along a cosine")
    ] = 3e-3
    clip: Annotated[Positive, meaning("largest norm of a model's gradient")] = 1.0
    knots: Annotated[
        Whole,
        Ge(16),
        Le(10**9),
        meaning("of the lookup tables that stand for the networks in training"),
    ] = 256
    window: Annotated[
        Count, meaning("observation times in each local polynomial, an odd number")
    ] = 7
    order: Annotated[Count, meaning("degree of the polynomials, below the window")] = 6

    def __post_init__(self) -> None:
        if self.order >= self.window:
            raise fault("order", f"is {self.order}; it must be < {self.window}, the window.")

    activation: ClassVar[str] = SELU

    @property
    def fewest_times(self) -> int:
        """Observation times that a local polynomial needs."""
        return self.window

    def gentler(self) -> MatchingSettings:
        """The same with smaller steps."""
        return replace(self, learning_rate=self.learning_rate / 3)


@checked(RecipeProblem)
@dataclass(frozen=True)
class PaperSettings(_Networks):
    """Trajectory matching as in Laber, Eliassi-Rad, Klein 2026 (arXiv:2602.08980).

    Snapshots are taken at steps equally spaced on a logarithmic scale.
    """

    steps: Annotated[Count, meaning("optimizer steps")] = 300_000
    batch: Annotated[Count, meaning("trajectories in a step")] = 32
    learning_rate: Annotated[Positive, meaning("of Adagrad")] = 1e-3
    tolerance: Annotated[Positive, meaning("relative and absolute, of the integrator")] = 1e-4
    first_step: Annotated[Positive, meaning("of the integrator")] = 1e-5
    snapshots: Annotated[
        Whole,
        Ge(0),
        Le(1000),
        meaning(
            "log-spaced steps at which parameters are kept, beside those at the start, and tested; "
            "0 keeps none"
        ),
    ] = 100

    activation: ClassVar[str] = SELU
    """That of the paper."""

    fewest_times: ClassVar[int] = 2
    """Observation times of a trajectory."""

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
    return RECIPES[recipe](**changes)


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
