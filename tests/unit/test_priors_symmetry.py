"""Canonical neural ODEs: the same vector field, whatever symmetry was planted."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import permute, random_permutations
from nodeflow.dynamics.jacobian import velocity as sparse_velocity
from nodeflow.graphs import sample_cell
from nodeflow.grid import Cell
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.model import evaluate_net, initial_parameters, velocity
from nodeflow.priors.symmetry import (
    balanced_gauge,
    canonicalize,
    common_order,
    neural_ode_shapes,
    neural_ode_symmetry,
    scale_interaction,
)
from nodeflow.seeds import torch_generator

STATES = torch.linspace(-0.5, 3.0, 50, dtype=torch.float64)


def zoo(count: int, widths: tuple[int, ...], seed: int = 0) -> dict[str, Tensor]:
    """Neural ODEs with random weights and biases, float64."""
    generators = [torch_generator(seed, "symmetry test", k) for k in range(count)]
    drawn = initial_parameters(generators, widths=widths, scale=1.0)
    return {
        name: torch.stack(
            [
                x + 0.3 * torch.randn(x.shape, generator=g)
                for x, g in zip(p, generators, strict=True)
            ]
        ).double()
        for name, p in drawn.items()
    }


def planted(parameters: dict[str, Tensor], widths: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    """The same neural ODEs with another order of units and another gauge, signs included."""
    count = len(parameters["f.0.bias"])
    generators = [torch_generator(seed, "planted", k) for k in range(count)]
    factors = torch.stack(
        [torch.randn((), generator=g).double().exp() * (-1) ** k for k, g in enumerate(generators)]
    )
    orders = random_permutations(neural_ode_symmetry(widths), generators)
    return scale_interaction(permute(parameters, neural_ode_symmetry(widths), orders), factors)


def fields(parameters: dict[str, Tensor], seed: int) -> Tensor:
    """Vector fields at random states of random weighted directed graphs, (R, B, n).

    In float64 whatever the parameters are: deep networks cancel, and one evaluation in float32
    rounds by more than another gauge of the same parameters does.
    """
    generator = torch_generator(seed, "states")
    count = len(parameters["f.0.bias"])
    adjacency = torch.randn(1, 12, 12, generator=generator).double().expand(count, -1, -1)
    states = 4 * torch.rand(1, 7, 12, generator=generator).double().expand(count, -1, -1) - 0.5
    exact = {name: tensor.double() for name, tensor in parameters.items()}
    return velocity(exact, adjacency.contiguous(), states.contiguous())


@given(
    st.sampled_from([(1, 5, 1), (1, 6, 4, 1), (1, 7, 7, 7, 1)]), st.integers(0, 99), st.booleans()
)
@settings(max_examples=25, deadline=None)
def test_no_vector_field_changes(widths: tuple[int, ...], seed: int, single: bool) -> None:
    members = zoo(4, widths, seed)
    if single:
        members = {name: tensor.float() for name, tensor in members.items()}
    reference = common_order(members, STATES, MatchSettings())
    found = canonicalize(members, STATES, reference, MatchSettings())
    before, after = fields(members, seed), fields(found, seed)
    tolerance = 1e-6 if single else 1e-12
    assert (before - after).abs().max() <= tolerance * before.abs().max()


def test_no_vector_field_changes_on_a_large_graph_with_hubs() -> None:
    members = zoo(3, (1, 64, 64, 64, 1))
    reference = common_order(members, STATES, MatchSettings())
    found = canonicalize(members, STATES, reference, MatchSettings())
    [graph] = sample_cell(Cell(2000, 1.1, 2.1), mean_degree=10, role="test", graphs=1, root_seed=3)
    x = np.random.default_rng(0).uniform(0, 5, graph.n)
    for k in range(3):
        before, after = (
            sparse_velocity(
                as_field({name: p.numpy() for name, p in stack.items()}, k), graph.adjacency(), x
            )
            for stack in (members, found)
        )
        assert np.abs(before - after).max() <= 1e-12 * np.abs(before).max()


@pytest.mark.parametrize("widths", [(1, 8, 1), (1, 16, 16, 1), (1, 12, 12, 12, 1)])
def test_planted_symmetries_are_recovered(widths: tuple[int, ...]) -> None:
    members = zoo(20, widths)
    reference = common_order(members, STATES, MatchSettings())
    one = canonicalize(members, STATES, reference, MatchSettings())
    other = canonicalize(planted(members, widths, 5), STATES, reference, MatchSettings())
    for name, tensor in one.items():
        assert torch.allclose(tensor, other[name], rtol=1e-10, atol=1e-12)


def test_the_planted_order_is_recovered_under_noise() -> None:
    widths = (1, 16, 16, 1)
    members = zoo(20, widths)
    members = scale_interaction(members, balanced_gauge(members, STATES))
    orders = random_permutations(
        neural_ode_symmetry(widths), [torch_generator(2, "order", k) for k in range(20)]
    )
    shuffled = permute(members, neural_ode_symmetry(widths), orders)
    noisy = {
        name: tensor + 0.01 * torch.randn(tensor.shape, generator=torch_generator(1, name)).double()
        for name, tensor in shuffled.items()
    }
    for k in range(20):
        reference = {name: tensor[k] for name, tensor in members.items()}
        one = {name: tensor[k : k + 1] for name, tensor in noisy.items()}
        found = canonicalize(one, STATES, reference, MatchSettings())
        for name, tensor in found.items():
            assert (tensor[0] - reference[name]).abs().max() < 0.2


def test_the_gauge_is_balanced_and_canonical_once_is_canonical_for_good() -> None:
    members = planted(zoo(6, (1, 9, 9, 1)), (1, 9, 9, 1), 1)
    reference = common_order(members, STATES, MatchSettings())
    found = canonicalize(members, STATES, reference, MatchSettings())
    x = STATES.expand(6, -1).contiguous()
    ego, alt = (evaluate_net(found, net, x) for net in ("h_ego", "h_alt"))
    assert torch.allclose(ego.square().mean(1), alt.square().mean(1), rtol=1e-12)
    assert (alt.mean(1) > 0).all()
    again = canonicalize(found, STATES, reference, MatchSettings())
    for name, tensor in again.items():
        assert torch.allclose(tensor, found[name], rtol=1e-10, atol=1e-12)


def test_an_interaction_that_vanishes_has_no_gauge() -> None:
    members = zoo(2, (1, 4, 1))
    members["h_ego.1.weight"][0] = 0
    members["h_ego.1.bias"][0] = 0
    assert balanced_gauge(members, STATES)[0] == 1
    assert balanced_gauge(members, STATES)[1] != 1


def test_a_constant_shift_is_no_symmetry_unless_all_degrees_are_equal() -> None:
    """h_alt + c and f − c k h_ego: the same on k-regular graphs, and on no other."""
    members = zoo(1, (1, 6, 1))
    shifted = {name: tensor.clone() for name, tensor in members.items()}
    shifted["h_alt.1.bias"] += 0.7
    states = torch.rand(1, 3, 6, generator=torch_generator(0, "shift")).double()
    ring = torch.roll(torch.eye(6), 1, 0) + torch.roll(torch.eye(6), -1, 0)
    star = torch.zeros(6, 6)
    star[0, 1:] = star[1:, 0] = 1
    ego = evaluate_net(members, "h_ego", states)
    for graph, same in ((ring, True), (star, False)):
        adjacency = graph.double()[None]
        change = velocity(shifted, adjacency, states) - velocity(members, adjacency, states)
        assert torch.allclose(change, 0.7 * 2 * ego) is same


def test_shapes_are_those_of_the_model() -> None:
    members = zoo(2, (1, 5, 4, 1))
    assert {n: tuple(t.shape[1:]) for n, t in members.items()} == neural_ode_shapes((1, 5, 4, 1))
    assert list(members) == list(neural_ode_shapes((1, 5, 4, 1)))
