"""The integrator against scipy, closed forms, invariants; and its independence of company."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nodeflow.dynamics import integrate
from nodeflow.dynamics.integrate import IntegrationProblem, Simulation, simulate, simulate_graphs
from nodeflow.dynamics.jacobian import velocity
from nodeflow.dynamics.systems import SYSTEMS, Field, field
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import Graph, build_graph, from_networkx
from nodeflow.grid import Cell

TIMES = np.linspace(0.0, 1.0, 41)


def heterogeneous(n: int = 150, gamma: float = 2.1, count: int = 1) -> list[Graph]:
    cell = Cell(n, 1.1, gamma)
    return sample_cell(cell, mean_degree=8, role="unit", graphs=count, root_seed=5)


def initial(n: int, count: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 0.5, (count, n))


def reference(system: Field, a: sp.csr_array, x: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, n) states by scipy at tight tolerance, restarted at every time: no interpolation."""
    states = [x]
    for begin, end in itertools.pairwise(times):
        found = solve_ivp(
            lambda _, y: velocity(system, a, y),
            (begin, end),
            states[-1],
            method="DOP853",
            rtol=1e-12,
            atol=1e-12,
        )
        states.append(found.y[:, -1])
    return np.array(states)


@pytest.mark.parametrize("name", SYSTEMS)
def test_agrees_with_scipy_within_tolerance_at_every_node(name: str) -> None:
    graph = heterogeneous()[0]
    a, x, system = graph.adjacency(), initial(graph.n), field(name)
    true = reference(system, a, x[0], TIMES)
    for tolerance in (1e-4, 1e-6, 1e-8):
        found = simulate(system, a, x, TIMES, rtol=tolerance, atol=tolerance)
        error = np.abs(found.states[0] - true) / (tolerance * (1.0 + np.abs(true)))
        assert error.max() < 1, (name, tolerance)


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_smoothness_is_needed_where_a_trajectory_starts(name: str) -> None:
    """The square root of BD has no slope at 0, where most states start here."""
    graph = heterogeneous()[0]
    a, x, system = graph.adjacency(), initial(graph.n), field(name)
    x[0, 50:] *= 10.0 ** -np.arange(100)
    x[0, 120:] = 0.0
    early = np.concatenate([[0.0], np.geomspace(1e-7, 0.1, 29)])
    true = reference(system, a, x[0], early)
    for tolerance in (1e-4, 1e-6, 1e-8):
        found = simulate(system, a, x, early, rtol=tolerance, atol=tolerance)
        error = np.abs(found.states[0] - true) / (tolerance * (1.0 + np.abs(true)))
        assert error.max() < 1, tolerance


def test_hub_keeps_the_tolerance_in_a_crowd() -> None:
    crowd = build_graph(20_000, [(0, i) for i in range(1, 101)])
    x = initial(crowd.n)
    star = crowd.subgraph(range(101)).adjacency()
    true = reference(field("BD"), star, x[0, :101], TIMES[::8])
    found = simulate(field("BD"), crowd.adjacency(), x, TIMES[::8], rtol=1e-5, atol=1e-5)
    error = np.abs(found.states[0, :, 0] - true[:, 0]) / (1e-5 * (1 + true[:, 0]))
    assert error.max() < 1


def test_converges_with_order_five() -> None:
    graph = heterogeneous(60, 3.0)[0]
    a, x, system = graph.adjacency(), initial(graph.n), field("ND")
    end = np.array([0.0, 3.0])
    true = reference(system, a, x[0], np.linspace(0, 3, 13))[-1]
    tolerances = 10.0 ** -np.arange(5, 11)
    runs = [simulate(system, a, x, end, rtol=t, atol=t) for t in tolerances]
    errors = [np.abs(run.states[0, -1] - true).max() for run in runs]
    order = -np.polyfit(np.log([run.steps[0] for run in runs]), np.log(errors), 1)[0]
    assert 4.5 < order < 5.8
    proportion = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert 0.8 < proportion < 1.2


