"""The graphs of a cell."""

import numpy as np
import pytest

from nodeflow.graphs.ensemble import Sampler, connect, sample_cell
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.s1 import S1Problem
from nodeflow.grid import Cell


def cell_graphs(**changes: object) -> list[Graph]:
    settings: dict[str, object] = {
        "mean_degree": 10.0, "role": "test", "graphs": 4, "root_seed": 7, **changes
    }  # fmt: skip
    cell = settings.pop("cell", Cell(64, 2.1, 3.0))
    return sample_cell(cell, **settings)  # type: ignore[arg-type]


def same(one: Graph, two: Graph) -> bool:
    return np.array_equal(one.edges, two.edges) and np.array_equal(one.x, two.x)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", ["geometric", "exact"])
def test_a_graph_does_not_depend_on_the_chunk_it_is_drawn_in(sampler: Sampler) -> None:
    whole = cell_graphs(graphs=5, first=3, sampler=sampler)
    parts = cell_graphs(graphs=2, first=3, sampler=sampler)
    parts += cell_graphs(graphs=3, first=5, sampler=sampler)
    assert len(whole) == len(parts) == 5
    assert all(same(one, two) for one, two in zip(whole, parts, strict=True))
    assert not same(whole[0], whole[1])


def test_roles_cells_and_seeds_share_no_graph() -> None:
    graphs = [
        cell_graphs()[0],
        cell_graphs(role="train")[0],
        cell_graphs(root_seed=8)[0],
        cell_graphs(cell=Cell(64, 2.1, 3.3))[0],
        cell_graphs(cell=Cell(64, 2.6, 3.0))[0],
    ]
    positions = {tuple(g.x.tolist()) for g in graphs if g.x is not None}
    assert len(positions) == 5


def test_samplers_share_coordinates() -> None:
    fast, slow = cell_graphs(graphs=1)[0], cell_graphs(graphs=1, sampler="exact")[0]
    assert np.array_equal(fast.kappa, slow.kappa)  # type: ignore[arg-type]
    assert np.array_equal(fast.x, slow.x)  # type: ignore[arg-type]
    assert not np.array_equal(fast.edges, slow.edges)


def test_whole_numbers_name_the_same_cell() -> None:
    assert same(cell_graphs(cell=Cell(64, 2, 3))[0], cell_graphs(cell=Cell(64, 2.0, 3.0))[0])


@pytest.mark.parametrize("sampler", ["geometric", "exact"])
@pytest.mark.parametrize("beta", [0.1, 1.0, 1.1, 4.1])
def test_the_mean_degree_of_the_ensemble_is_right(sampler: Sampler, beta: float) -> None:
    graphs = cell_graphs(cell=Cell(128, beta, 2.1), graphs=100, sampler=sampler)
    edges = np.array([len(g.edges) for g in graphs])
    # Given the coordinates M has mean 640 and, as a sum of Bernoulli variables, variance < 640.
    assert abs(edges.mean() - 640) < 4 * np.sqrt(640 / 100)
    assert edges.var() < 2 * 640


def test_given_coordinates_are_used() -> None:
    kappa, x = np.linspace(1, 30, 200), np.linspace(0, 0.995, 200)
    rng = np.random.default_rng(0)
    graph = connect(kappa, x, beta=2.5, mean_degree=6.0, rng=rng)
    assert np.array_equal(graph.kappa, kappa)  # type: ignore[arg-type]
    assert graph.degrees[150:].mean() > 2 * graph.degrees[:50].mean()


@pytest.mark.parametrize(
    ("cell", "mean_degree"),
    [
        (Cell(64, 0.0, 3.0), 10.0),
        (Cell(64, 2.1, 2.0), 10.0),
        (Cell(64, 2.1, 3.0), 64.0),
        (Cell(64, float("nan"), 3.0), 10.0),
    ],
)
def test_parameters_outside_the_model_are_refused(cell: Cell, mean_degree: float) -> None:
    with pytest.raises(S1Problem):
        cell_graphs(cell=cell, mean_degree=mean_degree)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_hidden_degrees_outside_the_model_are_refused(bad: float) -> None:
    kappa, x = np.array([1.0, bad, 2.0, 3.0]), np.array([0.0, 0.2, 0.4, 0.6])
    with pytest.raises(S1Problem, match="kappa of node 1"):
        connect(kappa, x, beta=2.0, mean_degree=1.0, rng=np.random.default_rng(0))


def test_a_temperature_outside_the_model_is_refused() -> None:
    kappa, x = np.ones(4), np.array([0.0, 0.2, 0.4, 0.6])
    for beta in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(S1Problem, match="beta"):
            connect(kappa, x, beta=beta, mean_degree=1.0, rng=np.random.default_rng(0))
