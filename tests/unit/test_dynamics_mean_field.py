"""The mean field: exact where it must be, and close where it should be."""

import networkx as nx
import numpy as np
import pytest

from nodeflow.dynamics.fixed_points import find_fixed_points
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.mean_field import (
    MeanFieldProblem,
    mean_field,
    mean_field_trajectory,
)
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import from_networkx

TIMES = np.linspace(0.0, 2.0, 21)


@pytest.mark.parametrize("name", SYSTEMS)
def test_exact_on_regular_graphs(name: str) -> None:
    graph = from_networkx(nx.random_regular_graph(6, 40, seed=1))
    network = mean_field(graph.degrees)
    assert network.degrees.tolist() == [6]
    system = field(name)
    full = simulate(system, graph.adjacency(), np.full((1, 40), 0.3), TIMES, rtol=1e-9, atol=1e-9)
    mean = mean_field_trajectory(system, network, 0.3, TIMES, Tolerance(1e-9, 1e-9, 100_000))
    np.testing.assert_allclose(mean.states[0][:, network.group], full.states[0], rtol=1e-7)
    domain = SYSTEMS[name].domain
    start = full.states[0, -1:]
    rest = find_fixed_points(system, graph.adjacency(), start, domain=domain)
    point = find_fixed_points(system, network.adjacency, start[:, :1], domain=domain)
    np.testing.assert_allclose(point.points[0].state[0], rest.points[0].state, rtol=1e-7)


def test_annealed_matrix_keeps_degrees() -> None:
    degrees = np.array([0, 1, 1, 2, 5, 5, 5, 9])
    network = mean_field(degrees)
    # A node of degree k has k neighbours, whatever their degrees.
    np.testing.assert_allclose(network.adjacency.sum(axis=1), network.degrees)
    # The number of links from k to k′ is that from k′ to k.
    counts = network.share * len(degrees)
    flow = counts[:, None] * network.adjacency.toarray()
    np.testing.assert_allclose(flow, flow.T)
    np.testing.assert_array_equal(network.degrees[network.group], degrees)
    assert network.share.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", SYSTEMS)
def test_close_on_an_uncorrelated_graph(name: str) -> None:
    """Erdős–Rényi with high mean degree: neighbours are many, and not correlated."""
    graph = from_networkx(nx.gnp_random_graph(1500, 0.04, seed=2))
    network, system = mean_field(graph.degrees), field(name)
    full = simulate(system, graph.adjacency(), np.full((1, graph.n), 0.25), [0.0, 1.0])
    mean = mean_field_trajectory(system, network, 0.25, [0.0, 1.0])
    by_degree = np.array(
        [full.states[0, -1, network.group == g].mean() for g in range(len(network.degrees))]
    )
    common = network.share > 0.02
    np.testing.assert_allclose(mean.states[0, -1, common], by_degree[common], rtol=0.02)


def test_activity_grows_with_degree_as_it_should() -> None:
    """x* ∝ k in ND and MM, k^(1/2) in BD, bounded in SIS, 1/k in MAK."""
    degrees = np.repeat([5, 10, 20, 40, 80, 160, 320], [4000, 2000, 700, 200, 60, 15, 4])
    network = mean_field(degrees)
    slopes = {"SIS": 0.0, "MAK": -1.0, "MM": 1.0, "BD": 0.5, "ND": 1.0}
    for name, slope in slopes.items():
        start = mean_field_trajectory(field(name), network, 0.25, [0.0, 20.0]).states[0, -1:]
        found = find_fixed_points(
            field(name), network.adjacency, start, domain=SYSTEMS[name].domain
        )
        state = found.points[0].state[2:]
        fitted = np.polyfit(np.log(network.degrees[2:]), np.log(state), 1)[0]
        assert fitted == pytest.approx(slope, abs=0.06), name


def test_isolated_nodes_only() -> None:
    network = mean_field([0, 0, 0])
    found = find_fixed_points(field("MAK"), network.adjacency, [[1.0]], domain=(0.0, 10.0))
    np.testing.assert_allclose(found.points[0].state, 5.0)


@pytest.mark.parametrize("degrees", [[], [-1, 2], [1.5], [[1, 2]]])
def test_bad_degrees_are_refused(degrees: list[float]) -> None:
    with pytest.raises(MeanFieldProblem):
        mean_field(degrees)
