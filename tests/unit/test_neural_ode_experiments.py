"""Fixed points, unobserved nodes, noise, variants, functions, and the loaded model."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.runs import TrajectoryProblem
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph, from_networkx, to_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.graphs.real import real_network
from nodeflow.grid import Cell
from nodeflow.neural_ode import ModelProblem, load
from nodeflow.neural_ode.baselines import with_baselines
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.functions import compare_functions
from nodeflow.neural_ode.hidden import hide_nodes, perturb_initial_states
from nodeflow.neural_ode.schemas import (
    EIGENVALUES,
    NEURAL_ODE_FIXED_POINTS,
    NEURAL_ODE_HIDDEN,
    NEURAL_ODE_NOISE,
)
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    RecipeProblem,
    Settings,
)
from nodeflow.neural_ode.stability import compare_fixed_points
from nodeflow.neural_ode.store import Models, write_models
from nodeflow.neural_ode.train import observed, train_stack
from nodeflow.neural_ode.variants import covering, highest_state, noisy
from nodeflow.seeds import Stream

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)


def simulated(
    system: str, graphs: list[Graph], role: str = "test", count: int = 1
) -> list[Trajectory]:
    return list(
        simulate_cell(
            graphs, system, role=role, cell=Cell(graphs[0].n, 1.0, 3.0), trajectories=count,
            initial=(0.0, 0.5), horizon=1.0, times=65, root_seed=3, tolerance=TOLERANCE,
        )
    )  # fmt: skip


def graph(n: int, seed: int) -> Graph:
    """Heterogeneous degrees, so that all three functions can be told apart."""
    return from_networkx(nx.barabasi_albert_graph(n, 4, seed=seed))


@cache
def trained(system: str) -> Models:
    graphs = [graph(50, 1), graph(50, 2)]
    data = observed(graphs, simulated(system, graphs, "training", 6))
    settings = GaussNewtonSettings(hidden=(24, 24), trajectories=6, steps=60, knots=32)
    models, _ = train_stack(data, settings, [(system, 0), (system, 1)], root_seed=1)
    assert models.ok.all()
    return models


TESTS = [graph(80, 11), graph(80, 12)]


def generators() -> list[np.random.Generator]:
    return [np.random.default_rng(k) for k in range(2)]


@pytest.mark.parametrize("system", ["SIS", "ND"])
def test_fixed_points_are_near_the_true_ones_and_stable(system: str) -> None:
    truth = simulated(system, TESTS)
    table = compare_fixed_points(
        trained(system), field(system), TESTS, [x.states[0].astype(float) for x in truth],
        domain=SYSTEMS[system].domain, horizon=10.0, tolerance=TOLERANCE,
    )  # fmt: skip
    assert list(table.columns) == list(NEURAL_ODE_FIXED_POINTS.columns)
    assert len(table) == 4
    assert (table["status"] == "ok").all()
    assert (table["residual"] <= 1e-5).all()
    assert (table["mae"] < 0.2 * table["mae_persistence"]).all()
    assert (table[["rightmost_true", "rightmost_giant_true"]] < 0).all(axis=None)
    np.testing.assert_allclose(table["mae"], table["mae_giant"])  # the graphs are connected
    np.testing.assert_allclose(table["rightmost"], table["rightmost_giant"])
    learned = table.filter(regex=r"^rightmost_giant(_\d)?$").to_numpy()
    true = table.filter(regex=r"^rightmost_giant_true(_\d)?$").to_numpy()
    assert learned.shape == true.shape == (4, EIGENVALUES)
    assert (np.diff(learned, axis=1) <= 0).all()
    np.testing.assert_allclose(learned, true, rtol=0.1 if system == "SIS" else 0.5)


def test_hidden_nodes_cost_more_the_more_they_are() -> None:
    table = hide_nodes(
        trained("SIS"), field("SIS"), TESTS, simulated("SIS", TESTS), [1, 8, 40], generators(),
        tolerance=TOLERANCE,
    )  # fmt: skip
    assert list(table.columns) == list(NEURAL_ODE_HIDDEN.columns)
    assert len(table) == 2 * 2 * 3
    assert (table["status"] == "ok").all()
    means = table.groupby("removed")[["mae", "mae_floor", "mae_whole"]].mean()
    assert means["mae"].is_monotonic_increasing
    assert means["mae_floor"].is_monotonic_increasing
    assert (means["mae_whole"] < 0.1 * means["mae"]).all()
    # A nearly perfect model misses what the missing nodes cost, and little more.
    np.testing.assert_allclose(means["mae"], means["mae_floor"], rtol=0.2)


def test_noise_on_the_initial_state_is_the_floor_of_a_good_model() -> None:
    table = perturb_initial_states(
        trained("SIS"), field("SIS"), TESTS, simulated("SIS", TESTS), [0.0, 0.1], generators(),
        domain=(0.0, 1.0), tolerance=TOLERANCE,
    )  # fmt: skip
    assert list(table.columns) == list(NEURAL_ODE_NOISE.columns)
    quiet, loud = (table[table["test_noise"] == x] for x in (0.0, 0.1))
    assert (quiet["mae_floor"] < 1e-5).all()
    assert (loud["mae_floor"] > 1e-3).all()
    np.testing.assert_allclose(loud["mae"], loud["mae_floor"], rtol=0.3)
    # Without noise what is observed is the truth; with it nothing errs less than the noise, whose
    # mean size is sqrt(2/π) of its standard deviation (less where states are cut off at 0).
    np.testing.assert_array_equal(quiet["mae_observed"], quiet["mae"])
    np.testing.assert_array_equal(quiet["mae_observed_floor"], quiet["mae_floor"])
    np.testing.assert_allclose(loud["mae_observed"], 0.1 * np.sqrt(2 / np.pi), rtol=0.15)
    np.testing.assert_allclose(loud["mae_observed_floor"], loud["mae_observed"], rtol=0.05)


@pytest.mark.parametrize("other", ["times on one graph", "times of a graph", "nodes", "none"])
def test_trajectories_that_do_not_fit_are_refused_in_every_experiment(other: str) -> None:
    models, truth = trained("SIS"), simulated("SIS", TESTS)
    longer = replace(truth[-1], times=2 * truth[-1].times)
    wrong = {
        "times on one graph": [*truth, longer],
        "times of a graph": [*truth[:-1], longer],
        "nodes": [*truth[:-1], replace(truth[-1], states=truth[-1].states[:, 1:])],
        "none": truth[:-1],
    }[other]
    table = node_table(TESTS)
    for experiment in (
        lambda: evaluate_models(models, field("SIS"), TESTS, table, wrong, tolerance=TOLERANCE),
        lambda: hide_nodes(
            models, field("SIS"), TESTS, wrong, [4], generators(), tolerance=TOLERANCE
        ),
        lambda: perturb_initial_states(
            models,
            field("SIS"),
            TESTS,
            wrong,
            [0.1],
            generators(),
            domain=(0, 1),
            tolerance=TOLERANCE,
        ),
    ):
        with pytest.raises(TrajectoryProblem, match="graph 1"):
            experiment()


def test_tables_and_numbers_of_other_graphs_are_refused() -> None:
    models, truth = trained("SIS"), simulated("SIS", TESTS)
    with pytest.raises(GraphProblem, match="0 rows of graph 1"):
        evaluate_models(
            models, field("SIS"), TESTS, node_table(TESTS[:1]), truth, tolerance=TOLERANCE
        )
    with pytest.raises(GraphProblem, match="keep at least one node"):
        hide_nodes(
            models, field("SIS"), TESTS, truth, [TESTS[0].n], generators(), tolerance=TOLERANCE
        )


def test_models_that_failed_are_rows_in_every_experiment() -> None:
    models = trained("SIS")
    models = replace(models, about=models.about | {"ok": np.array([False, True])})
    truth = simulated("SIS", TESTS)
    tables = [
        hide_nodes(models, field("SIS"), TESTS, truth, [4], generators(), tolerance=TOLERANCE),
        perturb_initial_states(
            models, field("SIS"), TESTS, truth, [0.1], generators(), domain=(0, 1),
            tolerance=TOLERANCE,
        ),
        compare_fixed_points(
            models, field("SIS"), TESTS, [x.states[0].astype(float) for x in truth],
            domain=(0, 1), horizon=5.0, tolerance=TOLERANCE,
        ),
        evaluate_models(
            models, field("SIS"), TESTS, node_table(TESTS), truth, tolerance=TOLERANCE
        )[1],
    ]  # fmt: skip
    for table in tables:
        failed = table[table["replicate"] == 0]
        assert (failed["status"] == "failed").all()
        assert failed["reason"].str.contains("training").all()
        assert failed["mae"].isna().all()
        assert (table[table["replicate"] == 1]["status"] == "ok").all()


def test_baselines_and_spread_by_hand() -> None:
    truth = simulated("SIS", TESTS)
    errors, runs = evaluate_models(
        trained("SIS"), field("SIS"), TESTS, node_table(TESTS), truth, tolerance=TOLERANCE
    )
    states = truth[1].states
    persistence = runs[runs["graph"] == 1]["mae_persistence"]
    np.testing.assert_allclose(persistence, np.abs(states - states[0]).mean(), rtol=1e-5)
    assert (runs["mae"] < 0.1 * runs["mae_mean_field"]).all()
    assert (runs["mae_mean_field"] < runs["mae_persistence"]).all()
    # What is stored by node averages to what is stored by run, and good predictions move as far
    # from the baselines as the truth does.
    means = errors.groupby(["graph", "replicate"]).mean()
    for name in ("mae_persistence", "mae_mean_field"):
        np.testing.assert_allclose(means[name], runs[name], rtol=1e-6)
    np.testing.assert_allclose(means["change"], means["mae_persistence"], rtol=0.01)
    np.testing.assert_allclose(means["apart"], means["mae_mean_field"], rtol=0.05)
    # With two models the standard deviation is their distance over √2: at most the sum of errors.
    wide = errors.pivot_table(index=["graph", "node"], columns="replicate", values="mae")
    spread = errors[errors["replicate"] == 0].set_index(["graph", "node"])["spread"]
    assert (spread <= (wide[0] + wide[1]) / np.sqrt(2) + 1e-9).all()
    assert (spread > 0).all()


@pytest.mark.parametrize("settings", [GaussNewtonSettings(), MatchingSettings()])
def test_the_losses_of_the_baselines_by_hand(settings: Settings) -> None:
    graphs = [graph(50, 1), graph(50, 2)]
    trajectories = simulated("SIS", graphs, "training", 6)
    history = pd.DataFrame({"replicate": [0, 1, 1]})
    table = with_baselines(
        history, trained("SIS"), field("SIS"), graphs, trajectories, settings, tolerance=TOLERANCE
    )
    persistence = []
    for index in range(2):
        mine = [x for x in trajectories if x.graph == index]
        states = np.stack([x.states for x in mine]).astype(float)
        if isinstance(settings, MatchingSettings):
            slopes = np.gradient(states, mine[0].times, axis=1, edge_order=2)
            persistence.append(np.abs(slopes).mean())
        else:
            persistence.append(np.sqrt(np.square(states - states[:, :1]).mean()))
    np.testing.assert_allclose(
        table["loss_persistence"], np.array(persistence)[[0, 1, 1]], rtol=1e-2
    )
    assert (table["loss_mean_field"] < table["loss_persistence"]).all()


def test_noise_is_as_large_as_asked_for_and_scales() -> None:
    truth = simulated("SIS", TESTS)
    small, large = (noisy(truth, x, Stream(1, ("SIS", 1.0))) for x in (0.01, 0.1))
    for before, one, other in zip(truth, small, large, strict=True):
        np.testing.assert_allclose(
            10 * (one.states - before.states), other.states - before.states, atol=1e-5
        )
        assert (other.states - before.states).std() == pytest.approx(0.1, rel=0.05)


def test_covering_trajectories_reach_as_far_as_asked() -> None:
    graphs = [graph(40, 1)]
    plain = simulated("BD", graphs, "training", 8)
    found = covering(graphs, plain, "BD", {}, 60.0, Stream(1, ("BD",)), TOLERANCE)
    assert len(found) == len(plain)
    assert all(x.status == "ok" for x in found)
    starts = np.array([x.states[0].max() for x in found])
    assert 40 < starts.max() <= 60
    assert starts.min() <= 0.5
    assert highest_state(found, "x.parquet") == max(x.states.max() for x in found)
    failed = [replace(x, status="failed", reason="too many steps") for x in plain]
    with pytest.raises(RecipeProblem, match=r"x\.parquet: no run could .* \(too many steps\)"):
        highest_state(failed, "x.parquet")
    limited = covering(graphs, plain, "SIS", {}, 60.0, Stream(1, ("SIS",)), TOLERANCE)
    assert max(x.states.max() for x in limited) <= 1.0


def test_learned_functions_match_after_the_scale_is_fixed() -> None:
    models = trained("SIS")
    scaled = {name: values.copy() for name, values in models.parameters.items()}
    for name, values in scaled.items():  # the same model in another gauge
        if name.startswith("h_ego.2"):
            values *= -4
        if name.startswith("h_alt.2"):
            values /= -4
    one = compare_functions(models, field("SIS"))
    other = compare_functions(replace(models, parameters=scaled), field("SIS"))
    pd.testing.assert_frame_equal(one, other, rtol=1e-5, atol=1e-6)
    inside = one[one["inside"]]
    assert (inside["learned"] - inside["true"]).abs().median() < 0.01


def test_a_loaded_model_predicts_on_any_graph(tmp_path: Path) -> None:
    path = tmp_path / "models.safetensors"
    write_models(path, trained("SIS"), {"system": "SIS"})
    model = load(path, replicate=1)
    assert model.made["system"] == "SIS"
    assert model.seen[0] < 0.1 < 0.9 < model.seen[1]
    club: Any = to_networkx(real_network("karate"))
    club = nx.relabel_nodes(club, {node: f"member {node}" for node in club})
    times = np.linspace(0, 1, 11)
    start = np.random.default_rng(1).uniform(0, 0.5, len(club))
    found = model.predict(club, start, times)
    by_name = model.predict(club, dict(zip(club, start, strict=True)), times)
    pd.testing.assert_frame_equal(found, by_name)
    assert list(found.columns) == list(club)
    assert np.allclose(found.index, times)
    from nodeflow.dynamics.integrate import simulate

    truth = simulate(field("SIS"), from_networkx(club).adjacency(), start[None], times)
    np.testing.assert_allclose(found, truth.states[0], atol=5e-3)


@pytest.mark.parametrize(
    ("initial", "words"), [([0.1], "shape"), ({0: 0.1}, "node 1"), ([[0.1] * 34], "shape")]
)
def test_bad_initial_states_are_named(initial: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "models.safetensors"
    write_models(path, trained("SIS"), {})
    with pytest.raises(ModelProblem, match=words):
        load(path).predict(real_network("karate"), initial, [0.0, 1.0])  # type: ignore[arg-type]
    with pytest.raises(ModelProblem, match="0 … 1"):
        load(path, replicate=2)
