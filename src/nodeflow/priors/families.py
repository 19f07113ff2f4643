"""Families: systems of one form whose coefficients are drawn from ranges, and mixtures of forms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.initial import initial_states
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field, SystemProblem, field, resolve_parameters
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell
from nodeflow.priors.problem import PriorProblem
from nodeflow.seeds import numpy_generator

__all__ = ["Draw", "Family", "Observing", "draws", "is_range", "mixed"]

Array = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Family:
    """Systems of one form.

    Attributes:
        system: one of `nodeflow.dynamics.SYSTEMS`.
        ranges: by coefficient, from where to where it is uniform; others keep their defaults.

    Raises:
        SystemProblem: unknown system or coefficient.
        PriorProblem: a range that is none, or of coefficients that the system cannot have.
    """

    system: str
    ranges: Ranges

    def __post_init__(self) -> None:
        for name, given in self.ranges.items():
            if not is_range(given):
                told = " to ".join(map(str, given)) if isinstance(given, tuple) else given
                raise PriorProblem(
                    f"The range of {name} is from {told}; give two numbers, the lower first."
                )
        for end, which in enumerate(("lower", "upper")):
            values = {name: given[end] for name, given in self.ranges.items()}
            resolve_parameters(self.system, values)
            try:
                field(self.system, values)
            except SystemProblem as problem:
                told = ", ".join(f"{name} = {value:g}" for name, value in values.items())
                raise PriorProblem(
                    f"At the {which} ends of the ranges, {told}: {problem}"
                ) from None

    @classmethod
    def of(cls, system: str, ranges: Mapping[str, Sequence[float]]) -> Family:
        """The family of ranges that were read from a file."""
        return cls(
            system, {name: (float(low), float(high)) for name, (low, high) in ranges.items()}
        )

    def inside(self, generator: np.random.Generator) -> dict[str, float]:
        """Coefficients within the ranges."""
        return {name: float(generator.uniform(*pair)) for name, pair in self.ranges.items()}

    def outside(
        self, generator: np.random.Generator, nearest: float, farthest: float
    ) -> dict[str, float]:
        """The same, but one of them beyond its range by a share of the range."""
        values = self.inside(generator)
        name = list(self.ranges)[int(generator.integers(len(self.ranges)))]
        low, high = self.ranges[name]
        by = float(generator.uniform(nearest, farthest)) * (high - low)
        values[name] = high + by if generator.random() < 0.5 or low - by <= 0 else low - by
        return values

    def scaled(self, values: Mapping[str, float]) -> Array:
        """Coefficients as numbers that are in [−1, 1] within the ranges.

        Raises:
            PriorProblem: coefficients of another family, or no finite numbers.
        """
        if set(values) != set(self.ranges):
            raise PriorProblem(
                f"Coefficients {', '.join(sorted(values)) or 'none'} are not those of this family, "
                f"{self.system}: give {', '.join(self.ranges)}."
            )
        for name, value in values.items():
            if not (isinstance(value, Real) and math.isfinite(value)):
                raise PriorProblem(f"{name} = {value!r} is no finite number.")
        return np.array(
            [2 * (values[x] - low) / (high - low) - 1 for x, (low, high) in self.ranges.items()]
        )


def is_range(given: Any) -> bool:
    """Whether two finite numbers, the lower first."""
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        return False
    numbers = all(isinstance(x, Real) and math.isfinite(x) for x in given)
    return numbers and given[0] < given[1]


def mixed(
    families: Mapping[str, Family], terms: Mapping[str, str], generator: np.random.Generator
) -> tuple[dict[str, float], Field]:
    """A system that belongs to no family: each of its functions is that of one of them.

    Args:
        families: by name.
        terms: of f, h_ego and h_alt, the name of the family that it is of.
        generator: of the coefficients, which are within the ranges.

    Returns:
        The coefficients, such as "MM h", and the vector field.
    """
    values = {name: families[name].inside(generator) for name in dict.fromkeys(terms.values())}
    of = {name: field(families[name].system, values[name]) for name in values}
    f, ego, alt = (of[terms[net]] for net in ("f", "h_ego", "h_alt"))
    told = {f"{name} {x}": value for name in values for x, value in values[name].items()}
    return told, Field(f.f, ego.h_ego, alt.h_alt, f.df, ego.dh_ego, alt.dh_alt)


@dataclass(frozen=True)
class Observing:
    """What is observed of each system.

    Attributes:
        nodes: of its S¹ graph.
        beta: inverse temperature of the graph.
        gamma: degree exponent.
        mean_degree: mean degree.
        trajectories: initial states.
        times: equally spaced.
        initial: between which initial states are uniform.
        horizon: duration.
    """

    nodes: int
    beta: float
    gamma: float
    mean_degree: float
    trajectories: int
    times: int
    initial: tuple[float, float]
    horizon: float

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Observing:
        """What was read from a file."""
        low, high = values["initial"]
        return cls(**{**values, "initial": (float(low), float(high))})

    def graph(self, index: int, seed: int, role: str = "prior") -> Graph:
        """Graph number `index` of a role."""
        [graph] = sample_cell(
            Cell(N=self.nodes, beta=self.beta, gamma=self.gamma), mean_degree=self.mean_degree,
            role=role, graphs=1, first=index, root_seed=seed,
        )  # fmt: skip
        return graph

    def observe(
        self, system: Field, graph: Graph, generator: np.random.Generator, told: str
    ) -> list[Trajectory]:
        """Runs of a system.

        Raises:
            PriorProblem: one of them cannot be integrated.
        """
        start = initial_states(graph.n, self.trajectories, *self.initial, generator)
        times = np.linspace(0.0, self.horizon, self.times)
        run = simulate(system, graph.adjacency(), start, times)
        if "failed" in run.status:
            reason = next(x for x in run.reason if x)
            raise PriorProblem(f"{told} cannot be integrated: {reason}.")
        return [Trajectory(0, k, times, x, "ok", "") for k, x in enumerate(run.states)]


@dataclass(frozen=True)
class Draw:
    """A system of a family, and what was observed of it."""

    values: dict[str, float]
    graph: Graph
    runs: list[Trajectory]


def draws(family: Family, count: int, observing: Observing, seed: int) -> Iterator[Draw]:
    """Systems with coefficients within the ranges, each on a graph of its own.

    Raises:
        PriorProblem: one that cannot be integrated.
    """
    for index in range(count):
        generator = numpy_generator(seed, "prior", family.system, index)
        values = family.inside(generator)
        told = ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
        graph = observing.graph(index, seed)
        runs = observing.observe(
            field(family.system, values), graph, generator, f"{family.system} with {told}"
        )
        yield Draw(values, graph, runs)
