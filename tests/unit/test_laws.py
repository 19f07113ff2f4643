"""Laws: planted ones are found again, whatever the units, the names of nodes or the gauge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from nodeflow.dynamics import Field, Trajectory, field, find_fixed_points, simulate
from nodeflow.dynamics.runs import TrajectoryProblem
from nodeflow.graphs import Graph, build_graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import ATOMS, Form, Law, LawProblem, Term, discover, field_of, read_law
from nodeflow.laws.along import Along, make_grid
from nodeflow.laws.atoms import Atom, Scale
from nodeflow.laws.candidates import Candidate
from nodeflow.laws.data import groups_of, noise_of, size_of
from nodeflow.laws.discover import _law as weigh
from nodeflow.laws.discovery import Discovery
from nodeflow.laws.families import families
from nodeflow.laws.form import FUNCTIONS
from nodeflow.laws.formulas import FormulaError, atom_of, read_formula
from nodeflow.laws.law import EXCESS
from nodeflow.laws.refine import Fit, columns_of, fit, precision_for, trajectories_of
from nodeflow.laws.simpler import simpler
from nodeflow.laws.symbolic import available

Array = NDArray[np.float64]

X, ONE, SQUARE, ROOT = (
    Term("power", (1.0,)),
    Term("one"),
    Term("power", (2.0,)),
    Term("power", (0.5,)),
)
TANH, HILL = Term("tanh", (None,)), Term("hill", (2.0, None))
SIS = Form((X,), (X, ONE), (X,))

PLANTED = {
    "SIS": (SIS, [-1.0, -1.2, 1.2]),
    "MAK": (Form((X, ONE), (X,), (X,)), [-0.1, 0.5, -1.0]),
    "MM": (Form((X,), (ONE,), (HILL,)), [-1.0, 1.0, 1.0]),
    "BD": (Form((SQUARE,), (ONE,), (ROOT,)), [-1.0, 1.0]),
    "ND": (Form((TANH, X), (ONE,), (TANH,)), [0.5, 1.0, -1.0, 1.0, 1.0]),
}


@cache
def graph() -> Graph:
    return sample_cell(Cell(30, 1.1, 2.5), mean_degree=6, role="training", graphs=1, root_seed=3)[0]


def observed(
    system: Field,
    on: Graph,
    count: int = 4,
    times: int = 65,
    noise: float = 0.0,
    until: float = 1.0,
) -> list[Trajectory]:
    generator = np.random.default_rng(5)
    initial = generator.uniform(0.0, 0.5, (count, on.n))
    when = np.linspace(0.0, until, times)
    states = simulate(system, on.adjacency(), initial, when, rtol=1e-9, atol=1e-9).states
    states = states + noise * generator.standard_normal(states.shape)
    return [Trajectory(0, m, when, x, "ok", "") for m, x in enumerate(states)]


@cache
def sis_law(noise: float = 0.0) -> Law:
    return discover([graph()], observed(field("SIS"), graph(), noise=noise))


# --- recovery -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "system", ["SIS", "ND", *(pytest.param(x, marks=pytest.mark.slow) for x in ("MAK", "MM", "BD"))]
)
def test_planted_law_is_found_exactly(system: str) -> None:
    """MM is found in other units, and MAK without interaction, in tests below."""
    form, values = PLANTED[system]
    clean = sis_law() if system == "SIS" else None
    law = clean or discover([graph()], observed(field(system), graph(), times=129))
    assert law.form == form
    np.testing.assert_allclose(law.parameters, values, rtol=1e-4)
    assert law.explains and not law.undetermined


def test_law_of_noisy_data_is_within_its_errors() -> None:
    law = sis_law(0.01)
    assert law.form == SIS
    assert 0.009 < law.noise < 0.011
    away = (law.parameters - np.array([-1.0, -1.2, 1.2])) / law.errors
    assert np.abs(away).max() < 4.0
    assert (law.errors < 0.02).all()


def test_weights_of_a_law_and_its_alternatives_sum_to_one() -> None:
    law = discover([graph()], observed(field("ND"), graph(), noise=0.1))
    laws = (law, *law.alternatives)
    assert len(laws) > 1 and law.undetermined
    assert sum(x.weight for x in laws) == pytest.approx(1.0, abs=0.01)
    assert [x.weight for x in laws] == sorted((x.weight for x in laws), reverse=True)
    assert law.weight / laws[1].weight == pytest.approx(np.exp(laws[1].length - law.length))
    initial = np.full(graph().n, 0.3)
    spread = law.spread(graph(), initial, [0.0, 1.0]).to_numpy()
    assert (spread[0] < 1e-12).all() and (spread[1] > 0).any()


def test_law_comes_from_several_graphs_and_runs_of_different_times() -> None:
    first = graph()
    second = sample_cell(Cell(20, 1.1, 3.0), mean_degree=4, role="training", graphs=1, root_seed=8)[
        0
    ]
    runs = observed(field("SIS"), first, count=1)
    runs += observed(field("SIS"), first, count=1, times=33, until=0.7)
    runs += [replace(x, graph=1) for x in observed(field("SIS"), second, count=3, times=40)]
    law = discover([first, second], runs)
    assert law.form == SIS
    np.testing.assert_allclose(law.parameters, [-1.0, -1.2, 1.2], rtol=1e-4)


def test_interaction_that_is_not_there_is_not_found() -> None:
    free = field_of(Form((X, ONE), (), ()), np.array([-0.7, 0.3]))
    law = discover([graph()], observed(free, graph(), until=3.0))
    assert law.form == Form((X, ONE), (), ())
    np.testing.assert_allclose(law.parameters, [-0.7, 0.3], rtol=1e-4)


@pytest.mark.parametrize("symbolic", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_dynamics_outside_the_families_is_said_to_be_unexplained(
    symbolic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if symbolic and not available():
        pytest.skip("pyoperon is not installed")
    for name in ("discovery", "law"):
        monkeypatch.setattr(f"nodeflow.laws.{name}.available", lambda: symbolic)
    x = lambda x: x  # noqa: E731
    odd = Field(
        lambda x: -x + 0.4 * np.sin(9 * x) * np.exp(-x), np.ones_like,
        lambda x: np.abs(np.sin(3 * x)), x, np.zeros_like, lambda x: 3 * np.cos(3 * x),
    )  # fmt: skip
    law = discover([graph()], observed(odd, graph(), count=2, noise=0.005))
    assert not law.explains and law.undetermined
    assert law.lasting > 1.0
    assert sum(x.weight for x in (law, *law.alternatives)) <= 0.5
    assert ("install nodeflow[symbolic]" in law.hint) is not symbolic


# --- what lasts in what a law leaves --------------------------------------------------------------


def searching(runs: list[Trajectory], sigma: float) -> Discovery:
    groups = groups_of([graph()], runs)
    return Discovery(groups, sigma, size_of(groups), signed=False)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_lasting_is_the_share_of_the_residual_that_stays_from_one_time_to_the_next(
    share: float,
) -> None:
    sigma = 0.01
    runs = observed(field("SIS"), graph(), times=129)
    noise = sigma * np.random.default_rng(11).standard_normal((len(runs), 129, graph().n))
    # What a wrong law leaves is smooth: one slow wave at each node, of its own phase.
    phase = np.random.default_rng(12).uniform(0.0, 2.0 * np.pi, (len(runs), 1, graph().n))
    wave = np.sqrt(2.0 * share) * sigma * np.sin(4.0 * runs[0].times[None, :, None] + phase)
    noisy = [replace(x, states=x.states + e) for x, e in zip(runs, noise, strict=True)]
    search = searching(noisy, sigma)
    left = noise + wave
    found = Fit(
        SIS, np.array(PLANTED["SIS"][1]), (search.groups[0].states[:, 0],),
        (search.groups[0].states - left,), float(np.square(left).sum()), 10, True, np.eye(3),
    )  # fmt: skip
    correlation = (left[:, 1:] * left[:, :-1]).sum() / np.square(left).sum() * 129 / 128
    # Noise alone leaves 1 / sqrt(count) by chance, and four of those still count as noise.
    chance = 4.0 / np.sqrt(left.size)
    assert search.lasting(found) == pytest.approx(max(correlation, 0.0) / chance, rel=0.03)
    assert (search.lasting(found) > 1.0) == (share > 0.0)
    assert correlation == pytest.approx(share / (1.0 + share), abs=chance)


def test_wrong_law_within_the_noise_is_known_by_what_lasts_and_has_half_the_weight() -> None:
    """Of ND, whose f is 0.5 tanh x − x: a line in its place is hidden in noise of 0.05."""
    sigma, (right, values) = 0.05, PLANTED["ND"]
    hidden = Form((X, ONE), (ONE,), (TANH,))
    runs = observed(field("ND"), graph(), times=129, noise=sigma)
    search, fits = searching(runs, sigma), {}
    for form, near in ((hidden, [-0.8, 0.1, 1.0, 1.0]), (right, values)):
        start = Candidate(form, np.array(near), 0.0)
        first = search.fit(form, start.parameters, search.smoothed(start))
        assert first is not None
        found = search.fit(form, first.parameters, search.along(first), first.initials)
        assert found is not None and found.converged
        fits[form] = found
    assert search.lasting(fits[right]) < 1.0 < search.lasting(fits[hidden])
    true = weigh([fits[right]], search, sigma, check=1.0)
    assert true.explains and true.weight > 0.5
    wrong = weigh([fits[hidden]], search, sigma, check=1.0)
    assert wrong.form == hidden and wrong.excess <= EXCESS  # no larger than the noise
    assert wrong.lasting > 1.0 and not wrong.explains and wrong.undetermined
    assert sum(x.weight for x in (wrong, *wrong.alternatives)) <= 0.5


# --- systems that no list was made for ------------------------------------------------------------


def test_no_term_that_is_nothing_here_explodes_at_hubs() -> None:
    """A product of x and a logarithm is no sum of the families' terms."""
    odd = Field(
        lambda x: -x * np.log1p(x), lambda x: 0.6 + 0.0 * x, lambda x: np.log1p(2.0 * x),
        lambda x: -np.log1p(x) - x / (1 + x), np.zeros_like, lambda x: 2.0 / (1.0 + 2.0 * x),
    )  # fmt: skip
    law = discover([graph()], observed(odd, graph(), noise=0.003))
    for x in (law, *law.alternatives):
        for name in FUNCTIONS:
            for term, (_, coefficient, inner) in zip(
                getattr(x.form, name), x.form.split(name, x.parameters), strict=True
            ):
                degree = inner[0] if term.atom == "power" and inner else 0.0
                # A steep term is there because the data need it, not as a remainder.
                assert degree <= 3.0 or abs(coefficient) * x.seen[1] ** degree > 10 * x.noise
    large = sample_cell(Cell(2048, 1.1, 2.1), mean_degree=8, role="test", graphs=1, root_seed=4)[0]
    initial = np.random.default_rng(3).uniform(0.0, 0.5, large.n)
    true = simulate(odd, large.adjacency(), initial[None], [0.0, 1.0], rtol=1e-8, atol=1e-8).states
    found = law.predict(large, initial, [0.0, 1.0]).to_numpy()
    assert true.max() > 3.0 * law.seen[1]  # hubs go far beyond what was seen
    assert found.min() >= 0.0 and found.max() < 2.0 * true.max()
    assert np.median(np.abs(found - true[0])[-1]) < 0.05 * np.median(true[0, -1])


