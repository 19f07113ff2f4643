"""Predictions of the S¹ model against closed forms, brute force and sampled graphs."""

import numpy as np
import pytest

from nodeflow.graphs.against_theory import degree_exceedance
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.measures import graph_table, node_table
from nodeflow.graphs.s1 import (
    S1Problem,
    asymptotic_c,
    draw_hidden_degrees,
    draw_positions,
)
from nodeflow.graphs.theory import s1_theory
from nodeflow.grid import Cell
from tests.unit.connection import connection_probability, ring_distance


@pytest.mark.parametrize("beta", [0.6, 1.0, 1.1, 3.1])
@pytest.mark.parametrize("gamma", [2.1, 3.0])
def test_probabilities_add_up(beta: float, gamma: float) -> None:
    model = s1_theory(500, beta, gamma, 10.0)
    k = np.arange(500)
    probability = model.degree_probability(k)
    assert probability.sum() == pytest.approx(1.0, abs=1e-6)
    assert probability @ k == pytest.approx(10.0, rel=1e-4)
    tail = model.degree_exceedance(k)
    np.testing.assert_allclose(tail, probability[::-1].cumsum()[::-1], atol=1e-8)


@pytest.mark.parametrize("beta", [0.6, 1.1, 3.1])
def test_expected_degree_agrees_with_random_partners(beta: float) -> None:
    n, gamma = 300, 2.7
    model = s1_theory(n, beta, gamma, 8.0)
    rng = np.random.default_rng(1)
    kappa = draw_hidden_degrees(400_000, gamma, 8.0, rng)
    distance = ring_distance(draw_positions(400_000, rng), 0.0)
    for own in (3.5, 10.0, 100.0):
        p = connection_probability(distance, own, kappa, n=n, beta=beta, c=model.c)
        error = 5 * (n - 1) * p.std() / np.sqrt(len(p))
        assert model.expected_degree(own) == pytest.approx((n - 1) * p.mean(), abs=error)


def test_the_constant_tends_to_the_asymptotic_one() -> None:
    ratios = [s1_theory(n, 3.1, 3.9, 10.0).c / asymptotic_c(n, 3.1, 10.0) for n in (10**3, 10**6)]
    assert abs(ratios[1] - 1) < abs(ratios[0] - 1)
    assert ratios[1] == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(("beta", "gamma"), [(0.6, 3.0), (1.1, 2.7), (3.1, 3.9)])
def test_sampled_graphs_agree_with_the_prediction(beta: float, gamma: float) -> None:
    graphs = sample_cell(Cell(2000, beta, gamma), mean_degree=10, role="t", graphs=6, root_seed=4)
    model = s1_theory(2000, beta, gamma, 10.0)
    measured = graph_table(graphs)["clustering"]
    spread = measured.std() / np.sqrt(6)
    assert model.clustering() == pytest.approx(measured.mean(), abs=0.006 + 4 * spread)
    rows = degree_exceedance(node_table(graphs), model)
    noise = np.sqrt(rows["expected"] * (1 - rows["expected"]) / 12_000)
    # Hidden degrees shift the whole curve of a graph a little; far tails are a few nodes.
    assert (np.abs(rows["observed"] - rows["expected"]) < 6 * noise + 4e-3).all()


@pytest.mark.parametrize(("n", "beta", "graphs"), [(64, 0.6, 400), (256, 3.1, 200)])
def test_means_agree_where_single_hubs_decide(n: int, beta: float, graphs: int) -> None:
    cell = Cell(n, beta, 2.1)
    sampled = sample_cell(cell, mean_degree=10, role="t", graphs=graphs, root_seed=9)
    measured = graph_table(sampled)["clustering"]
    error = measured.std() / np.sqrt(graphs)
    model = s1_theory(n, beta, 2.1, 10.0)
    assert model.clustering() == pytest.approx(measured.mean(), abs=0.003 + 3 * error)
    rows = degree_exceedance(node_table(sampled), model)
    assert (np.abs(rows["observed"] - rows["expected"]) < 0.025).all()


def test_a_wrong_model_is_told_apart() -> None:
    graphs = sample_cell(Cell(2000, 1.1, 2.7), mean_degree=10, role="t", graphs=6, root_seed=4)
    rows = degree_exceedance(node_table(graphs), s1_theory(2000, 1.1, 3.9, 10.0))
    assert np.abs(rows["observed"] - rows["expected"]).max() > 0.05
    clustering = s1_theory(2000, 2.1, 2.7, 10.0).clustering()
    assert abs(clustering - graph_table(graphs)["clustering"].mean()) > 0.1


def test_parameters_outside_the_model_are_refused() -> None:
    for values in [(100, 0.0, 3.0, 10.0), (100, 1.1, 2.0, 10.0), (100, 1.1, 3.0, 100.0)]:
        with pytest.raises(S1Problem):
            s1_theory(*values)
