"""All trajectories of one system on many graphs: of a cell of the (N, β, γ) grid, or any others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.initial import InitialProblem, initial_states
from nodeflow.dynamics.integrate import IntegrationProblem, check_tolerance, simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph, check_graphs
from nodeflow.grid import Cell
from nodeflow.seeds import Stream

__all__ = ["simulate_as", "simulate_cell", "simulate_ensemble"]

_STATES_AT_ONCE = 2**24
"""Node states in memory at a time (128 MB), unless one trajectory alone has more."""


def simulate_cell(
    graphs: Sequence[Graph],
    system: str,
    parameters: Mapping[str, float] | None = None,
    *,
    role: str,
    cell: Cell,
    root_seed: int,
    **settings: Any,
) -> Iterator[Trajectory]:
    """`simulate_ensemble` for the graphs of a cell.

    Args:
        graphs: the graphs of the cell, by index.
        system: one of `SYSTEMS`.
        parameters: values that replace the system's defaults.
        role: what the trajectories are for, e.g. "train" or "test"; roles share no stream.
        cell: N, β and γ.
        root_seed: the run's root seed.
        settings: the other arguments of `simulate_ensemble`; `rtol`, `atol` and `max_steps` may
            stand there in place of a tolerance.
    """
    loose = {name: settings.pop(name) for name in ("rtol", "atol", "max_steps") if name in settings}
    if loose:
        settings["tolerance"] = Tolerance(**loose)
    labels = (role, system, cell.N, float(cell.beta), float(cell.gamma))
    stream = Stream(root_seed, labels)
    return simulate_ensemble(graphs, system, parameters, stream=stream, **settings)


def simulate_as(made: Mapping[str, Any], graphs: Sequence[Graph]) -> Iterator[Trajectory]:
    """The trajectories that a file holds, from what it says that they were made with.

    On its own graphs they are those of the file, to the bit; on others of their sizes they begin
    at the same states.

    Args:
        made: parameters of the file.
        graphs: the graphs, by index.
    """
    system, on = made["system"], made["on"]
    labels: tuple[str | float, ...] = "network", system, on.get("network", "")
    if "network" not in on:
        labels = on["role"], system, on["N"], float(on["beta"]), float(on["gamma"])
    return simulate_ensemble(
        graphs,
        system,
        made["parameters"],
        stream=Stream(on["seed"], labels),
        **{name: made[name] for name in ("trajectories", "initial", "horizon", "times")},
        tolerance=Tolerance(**made["tolerance"]),
    )


def simulate_ensemble(
    graphs: Sequence[Graph],
    system: str,
    parameters: Mapping[str, float] | None = None,
    *,
    stream: Stream,
    trajectories: int,
    initial: tuple[float, float],
    horizon: float,
    times: int,
    tolerance: Tolerance,
) -> Iterator[Trajectory]:
    """Integrate a system from random initial states on every one of some graphs.

    More than eight parameters, because each is a line of what an observer would write down.

    Each initial state has its own random stream, so it stays the same whatever the number of
    graphs or trajectories. Only some trajectories are in memory at a time.

    Args:
        graphs: the graphs, by index.
        system: one of `SYSTEMS`.
        parameters: values that replace the system's defaults.
        stream: of the initial states; its labels name these graphs and this use of them.
        trajectories: initial states per graph.
        initial: interval of the uniform initial states, inside the system's domain.
        horizon: last observation time; the first is 0.
        times: number of equally spaced observation times.
        tolerance: of the integration, as in `simulate`.

    Returns:
        The trajectories, graph by graph, as they are computed; failed ones among them.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        SystemProblem: unknown system or parameter.
        InitialProblem: initial states outside the system's domain.
        IntegrationProblem: times or tolerances without sense.
    """
    check_graphs(graphs)
    velocity = field(system, parameters)
    low, high = SYSTEMS[system].domain
    if not low <= initial[0] <= initial[1] <= high or initial[1] == math.inf:
        raise InitialProblem(
            f"Initial states of {system} have to lie in [{low:g}, {high:g}] and be finite, "
            f"not in [{initial[0]:g}, {initial[1]:g}]."
        )
    if times < 2 or not horizon > 0:
        raise IntegrationProblem(
            f"{times} times up to {horizon:g} are not enough; give at least 2, and a horizon > 0."
        )
    if trajectories < 1:
        raise IntegrationProblem(f"{trajectories} trajectories per graph are too few; give 1.")

    def draw(graph: int, first: int, last: int) -> NDArray[np.float64]:
        generators = (stream.numpy("initial", graph, index) for index in range(first, last))
        n = graphs[graph].n
        return np.concatenate(
            [initial_states(n, 1, *initial, generator) for generator in generators]
        )

    def run() -> Iterator[Trajectory]:
        when = np.linspace(0.0, horizon, times)
        for block in _blocks([graph.n for graph in graphs], trajectories, times):
            simulations = simulate_graphs(
                velocity,
                [graphs[graph] for graph, _, _ in block],
                [draw(*piece) for piece in block],
                when,
                **asdict(tolerance),
            )
            for (graph, first, _), simulation in zip(block, simulations, strict=True):
                for index, states in enumerate(simulation.states):
                    yield Trajectory(
                        graph,
                        first + index,
                        when,
                        states.astype(np.float32),
                        simulation.status[index],
                        simulation.reason[index],
                    )

    check_tolerance(tolerance)
    return run()


def _blocks(
    sizes: Sequence[int], trajectories: int, times: int
) -> Iterator[list[tuple[int, int, int]]]:
    """Pieces (graph, first, last trajectory) in order, grouped to fit into memory."""
    block: list[tuple[int, int, int]] = []
    room = _STATES_AT_ONCE
    for graph, n in enumerate(sizes):
        first = 0
        while first < trajectories:
            fit = room // (n * times)
            if fit <= 0 and block:
                yield block
                block, room = [], _STATES_AT_ONCE
                continue
            last = min(first + max(fit, 1), trajectories)
            block.append((graph, first, last))
            room -= (last - first) * n * times
            first = last
    if block:
        yield block
