"""The method that is implicit in the diagonal: its order, its accuracy and invariants at hubs."""

import itertools
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nodeflow.dynamics import kernels, runge_kutta
from nodeflow.dynamics.integrate import Simulation, simulate, simulate_graphs
from nodeflow.dynamics.jacobian import linearize, velocity
from nodeflow.dynamics.systems import SYSTEMS, Field, field
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import build_graph, from_networkx
from nodeflow.grid import Cell

TIMES = np.array([0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 0.5, 0.75, 1.0])


def stiff_network(factor: float = 60.0, n: int = 60) -> sp.csr_array:
    """A heterogeneous graph whose weights give its hubs the pull of hundreds of neighbours."""
    graph = from_networkx(nx.barabasi_albert_graph(n, 3, seed=2))
    return sp.csr_array(factor * graph.adjacency())


def initial(n: int, count: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 0.5, (count, n))


def by_radau(system: Field, a: sp.csr_array, x: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, n) states by scipy's implicit method with the exact Jacobian, restarted at every time."""
    states = [x]
    for begin, end in itertools.pairwise(times):
        found = solve_ivp(
            lambda _, y: velocity(system, a, y),
            (begin, end),
            states[-1],
            method="Radau",
            jac=lambda _, y: linearize(system, a, y).matrix().toarray(),
            rtol=1e-11,
            atol=1e-12,
        )
        states.append(found.y[:, -1])
    return np.array(states)


def reference(system: Field, a: sp.csr_array, x: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, n) states by scipy's DOP853, restarted at every time."""
    states = [x]
    for begin, end in itertools.pairwise(times):
        found = solve_ivp(
            lambda _, y: velocity(system, a, y),
            (begin, end),
            states[-1],
            method="DOP853",
            rtol=1e-13,
            atol=1e-13,
        )
        states.append(found.y[:, -1])
    return np.array(states)


def explicit_steps(system: Field, a: sp.csr_array, states: np.ndarray) -> float:
    """Least number of steps of DOPRI5 for these states, (T, n): 3.3 is its limit of stability."""
    stiffest = [-linearize(system, a, x).d.min() for x in states]
    return float(np.trapezoid(stiffest, TIMES) / 3.3)


# Order conditions of an additive pair up to order 4: every product of the two tableaus.
EXPLICIT, IMPLICIT = runge_kutta.ARK_EXPLICIT, runge_kutta.ARK_IMPLICIT


def order_conditions(b: np.ndarray) -> dict[int, list[float]]:
    c = EXPLICIT.sum(axis=1)
    pair = (EXPLICIT, IMPLICIT)
    return {
        1: [b.sum() - 1],
        2: [b @ c - 1 / 2],
        3: [b @ c**2 - 1 / 3, *(b @ a @ c - 1 / 6 for a in pair)],
        4: [
            b @ c**3 - 1 / 4,
            *((b * c) @ a @ c - 1 / 8 for a in pair),
            *(b @ a @ c**2 - 1 / 12 for a in pair),
            *(b @ one @ other @ c - 1 / 24 for one in pair for other in pair),
        ],
    }


def test_the_tableaus_have_the_order_they_claim() -> None:
    np.testing.assert_allclose(EXPLICIT.sum(axis=1), IMPLICIT.sum(axis=1), atol=1e-12)
    solution = order_conditions(runge_kutta.ARK_WEIGHTS)
    assert max(abs(x) for conditions in solution.values() for x in conditions) < 1e-12
    embedded = order_conditions(runge_kutta.ARK_EMBEDDED)
    assert max(abs(x) for order in (1, 2, 3) for x in embedded[order]) < 1e-12
    assert max(abs(x) for x in embedded[4]) > 1e-4, "else it estimates no error"
    # Stiffly accurate and L-stable: what remains of an infinitely stiff component is nothing.
    np.testing.assert_array_equal(IMPLICIT[-1], runge_kutta.ARK_WEIGHTS)
    z = -1e9
    grown = 1 + z * runge_kutta.ARK_WEIGHTS @ np.linalg.solve(np.eye(6) - z * IMPLICIT, np.ones(6))
    assert abs(grown) < 1e-6


@pytest.mark.parametrize("name", ["SIS", "MAK"])
def test_agrees_with_an_implicit_solver_in_few_steps(name: str) -> None:
    a, system = stiff_network(), field(name)
    x = initial(a.shape[0])
    true = by_radau(system, a, x[0], TIMES)
    needed = explicit_steps(system, a, true)
    for tolerance in (1e-4, 1e-6, 1e-8):
        found = simulate(system, a, x, TIMES, rtol=tolerance, atol=tolerance)
        error = np.abs(found.states[0] - true) / (tolerance * (1.0 + np.abs(true)))
        assert error.max() < 1, (name, tolerance)
    few = simulate(system, a, x, TIMES, rtol=1e-4, atol=1e-4)
    assert few.steps[0] < needed / {"SIS": 5.0, "MAK": 1.3}[name]


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_agrees_with_an_explicit_solver_where_that_is_slow(name: str) -> None:
    a, system = stiff_network(20.0, 40), field(name)
    x = initial(a.shape[0])
    true = reference(system, a, x[0], TIMES)
    found = simulate(system, a, x, TIMES, rtol=1e-6, atol=1e-6)
    error = np.abs(found.states[0] - true) / (1e-6 * (1.0 + np.abs(true)))
    assert error.max() < 1