def test_dense_output_is_as_good_as_the_steps() -> None:
    graph = heterogeneous(60, 3.0)[0]
    a, x, system = graph.adjacency(), initial(graph.n), field("MM")
    fine = np.linspace(0, 2, 401)
    found = simulate(system, a, x, fine, rtol=1e-6, atol=1e-6)
    assert found.steps[0] < 60, "most times lie inside a step"
    true = simulate(system, a, x, fine, rtol=1e-12, atol=1e-12)
    error = np.abs(found.states - true.states) / (1e-6 * (1 + np.abs(true.states)))
    assert error.max() < 1
    coarse = simulate(system, a, x, fine[::100], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(coarse.states, found.states[:, ::100])


@settings(max_examples=15, deadline=None)
@given(name=st.sampled_from(sorted(SYSTEMS)), seed=st.integers(0, 10**6), loose=st.booleans())
def test_states_stay_in_the_domain(name: str, seed: int, loose: bool) -> None:
    generator = np.random.default_rng(seed)
    graph = from_networkx(nx.barabasi_albert_graph(60, 3, seed=seed))
    low, high = SYSTEMS[name].domain
    x = generator.uniform(low, min(high, 3.0), (2, graph.n))
    x[:, :20] = low
    tolerance = 1e-3 if loose else 1e-8
    found = simulate(
        field(name), graph.adjacency(), x, np.linspace(0, 5, 60), rtol=tolerance, atol=tolerance
    )
    assert found.status == ("ok", "ok")
    assert found.states.min() >= low
    assert found.states.max() <= high


@pytest.mark.parametrize("name", SYSTEMS)
def test_renaming_nodes_renames_states(name: str) -> None:
    graph = heterogeneous(80)[0]
    order = np.random.default_rng(1).permutation(graph.n)
    renamed = graph.subgraph(order)
    x = initial(graph.n)
    plain = simulate(field(name), graph.adjacency(), x, TIMES)
    other = simulate(field(name), renamed.adjacency(), x[:, order], TIMES)
    np.testing.assert_allclose(other.states, plain.states[:, :, order], rtol=1e-9, atol=1e-11)


def test_isolated_nodes_follow_their_own_dynamics() -> None:
    empty = sp.csr_array((3, 3))
    x = np.array([[0.1, 0.3, 0.45]])
    t = TIMES[:, None]
    closed = {
        "SIS": x * np.exp(-t),
        "MAK": 5.0 + (x - 5.0) * np.exp(-0.1 * t),
        "MM": x * np.exp(-t),
        "BD": 1.0 / (1.0 / x + t),
    }
    for name, expected in closed.items():
        found = simulate(field(name), empty, x, TIMES, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.states[0], expected, rtol=1e-8)


@pytest.mark.parametrize("degree", [2, 5])
def test_sis_on_a_regular_graph_is_logistic(degree: int) -> None:
    graph = from_networkx(nx.random_regular_graph(degree, 30, seed=1))
    rate, start = 1.2 * degree - 1.0, 0.05
    end = rate / (1.2 * degree)
    expected = end / (1 + (end / start - 1) * np.exp(-rate * TIMES))
    x = np.full((1, 30), start)
    found = simulate(field("SIS"), graph.adjacency(), x, TIMES, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.states[0], expected[:, None] * np.ones(30), rtol=1e-7)


def test_weights_and_direction_of_the_matrix_count() -> None:
    a = sp.csr_array(np.array([[0, 2.0, 0], [0, 0, 0.5], [1.5, 0, 0]]))
    x = initial(3)
    true = reference(field("ND"), a, x[0], TIMES[::10])
    found = simulate(field("ND"), a, x, TIMES[::10], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.states[0], true, rtol=1e-7)


def test_time_may_start_anywhere() -> None:
    graph = heterogeneous(50)[0]
    x = initial(graph.n)
    plain = simulate(field("BD"), graph.adjacency(), x, TIMES)
    late = simulate(field("BD"), graph.adjacency(), x, TIMES + 100.0)
    np.testing.assert_allclose(late.states, plain.states, rtol=1e-6)
    alone = simulate(field("BD"), graph.adjacency(), x, [3.0])
    np.testing.assert_array_equal(alone.states[:, 0], x)


def same(one: Simulation, other: Simulation) -> None:
    np.testing.assert_array_equal(one.states, other.states)
    np.testing.assert_array_equal(one.steps, other.steps)
    assert (one.status, one.reason) == (other.status, other.reason)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("working_set", [1, 300, 100_000])
def test_company_changes_no_bit(
    name: str, working_set: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = [*heterogeneous(70, 2.1, 3), *heterogeneous(33, 3.0, 2), build_graph(4, [])]
    states = [
        initial(g.n, count, seed)
        for seed, (g, count) in enumerate(zip(graphs, [1, 3, 2, 4, 1, 2], strict=True))
    ]
    apart = [
        simulate(field(name), g.adjacency(), x, TIMES, rtol=1e-5, atol=1e-5)
        for g, x in zip(graphs, states, strict=True)
    ]
    monkeypatch.setattr(integrate, "_WORKING_SET", working_set)
    together = simulate_graphs(field(name), graphs, states, TIMES, rtol=1e-5, atol=1e-5)
    for one, other in zip(apart, together, strict=True):
        same(one, other)
    backwards = simulate_graphs(
        field(name), graphs[::-1], states[::-1], TIMES, rtol=1e-5, atol=1e-5
    )
    for one, other in zip(apart[::-1], backwards, strict=True):
        same(one, other)


def explosive(threshold: float) -> Field:
    """Linear decay below a threshold, growth to infinity in finite time above."""
    decay = field("SIS")
    return replace(
        decay,
        f=lambda x: np.where(np.abs(x) > threshold, x * x, -x),
        h_ego=np.ones_like,
        h_alt=np.zeros_like,
    )


def test_a_trajectory_that_blows_up_ends_alone() -> None:
    graphs = heterogeneous(40, 3.0, 3)
    states = [initial(g.n, 2, seed) for seed, g in enumerate(graphs)]
    calm = simulate_graphs(explosive(1.0), graphs, states, TIMES)
    states[1][1, 7] = 2.0  # reaches infinity at t = 1/2
    found = simulate_graphs(explosive(1.0), graphs, states, TIMES)
    same(found[0], calm[0])
    same(found[2], calm[2])
    np.testing.assert_array_equal(found[1].states[0], calm[1].states[0])
    assert found[1].status == ("ok", "failed")
    assert "t = 0.5" in found[1].reason[1] or "t = 0.49999" in found[1].reason[1]
    before = TIMES < 0.45
    exact = 2.0 / (1.0 - 2.0 * TIMES[before])
    np.testing.assert_allclose(found[1].states[1, before, 7], exact, rtol=1e-4)
    assert np.isnan(found[1].states[1, TIMES > 0.51]).all()


def test_failures_name_their_reason() -> None:
    graph = heterogeneous(30)[0]
    x = initial(graph.n)
    few = simulate(field("SIS"), graph.adjacency(), x, TIMES, max_steps=4)
    assert few.status == ("failed",)
    assert few.steps[0] == 4
    assert "more than 4 steps" in few.reason[0]
    nowhere = replace(field("SIS"), f=lambda x: np.where(x > 0.1, np.nan, -x))
    lost = simulate(nowhere, graph.adjacency(), x, TIMES)
    assert lost.status == ("failed",)
    assert "finite" in lost.reason[0]
    np.testing.assert_array_equal(lost.states[0, 0], x[0])
    assert np.isnan(lost.states[0, 1:]).all()


def test_overflow_is_a_failure() -> None:
    growth = replace(field("SIS"), f=lambda x: 1e3 * x, h_ego=np.zeros_like)
    found = simulate(
        growth, sp.csr_array((2, 2)), np.ones((1, 2)), [0.0, 1.0], rtol=1e-3, atol=1e-3
    )
    assert found.status == ("failed",)
    assert "finite" in found.reason[0]


A = sp.csr_array(np.ones((3, 3)))
GOOD = np.full((1, 3), 0.1)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: simulate(field("SIS"), A, np.ones((1, 4)), TIMES), "3 nodes"),
        (lambda: simulate(field("SIS"), A, np.ones(3), TIMES), "shape"),
        (lambda: simulate(field("SIS"), A, GOOD * np.nan, TIMES), "finite"),
        (lambda: simulate(field("SIS"), A[:2], GOOD, TIMES), "square"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES[::-1]), "increasing"),
        (lambda: simulate(field("SIS"), A, GOOD, [0.0, 0.0, 1.0]), "increasing"),
        (lambda: simulate(field("SIS"), A, GOOD, [0.0, np.inf]), "finite"),
        (lambda: simulate(field("SIS"), A, GOOD, []), "list"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, rtol=0.0), "rtol"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, atol=-1.0), "atol"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, rtol=float("nan")), "rtol"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, atol=0.0), "atol"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, atol=float("inf")), "atol"),
        (lambda: simulate(field("SIS"), A, GOOD, TIMES, max_steps=0), "max_steps"),
        (lambda: simulate_graphs(field("SIS"), heterogeneous(20), [], TIMES), "one array"),
    ],
)
def test_bad_input_is_refused(call: Callable[[], object], part: str) -> None:
    with pytest.raises(IntegrationProblem, match=part):
        call()


def test_states_may_be_in_a_unit_in_which_they_are_large() -> None:
    graph, unit, sis = heterogeneous()[0], 1e6, field("SIS")
    scaled = Field(
        f=lambda x: unit * sis.f(x / unit), df=lambda x: sis.df(x / unit),
        h_ego=lambda x: sis.h_ego(x / unit), dh_ego=lambda x: sis.dh_ego(x / unit) / unit,
        h_alt=lambda x: unit * sis.h_alt(x / unit), dh_alt=lambda x: sis.dh_alt(x / unit),
    )  # fmt: skip
    a, x = graph.adjacency(), initial(graph.n)
    plain = simulate(sis, a, x, TIMES, rtol=1e-8, atol=1e-8).states
    found = simulate(scaled, a, unit * x, TIMES, rtol=1e-6, atol=1e-6 * unit).states
    np.testing.assert_allclose(found / unit, plain, rtol=0, atol=1e-5)


def test_no_graphs_give_no_results() -> None:
    assert simulate_graphs(field("SIS"), [], [], TIMES) == []
