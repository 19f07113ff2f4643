"""Fixed points, Jacobians and spectra against closed forms, differences and dense algebra."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.dynamics import spectrum
from nodeflow.dynamics.fixed_points import FixedPointProblem, find_fixed_points
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.jacobian import Linearization, linearize, velocity
from nodeflow.dynamics.spectrum import SpectrumProblem, rightmost_eigenvalues
from nodeflow.dynamics.systems import SYSTEMS, Field, field
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import from_networkx
from nodeflow.grid import Cell


def heterogeneous(n: int, gamma: float = 2.1) -> sp.csr_array:
    graph = sample_cell(Cell(n, 1.1, gamma), mean_degree=8, role="unit", graphs=1, root_seed=2)[0]
    return graph.adjacency()


def settled(system: Field, a: sp.csr_array, seed: int = 0) -> np.ndarray:
    start = np.random.default_rng(seed).uniform(0.05, 0.5, (1, a.shape[0]))
    return simulate(system, a, start, [0.0, 10.0], rtol=1e-4, atol=1e-4).states[:, -1]


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(SYSTEMS)), seed=st.integers(0, 10**6))
def test_jacobian_matches_finite_differences(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    a = sp.csr_array(sp.random_array((9, 9), density=0.4, rng=generator))
    x = generator.uniform(0.1, 2.0, 9)
    system, step = field(name), 1e-6
    columns = [
        np.subtract(velocity(system, a, x + e), velocity(system, a, x - e)) / (2 * step)
        for e in step * np.eye(9)
    ]
    found = linearize(system, a, x).matrix().toarray()
    np.testing.assert_allclose(found, np.array(columns).T, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", SYSTEMS)
def test_newton_ends_where_time_ends(name: str) -> None:
    a, system = heterogeneous(150, 2.4), field(name)
    start = settled(system, a)
    found = find_fixed_points(system, a, start, domain=SYSTEMS[name].domain)
    assert found.searches[0].status == "ok"
    point = found.points[0]
    assert np.abs(velocity(system, a, point.state)).max() == point.residual <= 1e-9
    assert point.stable
    late = simulate(system, a, start, [0.0, 300.0], rtol=1e-8, atol=1e-8).states[0, -1]
    # Isolated BD nodes decay as 1/t, hence the wider margin there.
    alone = np.diff(a.indptr) == 0
    np.testing.assert_allclose(point.state[~alone], late[~alone], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(point.state[alone], late[alone], atol=5e-3)


def test_sis_on_a_regular_graph() -> None:
    k, n = 4, 200
    a = from_networkx(nx.random_regular_graph(k, n, seed=3)).adjacency()
    starts = np.array([np.full(n, 0.4), np.zeros(n), np.full(n, 0.9)])
    found = find_fixed_points(field("SIS"), a, starts, domain=(0.0, 1.0))
    assert [x.point for x in found.searches] == [0, 1, 0]
    endemic, dead = found.points
    assert endemic.starts == (0, 2)
    np.testing.assert_allclose(endemic.state, 1 - 1 / (1.2 * k), atol=1e-9)
    assert endemic.stable and not dead.stable
    # At 0 the Jacobian is R A − B, whose largest eigenvalue is R k − B.
    assert dead.spectrum.whole[0] == pytest.approx(1.2 * k - 1, rel=1e-6)
    # At x* it is −(B + R k x*) + (1 − x*) R A.
    x = endemic.state[0]
    assert endemic.spectrum.whole[0] == pytest.approx(-1 - 1.2 * k * x + (1 - x) * 1.2 * k)


def test_isolated_nodes_rest_where_they_must() -> None:
    a = sp.csr_array((4, 4))
    expected = {"SIS": (0.0, -1.0), "MAK": (5.0, -0.1), "MM": (0.0, -1.0), "ND": (0.0, -0.5)}
    for name, (state, eigenvalue) in expected.items():
        found = find_fixed_points(field(name), a, np.full((1, 4), 0.3))
        np.testing.assert_allclose(found.points[0].state, state, atol=1e-8)
        np.testing.assert_allclose(found.points[0].spectrum.whole, np.full(4, eigenvalue))


def test_bistable_systems_keep_both_points() -> None:
    a, system = heterogeneous(120, 3.0), field("MM")
    high, low = settled(system, a)[0], np.full(120, 0.01)
    found = find_fixed_points(
        system, a, np.stack((high, low, 1.0001 * high)), domain=(0.0, math.inf)
    )
    assert [x.starts for x in found.points] == [(0, 2), (1,)]
    assert all(x.stable for x in found.points)
    assert found.points[0].state.mean() > 5
    np.testing.assert_allclose(found.points[1].state, 0.0, atol=1e-8)


def test_one_failed_search_leaves_the_others() -> None:
    a = heterogeneous(60, 3.0)
    # x' = 1 + x² on every node: no fixed point; but at x > 10 the field is that of ND.
    base = field("ND")
    hard = replace(
        base,
        f=lambda x: np.where(x > 2, base.f(x), 1 + x * x),
        df=lambda x: np.where(x > 2, base.df(x), 2 * x),
    )
    starts = np.stack([np.full(60, 0.5), settled(base, a)[0] + 3.0])
    found = find_fixed_points(hard, a, starts)
    assert [x.status for x in found.searches] == ["failed", "ok"]
    assert found.searches[0].reason and found.searches[0].point == -1
    assert found.searches[1].point == 0
    assert len(found.points) == 1


def test_a_search_by_a_field_nearby_ends_at_the_fixed_point_of_the_field() -> None:
    a, system = heterogeneous(200, 2.4), field("SIS")
    start = settled(system, a)
    near = replace(system, f=lambda x: system.f(x) + 1e-3 * np.sin(40 * x))
    plain = find_fixed_points(system, a, start, domain=(0.0, 1.0))
    found = find_fixed_points(system, a, start, domain=(0.0, 1.0), near=near)
    np.testing.assert_allclose(found.points[0].state, plain.points[0].state, atol=1e-9)
    assert found.searches[0].iterations > plain.searches[0].iterations
    without = replace(system, f=lambda x: 1 + x * x, df=lambda x: 2 * x)
    lost = find_fixed_points(system, a, start, near=without)
    assert lost.searches[0].status == "failed" and not lost.points


def test_limit_of_iterations_is_a_reason() -> None:
    a = heterogeneous(60, 3.0)
    found = find_fixed_points(field("SIS"), a, np.full((1, 60), 0.5), max_iterations=1)
    assert found.points == ()
    assert "1 Newton steps" in found.searches[0].reason


def test_factorization_takes_over_where_the_diagonal_is_weak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A planted linear system whose diagonal is small beside its couplings."""
    n = 400
    a = from_networkx(nx.path_graph(n)).adjacency()
    generator = np.random.default_rng(1)
    planted = generator.normal(size=n)
    load = -(0.01 * planted + a @ planted)
    weak = Field(
        f=lambda x: 0.01 * x + load,
        h_ego=np.ones_like,
        h_alt=lambda x: x.copy(),
        df=lambda x: np.full_like(x, 0.01),
        dh_ego=np.zeros_like,
        dh_alt=np.ones_like,
    )
    used = []
    original = scipy.sparse.linalg.splu

    def spy(*args: Any, **settings: Any) -> Any:
        used.append(args)
        return original(*args, **settings)

    monkeypatch.setattr(scipy.sparse.linalg, "splu", spy)
    found = find_fixed_points(weak, a, np.zeros((1, n)), eigenvalues=2)
    assert used
    np.testing.assert_allclose(found.points[0].state, planted, atol=1e-6)


