"""Splines, the estimate of the three functions, and Levenberg–Marquardt through kernels."""

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array

from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import field
from nodeflow.graphs.graph import from_networkx
from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.jacobian import jacobian
from nodeflow.neural_ode.layout import ACTIVATIONS, NETS
from nodeflow.neural_ode.levenberg import SLOPES, Fit
from nodeflow.neural_ode.model import FUNCTIONS, Parameters, evaluate_net, initial_parameters
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.neural_ode.splines import Splines, smooth
from nodeflow.seeds import torch_generator

TIMES = np.linspace(0, 1, 129)
GRAPH = from_networkx(nx.gnp_random_graph(40, 0.2, seed=3))


def simulated(system: str, count: int = 8) -> np.ndarray:
    start = np.random.default_rng(1).uniform(0, 0.5, (count, GRAPH.n))
    found = simulate(field(system), GRAPH.adjacency(), start, TIMES, rtol=1e-9, atol=1e-9)
    return found.states


def estimated(states: np.ndarray) -> Estimate:
    adjacency = GRAPH.adjacency().toarray()
    [estimate] = estimates([(TIMES, states)], adjacency, knots=32, steps=32, ridge=0.03)
    return estimate


def test_splines_reproduce_cubics_and_their_slopes() -> None:
    splines = Splines.on(np.array([0.0, 0.2, 0.3, 1.0, 2.0]))
    assert splines.count == len(splines.centres) == 7
    at = splines.centres
    coefficients = np.linalg.solve(splines.basis(at), at**3 - at)
    x = np.linspace(0, 2, 50)
    np.testing.assert_allclose(splines.basis(x) @ coefficients, x**3 - x, atol=1e-10)
    np.testing.assert_allclose(splines.slopes(x) @ coefficients, 3 * x**2 - 1, atol=1e-9)
    np.testing.assert_allclose(splines.basis(x).sum(1), 1)


def test_smoothing_removes_most_noise_and_keeps_what_is_smooth() -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(1, 5, (4, 1, 10))
    true = np.exp(-rates * TIMES[:, None])
    exact = smooth(TIMES, true, TIMES[::4])
    np.testing.assert_allclose(exact.states, true[:, ::4], atol=1e-9)
    np.testing.assert_allclose(exact.slopes, -rates * true[:, ::4], atol=1e-6)
    noisy = smooth(TIMES, true + rng.normal(0, 0.05, true.shape), TIMES)
    assert noisy.noise == pytest.approx(0.05, rel=0.1)
    assert np.sqrt(np.square(noisy.states - true).mean()) < 0.02


@pytest.mark.parametrize("system", ["SIS", "MAK", "MM", "BD", "ND"])
def test_the_three_functions_come_out_of_the_trajectories(system: str) -> None:
    states = simulated(system)
    found, truth = estimated(states), field(system)
    inside = (found.points > np.quantile(states, 0.02)) & (found.points < np.quantile(states, 0.98))
    x = found.points[inside]
    f, product = found.values[0, inside], (found.values[1] * found.values[2])[inside]
    own, other = truth.f(x), truth.h_ego(x) * truth.h_alt(x)
    assert np.abs(f - own).max() < 1e-2 * np.abs(own).max()
    assert np.abs(product - other).max() < 1e-2 * np.abs(other).max()
    assert found.floor < 1e-4 * found.size


def test_noise_moves_the_estimate_little() -> None:
    states = simulated("SIS", 32)
    noisy = states + np.random.default_rng(1).normal(0, 0.02, states.shape)
    found, truth = estimated(noisy), field("SIS")
    inside = (found.points > 0.2) & (found.points < 0.8)
    x = found.points[inside]
    # On a graph whose degrees are alike, f and the interaction can stand in for each other.
    product = (found.values[1] * found.values[2])[inside]
    velocity = found.values[0, inside] + 8 * product
    expected = truth.f(x) + 8 * truth.h_ego(x) * truth.h_alt(x)
    assert np.abs(velocity - expected).mean() < 0.2 * np.abs(expected).max()


def test_the_curvature_predicts_the_error_of_integrated_trajectories() -> None:
    """Perturb the true functions a little, integrate with scipy, and compare with the form."""
    states = simulated("ND")
    found, truth = estimated(states), field("ND")
    matrix = GRAPH.adjacency().toarray()
    change = 1e-3 * np.stack([np.sin(found.points), np.cos(found.points), 0.3 * found.points])
    factor = np.sqrt(np.square(found.values[1]).mean())  # the estimate's own h_ego: a constant

    def rhs(_: float, x: np.ndarray) -> np.ndarray:
        f, ego, alter = (np.interp(x, found.points, row) for row in change)
        interaction = matrix @ (truth.h_alt(x) / factor + alter)
        out: np.ndarray = truth.f(x) + f + (factor + ego) * interaction
        return out

    errors = []
    for trajectory in states:
        solved = solve_ivp(rhs, (0, 1), trajectory[0], t_eval=TIMES[4::4], rtol=1e-9, atol=1e-9)
        errors.append(np.square(solved.y.T - trajectory[4::4]).mean())
    predicted = np.square(found.root.T @ change.ravel()).sum()
    ridge = (
        np.square(0.03 * found.size / np.sqrt(np.square(found.values).mean(1)))[:, None]
        * np.square(change)
    ).sum() / change.size
    assert predicted - ridge == pytest.approx(np.mean(errors), rel=0.05)