def test_tail_that_the_data_do_not_show_is_left_to_alternatives() -> None:
    """Of a Hill function whose half point is six times the largest state, only the foot is seen."""
    foot = field_of(Form((X,), (ONE,), (HILL,)), np.array([-1.0, 2.7, 3.0]))
    law = discover([graph()], observed(foot, graph(), noise=0.01))
    assert law.undetermined
    shapes = {x.form.h_alt[0].atom: x for x in (law, *law.alternatives)}
    assert shapes["hill"].weight > 0.05 and shapes["power"].weight > 0.05
    [(_, _, (exponent, half))] = shapes["hill"].form.split("h_alt", shapes["hill"].parameters)
    assert exponent == pytest.approx(2.0, abs=0.2) and half > 1.0
    # Far from the states seen laws lie apart, and by no less than the error; among them they agree.
    initial = np.random.default_rng(3).uniform(0.0, 1.5, graph().n)
    true = simulate(foot, graph().adjacency(), initial[None], [0.0, 0.05], rtol=1e-8).states[0]
    error = np.abs(law.predict(graph(), initial, [0.0, 0.05]).to_numpy() - true)[-1]
    far = law.spread(graph(), initial, [0.0, 0.05]).to_numpy()[-1]
    near = law.spread(graph(), initial / 3.0, [0.0, 0.05]).to_numpy()[-1]
    hub = int(np.argmax(error))
    assert far[hub] > 0.2 * error[hub]
    assert far[hub] > 10.0 * near[hub]


