"""Graphs of the S¹ model: one from given coordinates, one of a cell, all of a cell."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.cells import build_tree
from nodeflow.graphs.exact import calibrate_exactly, draw_exactly
from nodeflow.graphs.geometric import calibrate, draw
from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.graphs.s1 import (
    S1Problem,
    check_coordinates,
    check_model,
    draw_hidden_degrees,
    draw_positions,
)
from nodeflow.grid import Cell
from nodeflow.seeds import numpy_generator

__all__ = ["Sampler", "connect", "sample_cell", "sample_graph"]

Sampler = Literal["geometric", "exact"]


def sample_cell(
    cell: Cell,
    *,
    mean_degree: float,
    role: str,
    graphs: int,
    first: int = 0,
    sampler: Sampler = "geometric",
    root_seed: int,
) -> list[Graph]:
    """The graphs `first` … `first + graphs − 1` of one cell, each from its own random stream.

    Graph i does not depend on `first` and `graphs`, and its coordinates not on the sampler.

    Args:
        cell: N, β and γ.
        mean_degree: k̄, the expected mean degree of every graph given its coordinates.
        role: what the graphs are for, e.g. "train" or "test"; different roles share no graph.
        graphs: how many.
        first: index of the first one.
        sampler: "geometric" in O(N), or "exact" in O(N²) as a reference.
        root_seed: the run's root seed.

    Raises:
        S1Problem: parameters outside the model.
    """
    labels = (role, cell.N, float(cell.beta), float(cell.gamma))
    return [
        sample_graph(
            cell,
            mean_degree=mean_degree,
            sampler=sampler,
            rng=numpy_generator(root_seed, "graph", *labels, index),
        )
        for index in range(first, first + graphs)
    ]


def sample_graph(
    cell: Cell, *, mean_degree: float, sampler: Sampler = "geometric", rng: np.random.Generator
) -> Graph:
    """One graph with Pareto hidden degrees and uniform positions.

    Raises:
        S1Problem: parameters outside the model.
    """
    check_model(cell.N, cell.beta, cell.gamma, mean_degree)
    kappa = draw_hidden_degrees(cell.N, cell.gamma, mean_degree, rng)
    x = draw_positions(cell.N, rng)
    return connect(kappa, x, beta=cell.beta, mean_degree=mean_degree, sampler=sampler, rng=rng)


def connect(
    kappa: NDArray[np.float64],
    x: NDArray[np.float64],
    *,
    beta: float,
    mean_degree: float,
    sampler: Sampler = "geometric",
    rng: np.random.Generator,
) -> Graph:
    """One graph on given coordinates: c calibrated, then edges drawn.

    Args:
        kappa: hidden degrees, shape (N,), positive and finite.
        x: positions, shape (N,), in [0, 1).
        beta: inverse temperature.
        mean_degree: k̄, the expected mean degree.
        sampler: "geometric" or "exact".
        rng: source of the edges.

    Raises:
        S1Problem: coordinates outside the model, or k̄ out of reach.
    """
    check_coordinates(kappa, x)
    if not 0 < beta < np.inf:
        raise S1Problem(f"beta = {beta}: the inverse temperature must be finite and above 0.")
    if sampler == "exact":
        c = calibrate_exactly(kappa, x, beta, mean_degree)
        edges = draw_exactly(kappa, x, beta, c, rng)
    else:
        tree = build_tree(kappa, x, beta)
        edges = draw(tree, calibrate(tree, mean_degree), rng)
    return build_graph(len(x), edges, kappa, x)
