"""States and times in any unit: the same model comes out, in the units of the data."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.graphs.graph import from_networkx
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.load import load
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    RecipeProblem,
    Settings,
)
from nodeflow.neural_ode.store import Models, write_models
from nodeflow.neural_ode.train import train_models, train_stack
from nodeflow.neural_ode.units import Units, in_given_units, scaled, units_of

GRAPH = from_networkx(nx.gnp_random_graph(20, 0.3, seed=0))
TIMES = np.linspace(0, 1, 33)
NEWTON = GaussNewtonSettings(hidden=(16, 16), steps=60, warmup=150, trajectories=4, knots=16)
QUICK = MatchingSettings(hidden=(16, 16), steps=250, batch=32, knots=64)
PAPER = PaperSettings(hidden=(8, 8), steps=24, batch=4, learning_rate=0.1, snapshots=2)
RECIPES: Mapping[str, Settings] = {"gauss_newton": NEWTON, "matching": QUICK, "paper": PAPER}


def states(seed: int, count: int = 6) -> np.ndarray:
    start = np.random.default_rng(seed).uniform(0, 0.5, (count, GRAPH.n))
    return simulate(field("SIS"), GRAPH.adjacency(), start, TIMES, rtol=1e-9, atol=1e-9).states


def data(state: float = 1.0, time: float = 1.0, offset: float = 0.0) -> Observations:
    adjacency = GRAPH.adjacency(np.float32).toarray()
    return Observations(0, adjacency, TIMES * time, offset + states(0) * state)


def trained(of: Observations, settings: Settings) -> Models:
    models, _ = train_stack([of], settings, [("SIS",)], root_seed=1)
    return models


def error(models: Models, state: float = 1.0, time: float = 1.0, offset: float = 0.0) -> float:
    """On other trajectories, over that of standing still."""
    true = states(9, 2)
    got = simulate(
        as_field(models.parameters), GRAPH.adjacency(), offset + true[:, 0] * state, TIMES * time,
        rtol=1e-6, atol=min(1e-6 * state, 0.5),
    )  # fmt: skip
    off = np.abs((got.states - offset) / state - true).mean()
    return float(off / np.abs(true - true[:, :1]).mean())


@pytest.mark.parametrize("settings", RECIPES.values(), ids=RECIPES)
def test_in_units_of_other_powers_of_two_the_same_model_comes_out_to_the_last_bit(
    settings: Settings,
) -> None:
    small, large = trained(data(2.0**-20, 2.0**12), settings), trained(data(2.0**20), settings)
    assert small.ok.tolist() == large.ok.tolist() == [True]
    last = len(settings.hidden)
    for net in ("f", "h_ego", "h_alt"):
        for layer in range(1, last):
            name = f"{net}.{layer}.weight"
            assert np.array_equal(small.parameters[name], large.parameters[name])
        name = f"{net}.0.weight"
        assert np.array_equal(small.parameters[name], large.parameters[name] * 2.0**40)
    name = f"f.{last}.weight"
    assert np.array_equal(small.parameters[name] * 2.0**52, large.parameters[name])
    assert small.error[0] * 2.0**40 == large.error[0]
    np.testing.assert_allclose(small.seen * 2.0**40, large.seen)


@pytest.mark.parametrize(
    ("state", "time", "offset"),
    [
        (1e-3, 1.0, 0.0),
        (1e6, 1.0, 0.0),
        (1e-9, 1e9, 0.0),
        (1.0, 1e-3, 0.0),
        (1.0, 1e3, 0.0),
        (10.0, 1.0, 300.0),
    ],
)
def test_a_planted_system_is_learned_in_any_units(
    tmp_path: Path, state: float, time: float, offset: float
) -> None:
    models = trained(data(state, time, offset), NEWTON)
    assert models.ok.all()
    assert error(models, state, time, offset) < 0.01
    assert models.error[0] / state < 1e-3, "of states, in their own unit"
    write_models(tmp_path / "m.safetensors", models, {})
    true = states(9, 1)[0]
    got = load(tmp_path / "m.safetensors").predict(GRAPH, offset + true[0] * state, TIMES * time)
    off = (got.to_numpy() - offset) / state - true
    assert np.abs(off).mean() < 0.01 * np.abs(true - true[0]).mean()


@pytest.mark.parametrize("state", [1e-3, 1e6])
def test_matching_learns_in_any_units(state: float) -> None:
    assert error(trained(data(state), QUICK), state) < 0.5


def test_networks_in_given_units_are_the_same_field() -> None:
    models = trained(data(), NEWTON)
    units = Units(offset=-3.0, state=2.0**-4, time=2.0**7)
    other = as_field(in_given_units(models.parameters, [units]))
    own, x = as_field(models.parameters), np.linspace(0, 1, 20)
    at, rate = units.offset + units.state * x, units.state / units.time
    np.testing.assert_allclose(other.f(at), rate * own.f(x), rtol=1e-3, atol=1e-4 * rate)
    np.testing.assert_allclose(
        np.outer(other.h_ego(at), other.h_alt(at)),
        rate * np.outer(own.h_ego(x), own.h_alt(x)),
        rtol=1e-3, atol=1e-4 * rate,
    )  # fmt: skip
    assert in_given_units(models.parameters, [Units()]) == models.parameters


@pytest.mark.parametrize("system", ["SIS", "MAK", "MM", "BD", "ND"])
@pytest.mark.parametrize("settings", [NEWTON, PAPER], ids=["gauss_newton", "paper"])
def test_the_five_systems_are_learned_in_their_own_units(system: str, settings: Settings) -> None:
    start = np.random.default_rng(1).uniform(0, 0.5, (4, GRAPH.n))
    seen = simulate(field(system), GRAPH.adjacency(), start, TIMES).states.astype(np.float32)
    of = replace(data(), states=seen)
    assert units_of(of, settings) == Units()
    assert scaled(of, Units()) is of


def test_states_that_hardly_vary_are_refused() -> None:
    with pytest.raises(RecipeProblem, match="too little for float32; subtract a constant"):
        trained(data(offset=1e6), NEWTON)


def runs(times: np.ndarray, of: np.ndarray, first: int = 0) -> list[Trajectory]:
    return [Trajectory(0, first + i, times, x, "ok", "") for i, x in enumerate(of)]


@pytest.mark.parametrize("recipe", ["gauss_newton", "matching"])
def test_uneven_times_are_used(recipe: str) -> None:
    settings = RECIPES[recipe]
    dense = np.concatenate([np.linspace(0, 0.2, 25), np.linspace(0.2, 1, 13)[1:]])
    start = np.random.default_rng(0).uniform(0, 0.5, (6, GRAPH.n))
    seen = simulate(field("SIS"), GRAPH.adjacency(), start, dense, rtol=1e-9, atol=1e-9).states
    [uneven] = observed([GRAPH], runs(dense, seen))
    even = error(trained(data(), settings))
    assert error(trained(uneven, settings)) < max(3 * even, 0.02)


def test_runs_that_start_at_other_times_and_come_in_other_types_are_the_same_data() -> None:
    of = states(0)
    plain, _ = train(runs(TIMES, of.astype(np.float32)))
    times: Any = list(TIMES + 1024.0)
    later = [replace(x, times=times) for x in runs(TIMES, of)]
    other, _ = train([replace(x, states=x.states.astype(object)) for x in later])
    for name, values in plain.parameters.items():
        assert np.array_equal(values, other.parameters[name])


def train(trajectories: list[Trajectory], **more: Any) -> tuple[Models, Any]:
    settings = {"hidden": (8,), "steps": 5, "warmup": 10, "knots": 12}
    return train_models(
        [GRAPH], trajectories, **{
            "recipe": "gauss_newton", "settings": settings, "seeds": 1, "labels": ("x",),
            "root_seed": 1, **more,
        },
    )  # fmt: skip


def test_a_model_that_is_hardly_better_than_standing_still_is_kept_and_said_to_be(
    caplog: pytest.LogCaptureFixture,
) -> None:
    weak = {"hidden": (8, 8), "steps": 3, "batch": 4, "snapshots": 0}
    models, history = train(runs(TIMES, states(0)), recipe="paper", settings=weak)
    [status] = history["status"].unique()
    assert models.ok.all()
    assert status.startswith("weak, but kept: mean absolute error ")
    assert status in caplog.text
    models, history = train_stack([data()], NEWTON, [("SIS",)], root_seed=1)
    assert set(history["status"]) == {"ok"}
