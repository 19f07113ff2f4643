"""Other training data than trajectories from the usual initial states: noisy, or far-reaching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.settings import RecipeProblem
from nodeflow.seeds import Stream

__all__ = ["covering", "highest_state", "noisy"]

_SHORTER = 8


def noisy(
    trajectories: Sequence[Trajectory],
    noise: float,
    stream: Stream,
) -> list[Trajectory]:
    """The trajectories with Gaussian noise on every state, the first included.

    Args:
        trajectories: without noise.
        noise: its standard deviation.
        stream: its labels name the trajectories; noise of another size is the same, scaled.
    """
    noisy = []
    for x in trajectories:
        generator = stream.numpy("training noise", x.graph, x.index)
        states = x.states + noise * generator.standard_normal(x.states.shape)
        noisy.append(replace(x, states=states.astype(np.float32)))
    return noisy


def highest_state(reach: Sequence[Trajectory], name: str) -> float:
    """The largest state of the runs that a covering model has to reach.

    Args:
        reach: the runs.
        name: of their file, for the sentence.

    Raises:
        RecipeProblem: no run could be integrated.
    """
    highest = [float(x.states.max()) for x in reach if x.status == "ok"]
    if not highest:
        raise RecipeProblem(
            f"{name}: no run could be integrated ({reach[0].reason}), so that nobody knows which "
            "states a covering neural ODE has to reach; raise dynamics.max_steps, or take smaller "
            "graphs in neural_ode.detail."
        )
    return max(highest)


def covering(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    system: str,
    parameters: Mapping[str, float],
    high: float,
    stream: Stream,
    tolerance: Tolerance,
) -> list[Trajectory]:
    """New trajectories on the same graphs, whose initial states reach up to `high`.

    Trajectory by trajectory the initial states are uniform up to an own bound between the usual one
    and `high`, log-uniform, so that every scale is seen. High states decay fast, so all are
    observed over an eighth of the time, eight times as densely.

    Args:
        graphs: training graphs.
        trajectories: the usual ones: as many new ones are made.
        system: one of `SYSTEMS`.
        parameters: of the system.
        high: largest state to cover; the system's domain limits it.
        stream: its labels name the trajectories.
        tolerance: of the integration.
    """
    high = min(high, SYSTEMS[system].domain[1])
    usual = max(float(x.states[0].max()) for x in trajectories)
    initials = []
    for index, graph in enumerate(graphs):
        count = sum(x.graph == index for x in trajectories)
        generator = stream.numpy("covering", index)
        share = generator.permutation(count) / max(count - 1, 1)
        bounds = usual * (max(high, usual) / usual) ** share
        initials.append(bounds[:, None] * generator.uniform(size=(count, graph.n)))
    times = trajectories[0].times / _SHORTER
    simulations = simulate_graphs(
        field(system, parameters), graphs, initials, times, **asdict(tolerance)
    )
    return [
        Trajectory(graph, index, times, states.astype(np.float32), status, reason)
        for graph, x in enumerate(simulations)
        for index, (states, status, reason) in enumerate(
            zip(x.states, x.status, x.reason, strict=True)
        )
    ]