def test_jacobians_of_large_graphs_are_those_of_small_ones() -> None:
    rng = np.random.default_rng(0)
    n, c, step = 90, 150, np.full((1, 1, 1), 0.1)
    matrix = np.where(rng.random((n, n)) < 0.05, rng.normal(size=(n, n)), 0.0)
    matrix[3] = 0.0  # a node that nothing acts on
    h_ego, slope, own = rng.normal(size=(3, 1, n))
    sparse, full = (jacobian(x, h_ego, slope, own) for x in (csr_array(matrix), matrix))
    explicit = np.diag(own[0]) + np.diag(h_ego[0]) @ matrix @ np.diag(slope[0])
    right = rng.normal(size=(1, n, c))
    right[..., 7] = 0.0
    for each in (sparse, full):
        np.testing.assert_allclose((each @ right)[0], explicit @ right[0], atol=1e-12)
        found = each.solve(step, right)
        np.testing.assert_allclose(found - step * (explicit @ found), right, atol=1e-4)
        assert not found[..., 7].any()


def test_a_system_that_cannot_be_solved_is_no_number() -> None:
    # x − half J x with half J = [[0, 1], [1, 0]] is singular.
    one, none = np.ones((1, 2)), np.zeros((1, 2))
    exchange = jacobian(csr_array(np.array([[0.0, 1.0], [1.0, 0.0]])), one, one, none)
    found = exchange.solve(np.ones((1, 1, 1)), np.array([[[1.0], [0.0]]]))
    assert np.isnan(found).all()


def stack(count: int) -> Parameters:
    generators = [torch_generator(1, "test", i) for i in range(count)]
    found = initial_parameters(generators, widths=(1, 12, 12, 1), scale=1.0)
    return {name: tensor.double() for name, tensor in found.items()}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slopes_of_activations_are_those_of_autograd(activation: str) -> None:
    x = torch.linspace(-30, 30, 2001, dtype=torch.float64, requires_grad=True)
    y = FUNCTIONS[activation](x)
    (expected,) = torch.autograd.grad(y.sum(), x)
    found = SLOPES[activation](x.detach(), y.detach())
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_is_that_of_the_explicit_jacobian(activation: str) -> None:
    parameters = stack(2)
    rng = torch.Generator().manual_seed(1)
    points = torch.rand(2, 6, generator=rng, dtype=torch.float64)
    targets = torch.rand(2, 3, 6, generator=rng, dtype=torch.float64)
    root = torch.randn(2, 18, 18, generator=rng, dtype=torch.float64)
    fit = Fit(parameters, points, targets, root, activation=activation)
    before = fit.loss.clone()
    fit.step()
    for r in range(2):
        mine = {name: x[r : r + 1].clone().requires_grad_() for name, x in parameters.items()}
        values = torch.cat(
            [evaluate_net(mine, net, points[r : r + 1], activation)[0] for net in NETS]
        )
        rows = [
            torch.cat(
                [
                    torch.zeros_like(p).flatten() if g is None else g.flatten()
                    for p, g in zip(
                        mine.values(),
                        torch.autograd.grad(
                            value, list(mine.values()), retain_graph=True, allow_unused=True
                        ),
                        strict=True,
                    )
                ]
            )
            for value in values
        ]
        jacobian = root[r].T @ torch.stack(rows)
        residual = root[r].T @ (values.detach() - targets[r].flatten())
        assert before[r].item() == pytest.approx(residual.square().sum().item())
        kernel = jacobian @ jacobian.T
        damping = 1e-3 * kernel.diagonal().mean()
        solved = torch.linalg.solve(kernel + damping * torch.eye(18), residual)
        expected = -jacobian.T @ solved
        got = torch.cat([(fit.parameters[n] - parameters[n])[r].flatten() for n in parameters])
        if fit.loss[r] < before[r]:
            torch.testing.assert_close(got, expected, atol=1e-7, rtol=1e-6)
        else:
            assert not got.any()


def test_the_loss_never_rises_and_falls_by_orders_of_magnitude() -> None:
    points = torch.linspace(0, 1, 20, dtype=torch.float64).expand(3, -1)
    targets = torch.stack([torch.sin(3 * points), 1 - points, points**2], 1)
    root = torch.eye(60, dtype=torch.float64).expand(3, -1, -1)
    fit = Fit(stack(3), points, targets, root)
    losses = torch.stack([fit.loss, *(fit.step() for _ in range(40))])
    assert (losses.diff(dim=0) <= 0).all()
    assert (losses[-1] < 1e-5 * losses[0]).all()


def test_the_fewest_times_that_settings_name_are_the_fewest_that_can_be_smoothed() -> None:
    fewest = GaussNewtonSettings.fewest_times
    times, at = np.linspace(0, 1, fewest), np.linspace(0, 1, 5)
    states = np.exp(-np.linspace(1, 2, 4)[:, None, None] * times[None, :, None])
    assert np.isfinite(smooth(times, states, at).slopes).all()
    with pytest.raises((ArithmeticError, np.linalg.LinAlgError)):
        smooth(times[:-1], states[:, :-1], at)
