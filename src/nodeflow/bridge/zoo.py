"""Zoos of neural ODEs: many training graphs and seeds of one system as one stacked tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from nodeflow.bridge.members import Members
from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.grid import Cell
from nodeflow.neural_ode.layout import SELU
from nodeflow.neural_ode.settings import RecipeProblem, recipe_settings
from nodeflow.neural_ode.train import Observations, observed, train_stack
from nodeflow.threads import one_thread_if_small

__all__ = ["DataSettings", "train_zoo"]

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class DataSettings:
    """What each training graph is, and what is observed on it.

    Attributes:
        size: number of nodes.
        mean_degree: expected mean degree k̄.
        trajectories: initial states per graph.
        times: equally spaced observation times.
        initial: interval of the uniform initial states.
        horizon: last observation time.
        rtol: relative tolerance of the true system's integration.
        atol: absolute tolerance.
        max_steps: limit of steps.
    """

    size: int
    mean_degree: float
    trajectories: int
    times: int
    initial: tuple[float, float]
    horizon: float
    rtol: float
    atol: float
    max_steps: int


@one_thread_if_small
def train_zoo(
    system: str,
    system_parameters: Mapping[str, float],
    cells: Sequence[tuple[float, float]],
    *,
    graphs: int,
    seeds: int,
    data: DataSettings,
    training: Mapping[str, Any],
    root_seed: int,
    device: torch.device = _CPU,
    label: str = "zoo",
) -> Members:
    """Train `seeds` neural ODEs on each of `graphs` graphs of every cell, all of them together.

    More than eight parameters, because data and training have settings of their own, and the
    rest names the zoo.

    Args:
        system: one of the five.
        system_parameters: values that replace the system's defaults.
        cells: β and γ of the training graphs.
        graphs: training graphs per cell.
        seeds: initializations per graph.
        data: what is observed on the graphs.
        training: changes to the recipe "gauss_newton".
        root_seed: the run's root seed.
        device: where to train.
        label: name of the zoo; random numbers follow from it, the system, the cell, the graph and
            the seed.

    Returns:
        The members: cell by cell, graph by graph, seed by seed.

    Raises:
        RecipeProblem: unknown setting, another activation than SELU, or no usable trajectories on
            a graph.
    """
    settings = recipe_settings("gauss_newton", {"activation": SELU, **training})
    if settings.activation != SELU:
        raise RecipeProblem(
            f'activation is "{settings.activation}"; zoos are aligned by the symmetries of SELU '
            'networks: take "selu".'
        )
    observations: list[Observations] = []
    facts: list[tuple[float, float, int, int]] = []
    for beta, gamma in cells:
        on_cell = _observed(system, system_parameters, Cell(data.size, beta, gamma), graphs, data,
                            root_seed)  # fmt: skip
        for x in on_cell:
            # Replicates are told apart by the graph they were trained on, over all cells.
            own = replace(x, graph=len(facts) // seeds)
            observations += [own] * seeds
            facts += [(beta, gamma, x.graph, seed) for seed in range(seeds)]
    names = [("bridge", label, system, *fact) for fact in facts]
    models, history = train_stack(
        observations, settings, names, root_seed, device, f"train {label}, {system}"
    )
    cell_beta, cell_gamma, graph, seed = (np.array(column) for column in zip(*facts, strict=True))
    last = history[history["step"] == history["step"].max()].sort_values("replicate")
    return Members(
        {name: torch.from_numpy(array) for name, array in models.parameters.items()},
        np.array([system] * len(facts)),
        cell_beta.astype(np.float64),
        cell_gamma.astype(np.float64),
        graph.astype(np.int64),
        seed.astype(np.int64),
        models.seen,
        last["loss"].to_numpy(),
        models.error,
        models.ok,
    )


def _observed(
    system: str,
    parameters: Mapping[str, float],
    cell: Cell,
    graphs: int,
    data: DataSettings,
    root_seed: int,
) -> list[Observations]:
    drawn = sample_cell(
        cell,
        mean_degree=data.mean_degree,
        role="bridge",
        graphs=graphs,
        root_seed=root_seed,
    )
    trajectories = simulate_cell(
        drawn,
        system,
        parameters,
        role="bridge",
        cell=cell,
        trajectories=data.trajectories,
        initial=data.initial,
        horizon=data.horizon,
        times=data.times,
        tolerance=Tolerance(data.rtol, data.atol, data.max_steps),
        root_seed=root_seed,
    )
    return observed(drawn, list(trajectories))