# --- covariates -----------------------------------------------------------------------------------


def test_a_constant_that_stands_alone_is_printed_like_other_numbers() -> None:
    law = Law(Form((X,), (ONE,), (X,)), np.array([-1.5, 0.3]), np.zeros((2, 2)), 0.01, (0.0, 1.0))
    assert str(law) == "f = -1.5*x;  h_ego = 0.3;  h_alt = x"
    alone = Law(Form((ONE,), (), ()), np.array([1 / 3]), np.array([[1e-4]]), 0.01, (0.0, 1.0))
    assert str(alone) == "dx/dt = 0.333"


DELTA = Term("power", (1.0,), "delta")


def recovering() -> tuple[Form, dict[str, Array], list[Trajectory]]:
    """SIS with a recovery rate of each node."""
    form = Form((DELTA,), (X, ONE), (X,))
    rates = {"delta": np.random.default_rng(7).uniform(0.0, 5.0, graph().n)}
    system = field_of(form, np.array([-1.0, -1.0, 1.0]), rates)
    return form, rates, observed(system, graph())


def test_law_with_covariates_is_found_and_predicts() -> None:
    form, rates, runs = recovering()
    noisy = {**rates, "other": np.random.default_rng(9).standard_normal(graph().n)}
    law = discover([graph()], runs, covariates=[noisy])
    assert law.form == form
    np.testing.assert_allclose(law.parameters, [-1.0, -1.0, 1.0], rtol=1e-4)
    assert r"\delta_{i}" in law.latex() and "delta" in str(law)
    back = Law.from_dict(json.loads(json.dumps(law.to_dict())))
    assert back.form == form
    with pytest.raises(LawProblem, match="depends on the covariate 'delta'"):
        _ = back.field
    found = back.predict(graph(), runs[0].states[0], runs[0].times, covariates=rates)
    np.testing.assert_allclose(found.to_numpy(), runs[0].states, atol=1e-4)
    assert np.isfinite(back.spread(graph(), runs[0].states[0], [0, 1], covariates=rates)).all(
        axis=None
    )


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        ([{"delta": np.ones(30)}], "is 1 at every node"),
        ([{"delta": np.arange(29.0)}], "has 30 nodes; give one"),
        ([{"x": np.arange(30.0)}], "cannot name a covariate"),
        ([{"delta": np.array([np.nan, *range(29)])}], "covariate 'delta' of node 0 is nan"),
        ({"delta": np.arange(30.0)}, "give a list with a mapping"),
        ([{}, {}], "covariates are 2, and there are 1 graphs"),
    ],
)
def test_covariates_without_sense(covariates: Any, message: str) -> None:
    with pytest.raises(LawProblem, match=message):
        discover([graph()], observed(field("SIS"), graph()), covariates=covariates)


