"""Networks inside, laws beyond: continuous, in one gauge, and never exploding."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from nodeflow.dynamics import Field, field, simulate
from nodeflow.dynamics.systems import Function
from nodeflow.graphs import from_networkx
from nodeflow.neural_ode.field import as_field, exact_fields
from nodeflow.neural_ode.layout import NETS, ModelProblem
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.model import initial_parameters
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.tails import agreed, models_with_tails, with_tails
from nodeflow.seeds import torch_generator

Array = NDArray[np.float64]
LOW, HIGH = 0.1, 2.0
SYSTEMS = ("SIS", "MAK", "MM", "BD", "ND")


def scaled(given: Field, c: float) -> Field:
    """The same vector field in another gauge."""
    return replace(
        given,
        h_ego=lambda x: c * given.h_ego(x), dh_ego=lambda x: c * given.dh_ego(x),
        h_alt=lambda x: given.h_alt(x) / c, dh_alt=lambda x: given.dh_alt(x) / c,
    )  # fmt: skip


def off(given: Field, by: float) -> Field:
    """A field that is off by some per cent, in value and slope, inside and, badly, beyond."""

    def wrong(x: Array) -> Array:
        return 1 + by * np.sin(7 * x) + by * np.maximum(x - HIGH, 0.0) ** 2

    def wrong_slope(x: Array) -> Array:
        return 7 * by * np.cos(7 * x) + 2 * by * np.maximum(x - HIGH, 0.0)

    def value(name: str) -> tuple[Function, Function]:
        f, df = getattr(given, name), getattr(given, f"d{name}")
        return (lambda x: f(x) * wrong(x)), (lambda x: df(x) * wrong(x) + f(x) * wrong_slope(x))

    pairs = {name: value(name) for name in NETS}
    return Field(
        **{name: pair[0] for name, pair in pairs.items()},
        **{f"d{name}": pair[1] for name, pair in pairs.items()},
    )


def networks(scale: float = 1.0) -> dict[str, Array]:
    drawn = initial_parameters([torch_generator(1, "tails", r) for r in range(2)], scale=scale)
    return {name: x.numpy() for name, x in drawn.items()}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("c", [1.0, -3.0, 0.02])
def test_what_learned_the_law_in_another_gauge_is_the_law_everywhere(system: str, c: float) -> None:
    law = field(system)
    found = with_tails(scaled(law, c), law, LOW, HIGH)
    x = np.linspace(0.001, 40.0, 4001)
    np.testing.assert_allclose(found.f(x), law.f(x), rtol=1e-12, atol=1e-12)
    there, back = np.meshgrid(x[::40], x[::40])
    np.testing.assert_allclose(
        found.h_ego(there) * found.h_alt(back), law.h_ego(there) * law.h_alt(back), rtol=1e-10,
        atol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("low", [0.0, LOW])
def test_inside_it_is_what_was_learned_and_far_away_the_law(system: str, low: float) -> None:
    law = field(system)
    learned = scaled(off(law, 0.03), 2.0)
    found = with_tails(learned, law, low, HIGH)
    x = np.linspace(low, HIGH, 301)
    for one, other in zip(found.values(x), learned.values(x), strict=True):
        assert np.array_equal(one, other)
    for name in (*NETS, *(f"d{name}" for name in NETS)):
        inside = getattr(found, name)(x)
        assert np.array_equal(inside, getattr(learned, name)(x))
    far = np.array([8.0, 20.0, 400.0])
    c = float(found.h_alt(far[:1])[0] / law.h_alt(far[:1])[0])
    assert c == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(found.f(far), law.f(far), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.h_alt(far), c * law.h_alt(far), rtol=1e-6)
    np.testing.assert_allclose(found.h_ego(far), law.h_ego(far) / c, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("system", SYSTEMS)
def test_values_and_slopes_are_continuous_and_slopes_are_those_of_the_values(system: str) -> None:
    found = with_tails(off(field(system), 0.03), field(system), LOW, HIGH)
    for name in NETS:
        value, slope = getattr(found, name), getattr(found, f"d{name}")
        for end in (LOW, HIGH):
            at = end + np.array([-1e-9, 1e-9])
            assert np.diff(value(at))[0] == pytest.approx(0.0, abs=1e-6)
            assert np.diff(slope(at))[0] == pytest.approx(0.0, abs=1e-5)
        x = np.concatenate([np.linspace(0.02, LOW, 20)[:-1], np.linspace(HIGH, 6.0, 80)[1:]])
        apart = (value(x + 1e-6) - value(x - 1e-6)) / 2e-6
        np.testing.assert_allclose(slope(x), apart, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("system", SYSTEMS)
def test_networks_are_used_as_far_as_they_agree_with_the_law_as_well_as_elsewhere(
    system: str,
) -> None:
    law = field(system)
    assert agreed(scaled(off(law, 0.03), 2.0), law, 0.0, HIGH)[0] == 0.0
    assert agreed(law, law, LOW, HIGH) == (LOW, HIGH)
    start = 0.8 * HIGH
    bent = replace(
        law,
        f=lambda x: law.f(x) + 0.01 * x + np.maximum(x - start, 0.0) ** 2,
        df=lambda x: law.df(x) + 0.01 + 2.0 * np.maximum(x - start, 0.0),
    )
    low, high = agreed(bent, law, 0.0, HIGH)
    assert low == 0.0 and 0.5 * HIGH <= high < 0.9 * HIGH


def test_values_at_once_are_those_of_the_functions_also_of_tables_and_of_no_numbers() -> None:
    exact = as_field(networks())
    table = as_field(networks(), table=(LOW, HIGH))
    x = np.array([[-0.5, 0.05, 0.1, 1.0], [2.0, 2.1, 70.0, np.nan]])
    for learned in (exact, table):
        found = with_tails(learned, field("BD"), LOW, HIGH)
        together = found.values(x)
        alone = [found.f(x), found.h_ego(x), found.h_alt(x)]
        for one, other in zip(together, alone, strict=True):
            assert one.shape == x.shape and np.isnan(one[1, 3])
            np.testing.assert_allclose(one, other, rtol=1e-13)
        assert np.isfinite(found.df(x[x > 0])).all()


def test_networks_that_explode_at_a_hub_do_not_with_tails() -> None:
    graph = from_networkx(nx.star_graph(400))
    law, start, times = field("BD"), np.full((1, 401), 0.3), np.linspace(0.0, 1.0, 9)

    def bad(x: Array) -> Array:
        # Worse than any network, which goes on as a line.
        return np.where(x <= HIGH, law.f(x), law.f(np.array([HIGH])) + 5 * (x - HIGH) ** 2)

    learned = replace(law, f=bad)
    limits = {"max_steps": 2000}
    assert simulate(learned, graph.adjacency(), start, times, **limits).status == ("failed",)
    found = with_tails(learned, law, 0.0, HIGH)
    got = simulate(found, graph.adjacency(), start, times, **limits)
    true = simulate(law, graph.adjacency(), start, times)
    assert got.status == ("ok",) and true.states.max() > 5 * HIGH
    np.testing.assert_allclose(got.states, true.states, rtol=1e-4)


def test_a_range_or_a_law_without_use_is_said() -> None:
    with pytest.raises(ModelProblem, match=r"low < high; got 2.0, 2.0"):
        with_tails(field("MM"), field("MM"), 2.0, 2.0)
    nowhere = replace(field("MM"), f=lambda x: np.full_like(x, np.nan))
    with pytest.raises(ModelProblem, match="The law has no finite values"):
        with_tails(field("MM"), nowhere, 0.0, 2.0)


def test_each_model_has_the_law_of_its_own_graph_and_those_without_one_are_left_out() -> None:
    drawn = initial_parameters([torch_generator(1, "x", r) for r in range(6)], scale=1.0)
    models = Models(
        {name: x.numpy() for name, x in drawn.items()},
        about={
            "training_graph": np.array([0, 0, 1, 1, 2, 2]),
            "seen": np.array([[0.0, 1.0 + r] for r in range(6)]),
            "ok": np.arange(6) != 3,
            "error": np.arange(6) * 1e-4,
        },
        activation="tanh",
    )
    laws = Fields((field("MM"), field("BD")), np.arange(2), np.zeros((2, 2)))
    found = models_with_tails(models, laws)
    assert found.ok.tolist() == [True, True, True, False]
    assert [found.labels(r) for r in range(4)] == [models.labels(r) for r in range(4)]
    assert np.array_equal(found.error, models.error[:4])
    far, inside = np.array([900.0]), np.array([0.5])
    for r, name in enumerate(("MM", "MM", "BD")):
        [mine] = [found.fields[r]]
        assert mine is not None and mine.f(far) == pytest.approx(field(name).f(far), rel=1e-7)
        exact = exact_fields(models)[r]
        assert exact is not None and mine.f(inside) == pytest.approx(exact.f(inside), abs=1e-5)
    nothing = models_with_tails(models, replace(laws, fields=(None, field("BD"))))
    assert nothing.ok.tolist() == [False, False, True, False]
