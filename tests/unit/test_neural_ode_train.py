"""Training and testing of neural ODEs."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.grid import Cell
from nodeflow.job import Progress
from nodeflow.neural_ode import observations, recipes, train
from nodeflow.neural_ode.evaluate import evaluate_models, node_errors
from nodeflow.neural_ode.field import as_field, exact_fields, model_fields
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.schemas import NEURAL_ODE_ERRORS, NEURAL_ODE_OVER_TRAINING, NEURAL_ODE_RUNS
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    RecipeProblem,
    Settings,
    recipe_settings,
    snapshot_steps,
)
from nodeflow.neural_ode.snapshots import evaluate_snapshots
from nodeflow.neural_ode.store import (
    Models,
    read_models,
    read_snapshots,
    write_models,
    write_snapshots,
)
from nodeflow.neural_ode.table import TableProblem
from nodeflow.neural_ode.train import ATTEMPTS, Checkpoints, Verdict, train_models, train_stack
from nodeflow.seeds import torch_generator
from nodeflow.stack import Stack
from nodeflow.tables import FileProblem

CELL = {"N", "beta", "gamma"}
QUICK = MatchingSettings(hidden=(16, 16), steps=250, batch=32, knots=64)
NEWTON = GaussNewtonSettings(hidden=(16, 16), steps=20, warmup=80, trajectories=4, knots=16)
PAPER = PaperSettings(hidden=(8, 8), steps=24, batch=4, learning_rate=0.1, snapshots=5)


def graphs(count: int, n: int = 20) -> list[Graph]:
    return [from_networkx(nx.gnp_random_graph(n, 0.3, seed=s)) for s in range(count)]


def trajectories(
    of: list[Graph], system: str = "SIS", role: str = "training", count: int = 6, times: int = 65
) -> list[Trajectory]:
    return list(
        simulate_cell(
            of,
            system,
            role=role,
            cell=Cell(of[0].n, 1.0, 3.0),
            trajectories=count,
            initial=(0.0, 0.5),
            horizon=1.0,
            times=times,
            tolerance=Tolerance(1e-6, 1e-8, 5000),
            root_seed=3,
        )
    )


def generators(count: int) -> list[torch.Generator]:
    return [torch_generator(1, "test", i) for i in range(count)]


def names(count: int) -> list[tuple[str | float, ...]]:
    return [("SIS", graph, 0) for graph in range(count)]


def test_a_replicate_in_the_stack_is_the_one_trained_alone() -> None:
    of = graphs(3)
    data = observed(of, trajectories(of))
    together, _ = train_stack(data, QUICK, names(3), root_seed=1)
    alone, _ = train_stack(data[1:2], QUICK, names(3)[1:2], root_seed=1)
    for name, tensor in alone.parameters.items():
        # Batched products of other sizes round differently, and training amplifies it.
        np.testing.assert_allclose(tensor[0], together.parameters[name][1], atol=2e-3, rtol=2e-2)


@pytest.mark.parametrize("settings", [NEWTON, QUICK, PAPER], ids=lambda x: type(x).__name__)
def test_a_killed_training_goes_on_and_ends_with_the_same_bits(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = graphs(2, 8)
    data = observed(of, trajectories(of, times=33))
    models, history = train_stack(data, settings, names(2), root_seed=1)
    total = recipes.make_trainer(data, settings, generators(2), torch.device("cpu")).steps
    for killed in (total // 3, total - 3):
        checkpoints = Checkpoints(f"{tmp_path}/{killed}", {"made": 1}, every=5)
        steps = 0

        def progress(self: Progress, step: int, **_: float) -> None:
            nonlocal steps
            steps += 1
            if steps == killed:  # noqa: B023
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Progress, "update", progress)
            with pytest.raises(KeyboardInterrupt):
                train_stack(data, settings, names(2), root_seed=1, checkpoints=checkpoints)
            assert list(tmp_path.iterdir())
            steps = total
            again, same = train_stack(
                data, settings, names(2), root_seed=1, checkpoints=checkpoints
            )
        assert 0 < steps - total <= total - killed + 6
        pd.testing.assert_frame_equal(same, history)
        for name, values in models.parameters.items():
            assert np.array_equal(values, again.parameters[name], equal_nan=True)
        assert (models.snapshots is None) == (again.snapshots is None) == (settings is not PAPER)
        if models.snapshots and again.snapshots:
            assert_same_snapshots(models.snapshots, again.snapshots)
        assert not list(tmp_path.iterdir())


def assert_same_snapshots(one: Stack[np.ndarray], other: Stack[np.ndarray]) -> None:
    assert one.about["step"].tolist() == other.about["step"].tolist()
    assert set(one.parameters) == set(other.parameters)
    for name, values in one.parameters.items():
        assert values.dtype == other.parameters[name].dtype == np.float32
        assert np.array_equal(values, other.parameters[name], equal_nan=True)


@given(steps=st.integers(1, 10**6), count=st.integers(1, 200))
def test_snapshots_lie_evenly_on_a_logarithmic_scale_and_end_with_the_training(
    steps: int, count: int
) -> None:
    found = snapshot_steps(PaperSettings(steps=steps, snapshots=count))
    assert found[0] == 0 and found[-1] == steps
    assert (np.diff(found) > 0).all() and len(found) <= count + 1
    if count > 1:
        first = min(10, steps)
        assert found[1] == first
        ratio = (steps / first) ** (1 / (count - 1))
        rounding = 0.5 + 1e-9 * steps
        assert (found[2:] <= np.maximum(ratio * (found[1:-1] + 0.5), found[1:-1] + 1) + 0.5).all()
        assert all(
            np.abs(first * ratio ** np.arange(count) - step).min() <= rounding
            for step in found[1:].tolist()
        )


def test_the_paper_s_snapshots_are_a_hundred_and_the_start() -> None:
    found = snapshot_steps(PaperSettings())
    assert len(found) == 101 and found[[0, 1, -1]].tolist() == [0, 10, 300_000]
    for none in (PaperSettings(snapshots=0), QUICK, NEWTON):
        assert snapshot_steps(none).tolist() == []


def test_snapshots_lead_from_the_untrained_to_the_trained_models() -> None:
    of = graphs(2, 8)
    data = observed(of, trajectories(of, times=33))
    models, _ = train_stack(data, PAPER, names(2), root_seed=1)
    assert models.snapshots is not None and models.ok.all()
    assert models.snapshots.about["step"].tolist() == [0, 10, 12, 15, 19, 24]
    streams = [torch_generator(1, "node", *name) for name in names(2)]
    start = recipes.make_trainer(data, PAPER, streams, torch.device("cpu")).parameters
    shorter, _ = train_stack(data, replace(PAPER, steps=12), names(2), root_seed=1)
    for name, values in models.snapshots.parameters.items():
        assert np.array_equal(values[0], start[name].detach().numpy())
        assert np.array_equal(values[2], shorter.parameters[name])
        assert np.array_equal(values[-1], models.parameters[name])
    none, _ = train_stack(data, replace(PAPER, snapshots=0), names(2), root_seed=1)
    assert none.snapshots is None
    for name, values in none.parameters.items():
        assert np.array_equal(values, models.parameters[name]), "keeping them changes nothing"


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    of = graphs(1, 8)
    data = observed(of, trajectories(of, times=33))
    trainer = recipes.make_trainer(data, PAPER, generators(1), torch.device("cpu"))
    other = Checkpoints(f"{tmp_path}/x", {"made": 1})
    other.write(0, trainer.state(), PAPER.steps, torch.zeros(PAPER.steps, 1), [])
    mine = Checkpoints(f"{tmp_path}/x", {"made": 2})
    _, history = train_stack(data, PAPER, names(1), root_seed=1, checkpoints=mine)
    assert (history["loss"] > 0).all()


def test_a_replicate_that_fails_is_trained_again_with_smaller_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = graphs(2)
    data = observed(of, trajectories(of))
    rates = []

    def faults(
        parameters: object, losses: object, some: list[Observations], _: str
    ) -> list[Verdict]:
        if len(some) == 1:
            return [Verdict(error=2e-3, still=1.0)]
        return [Verdict("planted"), Verdict(error=1e-3, still=1.0)]

    def make(some: list[Observations], settings: MatchingSettings, *rest: Any) -> Any:
        rates.append(settings.learning_rate)
        return recipes.make_trainer(some, settings, *rest)

    monkeypatch.setattr(train, "_faults", faults)
    monkeypatch.setattr(train, "make_trainer", make)
    quick = replace(QUICK, steps=20)
    models, history = train_stack(data, quick, names(2), root_seed=1)
    assert rates == [QUICK.learning_rate, QUICK.learning_rate / 3]
    assert models.ok.all()
    assert models.error.tolist() == [2e-3, 1e-3]
    ends = history.groupby(["replicate", "attempt"])["status"].first()
    assert ends.to_dict() == {(0, 0): "planted", (0, 1): "ok", (1, 0): "ok"}


def test_snapshots_are_those_of_the_attempt_that_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    of = graphs(3, 8)
    data = observed(of, trajectories(of, times=33))

    def faults(
        parameters: object, losses: object, some: list[Observations], _: str
    ) -> list[Verdict]:
        good, bad = Verdict(error=1e-3, still=1.0), Verdict("planted")
        return {3: [bad, bad, good], 2: [bad, good], 1: [bad]}[len(some)]

    monkeypatch.setattr(train, "_faults", faults)
    models, _ = train_stack(data, PAPER, names(3), root_seed=1)
    assert models.ok.tolist() == [False, True, True] and models.snapshots is not None
    for name, values in models.snapshots.parameters.items():
        assert np.isnan(values[:, 0]).all()
        assert np.array_equal(values[-1], models.parameters[name], equal_nan=True)
    again = torch_generator(1, "node", *names(3)[1], 1)
    start = recipes.make_trainer(data[1:2], PAPER, [again], torch.device("cpu")).parameters
    for name, tensor in start.items():
        assert np.array_equal(models.snapshots.parameters[name][0, 1], tensor[0].detach().numpy())


def test_a_field_that_explodes_on_its_training_data_is_a_fault() -> None:
    of = graphs(1)
    data = observed(of, trajectories(of))
    models, _ = train_stack(data, NEWTON, names(1), root_seed=1)
    losses = np.ones((3, 1))
    [verdict] = train._faults(models.parameters, losses, data)
    assert verdict.status == "ok"
    assert (error := verdict.error) == models.error[0]
    [(times, states)] = data[0].groups
    got = simulate(
        as_field(models.parameters), csr_array(data[0].adjacency.astype(float)),
        states[:4, 0], times[::8], rtol=1e-8, atol=1e-8,
    )  # fmt: skip
    assert error == pytest.approx(np.abs(got.states - states[:4, ::8]).mean(), rel=0.5)
    last = {**models.parameters, "f.2.weight": -1e8 * models.parameters["f.2.weight"]}
    assert "explodes" in train._faults(last, losses, data)[0].reason
    idle = {name: 0 * values for name, values in models.parameters.items()}
    assert "standing still" in train._faults(idle, losses, data)[0].reason
    assert "not finite" in train._faults(models.parameters, np.nan * losses, data)[0].reason


@pytest.mark.parametrize("system", ["SIS", "BD"])
def test_a_planted_system_is_learned_and_transfers_to_another_graph(system: str) -> None:
    of, other = graphs(1), [from_networkx(nx.gnp_random_graph(30, 0.2, seed=9))]
    settings = {"steps": 800, "batch": 32, "hidden": [32, 32]}
    models, history = train_models(
        of, trajectories(of, system), recipe="matching", settings=settings, seeds=2,
        labels=(system, 1.0, 3.0), root_seed=1,
    )  # fmt: skip
    assert models.ok.all()
    loss = history[history["replicate"] == 0]["loss"]
    assert loss.iloc[-1] < 0.4 * loss.iloc[0]
    truth = trajectories(other, system, "test", 1, 17)
    errors, runs = evaluate_models(
        models,
        field(system),
        other,
        node_table(other),
        truth,
        tolerance=Tolerance(1e-6, 1e-6, 5000),
    )
    assert (runs["status"] == "ok").all()
    assert (runs["mae"] < 0.15 * runs["mae_persistence"]).all()
    assert list(errors.columns) != []
    assert set(NEURAL_ODE_ERRORS.columns) - CELL == set(errors.columns)
    by_run = errors.groupby("replicate")["mae"].mean()
    np.testing.assert_allclose(by_run, runs["mae"])


@pytest.mark.parametrize(("system", "bound"), [("SIS", 2e-4), ("MAK", 2e-4), ("ND", 1e-2)])
def test_gauss_newton_learns_a_planted_system_far_better_than_matching_slopes(
    system: str, bound: float
) -> None:
    of, other = graphs(1, 40), [from_networkx(nx.gnp_random_graph(30, 0.25, seed=9))]
    models, history = train_models(
        of, trajectories(of, system), recipe="gauss_newton", settings={"trajectories": 6}, seeds=1,
        labels=(system, 1.0, 3.0), root_seed=1,
    )  # fmt: skip
    assert (history["status"] == "ok").all()
    truth = trajectories(other, system, "test", 1, 17)
    _, runs = evaluate_models(
        models,
        field(system),
        other,
        node_table(other),
        truth,
        tolerance=Tolerance(1e-6, 1e-6, 5000),
    )
    assert (runs["mae"] < bound).all()


@pytest.mark.parametrize("activation", ["gelu", "silu", "softplus", "tanh"])
def test_networks_with_a_smooth_activation_learn_and_stay_what_they_are(
    activation: str, tmp_path: Path
) -> None:
    of = graphs(1, 40)
    models, history = train_models(
        of, trajectories(of), recipe="gauss_newton",
        settings={"trajectories": 6, "activation": activation, "hidden": [32, 32]}, seeds=1,
        labels=("SIS", 1.0, 3.0), root_seed=1,
    )  # fmt: skip
    assert (history["status"] == "ok").all() and models.error[0] < 1e-3
    write_models(tmp_path / "models.safetensors", models, {})
    back = read_models(tmp_path / "models.safetensors")
    assert back.activation == activation
    x = np.linspace(0.05, 0.95, 10)
    [exact], [table] = exact_fields(back), model_fields(back)
    assert exact is not None and table is not None
    product = field("SIS").h_ego(x) * field("SIS").h_alt(x)
    for found in (exact, table):
        np.testing.assert_allclose(found.h_ego(x) * found.h_alt(x), product, atol=0.03)
    # Taken for SELU networks they are others.
    other = as_field(back.parameters)
    assert np.abs(other.h_ego(x) * other.h_alt(x) - product).max() > 0.1


def test_only_our_recipe_takes_another_activation() -> None:
    assert recipe_settings("gauss_newton", {}).activation == "selu"
    assert recipe_settings("gauss_newton", {"activation": "silu"}).gentler().activation == "silu"
    with pytest.raises(RecipeProblem, match="activation"):
        recipe_settings("gauss_newton", {"activation": "relu"})
    for recipe in ("matching", "paper"):
        with pytest.raises(RecipeProblem, match="activation"):
            recipe_settings(recipe, {"activation": "silu"})


def test_the_paper_s_recipe_lowers_its_own_loss() -> None:
    of = graphs(1, 8)
    settings = PaperSettings(hidden=(8, 8), steps=60, batch=4, learning_rate=0.1)
    data = observed(of, trajectories(of, times=9))
    models, history = train_stack(data, settings, names(1), root_seed=1)
    assert models.ok.all()
    assert history["loss"].iloc[-1] < 0.8 * history["loss"].iloc[0]


@pytest.mark.parametrize("settings", [NEWTON, QUICK, PAPER], ids=lambda x: type(x).__name__)
def test_a_diverging_replicate_is_marked_and_the_others_survive(settings: Settings) -> None:
    of = graphs(2)
    data = observed(of, trajectories(of))
    if settings is PAPER:
        data = [x.mapped(lambda times, states: (times[::8], states[:, ::8])) for x in data]
        settings = replace(PAPER, steps=80)
    [(_, states)] = data[0].groups
    noise = np.random.default_rng(1).normal(0, 1e30, states.shape)
    broken = replace(data[0], states=noise.astype(np.float32))
    models, history = train_stack([broken, data[1]], settings, names(2), root_seed=1)
    assert models.ok.tolist() == [False, True]
    assert all(np.isnan(values[0]).all() for values in models.parameters.values())
    lost = history[history["replicate"] == 0]
    assert set(lost["attempt"]) == set(range(ATTEMPTS))
    assert (lost["status"] != "ok").all()
    truth = trajectories(of, "SIS", "test", 1, 9)
    _, runs = evaluate_models(
        models, field("SIS"), of, node_table(of), truth, tolerance=Tolerance(1e-6, 1e-6, 5000)
    )
    failed = runs[runs["replicate"] == 0]
    assert (failed["status"] == "failed").all()
    assert failed["reason"].str.contains("training").all()
    assert failed["mae"].isna().all()
    assert (runs[runs["replicate"] == 1]["status"] == "ok").all()


def test_an_exploding_model_is_a_row_with_its_reason() -> None:
    of = graphs(2)
    models, _ = train_stack(observed(of, trajectories(of)), QUICK, names(2), root_seed=1)
    parameters = {name: tensor.copy() for name, tensor in models.parameters.items()}
    last = max(name for name in parameters if name.startswith("f.") and name.endswith("weight"))
    parameters[last][0] *= -1e8  # growth without end; decay would be stiff, and fine
    truth = trajectories(of, "SIS", "test", 1, 9)
    errors, runs = evaluate_models(
        replace(models, parameters=parameters), field("SIS"), of, node_table(of), truth,
        tolerance=Tolerance(1e-6, 1e-6, 2000),
    )  # fmt: skip
    assert set(runs.columns) == set(NEURAL_ODE_RUNS.columns) - CELL
    first = runs[runs["replicate"] == 0]
    assert (first["status"] == "failed").all()
    assert first["reason"].str.startswith("model: ").all()
    assert set(errors["replicate"]) == {1}


def test_errors_by_hand() -> None:
    true = np.array([[[1.0, 2.0], [1.0, 4.0]]])
    predicted = np.array([[[1.0, 2.0], [2.0, 1.0]]])
    table = node_errors(true, predicted, low=0.0, high=3.0)
    expected = pd.DataFrame(
        {"mse": [0.5, 4.5], "mae": [0.5, 1.5], "mre": [0.5, 0.375], "outside": [0.0, 0.5]}
    )
    pd.testing.assert_frame_equal(table, expected)


def test_a_perfect_prediction_has_no_error() -> None:
    states = np.random.default_rng(1).random((3, 5, 7))
    assert (node_errors(states, states, 0, 1)[["mse", "mae", "mre"]] == 0).all(axis=None)


def test_models_come_back_from_their_file(tmp_path: Path) -> None:
    of = graphs(2)
    models, _ = train_stack(
        observed(of, trajectories(of)), replace(QUICK, steps=5), names(2), root_seed=1
    )
    path = f"{tmp_path}/models.safetensors"
    write_models(path, models, {"system": "SIS"})
    back = read_models(path, {"system": "SIS"})
    assert isinstance(back, Models)
    assert list(back.parameters) == list(models.parameters)
    for name, tensor in models.parameters.items():
        assert np.array_equal(back.parameters[name], tensor)
    assert np.array_equal(back.seen, models.seen)
    assert np.array_equal(back.ok, models.ok)
    assert np.array_equal(back.error, models.error)


def drawn_snapshots() -> Stack[np.ndarray]:
    shapes = {"f.0.weight": (3, 2, 8, 1), "f.0.bias": (3, 2, 8)}
    draw = np.random.default_rng(1)
    parameters = {n: draw.normal(size=shape).astype(np.float32) for n, shape in shapes.items()}
    parameters["f.0.bias"][:, 1] = np.nan
    return Stack(parameters, about={"step": np.array([0, 10, 40])})


def test_snapshots_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "models.snapshots.safetensors"
    write_snapshots(path, drawn_snapshots(), {"system": "SIS"})
    assert_same_snapshots(read_snapshots(path, {"system": "SIS"}), drawn_snapshots())
    with pytest.raises(FileProblem, match="expected system = BD, found system = SIS"):
        read_snapshots(path, {"system": "BD"})


def test_a_file_of_snapshots_that_is_damaged_or_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models.snapshots.safetensors"
    with pytest.raises(FileProblem, match="missing; expected a file of kind node snapshots"):
        read_snapshots(path)
    write_snapshots(path, drawn_snapshots(), {})
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileProblem, match="found damaged content"):
        read_snapshots(path)
    none = np.zeros(0)
    write_models(path, Models({}, about={"training_graph": none}), {})
    with pytest.raises(FileProblem, match="expected node snapshots, version 2, found node models"):
        read_snapshots(path)


def test_errors_fall_over_the_training_to_those_of_the_trained_models() -> None:
    of, tests = graphs(2), graphs(3)
    data = observed(of, trajectories(of, times=17))
    settings = replace(PAPER, steps=60)
    models, _ = train_stack(data, settings, names(2), root_seed=1)
    assert models.snapshots is not None
    rough = {n: x.copy() for n, x in models.snapshots.parameters.items()}
    rough["f.2.bias"][1, 0] = np.inf  # after ten steps, the first model fits no table
    with pytest.raises(TableProblem):
        as_field({name: values[1] for name, values in rough.items()}, table=(0.0, 1.0))
    snapshots = Stack(rough, about=models.snapshots.about)
    models = replace(models, about=models.about | {"ok": np.array([True, False])})
    truth = trajectories(tests, "SIS", "test", 1, 9)
    tolerance = Tolerance(1e-6, 1e-6, 500)
    table = evaluate_snapshots(
        models, snapshots, field("SIS"), tests, node_table(tests), truth, tolerance=tolerance
    )
    assert set(table.columns) == set(NEURAL_ODE_OVER_TRAINING.columns) - CELL
    assert len(table) == len(snapshots) * 2 * 3
    lost = table[table["replicate"] == 1]
    assert (lost["status"] == "failed").all() and lost["reason"].str.contains("training").all()
    mine = table[table["replicate"] == 0]
    broken, good = mine[mine["step"] == 10], mine[mine["step"] != 10]
    assert (broken["status"] == "failed").all() and broken["mae"].isna().all()
    assert broken["reason"].str.startswith("model: ").all()
    assert (good["status"] == "ok").all()
    means = good.groupby("step")["mae"].mean()
    assert (means.iloc[1:] < 0.5 * means.iloc[0]).all()
    untrained = good[good["step"] == 0]
    np.testing.assert_allclose(untrained["mae"], untrained["mae_persistence"], rtol=0.05)
    _, end = evaluate_models(
        models, field("SIS"), tests, node_table(tests), truth, tolerance=tolerance
    )
    last, end = good[good["step"] == settings.steps], end[end["replicate"] == 0]
    for name in ("mse", "mae", "mae_persistence", "mae_mean_field"):
        assert np.array_equal(last[name], end[name])


def test_a_model_is_integrated_as_precisely_as_it_is_accurate() -> None:
    exact = Tolerance(1e-6, 1e-8, 500)
    found = [exact.for_error(error) for error in (3e-6, 3e-4, 0.3, np.nan)]
    assert [x.rtol for x in found] == pytest.approx([1e-6, 1e-5, 1e-4, 1e-4])
    assert [x.atol for x in found] == pytest.approx([1e-7, 1e-5, 1e-4, 1e-4])
    assert {x.max_steps for x in found} == {500}
    coarse = Tolerance(1e-3, 1e-3, 500)
    assert coarse.for_error(0.3) == coarse


def test_errors_of_a_model_do_not_depend_on_how_precisely_it_is_integrated() -> None:
    of, tests = graphs(1), graphs(3)
    models, _ = train_stack(observed(of, trajectories(of)), QUICK, names(1), root_seed=1)
    truth = trajectories(tests, "SIS", "test", 1, 9)
    tolerance = Tolerance(1e-7, 1e-7, 5000)
    coarse, fine = (
        evaluate_models(
            replace(models, about=models.about | {"error": error}),
            field("SIS"),
            tests,
            node_table(tests),
            truth,
            tolerance=tolerance,
        )[1]["mae"]
        for error in (models.error, np.zeros(1))
    )  # fmt: skip
    assert tolerance.for_error(models.error[0]).rtol > 1e-6
    np.testing.assert_allclose(coarse, fine, rtol=0.02)


@pytest.mark.parametrize(
    ("recipe", "settings", "words"),
    [
        ("guess", {}, "gauss_newton, matching, paper"),
        ("matching", {"step": 3}, "steps"),
        ("paper", {"knots": 3}, "batch"),
        ("paper", {"steps": "3"}, 'steps is "3"; allowed: a whole number'),
        ("paper", {"steps": 2.5}, "steps is 2.5; allowed: a whole number"),
        ("matching", {"learning_rate": math.nan}, "learning_rate is NaN; allowed: a number"),
        ("gauss_newton", {"hidden": 16}, "hidden is 16; allowed: a list"),
        ("gauss_newton", {"hidden": [16, 0]}, r"hidden\[1\] is 0; allowed"),
    ],
)
def test_unknown_recipes_and_settings_are_refused(
    recipe: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(RecipeProblem, match=words):
        recipe_settings(recipe, settings)


def test_a_graph_whose_matrix_does_not_fit_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = graphs(1)
    monkeypatch.setattr(observations, "LARGEST_DENSE", of[0].n - 1)
    [large] = observed(of, trajectories(of, times=8))
    size = 4 * of[0].n ** 2
    monkeypatch.setattr(observations, "_memory", lambda: 4 * size)
    np.testing.assert_array_equal(large.dense(), of[0].adjacency().toarray())
    monkeypatch.setattr(observations, "_memory", lambda: 4 * size - 1)
    with pytest.raises(RecipeProblem, match=f"training graph 0 has {of[0].n} nodes"):
        train_stack([large], QUICK, names(1), root_seed=1)


def test_too_few_times_for_slopes_are_refused() -> None:
    of = graphs(1)
    with pytest.raises(RecipeProblem, match="observation times"):
        train_stack(observed(of, trajectories(of, times=5)), QUICK, names(1), root_seed=1)