# --- formulas beyond the lists --------------------------------------------------------------------


def test_formula_is_an_atom_like_others() -> None:
    atom = atom_of("=x*exp(-c0*x)/(c1 + x**2)")
    x, inner, step = np.linspace(0.1, 3.0, 9), (0.7, 1.3), 1e-6
    np.testing.assert_allclose(atom.value(x, *inner), x * np.exp(-0.7 * x) / (1.3 + x**2))
    slope = (atom.value(x + step, *inner) - atom.value(x - step, *inner)) / (2 * step)
    np.testing.assert_allclose(atom.slope(x, *inner), slope, rtol=1e-6)
    for place, by in enumerate(atom.by_inner):
        up, down = list(inner), list(inner)
        up[place] += step
        down[place] -= step
        change = (atom.value(x, *up) - atom.value(x, *down)) / (2 * step)
        np.testing.assert_allclose(by(x, *inner), change, rtol=1e-6)
    form = Form((Term("=sin(c0*x)", (None,)),), (ONE,), (X,))
    law = Law(form, np.array([0.3, 2.0, 1.0]), np.eye(3), 0.1, (0.0, 1.0))
    back = Law.from_dict(json.loads(json.dumps(law.to_dict())))
    assert back.form == form
    np.testing.assert_allclose(back.field.f(x), 0.3 * np.sin(2.0 * x))


