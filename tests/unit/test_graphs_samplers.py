"""Both samplers draw every edge with its own probability, independently; planted bugs are seen."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from scipy import stats

from nodeflow.graphs import geometric
from nodeflow.graphs.cells import CellTree, build_tree
from nodeflow.graphs.exact import calibrate_exactly, draw_exactly
from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.graphs.measures import local_clustering
from nodeflow.graphs.s1 import (
    draw_hidden_degrees,
    draw_positions,
)
from tests.unit.connection import connection_probability, connection_table, ring_distance

BETAS = [0.1, 0.6, 1.0, 1.1, 2.6, 4.1]
Draw = Callable[[np.ndarray, np.ndarray, float, float, np.random.Generator], np.ndarray]


def geometrically(
    kappa: np.ndarray, x: np.ndarray, beta: float, c: float, rng: np.random.Generator
) -> np.ndarray:
    return geometric.draw(build_tree(kappa, x, beta), c, rng)


SAMPLERS: dict[str, Draw] = {"exact": draw_exactly, "geometric": geometrically}


def coordinates(n: int, gamma: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return draw_hidden_degrees(n, gamma, 10.0, rng), draw_positions(n, rng)


def probability_that_the_model_holds(graphs: Iterable[tuple[Graph, float]], beta: float) -> float:
    """p-value of χ² over bins of the effective distance, all graphs together."""
    misfit, bins = 0.0, 0
    for graph, c in graphs:
        table = connection_table(graph, beta, c, bins_per_decade=6)
        table = table[table["variance"] > 5]
        misfit += float(((table["edges"] - table["expected"]) ** 2 / table["variance"]).sum())
        bins += len(table)
    return float(stats.chi2.sf(misfit, bins))


def sampled(
    draw: Draw, beta: float, gamma: float, graphs: int = 8, n: int = 700
) -> Iterable[tuple[Graph, float]]:
    for seed in range(graphs):
        kappa, x = coordinates(n, gamma, seed)
        c = calibrate_exactly(kappa, x, beta, 10.0)
        edges = draw(kappa, x, beta, c, np.random.default_rng([seed, 9]))
        yield build_graph(n, edges, kappa, x), c


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_edges_follow_theory_at_every_distance(sampler: str, beta: float) -> None:
    for gamma in (2.1, 3.5):
        graphs = sampled(SAMPLERS[sampler], beta, gamma)
        assert probability_that_the_model_holds(graphs, beta) > 1e-3


def _wrong_c(
    kappa: np.ndarray, x: np.ndarray, beta: float, c: float, rng: np.random.Generator
) -> np.ndarray:
    return geometrically(kappa, x, beta, 1.2 * c, rng)


def _lost_shell(
    kappa: np.ndarray, x: np.ndarray, beta: float, c: float, rng: np.random.Generator
) -> np.ndarray:
    edges = geometrically(kappa, x, beta, c, rng)
    d = ring_distance(x[edges[:, 0]], x[edges[:, 1]])
    return np.asarray(edges[(d < 0.20) | (d > 0.25)])


def _broken_tree(break_it: Callable[[CellTree], None]) -> Draw:
    def draw(
        kappa: np.ndarray, x: np.ndarray, beta: float, c: float, rng: np.random.Generator
    ) -> np.ndarray:
        tree = build_tree(kappa, x, beta)
        break_it(tree)
        return geometric.draw(tree, c, rng)

    return draw


def _bound_too_low(tree: CellTree) -> None:
    tree.cells["most"] -= 1.0


def _cells_too_narrow(tree: CellTree) -> None:
    cells = tree.cells
    middle = (cells["left"] + cells["right"]) / 2
    cells["left"], cells["right"] = middle, middle


def _heaviest_layer_lost(tree: CellTree) -> None:
    heavy = np.flatnonzero(tree.cells["least"] > np.quantile(tree.nodes["weight"], 0.99))
    tree.cells["stop"][heavy] = tree.cells["start"][heavy]


@pytest.mark.parametrize(
    ("planted", "beta"),
    [
        (_wrong_c, 0.6),
        (_wrong_c, 2.6),
        (_lost_shell, 0.6),
        (_lost_shell, 2.6),
        (_broken_tree(_bound_too_low), 0.6),
        (_broken_tree(_bound_too_low), 2.6),
        (_broken_tree(_cells_too_narrow), 2.6),  # without locality, widths hardly matter
        (_broken_tree(_heaviest_layer_lost), 0.6),
        (_broken_tree(_heaviest_layer_lost), 2.6),
    ],
)
def test_planted_bugs_are_seen(planted: Draw, beta: float) -> None:
    graphs = sampled(planted, beta, 2.4, graphs=16)
    assert probability_that_the_model_holds(graphs, beta) < 1e-6


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.5, 8.0])
def test_every_pair_is_drawn_with_its_own_probability(beta: float) -> None:
    n, draws = 40, 3000
    kappa, x = coordinates(n, 2.2, 4)
    c = calibrate_exactly(kappa, x, beta, 10.0)
    tree, rng = build_tree(kappa, x, beta), np.random.default_rng(5)
    counts = np.zeros((n, n))
    numbers = []
    for _ in range(draws):
        edges = geometric.draw(tree, c, rng)
        counts[edges[:, 0], edges[:, 1]] += 1
        numbers.append(len(edges))
    u, v = np.triu_indices(n, 1)
    p = connection_probability(ring_distance(x[u], x[v]), kappa[u], kappa[v], n=n, beta=beta, c=c)
    testable = (draws * p > 5) & (draws * (1 - p) > 5)
    z = (counts[u, v] - draws * p)[testable] / np.sqrt(draws * p * (1 - p))[testable]
    assert stats.chi2.sf(np.sum(z**2), testable.sum()) > 1e-3
    # Pairs are independent: the variances of all pairs add up to that of the number of edges.
    ratio = np.var(numbers, ddof=1) / np.sum(p * (1 - p))
    assert stats.chi2.sf(ratio * (draws - 1), draws - 1) > 1e-3
    assert stats.chi2.cdf(ratio * (draws - 1), draws - 1) > 1e-3


@pytest.mark.parametrize("beta", [0.6, 1.1, 3.1])
def test_degrees_and_clustering_do_not_tell_the_samplers_apart(beta: float) -> None:
    n = 400
    kappa, x = coordinates(n, 2.4, 6)
    c = calibrate_exactly(kappa, x, beta, 10.0)
    degrees, clustering, largest = {}, {}, {}
    for name, draw in SAMPLERS.items():
        rng = np.random.default_rng(7)
        graphs = [build_graph(n, draw(kappa, x, beta, c, rng)) for _ in range(60)]
        degrees[name] = np.concatenate([g.degrees for g in graphs])
        clustering[name] = [float(np.nanmean(local_clustering(g))) for g in graphs]
        largest[name] = [int(g.degrees.max()) for g in graphs]
    top = 30
    counts = np.array(
        [np.bincount(np.minimum(degrees[s], top), minlength=top + 1) for s in SAMPLERS]
    )
    table = counts[:, counts.sum(axis=0) > 10]
    assert stats.chi2_contingency(table).pvalue > 1e-3
    assert stats.ks_2samp(clustering["exact"], clustering["geometric"]).pvalue > 1e-3
    assert stats.ks_2samp(largest["exact"], largest["geometric"]).pvalue > 1e-3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_edges_are_sorted_and_simple_down_to_two_nodes(sampler: str) -> None:
    for n in (2, 3, 5, 64):
        rng = np.random.default_rng(n)
        kappa, x = draw_hidden_degrees(n, 2.1, 1.0, rng), draw_positions(n, rng)
        edges = SAMPLERS[sampler](kappa, x, 1.5, 0.5, rng)
        assert np.array_equal(build_graph(n, edges).edges, edges)


def test_nodes_at_one_place_are_always_linked() -> None:
    kappa, x = np.ones(30), np.full(30, 0.25)
    for draw in SAMPLERS.values():
        assert len(draw(kappa, x, 2.0, 1e-6, np.random.default_rng(0))) == 30 * 29 // 2


@pytest.mark.slow
def test_time_grows_in_proportion_to_size() -> None:
    import time

    def seconds(n: int) -> float:
        kappa, x = coordinates(n, 3.0, 1)
        start = time.process_time()
        tree = build_tree(kappa, x, 2.1)
        geometric.draw(tree, geometric.calibrate(tree, 10.0), np.random.default_rng(1))
        return (time.process_time() - start) / n

    seconds(1000)
    small = min(seconds(50_000) for _ in range(3))
    large = min(seconds(800_000) for _ in range(2))
    assert large / small < 2  # O(N²) would give 16
