"""Bands and flags of laws, against formulas, planted truths and counts by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from nodeflow.dynamics import Trajectory, simulate
from nodeflow.graphs import Graph, build_graph, from_networkx
from nodeflow.laws import Form, Law, LawProblem, Term, rate_law
from nodeflow.laws.bands import AGREE, DIFFER, FLAGS, INSIDE, flag, quantiles
from nodeflow.neural_ode.seen import TrustProblem
from nodeflow.neural_ode.trust_table import NEURAL_ODE_TRUST

Array = NDArray[np.float64]

X, ONE, SATURATING = Term("power", (1.0,)), Term("one"), Term("saturation", (None,))
TIMES = np.linspace(0.0, 1.0, 9)
STAR = from_networkx(nx.star_graph(200))
RING = from_networkx(nx.cycle_graph(12))


def law(form: Form, parameters: list[float], errors: list[float] | None = None, **more: Any) -> Law:
    p = np.array(parameters)
    spread = np.zeros(len(p)) if errors is None else np.array(errors)
    return Law(form, p, np.diag(spread**2), **{"noise": 1e-3, "seen": (0.0, 1.0), **more})


def growing(errors: list[float] | None = None, **more: Any) -> Law:
    """dx/dt = a x, without neighbours."""
    return law(Form((X,), (), ()), [0.5], errors, **more)


def diffusing(**more: Any) -> Law:
    """dx/dt = −x + 0.2 Σ x_j: at hubs far beyond (0, 1)."""
    return law(Form((X,), (ONE,), (X,)), [-1.0, 0.2], **more)


def saturating(**more: Any) -> Law:
    """The same between 0 and 1, up to 1 %; at 20 it is a tenth less."""
    return law(Form((X,), (ONE,), (SATURATING,)), [-1.0, 10.0, 0.02], **more)


# --- bands ----------------------------------------------------------------------------------------


def test_band_of_one_law_is_that_of_its_parameter_carried_along_exactly() -> None:
    # x = x_0 exp(a t), so that dx/da = t x.
    start = np.linspace(0.1, 1.0, 12)
    table = growing([0.02]).forecast(RING, start, TIMES)
    middle = (start * np.exp(0.5 * TIMES)[:, None]).ravel()
    np.testing.assert_allclose(table["mean"], middle, rtol=1e-5)
    deviation = np.hypot(0.02 * np.repeat(TIMES, 12) * middle, 1e-3)
    for level in (50, 90):
        z = ndtri((1 + level / 100) / 2)
        np.testing.assert_allclose(table[f"upper_{level}"] - middle, z * deviation, rtol=0.02)
        np.testing.assert_allclose(middle - table[f"lower_{level}"], z * deviation, rtol=0.02)


def test_errors_of_parameters_that_depend_on_each_other_are_not_added_up() -> None:
    # Only a + b is known: dx/dt = a x + b x² at x = 1, where both do the same.
    form = Form((X, Term("square")), (), ())
    known = law(form, [-0.5, 0.5])
    apart = np.array([1.0, -1.0])
    covariance = 0.01 * np.outer(apart, apart)
    found = replace(known, covariance=covariance).forecast(RING, np.ones(12), TIMES)
    half = (found["upper_90"] - found["lower_90"]) / 2
    np.testing.assert_allclose(half, ndtri(0.95) * 1e-3, rtol=0.02)


@pytest.mark.parametrize("error", [1e-9, 1e-6, 1e-3])
def test_small_errors_are_not_lost_in_those_of_the_integrator(error: float) -> None:
    found = growing([error]).mixture(RING, np.ones(12), TIMES)
    expected = error * TIMES * np.exp(0.5 * TIMES)
    np.testing.assert_allclose(found.errors[0, 1:, 3], expected[1:], rtol=0.05)


def test_planted_laws_are_covered_as_named() -> None:
    random = np.random.default_rng(2)
    errors = [0.05, 0.03]
    graph = from_networkx(nx.barabasi_albert_graph(15, 2, seed=1))
    start = random.uniform(0.2, 1.0, 15)
    inside: dict[int, list[float]] = {50: [], 90: []}
    for _ in range(150):
        drawn = np.array([-1.0, 0.2]) + errors * random.normal(size=2)
        true = law(Form((X,), (ONE,), (X,)), drawn.tolist())
        states = true.predict(graph, start, [0.0, 1.0]).to_numpy()[1]
        observed = states + 1e-3 * random.normal(size=15)
        guess = law(Form((X,), (ONE,), (X,)), [-1.0, 0.2], errors)
        table = guess.forecast(graph, start, [0.0, 1.0])
        last = table[table["time"] == 1.0]
        for level, found in inside.items():
            low, high = last[f"lower_{level}"], last[f"upper_{level}"]
            found.append(float(((low <= observed) & (observed <= high)).mean()))
    assert np.mean(inside[90]) == pytest.approx(0.9, abs=0.05)
    assert np.mean(inside[50]) == pytest.approx(0.5, abs=0.08)


def test_bands_are_wide_where_alternatives_part_and_nowhere_else() -> None:
    both = diffusing(weight=0.6, alternatives=(saturating(weight=0.4),))
    start = np.full(201, 0.5)
    table = both.forecast(STAR, start, TIMES)
    last = table[table["time"] == 1.0].set_index("node")
    half = (last["upper_90"] - last["lower_90"]) / 2 / last["mean"]
    alone = diffusing().forecast(STAR, start, TIMES)
    narrow = alone[alone["time"] == 1.0].set_index("node")
    width = (narrow["upper_90"] - narrow["lower_90"]) / 2 / narrow["mean"]
    assert last["mean"][0] > 8 and half[1] > 0.02 and half[1] > 20 * width[1]
    # The hub receives from leaves, which stay among the states seen for long; leaves from the hub.
    on_ring = both.forecast(RING, np.full(12, 0.5), TIMES)
    assert ((on_ring["upper_90"] - on_ring["lower_90"]) < 0.02).all()
    # 40 % of the probability lies with each: the middle half of the band lies between them.
    members = [x.predict(STAR, start, TIMES).to_numpy()[-1, 1] for x in (both, *both.alternatives)]
    assert last["lower_90"][1] < min(members) and last["upper_90"][1] > max(members)
    assert last["mean"][1] == pytest.approx(0.6 * members[0] + 0.4 * members[1], rel=1e-5)


@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_quantiles_are_those_of_the_mixture(p: float) -> None:
    random = np.random.default_rng(1)
    weights = np.array([0.6, 0.3, 0.1])
    means, spread = random.normal(size=(3, 4, 5)), random.uniform(0.01, 1.0, (3, 4, 5))
    found = quantiles(p, weights, means, spread)
    for place in np.ndindex(4, 5):

        def excess(x: float, i: int = place[0], j: int = place[1]) -> float:
            each = ndtr((x - means[:, i, j]) / spread[:, i, j])
            return float(weights @ each) - p

        assert found[place] == pytest.approx(brentq(excess, -20, 20), abs=1e-9)


def test_what_explodes_may_be_anywhere() -> None:
    weights = np.array([0.85, 0.15])
    means, spread = np.array([[1.0], [np.nan]]), np.ones((2, 1))
    low, high = (quantiles(p, weights, means, spread) for p in (0.05, 0.95))
    assert low == [-np.inf] and high == [np.inf]
    low, high = (quantiles(p, weights, means, spread) for p in (0.1, 0.9))
    # 2.5 of the 85 % lie below, and the other 7.5 % beyond all numbers.
    assert low[0] == pytest.approx(1 + ndtri(0.025 / 0.85)) and high[0] == pytest.approx(2 - low[0])
    nothing = quantiles(0.95, weights, np.full((2, 1), np.nan), spread)
    assert nothing == [np.inf]


def test_an_alternative_that_explodes_makes_bands_infinite_from_then_on() -> None:
    wild = law(Form((Term("square"),), (), ()), [3.0], weight=0.3)
    both = growing(weight=0.7, alternatives=(wild,))
    table = both.forecast(RING, np.full(12, 1.0), TIMES)
    early, late = table[table["time"] < 0.2], table[table["time"] > 0.5]
    assert np.isfinite(early["upper_90"]).all() and np.isinf(late["upper_90"]).all()
    assert np.isfinite(late["mean"]).all() and (late["flag"] != FLAGS[AGREE]).all()
    with pytest.raises(LawProblem, match="The law cannot be integrated here"):
        wild.forecast(RING, np.full(12, 1.0), TIMES)


def test_parameters_that_may_not_be_negative_are_not_made_so() -> None:
    found = law(Form((X,), (ONE,), (SATURATING,)), [-1.0, 10.0, 0.02], [0.0, 0.0, 0.2])
    table = found.forecast(RING, np.full(12, 0.5), TIMES)
    assert np.isfinite(table["upper_90"]).all() and (table["upper_90"] > table["lower_90"]).all()


# --- flags ----------------------------------------------------------------------------------------


def flags_of(given: Law, graph: Graph, start: Array) -> NDArray[np.int8]:
    return flag(given, given.mixture(graph, start, TIMES), graph)


def test_a_node_is_inside_or_outside_and_outside_laws_agree_or_differ() -> None:
    alone, start = diffusing(), np.full(201, 0.5)
    both = diffusing(weight=0.6, alternatives=(saturating(weight=0.4),))
    assert (flags_of(both, RING, start[:12]) == INSIDE).all()
    assert (flags_of(alone, STAR, start)[-1] == AGREE).all()
    found = flags_of(both, STAR, start)
    assert (found[0] == INSIDE).all() and (found[-1, 1:] == DIFFER).all()
    assert (np.diff(found, axis=0) >= 0).all()
    table = both.forecast(STAR, start, TIMES)
    assert np.array_equal(table["flag"], np.array(FLAGS)[found.ravel()])
    assert np.array_equal(table["trusted"], (found != DIFFER).ravel())


def test_parameters_that_are_not_known_are_no_agreement() -> None:
    start = np.full(201, 0.5)
    sure = law(Form((X,), (ONE,), (X,)), [-1.0, 0.2], [1e-5, 1e-5])
    vague = law(Form((X,), (ONE,), (X,)), [-1.0, 0.2], [0.1, 0.02])
    assert (flags_of(sure, STAR, start)[-1] == AGREE).all()
    assert (flags_of(vague, STAR, start)[-1] == DIFFER).all()


def test_a_law_that_does_not_explain_its_data_says_nothing_beyond_them() -> None:
    start = np.full(201, 0.5)
    wrong = diffusing(excess=1.2)
    assert (flags_of(wrong, STAR, start)[-1] == DIFFER).all()
    assert (flags_of(wrong, RING, start[:12]) == INSIDE).all()


def test_forecasts_go_through_json_and_names_of_nodes_through_forecasts() -> None:
    both = diffusing(weight=0.6, alternatives=(saturating(weight=0.4),))
    again = Law.from_dict(json.loads(json.dumps(both.to_dict())))
    graph = nx.relabel_nodes(nx.star_graph(5), dict(enumerate("abcdef")))
    start = dict.fromkeys("fedcba", 0.5)
    first, second = (x.forecast(graph, start, TIMES, levels=[0.8]) for x in (both, again))
    assert first.equals(second)
    assert [*first] == ["time", "node", "mean", "lower_80", "upper_80", "flag", "trusted"]
    assert first["node"].tolist() == list("abcdef") * 9
    with pytest.raises(TrustProblem, match="rising probabilities"):
        both.forecast(graph, start, TIMES, levels=[0.9, 0.5])


def test_laws_with_covariates_have_bands_where_these_are_given() -> None:
    form = Form((Term("power", (1.0,), "z"),), (), ())
    known = law(form, [0.5], [0.02])
    z = np.linspace(0.5, 2.0, 12)
    table = known.forecast(RING, np.ones(12), TIMES, covariates={"z": z})
    last = table[table["time"] == 1.0]
    np.testing.assert_allclose(last["mean"], np.exp(0.5 * z), rtol=1e-5)
    half = (last["upper_90"] - last["lower_90"]) / 2
    expected = ndtri(0.95) * np.hypot(0.02 * z * np.exp(0.5 * z), 1e-3)
    np.testing.assert_allclose(half, expected, rtol=0.03)
    with pytest.raises(LawProblem, match="covariate 'z'"):
        known.forecast(RING, np.ones(12), TIMES)


# --- what they are worth --------------------------------------------------------------------------


def truth(of: Law, graph: Graph, start: Array) -> Trajectory:
    states = simulate(of.field, graph.adjacency(), start[None], TIMES, rtol=1e-9, atol=1e-9)
    return Trajectory(0, 0, TIMES, states.states[0].astype(np.float32), "ok", "")


def test_a_true_law_is_rated_as_one() -> None:
    start = np.full(201, 0.5)
    row = rate_law(diffusing(), STAR, [truth(diffusing(), STAR, start)])
    assert (row["status"], row["models"]) == ("ok", 1)
    assert row["coverage_90"] == row["coverage_50"] == 1.0
    assert (row["flagged"], row["agree"], row["bad"], row["bad_agree"]) == (0.0, 1.0, 0.0, 0.0)
    assert np.isnan(row["precision"])
    assert row["width_90"] < 1e-4
    named = {"N", "beta", "gamma", "graph", "training_graph"}
    assert named | set(row) == set(NEURAL_ODE_TRUST.columns)


def test_a_law_with_the_wrong_tail_is_found_out_by_its_alternative() -> None:
    # A ring beside a star, in one graph: only the star leaves what was seen.
    graph = build_graph(213, [(0, i) for i in range(1, 201)] + [
        (201 + i, 201 + (i + 1) % 12) for i in range(12)
    ])  # fmt: skip
    start, true = np.full(213, 0.5), saturating(weight=0.4)
    both = diffusing(weight=0.6, alternatives=(true,))
    row = rate_law(both, graph, [truth(true, graph, start)])
    assert row["flagged"] == pytest.approx(201 / 213, abs=0.01)
    assert row["bad"] > 0.9 and row["precision"] > 0.99 and row["recall"] == 1.0
    assert row["coverage_90"] > 0.9 and row["error_flagged"] > 10 * row["error_unflagged"]
    # Without the alternative nothing warns, and the band is wrong.
    alone = rate_law(diffusing(), graph, [truth(true, graph, start)])
    assert alone["recall"] == 0.0 and alone["bad_agree"] > 0.9 and alone["coverage_90"] < 0.3


def test_what_failed_has_a_reason_and_no_numbers() -> None:
    start = np.full(12, 1.0)
    known = truth(growing(), RING, start)
    wild = law(Form((Term("square"),), (), ()), [3.0])
    row = rate_law(wild, RING, [known])
    assert row["status"] == "failed" and "cannot be integrated" in row["reason"]
    assert "coverage_90" not in row
    row = rate_law(growing(), RING, [replace(known, status="failed", reason="too stiff")])
    assert (row["status"], row["reason"]) == ("failed", "true system: too stiff")