@pytest.mark.parametrize(
    "text", ["__import__('os')", "x.real", "open(x)", "y + 1", "x if x else 1", "exp(x, x)", "'x'"]
)
def test_what_is_no_formula_is_never_run(text: str) -> None:
    with pytest.raises(FormulaError):
        read_formula(text)
    said = Law(Form((X,), (), ()), np.array([1.0]), np.eye(1), 0.1, (0.0, 1.0)).to_dict()
    said["functions"]["f"][0] |= {"atom": f"={text}", "inner": {}, "fixed": []}
    with pytest.raises(LawProblem, match="damaged"):
        Law.from_dict(said)


# --- symmetries -----------------------------------------------------------------------------------


def test_names_of_nodes_do_not_matter() -> None:
    order = np.random.default_rng(1).permutation(graph().n)
    renamed = build_graph(graph().n, np.argsort(order)[graph().edges])
    runs = [replace(x, states=x.states[:, order]) for x in observed(field("SIS"), graph())]
    law = discover([renamed], runs)
    assert law.form == sis_law().form
    np.testing.assert_allclose(law.parameters, sis_law().parameters, rtol=1e-6)


def test_units_of_states_and_time_scale_the_law() -> None:
    state, time = 1e4, 30.0
    runs = [
        replace(x, states=state * x.states, times=time * x.times)
        for x in observed(field("MM"), graph(), times=129)
    ]
    law = discover([graph()], runs)
    assert law.form == PLANTED["MM"][0]
    expected = [-1.0 / time, state / time, state]
    np.testing.assert_allclose(law.parameters, expected, rtol=1e-4)


def test_gauge_h_alt_begins_with_coefficient_one() -> None:
    law = sis_law()
    [(atom, coefficient, _)] = law.form.split("h_alt", law.parameters)
    assert (atom, coefficient) == ("power", 1.0)
    x = np.linspace(0, 1, 7)
    true = field("SIS")
    product = np.outer(law.field.h_ego(x), law.field.h_alt(x))
    np.testing.assert_allclose(product, np.outer(true.h_ego(x), true.h_alt(x)), atol=1e-6)


# --- what a law can do ----------------------------------------------------------------------------


def test_formulas_are_those_of_the_field() -> None:
    law = sis_law()
    x = sympy.Symbol("x", real=True)
    points = np.linspace(0.0, 1.0, 5)
    for name in FUNCTIONS:
        values = sympy.lambdify(x, getattr(law, name), "numpy")(points)
        np.testing.assert_allclose(values, getattr(law.field, name)(points), atol=1e-12)
    assert law.latex().startswith(r"\dot x_i = - x_{i}") and r"\sum_j A_{ij} x_{j}" in law.latex()
    assert list(law.table().columns) == ["function", "atom", "parameter", "value", "error"]


def test_law_predicts_and_has_the_fixed_points_of_the_system() -> None:
    law, on = sis_law(), graph()
    initial = np.random.default_rng(2).uniform(0, 1, on.n)
    found = law.predict(on, initial, [0.0, 0.5, 2.0])
    true = simulate(field("SIS"), on.adjacency(), initial[None], [0.0, 0.5, 2.0], rtol=1e-9).states
    np.testing.assert_allclose(found.to_numpy(), true[0], atol=1e-5)
    points = [
        find_fixed_points(x, on.adjacency(), true[0, -1:]).points[0].state
        for x in (law.field, field("SIS"))
    ]
    np.testing.assert_allclose(points[0], points[1], atol=1e-5)


def test_law_survives_json(tmp_path: Path) -> None:
    law = sis_law(0.01)
    path = tmp_path / "law.json"
    path.write_text(json.dumps(law.to_dict()))
    back = read_law(path)
    assert back.to_dict() == law.to_dict()
    assert back.form == law.form
    said = law.to_dict() | {"version": 99}
    with pytest.raises(LawProblem, match="version 99"):
        Law.from_dict(said)
    with pytest.raises(LawProblem, match="damaged"):
        Law.from_dict(law.to_dict() | {"covariance": [[1.0]]})
    with pytest.raises(LawProblem, match="no law"):
        Law.from_dict({})