def equal_steps(
    system: Field, a: sp.csr_array, x: np.ndarray, diagonal: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """States after `count` implicit steps to t = 1/2, and in the middle of the last of them."""
    rows, start, method = np.array([0]), np.array([0, len(x)]), np.array([runge_kutta.IMPLICIT])
    h = np.array([0.5 / count])
    y, point, middle = x.copy(), np.empty_like(x), np.empty((1, len(x)))
    k = np.empty((7, len(x)))
    for _ in range(count):
        k[0] = velocity(system, a, y)
        for stage in range(1, 7):
            kernels.combine_stages(rows, start, h, method, stage, y, k, point)
            if stage < 6:
                k[stage] = velocity(system, a, point)
                kernels.solve_stage(rows, start, h, method, stage, diagonal, k)
        dense = runge_kutta.DENSE[runge_kutta.IMPLICIT]
        kernels._observe(np.array([0.5]), h[0], dense, 0, y, k, middle)
        y[:] = point
    return y, middle[0]


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("kept", [0.0, 1.0, 2.5])
def test_is_of_order_four_whatever_the_diagonal(name: str, kept: float) -> None:
    a, system = stiff_network(1.0), field(name)
    x = initial(a.shape[0]) + 0.2
    diagonal = kept * np.minimum(linearize(system, a, x[0]).d, 0.0)
    counts = np.array([64, 96, 128, 192])
    times = np.unique([0.0, 0.5, *(0.5 - 0.25 / counts)])
    true = dict(zip(times, reference(system, a, x[0], times), strict=True))
    errors, between = [], []
    for count in counts:
        end, middle = equal_steps(system, a, x[0], diagonal, count)
        errors.append(np.abs(end - true[0.5]).max())
        between.append(np.abs(middle - true[0.5 - 0.25 / count]).max())
    order = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert 3.7 < order < 5.2, errors
    assert -np.polyfit(np.log(counts), np.log(between), 1)[0] > 3.5, between


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(sorted(SYSTEMS)),
    seed=st.integers(0, 10**6),
    factor=st.sampled_from([1.0, 30.0, 300.0]),
    loose=st.booleans(),
)
def test_states_stay_in_the_domain(name: str, seed: int, factor: float, loose: bool) -> None:
    graph = from_networkx(nx.barabasi_albert_graph(60, 3, seed=seed))
    low, high = SYSTEMS[name].domain
    x = np.random.default_rng(seed).uniform(low, min(high, 3.0), (2, graph.n))
    x[:, :20] = low
    tolerance = 1e-3 if loose else 1e-7
    a = sp.csr_array(factor * graph.adjacency())
    found = simulate(field(name), a, x, np.linspace(0, 2, 60), rtol=tolerance, atol=tolerance)
    assert found.status == ("ok", "ok")
    assert found.states.min() >= low
    assert found.states.max() <= high


def test_diffusion_conserves_its_total() -> None:
    degree, rate = 6, 40.0
    graph = from_networkx(nx.random_regular_graph(degree, 50, seed=1))
    diffusion = Field(
        f=lambda x: -rate * degree * x,
        h_ego=np.ones_like,
        h_alt=lambda x: rate * x,
        df=lambda x: np.full_like(x, -rate * degree),
        dh_ego=np.zeros_like,
        dh_alt=lambda x: np.full_like(x, rate),
    )
    x = initial(graph.n)
    found = simulate(diffusion, graph.adjacency(), x, TIMES, rtol=1e-6, atol=1e-6)
    total = found.states[0].sum(axis=1)
    assert np.abs(total - total[0]).max() < 1e-5 * graph.n
    np.testing.assert_allclose(found.states[0, -1], x.mean(), atol=1e-5)


def same(one: Simulation, other: Simulation) -> None:
    np.testing.assert_array_equal(one.states, other.states)
    np.testing.assert_array_equal(one.steps, other.steps)


def test_company_of_another_stiffness_changes_no_bit() -> None:
    star = build_graph(400, [(0, i) for i in range(1, 400)])
    calm = from_networkx(nx.random_regular_graph(3, 50, seed=1))
    graphs, system = [star, calm, star], field("SIS")
    states = [initial(g.n, 2, seed) for seed, g in enumerate(graphs)]
    together = simulate_graphs(system, graphs, states, TIMES)
    for graph, x, found in zip(graphs, states, together, strict=True):
        same(found, simulate(system, graph.adjacency(), x, TIMES))


def test_growth_on_the_diagonal_and_slopes_without_bound_do_no_harm() -> None:
    graph = from_networkx(nx.barabasi_albert_graph(60, 3, seed=3))
    x = initial(graph.n)
    growing = replace(field("SIS"), f=lambda x: 5.0 * x, df=lambda x: np.full_like(x, 5.0))
    slow = replace(field("MAK"), df=lambda x: np.full_like(x, -np.inf))
    for system in (growing, slow):
        found = simulate(system, stiff_network(), x, TIMES)
        true = by_radau(
            replace(system, df=(growing if system is growing else field("MAK")).df),
            stiff_network(), x[0], TIMES,
        )  # fmt: skip
        np.testing.assert_allclose(found.states[0], true, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIS", "MAK"])
def test_hubs_of_the_largest_graphs_keep_the_tolerance(name: str) -> None:
    cell = Cell(8192, 3.1, 2.1)
    graph = sample_cell(cell, mean_degree=10, role="unit", graphs=1, root_seed=1)[0]
    a, system, x = graph.adjacency(), field(name), initial(graph.n)
    true = solve_ivp(
        lambda _, y: velocity(system, a, y), (0, 1), x[0], "DOP853", TIMES, rtol=1e-10, atol=1e-11
    ).y.T
    found = simulate(system, a, x, TIMES, rtol=1e-6, atol=1e-6)
    error = np.abs(found.states[0] - true) / (1e-6 * (1.0 + np.abs(true)))
    assert error.max() < 1
    assert found.steps[0] < 150 < 0.1 * graph.degrees.max()
