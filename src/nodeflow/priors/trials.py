"""Test systems: what nobody has trained on, with the graphs on which their forecasts are judged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.data.series import Run
from nodeflow.dynamics.initial import initial_states
from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell
from nodeflow.priors.families import Family, Observing, mixed
from nodeflow.priors.problem import PriorProblem
from nodeflow.priors.schemas import INSIDE, STRANGER
from nodeflow.seeds import numpy_generator

__all__ = ["Case", "Trial", "strangers", "trials"]

Array = NDArray[np.float64]

_BEYOND = (0.1, 0.3)
"""Shares of a range by which one coefficient is outside of it."""

_TIMES = 33


@dataclass(frozen=True)
class Case:
    """Test graphs of one cell.

    Attributes:
        cell: N, β and γ.
        graphs: by index.
        nodes: table of their nodes, as `evaluate_models` takes it.
    """

    cell: Cell
    graphs: Sequence[Graph]
    nodes: pd.DataFrame


@dataclass(frozen=True)
class Trial:
    """A test system.

    Attributes:
        family: that it is of, or of strangers their name.
        where: inside, outside or stranger.
        index: its number there.
        values: its coefficients.
        field: its vector field.
        observing: what can be observed of it.
        tolerance: of its integration.
        seed: the run's root seed.
    """

    family: str
    where: str
    index: int
    values: Mapping[str, float]
    field: Field
    observing: Observing
    tolerance: Tolerance
    seed: int

    def generator(self, *labels: str | int | float) -> np.random.Generator:
        """Random numbers of this system for one purpose."""
        return numpy_generator(
            self.seed, "prior trial", self.family, self.where, self.index, *labels
        )

    @cached_property
    def graph(self) -> Graph:
        """The graph on which it is observed; no member of a zoo was."""
        return self.observing.graph(self.index, self.seed, f"prior {self.where}")

    @cached_property
    def runs(self) -> list[Trajectory]:
        """As much as is observed of each member of a zoo.

        Raises:
            PriorProblem: a run cannot be integrated.
        """
        told = ", ".join(f"{name} = {value:.4g}" for name, value in self.values.items())
        return self.observing.observe(
            self.field, self.graph, self.generator("runs"), f"{self.family} with {told}"
        )

    def frames(self, count: int, noise: float) -> Run:
        """Frames of one run, equally spaced.

        Args:
            count: of the frames.
            noise: its standard deviation over the root mean square of the states.
        """
        how = self.observing
        start = initial_states(self.graph.n, 1, *how.initial, self.generator("frames"))
        times = np.linspace(0.0, how.horizon, count)
        [found] = simulate_graphs(
            self.field, [self.graph], [start], times, **asdict(self.tolerance)
        )
        states = found.states[0].astype(np.float64)
        size = float(np.sqrt(np.square(states).mean()))
        drawn = self.generator("noise", count).standard_normal(states.shape)
        return Run("frames", times, states + noise * size * drawn)

    def truth(self, case: Case) -> list[Trajectory]:
        """A run on each of some test graphs."""
        where = (case.cell.N, float(case.cell.gamma))
        starts = [
            initial_states(graph.n, 1, *self.observing.initial, self.generator(*where, index))
            for index, graph in enumerate(case.graphs)
        ]
        times = np.linspace(0.0, self.observing.horizon, _TIMES)
        found = simulate_graphs(self.field, case.graphs, starts, times, **asdict(self.tolerance))
        return [
            Trajectory(k, 0, times, x.states[0].astype(np.float32), x.status[0], x.reason[0])
            for k, x in enumerate(found)
        ]


def trials(
    name: str,
    family: Family,
    counts: Mapping[str, int],
    observing: Observing,
    tolerance: Tolerance,
    seed: int,
) -> Iterator[Trial]:
    """Test systems of a family.

    Args:
        name: of the family.
        family: whose coefficients are drawn.
        counts: how many inside the ranges, and how many outside.
        observing: as of the members of its zoo.
        tolerance: of their integration.
        seed: the run's root seed.
    """
    for where, count in counts.items():
        for index in range(count):
            generator = numpy_generator(seed, "prior trial", name, where, index)
            values = (
                family.inside(generator) if where == INSIDE else family.outside(generator, *_BEYOND)
            )
            true = field(family.system, values)
            yield Trial(name, where, index, values, true, observing, tolerance, seed)


def strangers(
    name: str,
    terms: Mapping[str, str],
    families: Mapping[str, Family],
    count: int,
    observing: Observing,
    tolerance: Tolerance,
    seed: int,
) -> Iterator[Trial]:
    """Systems that mix the functions of families, of those that can be integrated; see `mixed`."""
    for index in range(count):
        generator = numpy_generator(seed, "prior trial", name, STRANGER, index)
        values, true = mixed(families, terms, generator)
        trial = Trial(name, STRANGER, index, values, true, observing, tolerance, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                trial.runs  # noqa: B018
            except PriorProblem:
                continue
        yield trial
