"""Degree-based mean field: all nodes of one degree share one state.

In an uncorrelated network a neighbour has degree k′ with probability k′ P(k′) / ⟨k⟩. With one state
x_k per degree the system becomes

    dx_k/dt = f(x_k) + h_ego(x_k) Σ_k′ A_kk′ h_alt(x_k′),   A_kk′ = k k′ P(k′) / ⟨k⟩

(Pastor-Satorras and Vespignani 2001, PRL 86, 3200): a Barabási–Barzel system on a small weighted
graph, so that `simulate` and `find_fixed_points` solve it as they solve any other. It is exact
where all nodes have the same degree and start from the same state.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from nodeflow.dynamics.integrate import Simulation, simulate
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.problems import Problem

__all__ = [
    "MeanField",
    "MeanFieldProblem",
    "mean_field",
    "mean_field_of",
    "mean_field_states",
    "mean_field_trajectory",
]

_TOLERANCE = Tolerance(1e-6, 1e-6, 100_000)


class MeanFieldProblem(Problem):
    """A mean field cannot be made of the given degrees."""


@dataclass(frozen=True, eq=False)
class MeanField:
    """The mean-field network of a graph.

    Attributes:
        degrees: (K,) the distinct degrees k, rising; of a weighted or directed graph what nodes
            receive in all, Σ_j A_ij.
        share: (K,) the share P(k) of nodes.
        group: (n,) position of each node's degree in `degrees`: `state[group]` is the state of
            every node.
        adjacency: (K, K) A_kk′.
    """

    degrees: NDArray[np.int64] | NDArray[np.float64]
    share: NDArray[np.float64]
    group: NDArray[np.int64]
    adjacency: sp.csr_array


def mean_field(degrees: ArrayLike) -> MeanField:
    """The mean-field network of a graph with these degrees, shape (n,).

    Raises:
        MeanFieldProblem: no degrees, or degrees that are no whole numbers ≥ 0.
    """
    given = np.asarray(degrees)
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iu" or given.min() < 0:
        raise MeanFieldProblem("Degrees have to be a list of whole numbers that are not negative.")
    values, group, counts = np.unique(
        given.astype(np.int64), return_inverse=True, return_counts=True
    )
    ends = max(float(values @ counts), 1.0)
    adjacency = sp.csr_array(np.outer(values, values * counts) / ends)
    return MeanField(values, counts / len(given), group, adjacency)


def mean_field_of(graph: Graph) -> MeanField:
    """The mean-field network of a graph.

    With weights or directions, a node receives s_i = Σ_j A_ij and gives r_j = Σ_i A_ij; nodes that
    do not differ in them share one state, and A_kk′ = s_k r_k′ n_k′ / Σ_j r_j for n_k′ nodes in
    group k′. For simple undirected graphs this is `mean_field` of the degrees.
    """
    if not graph.directed and graph.weights is None:
        return mean_field(graph.degrees)
    matrix = graph.adjacency()
    both = np.stack([matrix.sum(axis=1), matrix.sum(axis=0)], axis=1)
    values, group, counts = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    received, given = values.T
    total = float(given @ counts)
    mixed = np.outer(received, given * counts) / total if total else np.zeros((len(values),) * 2)
    return MeanField(received, counts / graph.n, group.ravel(), sp.csr_array(mixed))


def mean_field_trajectory(
    field: Field,
    network: MeanField,
    initial: ArrayLike,
    times: ArrayLike,
    tolerance: Tolerance = _TOLERANCE,
) -> Simulation:
    """Integrate the mean field; see `simulate`.

    Args:
        field: the vector field.
        network: the mean-field network.
        initial: one state for all degrees (such as the mean of random initial states), or (K,).
        times: (T,) observation times.
        tolerance: of the integration.

    Returns:
        One trajectory: states of shape (1, T, K).

    Raises:
        IntegrationProblem: as in `simulate`.
    """
    start = np.broadcast_to(np.asarray(initial, dtype=np.float64), network.degrees.shape)
    return simulate(field, network.adjacency, start[None], times, **asdict(tolerance))


def mean_field_states(
    field: Field,
    graph: Graph,
    initial: ArrayLike,
    times: ArrayLike,
    tolerance: Tolerance = _TOLERANCE,
) -> NDArray[np.float64]:
    """What the mean field predicts for every node, (1, T, n); NaN where it cannot be integrated.

    Args:
        field: the vector field.
        graph: the graph.
        initial: (B, n) initial states, of which the mean field knows the mean.
        times: (T,) observation times.
        tolerance: of the integration.
    """
    network = mean_field_of(graph)
    mean = float(np.asarray(initial, dtype=np.float64).mean())
    simulation = mean_field_trajectory(field, network, mean, times, tolerance)
    return simulation.states[:, :, network.group]
