"""Other training data than trajectories from the usual initial states: noisy, or far-reaching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.graphs.graph import Graph
from nodeflow.seeds import numpy_generator

__all__ = ["covering", "noisy", "varied"]

_SHORTER = 8


def noisy(
    trajectories: Sequence[Trajectory],
    noise: float,
    labels: tuple[str | float, ...],
    root_seed: int,
) -> list[Trajectory]:
    """The trajectories with Gaussian noise on every state, the first included.

    Args:
        trajectories: without noise.
        noise: its standard deviation.
        labels: what names the trajectories; noise of another size is the same, scaled.
        root_seed: the run's root seed.
    """
    found = []
    for x in trajectories:
        generator = numpy_generator(root_seed, "training noise", *labels, x.graph, x.index)
        states = x.states + noise * generator.standard_normal(x.states.shape)
        found.append(replace(x, states=states.astype(np.float32)))
    return found


def covering(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    system: str,
    parameters: Mapping[str, float],
    high: float,
    labels: tuple[str | float, ...],
    root_seed: int,
    *,
    rtol: float,
    atol: float,
    max_steps: int,
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
        labels: what names the trajectories.
        root_seed: the run's root seed.
        rtol: relative tolerance.
        atol: absolute tolerance.
        max_steps: limit of steps.
    """
    high = min(high, SYSTEMS[system].domain[1])
    usual = max(float(x.states[0].max()) for x in trajectories)
    initials = []
    for index, graph in enumerate(graphs):
        count = sum(x.graph == index for x in trajectories)
        generator = numpy_generator(root_seed, "covering", *labels, index)
        share = generator.permutation(count) / max(count - 1, 1)
        bounds = usual * (max(high, usual) / usual) ** share
        initials.append(bounds[:, None] * generator.uniform(size=(count, graph.n)))
    times = trajectories[0].times / _SHORTER
    found = simulate_graphs(
        field(system, parameters), graphs, initials, times, rtol=rtol, atol=atol,
        max_steps=max_steps,
    )  # fmt: skip
    return [
        Trajectory(graph, index, times, states.astype(np.float32), status, reason)
        for graph, x in enumerate(found)
        for index, (states, status, reason) in enumerate(
            zip(x.states, x.status, x.reason, strict=True)
        )
    ]


def varied(
    made: Mapping[str, Any],
    graphs: Sequence[Graph],
    plain: Sequence[Trajectory],
    reach: Sequence[Trajectory],
    labels: tuple[str | float, ...],
) -> Sequence[Trajectory]:
    """The training data of a variant.

    Args:
        made: what the models are made with: variant, noise, seed, and the trajectories' settings.
        graphs: training graphs.
        plain: the usual trajectories.
        reach: trajectories whose largest state the variant "covering" has to cover.
        labels: what names system and cell.
    """
    if made["variant"] == "plain":
        return plain
    if made["variant"] != "covering":
        return noisy(plain, made["noise"], labels, made["seed"])
    high = max(float(x.states.max()) for x in reach if x.status == "ok")
    settings = made["from"]
    return covering(
        graphs, plain, made["system"], settings["parameters"], high, labels, made["seed"],
        **{name: settings[name] for name in ("rtol", "atol", "max_steps")},
    )  # fmt: skip
