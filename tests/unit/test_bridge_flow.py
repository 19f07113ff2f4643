"""Zoos of neural ODEs, the conditional flow over them, and the sets that are judged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nodeflow.bridge.flow import BridgeFlowProblem, Conditions, fit_bridge_flow, generate
from nodeflow.bridge.flow_file import read_node_flow, write_node_flow
from nodeflow.bridge.frame import Frame, fit_frame, read_frame, write_frame
from nodeflow.bridge.functional import FunctionSettings
from nodeflow.bridge.functions import (
    field_residuals,
    function_coordinates,
    learned_functions,
    true_functions,
)
from nodeflow.bridge.generate import GenerateProblem, fit_and_sample
from nodeflow.bridge.members import Members, joined, learned, read_members, write_members
from nodeflow.bridge.panel import judge_nodes
from nodeflow.bridge.sets import ControlSettings, build_sets
from nodeflow.bridge.symmetry import node_shapes
from nodeflow.bridge.zoo import DataSettings, train_zoo
from nodeflow.canonical.matching import MatchSettings
from nodeflow.dynamics import field
from nodeflow.flow.codec import unflatten
from nodeflow.flow.methods import settings_of
from nodeflow.flow.settings import SampleSettings
from nodeflow.neural_ode.field import as_field

WIDTHS = (1, 3, 1)
SHAPES = node_shapes(WIDTHS)
SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())
SMALL = {"steps": 300, "velocity": {"hidden": 32, "blocks": 1}}


def members(count: int, system: str, shift: float, seed: int) -> Members:
    """Rows from a Gaussian whose mean is `shift`, plus γ − 3 along one direction."""
    rng = np.random.default_rng(seed)
    gamma = np.where(np.arange(count) % 2, 3.9, 2.1)
    rows = shift + 0.1 * rng.normal(size=(count, SIZE))
    rows[:, 0] += gamma - 3.0
    return Members(
        unflatten(rows.astype(np.float32), SHAPES),
        np.array([system] * count),
        np.full(count, 1.1),
        gamma,
        np.arange(count) // 2,
        np.arange(count) % 2,
        np.tile([0.0, 2.0], (count, 1)),
        np.zeros(count),
        np.zeros(count),
        np.ones(count, dtype=bool),
    )


@pytest.fixture(scope="module")
def zoo() -> Members:
    return joined([members(80, "MM", 0.5, 0), members(80, "ND", -0.5, 1)])


def test_conditions_are_standardized_and_name_what_they_do_not_know(zoo: Members) -> None:
    conditions = Conditions.of(zoo)
    features = conditions.features(zoo.system, zoo.beta, zoo.gamma).numpy()
    assert np.allclose(features[:, :2].sum(1), 1) and np.allclose(features[:, 2], 0, atol=1e-6)
    assert features[:, 3].mean() == pytest.approx(0, abs=1e-6)
    assert features[:, 3].std() == pytest.approx(1, abs=1e-6)
    with pytest.raises(BridgeFlowProblem, match=r"SIS.*MM, ND"):
        conditions.index(["SIS"])


def test_samples_follow_their_condition(zoo: Members) -> None:
    flow, history = fit_bridge_flow(zoo, settings_of("codes", {**SMALL, "steps": 800}), 1,
                                    ("test",), held_out=zoo)  # fmt: skip
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert history["held_out_loss"].notna().all()
    settings, means = SampleSettings("heun", 16), {}
    for system in ("MM", "ND"):
        for gamma in (2.1, 3.9):
            made = generate(flow, [system] * 60, np.full(60, 1.1), np.full(60, gamma),
                            np.arange(60), settings)  # fmt: skip
            means[system, gamma] = made["f.0.weight"][:, 0, 0].mean().item()
    for system, shift in (("MM", 0.5), ("ND", -0.5)):
        assert means[system, 2.1] == pytest.approx(shift - 0.9, abs=0.35)
        assert means[system, 3.9] == pytest.approx(shift + 0.9, abs=0.35)


def test_a_sample_depends_on_its_seed_and_condition_alone(zoo: Members) -> None:
    flow, _ = fit_bridge_flow(zoo, settings_of("codes", SMALL), 1, ("test",))
    system = np.array(["MM", "ND"] * 40)
    gamma, seeds = np.linspace(2.1, 3.9, 80), np.arange(80) + 7
    settings = SampleSettings("heun", 4)
    all_at_once = generate(flow, system, np.full(80, 1.1), gamma, seeds, settings)
    some = [70, 3, 64]
    alone = generate(flow, system[some], np.full(3, 1.1), gamma[some], seeds[some], settings)
    for name, tensor in alone.items():
        assert torch.allclose(tensor, all_at_once[name][some], rtol=1e-6, atol=1e-7)


def test_files_give_back_what_was_written(zoo: Members, tmp_path: Path) -> None:
    write_members(tmp_path / "zoo.safetensors", zoo, {"nodes": "x"})
    back = read_members(tmp_path / "zoo.safetensors", {"nodes": "x"})
    for name in ("system", "beta", "gamma", "graph", "seed", "seen", "ok"):
        assert np.array_equal(getattr(back, name), getattr(zoo, name))
    for name, tensor in zoo.parameters.items():
        assert torch.equal(back.parameters[name], tensor)
    frame = fit_frame(zoo, MatchSettings())
    made = {"matching": {"start": "signature"}, "seed": 1}
    write_frame(tmp_path / "frame.safetensors", frame, made)
    again = read_frame(tmp_path / "frame.safetensors", made)
    assert again.ranges == frame.ranges and again.settings == frame.settings
    assert all(torch.equal(again.reference[name], x) for name, x in frame.reference.items())
    flow, _ = fit_bridge_flow(zoo, settings_of("codes", SMALL), 1, ("test",))
    write_node_flow(tmp_path / "flow.safetensors", flow, made)
    loaded = read_node_flow(tmp_path / "flow.safetensors", made)
    asked = (["MM"], np.array([1.1]), np.array([3.0]), np.array([5]), SampleSettings("heun", 4))
    for name, tensor in generate(flow, *asked).items():
        assert torch.equal(tensor, generate(loaded, *asked)[name])


def test_nothing_is_learned_from_held_out_graphs_or_unseen_cells(zoo: Members) -> None:
    own = learned(zoo, [(1.1, 2.1)], 30)
    assert own.any() and not own[zoo.gamma == 3.9].any() and not own[zoo.graph >= 30].any()
    settings: dict[str, Any] = {
        "cells": [(1.1, 2.1)], "unseen": [(1.1, 3.9)], "learned_graphs": 30,
        "matching": MatchSettings(),
        "functions": FunctionSettings(states=8, evaluations=4, floor=1e-3, scale=1.0),
        "flow": settings_of("codes", {**SMALL, "steps": 20}),
        "samples": 3, "sampling": SampleSettings("heun", 4), "root_seed": 1, "label": "x",
    }  # fmt: skip
    found = fit_and_sample(zoo, **settings)
    changed = {name: tensor.clone() for name, tensor in zoo.parameters.items()}
    for tensor in changed.values():
        tensor[~own] = 9.0
    other = fit_and_sample(zoo.with_parameters(changed), **settings)
    for mine, its in (
        (found.samples, other.samples),
        (found.weight_samples, other.weight_samples),
    ):
        for name, tensor in mine.parameters.items():
            assert torch.equal(tensor, its.parameters[name])
    assert len(found.samples) == 2 * 2 * 3
    assert len(np.unique(found.samples.seed)) == 12
    with pytest.raises(GenerateProblem, match="held out"):
        fit_and_sample(zoo, **{**settings, "learned_graphs": 999})


def test_sets_and_panel_know_copies_from_new_ones(zoo: Members) -> None:
    own = zoo.take(np.flatnonzero(zoo.system == "MM"))
    training, held_out = own.take(np.arange(60)), own.take(np.arange(60, 80))
    frame = Frame({"MM": (0.0, 2.0)}, fit_frame(training, MatchSettings()).reference,
                  MatchSettings())  # fmt: skip

    def canonical(x: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return frame.apply(x, ["MM"] * len(next(iter(x.values())))).parameters

    training = training.with_parameters(canonical(training.parameters))
    held_out = held_out.with_parameters(canonical(held_out.parameters))
    copies = training.take(np.arange(10))
    sets = build_sets(training, held_out, copies, held_out, ControlSettings((0.05, 0.4), 8, 12),
                      canonical, 1, ("x",))  # fmt: skip
    assert list(sets.parameters) == [
        "zoo", "held-out", "generated", "weight flow", "noise 0.05", "noise 0.4", "noise matched",
        "pair mean", "soup", "gaussian",
    ]  # fmt: skip
    adjacency = np.ones((4, 4)) - np.eye(4)
    states = np.random.default_rng(0).uniform(0, 2, (5, 4))
    panel = judge_nodes(sets, training, field("MM"), adjacency, states, frame.states("MM"))
    by = panel.groupby("set")
    assert by["nearest"].max()["generated"] < 1e-6
    assert by["function_nearest"].max()["generated"] < 1e-6
    assert by["overlap"].min()["generated"] == pytest.approx(1)
    assert by["nearest"].min()["held-out"] > 0 and by["nearest"].min()["zoo"] > 0
    assert by["nearest"].median()["noise 0.05"] < by["nearest"].median()["noise 0.4"]
    assert (panel["status"] == "ok").all() and panel["error"].notna().all()


def test_functions_and_fields_are_those_of_the_model() -> None:
    own = members(4, "MM", 0.2, 3)
    x = np.linspace(0, 2, 9)
    values = learned_functions(own.parameters, x)
    arrays = {name: tensor.numpy() for name, tensor in own.parameters.items()}
    adjacency = np.random.default_rng(0).integers(0, 2, (5, 5)).astype(float)
    states = np.random.default_rng(1).uniform(0, 2, (3, 5))
    truth = field("MM")
    difference, error = field_residuals(own.parameters, truth, adjacency, states)
    for k in range(4):
        one = as_field(arrays, k)
        for row, h in enumerate((one.f, one.h_ego, one.h_alt)):
            assert np.allclose(values[k, row], h(x), rtol=1e-9)
        found, true = (
            g.f(states) + g.h_ego(states) * (g.h_alt(states) @ adjacency.T) for g in (one, truth)
        )
        assert np.allclose(difference[k], (found - true).ravel())
        assert error[k] == pytest.approx(np.abs(found - true).mean() / np.abs(true).mean())


@pytest.mark.parametrize("system", ["SIS", "MAK", "MM", "BD", "ND"])
def test_true_functions_keep_their_product_in_the_balanced_gauge(system: str) -> None:
    x = np.linspace(0.1, 0.9, 20)
    truth = field(system)
    f, ego, alt = true_functions(truth, x)
    assert np.allclose(f, truth.f(x)) and alt.mean() > 0
    assert np.allclose(np.outer(ego, alt), np.outer(truth.h_ego(x) * np.ones(20), truth.h_alt(x)))
    assert np.square(ego).mean() == pytest.approx(np.square(alt).mean())


def test_function_coordinates_measure_root_mean_squares() -> None:
    zoo = np.random.default_rng(0).normal(size=(30, 3, 16)) * np.array([1, 10, 100.0])[:, None]
    points = function_coordinates(zoo, zoo)
    spread = np.square(points - points.mean(0)).sum(1).mean()
    assert spread == pytest.approx(1)


@pytest.mark.slow
def test_a_zoo_is_trained_and_follows_from_its_seed() -> None:
    data = DataSettings(32, 6, 6, 65, (0.0, 0.5), 1.0, 1e-6, 1e-6, 10_000)
    settings = {"hidden": [8], "scale": 1.0, "steps": 20, "knots": 16, "times": 16}
    cells = [(1.1, 2.5), (1.1, 3.5)]
    zoo = train_zoo("ND", {}, cells, graphs=3, seeds=2, data=data, training=settings, root_seed=1)
    assert len(zoo) == 12 and zoo.ok.all() and (zoo.loss < 1).all()
    assert [*zip(zoo.gamma, zoo.graph, zoo.seed, strict=True)] == [
        (gamma, graph, seed) for _, gamma in cells for graph in range(3) for seed in range(2)
    ]
    fewer = train_zoo("ND", {}, cells[1:], graphs=2, seeds=1, data=data, training=settings,
                      root_seed=1)  # fmt: skip
    for name, tensor in fewer.parameters.items():
        assert torch.allclose(tensor, zoo.parameters[name][[6, 8]], rtol=1e-4, atol=1e-5)
