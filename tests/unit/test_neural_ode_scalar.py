"""Trained scalar networks as functions: values and derivatives, whatever stands beside a state."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from nodeflow.neural_ode.layout import ACTIVATIONS
from nodeflow.neural_ode.model import FUNCTIONS
from nodeflow.neural_ode.scalar import ScalarNet


def _net(seed: int, activation: str) -> ScalarNet:
    draw = np.random.default_rng(seed)
    widths = [1, 20, 20, 1]
    return ScalarNet(
        [draw.normal(size=(a, b)) / np.sqrt(a) for a, b in pairwise(widths)],
        [draw.normal(size=b) for b in widths[1:]],
        activation,
    )


def _by_torch(net: ScalarNet, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    at = torch.from_numpy(x.copy()).requires_grad_()
    hidden = at[:, None] @ torch.from_numpy(net.weights[0])
    for weight, bias in zip(net.weights[1:], net.biases[:-1], strict=True):
        hidden = FUNCTIONS[net.activation](hidden + torch.from_numpy(bias))
        hidden = hidden @ torch.from_numpy(weight)
    values = hidden[:, 0] + float(net.biases[-1][0])
    (slopes,) = torch.autograd.grad(values.sum(), at)
    return values.detach().numpy(), slopes.numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("count", [1, 3, 255, 256, 257, 700])
def test_values_and_derivatives_are_those_of_torch_with_the_same_bits_alone(
    count: int, activation: str
) -> None:
    net = _net(count, activation)
    x = 3 * np.random.default_rng(1).normal(size=count)
    values, slopes = net(x), net.derivative(x)
    expected = _by_torch(net, x)
    np.testing.assert_allclose(values, expected[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slopes, expected[1], rtol=1e-9, atol=1e-12)
    for i in {0, count // 2, count - 1}:
        assert net(x[i : i + 1])[0] == values[i]
        assert net.derivative(x[i : i + 1])[0] == slopes[i]
    assert np.array_equal(net(x.reshape(1, -1)), values.reshape(1, -1))