def dense(at: Linearization) -> np.ndarray:
    values = np.linalg.eigvals(at.matrix().toarray())
    return values[np.lexsort((values.imag, -values.real))]


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("factored", [True, False])
def test_rightmost_eigenvalues_match_the_dense_spectrum(
    name: str, fixed: bool, factored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At fixed points and at states that are none, where the shift is far away."""
    monkeypatch.setattr(spectrum, "_FACTORED", 2048 if factored else 0)
    a, system = heterogeneous(400, 2.4), field(name)
    generator = np.random.default_rng(4)
    x = settled(system, a)[0] if fixed else generator.uniform(0.1, 0.9, 400)
    at = linearize(system, a, x)
    expected = dense(at)
    found = rightmost_eigenvalues(at, 5)
    np.testing.assert_allclose(found.whole, expected[:5], rtol=1e-5, atol=1e-7)
    giant = max(nx.connected_components(nx.from_scipy_sparse_array(a)), key=len)
    inside = dense(at.restricted(np.array(sorted(giant))))
    np.testing.assert_allclose(found.giant, inside[:5], rtol=1e-5, atol=1e-7)


def test_mixed_signs_fall_back_to_the_general_problem() -> None:
    """A field as a net may learn it: h_ego changes its sign among the nodes."""
    a = heterogeneous(300, 3.0)
    x = np.random.default_rng(0).uniform(0.0, 1.0, 300)
    base = field("ND")
    learned = replace(base, h_ego=lambda x: 0.7 - x, dh_ego=lambda x: np.full_like(x, -1.0))
    at = linearize(learned, a, x)
    assert spectrum._symmetric_interaction(at) is None
    found = rightmost_eigenvalues(at, 4)
    np.testing.assert_allclose(found.whole.real, dense(at)[:4].real, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), sign=st.sampled_from([-1.0, 1.0]))
def test_symmetric_form_has_the_same_spectrum(seed: int, sign: float) -> None:
    generator = np.random.default_rng(seed)
    a = from_networkx(nx.gnp_random_graph(12, 0.4, seed=seed)).adjacency()
    flip = generator.choice([-1.0, 1.0], 12)
    at = Linearization(
        state=np.ones(12),
        adjacency=a,
        d=generator.normal(size=12),
        s=flip * generator.uniform(0, 2, 12),
        t=sign * flip * generator.uniform(0, 2, 12) * (generator.random(12) < 0.8),
    )
    similar = spectrum._symmetric_interaction(at)
    assert similar is not None
    np.testing.assert_array_equal(similar.toarray(), similar.toarray().T)
    expected = np.linalg.eigvals(at.matrix().toarray())
    found = np.linalg.eigvalsh(np.diag(at.d) + similar.toarray())
    np.testing.assert_allclose(np.abs(expected.imag).max(), 0, atol=1e-6)
    np.testing.assert_allclose(np.sort(expected.real), found, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bound_is_never_exceeded(seed: int) -> None:
    generator = np.random.default_rng(seed)
    a = sp.csr_array(sp.random_array((10, 10), density=0.5, rng=generator))
    at = Linearization(generator.normal(size=10), a, *generator.normal(size=(3, 10)))
    bound = spectrum._upper_bound(at, at.interaction())
    assert dense(at)[0].real <= bound + 1e-12


def test_an_infinite_jacobian_has_no_spectrum() -> None:
    a = heterogeneous(40, 3.0)
    with pytest.raises(SpectrumProblem, match="not finite"):
        rightmost_eigenvalues(linearize(field("BD"), a, np.zeros(40)))
    found = find_fixed_points(field("BD"), a, np.zeros((1, 40)))
    assert found.points[0].stable is None
    assert "not finite" in found.points[0].reason


@pytest.mark.parametrize(
    "call",
    [
        lambda a: find_fixed_points(field("SIS"), a, np.ones(5)),
        lambda a: find_fixed_points(field("SIS"), a, np.ones((1, 4))),
        lambda a: find_fixed_points(field("SIS"), a, np.full((1, 5), np.nan)),
    ],
)
def test_bad_starts_are_refused(call: Callable[[sp.csr_array], object]) -> None:
    with pytest.raises(FixedPointProblem):
        call(sp.csr_array((5, 5)))


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_eight_thousand_nodes(name: str) -> None:
    a, system = heterogeneous(8192), field(name)
    found = find_fixed_points(system, a, settled(system, a), domain=SYSTEMS[name].domain)
    assert found.searches[0].status == "ok"
    assert found.points[0].spectrum.giant[0].real < 0