# --- mathematics inside ---------------------------------------------------------------------------


def _inner(atom: Atom) -> tuple[float, ...]:
    return tuple(2.5 if x.unit == 0 else 1.7 for x in atom.inner)


@pytest.mark.parametrize("atom", ATOMS.values(), ids=list(ATOMS))
def test_derivatives_and_formula_of_an_atom(atom: Atom) -> None:
    x = np.linspace(0.1, 3.0, 9)
    inner, step = _inner(atom), 1e-6
    slope = (atom.value(x + step, *inner) - atom.value(x - step, *inner)) / (2 * step)
    np.testing.assert_allclose(atom.slope(x, *inner), slope, rtol=1e-6, atol=1e-8)
    for place, by in enumerate(atom.by_inner):
        up, down = list(inner), list(inner)
        up[place] += step
        down[place] -= step
        change = (atom.value(x, *up) - atom.value(x, *down)) / (2 * step)
        np.testing.assert_allclose(by(x, *inner), change, rtol=1e-6, atol=1e-8)
    symbol = sympy.Symbol("x", positive=True)
    formula = sympy.lambdify(symbol, atom.expression(symbol, *inner), "numpy")
    np.testing.assert_allclose(formula(x) * np.ones_like(x), atom.value(x, *inner), rtol=1e-12)
    if atom.signed:
        formula_below = np.array([float(formula(v)) for v in -x])
        np.testing.assert_allclose(formula_below, atom.value(-x, *inner), rtol=1e-9)


def test_atoms_have_starts_within_their_bounds() -> None:
    scale = Scale(0.2, 7.0)
    for atom in ATOMS.values():
        for inner in atom.inner:
            low, high = inner.bounds(scale)
            for dense in (False, True):
                starts = inner.starts(scale, dense)
                assert starts and all(low <= v <= high for v in starts)


def test_families_of_signed_states_need_no_positive_state() -> None:
    for name in FUNCTIONS:
        for function in families(name, True):
            for term in function:
                assert ATOMS[term.atom].signed or term.fixed in ((1.0,), (3.0,))


def _along(form: Form, parameters: Sequence[float]) -> tuple[Along, Array]:
    p = np.array(parameters)
    law = field_of(form, p)
    [group] = groups_of([graph()], observed(law, graph(), count=2, times=129))
    grid = make_grid(group.times, group.states)
    path = simulate(law, group.adjacency, group.states[:, 0], grid.at, rtol=1e-9, atol=1e-9).states
    return Along.of(group, grid, path, group.states, law), p


@pytest.mark.parametrize("system", ["SIS", "ND"])
def test_sensitivities_are_finite_differences_of_trajectories(system: str) -> None:
    form, values = PLANTED[system]
    along, p = _along(form, values)
    rows = along.responses(along.integrals(columns_of(form, p, along)))
    group, exact = along.group, precision_for(0.0, 1.0)

    def states(q: Array, initial: Array) -> Array:
        found = trajectories_of(form, q, group, initial, group.times, exact)
        assert found is not None
        return along.residual(-found[0])  # whitened states, up to those observed

    start, step = group.states[:, 0], 1e-4
    for place in range(len(p)):
        up, down = p.copy(), p.copy()
        up[place] += step
        down[place] -= step
        expected = (states(up, start) - states(down, start)) / (2 * step)
        got = rows[..., place : place + 1]
        assert np.abs(got - expected).max() < 0.02 * np.abs(expected).max()
    moved = np.zeros_like(start)
    moved[:, 3] = step
    expected = (states(p, start + moved) - states(p, start - moved)) / (2 * step)
    got = along.initial_change(along.shares(expected)[..., 0])
    np.testing.assert_allclose(got, moved / step, atol=0.02)
    assert np.abs(along.projected(expected)).max() < 0.02 * np.abs(expected).max()


def test_whitened_values_have_the_least_squares_of_the_observations() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 1, 200))
    states = np.cumsum(np.random.default_rng(1).standard_normal((1, 200, 3)), 1)
    grid = make_grid(times, states)
    knots = times[np.searchsorted(times, grid.at[grid.ends[grid.knots]])]
    y, values = states[0], np.random.default_rng(2).standard_normal((len(knots), 3))
    interpolated = np.stack([np.interp(times, knots, v) for v in values.T], -1)
    loss = np.square(y - interpolated).sum() - np.square(y).sum()
    whitened = np.square(grid.reduce @ y - grid.whiten @ values).sum()
    assert whitened - np.square(grid.reduce @ y).sum() == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("count", [9, 40, 129, 700])
