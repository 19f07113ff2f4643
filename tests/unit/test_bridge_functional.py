"""Neural ODEs from functions: planted functions, planted Gaussians, planted symmetries."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nodeflow.bridge.functional import (
    FunctionProblem,
    FunctionSettings,
    descend,
    fit_functions,
    generate_by_functions,
    read_functions,
    write_functions,
)
from nodeflow.bridge.functions import learned_functions
from nodeflow.bridge.members import Members
from nodeflow.bridge.symmetry import balanced_gauge, node_symmetry, scale_interaction
from nodeflow.canonical.symmetry import permute, random_permutations
from nodeflow.neural_ode.model import initial_parameters

WIDTHS = (1, 6, 1)
SETTINGS = FunctionSettings(states=20, evaluations=40, floor=1e-4, scale=1.0)
STATES = torch.linspace(0, 2, 20, dtype=torch.float64)
SLOPE, ACROSS, WITHIN = 0.7, 0.3, 0.02


def networks(count: int, first: int = 0) -> dict[str, Tensor]:
    generators = [torch.Generator().manual_seed(first + k) for k in range(count)]
    drawn = initial_parameters(generators, widths=WIDTHS, scale=1.0)
    return {
        name: torch.stack(
            [
                x + 0.3 * torch.randn(x.shape, generator=g)
                for x, g in zip(p, generators, strict=True)
            ]
        ).double()
        for name, p in drawn.items()
    }


def zoo(graphs: int = 60, seeds: int = 6, seed: int = 0) -> Members:
    """One network, its f shifted by γ, by the graph and, a little, by the seed."""
    rng = np.random.default_rng(seed)
    count = 2 * graphs * seeds
    gamma = np.repeat([2.1, 3.9], graphs * seeds)
    graph = np.tile(np.repeat(np.arange(graphs), seeds), 2)
    shift = SLOPE * (gamma - 3.0) + np.repeat(ACROSS * rng.normal(size=2 * graphs), seeds)
    shift += WITHIN * rng.normal(size=count)
    parameters = {n: x.expand(count, *x.shape[1:]).clone() for n, x in networks(1).items()}
    parameters["f.1.bias"] += torch.from_numpy(shift)[:, None]
    return Members(
        parameters, np.array(["MM"] * count), np.full(count, 1.1), gamma, graph,
        np.tile(np.arange(seeds), 2 * graphs), np.tile([0.0, 2.0], (count, 1)), np.zeros(count),
        np.zeros(count), np.ones(count, dtype=bool),
    )  # fmt: skip


def roots(count: int, precision: float) -> Tensor:
    return (torch.eye(60, dtype=torch.float64) / precision).expand(count, -1, -1).contiguous()


def values(parameters: dict[str, Tensor]) -> np.ndarray:
    return learned_functions(parameters, STATES.numpy())


def test_a_descent_arrives_at_planted_functions() -> None:
    wanted = torch.from_numpy(values(networks(8, 100)))
    start = networks(8)
    forms = (roots(8, 1e-2), roots(8, 1e-4))
    found, loss = descend(start, STATES.expand(8, -1).contiguous(), wanted, forms, 80)
    off = np.sqrt(np.square(values(found) - wanted.numpy()).mean((1, 2)))
    size = np.sqrt(np.square(wanted.numpy()).mean((1, 2)))
    before = np.sqrt(np.square(values(start) - wanted.numpy()).mean((1, 2)))
    assert np.median(off / size) < 3e-3 and (off < 0.2 * before).all()
    assert loss.numpy() == pytest.approx(60 * np.square(off / 1e-4), rel=1e-6)


def test_the_order_of_hidden_units_passes_through_a_descent() -> None:
    symmetry, start = node_symmetry(WIDTHS), networks(4)
    orders = random_permutations(symmetry, [torch.Generator().manual_seed(k) for k in range(4)])
    at = STATES.expand(4, -1).contiguous()
    wanted = torch.from_numpy(values(networks(4, 100)))
    forms = (roots(4, 1e-1), roots(4, 1e-1))
    there, _ = descend(permute(start, symmetry, orders), at, wanted, forms, 8)
    moved = permute(descend(start, at, wanted, forms, 8)[0], symmetry, orders)
    for name, tensor in moved.items():
        assert torch.allclose(there[name], tensor, rtol=0, atol=1e-6)


def test_both_gaussians_and_the_change_by_gamma_are_recovered() -> None:
    members = zoo()
    taught = fit_functions(members, WIDTHS, SETTINGS).systems["MM"]
    code = np.zeros(len(taught.modes))
    low, high = (taught.target(code, 1.1, gamma) for gamma in (2.1, 3.9))
    middle = taught.target(code, 1.1, 3.0)
    error = ACROSS / np.sqrt(60)
    assert np.allclose((high - low)[0], 1.8 * SLOPE, atol=5 * error)
    assert np.allclose((high - low)[1:], 0, atol=1e-6)
    plain = {name: tensor[:1] for name, tensor in networks(1).items()}
    balanced = scale_interaction(plain, balanced_gauge(plain, torch.linspace(0, 2, 64)))
    assert np.allclose(middle, learned_functions(balanced, taught.states)[0], atol=5 * error)
    across = np.sqrt(np.square(taught.modes).sum(0)).reshape(3, -1) * taught.scale[:, None]
    assert across[0] == pytest.approx(ACROSS, rel=0.3) and np.allclose(across[1:], 0, atol=1e-6)
    within = taught.deviations.max() / np.sqrt(20) * taught.scale[0]
    assert WITHIN / 2 < within < WITHIN


def test_a_model_of_functions_does_not_see_symmetries() -> None:
    members, symmetry = zoo(graphs=4, seeds=3), node_symmetry(WIDTHS)
    generators = [torch.Generator().manual_seed(k) for k in range(len(members))]
    factors = torch.stack([torch.randn((), generator=g).double().exp() for g in generators])
    factors[::2] *= -1
    orders = random_permutations(symmetry, generators)
    hidden = scale_interaction(permute(members.parameters, symmetry, orders), factors)
    a, b = (
        fit_functions(x, WIDTHS, SETTINGS).systems["MM"]
        for x in (members, members.with_parameters(hidden))
    )
    assert np.allclose(a.mean, b.mean, atol=1e-9) and np.allclose(a.slope, b.slope, atol=1e-9)
    assert np.allclose(a.modes.T @ a.modes, b.modes.T @ b.modes, atol=1e-9)
    assert np.allclose(a.root(1e-3) @ a.root(1e-3).T, b.root(1e-3) @ b.root(1e-3).T, rtol=1e-6)


def test_samples_compute_what_their_condition_asks_and_are_new() -> None:
    members = zoo(graphs=20, seeds=4)
    model = fit_functions(members, WIDTHS, SETTINGS)
    for gamma in (2.1, 3.0, 3.9):
        found, distance = generate_by_functions(
            model, ["MM"] * 40, np.full(40, 1.1), np.full(40, gamma), np.arange(40)
        )
        f = learned_functions(found, STATES.numpy())[:, 0]
        plain = values(networks(1))[0, 0]
        shift = (f - plain).mean(1)
        assert shift.mean() == pytest.approx(SLOPE * (gamma - 3.0), abs=0.2)
        assert shift.std() == pytest.approx(ACROSS, rel=0.5)
        rest = f - plain - shift[:, None]
        assert np.median(np.abs(rest)) < 0.1 * ACROSS and np.isfinite(distance).all()
    weights = found["h_ego.0.weight"].flatten(1)
    assert float((weights - weights.mean(0)).square().sum(1).mean().sqrt()) > 1


def test_a_sample_depends_on_its_seed_and_condition_alone() -> None:
    model = fit_functions(zoo(graphs=4, seeds=2), WIDTHS, replace(SETTINGS, evaluations=6))
    gamma, seeds = np.linspace(2.1, 3.9, 20), np.arange(20) + 7
    everything, _ = generate_by_functions(model, ["MM"] * 20, np.full(20, 1.1), gamma, seeds)
    some = [18, 3, 7]
    alone, _ = generate_by_functions(model, ["MM"] * 3, np.full(3, 1.1), gamma[some], seeds[some])
    for name, tensor in alone.items():
        assert torch.equal(tensor, everything[name][some])


def test_a_file_gives_back_the_model(tmp_path: Path) -> None:
    model = fit_functions(zoo(graphs=4, seeds=2), WIDTHS, SETTINGS)
    write_functions(tmp_path / "model.safetensors", model, {"nodes": "x"})
    back = read_functions(tmp_path / "model.safetensors", {"nodes": "x"})
    assert back.settings == model.settings and back.widths == model.widths
    for name, array in vars(model.systems["MM"]).items():
        assert np.array_equal(getattr(back.systems["MM"], name), array)


def test_what_cannot_be_learned_is_said() -> None:
    members = zoo(graphs=4, seeds=2)
    with pytest.raises(FunctionProblem, match=r"learned from 2 training graphs of MM.*graphs"):
        fit_functions(members.take(np.flatnonzero(members.graph == 0)), WIDTHS, SETTINGS)
    apart = np.where(members.graph[:, None] == 0, [0.0, 1.0], [1.5, 2.0])
    with pytest.raises(FunctionProblem, match="share no range of states"):
        fit_functions(replace(members, seen=apart), WIDTHS, SETTINGS)
    model = fit_functions(members, WIDTHS, SETTINGS)
    with pytest.raises(FunctionProblem, match=r"not learned ND; it knows MM"):
        generate_by_functions(model, ["ND"], np.ones(1), np.full(1, 3.0), np.zeros(1, int))