def test_quadrature_is_exact_for_cubics(count: int) -> None:
    times = np.linspace(0.0, 2.0, count)
    grid = make_grid(times, np.sin(times)[None, :, None])
    ends = grid.at[grid.ends]
    for degree in range(4):
        exact = np.diff(ends ** (degree + 1)) / (degree + 1)
        np.testing.assert_allclose(grid.quadrature @ grid.at**degree, exact, atol=1e-12)


def test_refinement_finds_parameters_and_initial_states() -> None:
    form, values = PLANTED["SIS"]
    along, p = _along(form, values)
    start = along.group.states[:, 0] + 0.01
    found = fit(
        form, p + 0.05, [along], noise=1e-6, scale=Scale(0.1, 1.0), steps=8,
        precision=precision_for(0.0, 1.0), initials=[start],
    )  # fmt: skip
    assert found is not None
    np.testing.assert_allclose(found.parameters, p, atol=1e-5)
    np.testing.assert_allclose(found.initials[0], along.group.states[:, 0], atol=1e-5)


def test_terms_that_data_cannot_tell_from_zero_are_dropped_first() -> None:
    form = Form((X, SQUARE), (X, ONE), (X,))
    normal = np.diag([1e4, 1e4, 1e4, 1e4])
    x = Fit(form, np.array([-1.0, 0.02, -1.2, 1.2]), (), (), 1.0, 10, True, normal)
    children = [child for child, _ in simpler(x, 1.0, 10_000)]
    assert children == [SIS]


def test_exponents_are_rounded_to_fractions_nearby() -> None:
    form = Form((Term("power", (None,)),), (ONE,), (Term("power", (None,)),))
    normal = np.diag([1e6, 1e6, 1e6, 1e6])
    x = Fit(form, np.array([-1.0, 2.001, 1.0, 0.7]), (), (), 1.0, 10, True, normal)
    children = [child for child, _ in simpler(x, 1.0, 10_000)]
    assert children == [replace(form, f=(SQUARE,))]


def test_noise_is_found_from_the_data_alone() -> None:
    groups = groups_of([graph()], observed(field("MM"), graph(), times=129, noise=0.03))
    assert noise_of(groups) == pytest.approx(0.03, rel=0.03)


# --- bad input ------------------------------------------------------------------------------------


def test_too_few_times() -> None:
    with pytest.raises(LawProblem, match="at least 8 observation times, and there are 5"):
        discover([graph()], observed(field("SIS"), graph(), times=5))


def test_constant_states() -> None:
    runs = [replace(x, states=np.full_like(x.states, 0.2)) for x in observed(field("SIS"), graph())]
    with pytest.raises(LawProblem, match="No state ever changes"):
        discover([graph()], runs)


def test_regular_graph_is_not_identifiable() -> None:
    ring = build_graph(12, np.array([(i, (i + 1) % 12) for i in range(12)]))
    with pytest.raises(LawProblem, match=r"regular graph.*f and the interaction are then not"):
        discover([ring], observed(field("SIS"), ring))


def test_graph_without_edges() -> None:
    empty = build_graph(12, np.empty((0, 2), dtype=np.int64))
    with pytest.raises(LawProblem, match="adjacency matrix is zero"):
        discover([empty], observed(field("SIS"), empty))


def test_nan_is_named() -> None:
    runs = observed(field("SIS"), graph())
    runs[1].states[3, 7] = np.nan
    with pytest.raises(TrajectoryProblem, match="state of node 7 at time"):
        discover([graph()], runs)


def test_failed_trajectories_alone() -> None:
    runs = [replace(x, status="failed") for x in observed(field("SIS"), graph())]
    with pytest.raises(LawProblem, match="no successful trajectory"):
        discover([graph()], runs)


@pytest.mark.parametrize("settings", [{"noise": -1.0}, {"noise": np.nan}, {"held_out": 1.0}])
def test_settings_without_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(LawProblem, match="has to be"):
        discover([graph()], observed(field("SIS"), graph()), **settings)
