"""Levenberg–Marquardt for stacked scalar networks, through their tangent kernels.

A network of one number that is evaluated at K points has K values and thousands of parameters, so
a step is solved for in the space of values: the kernel J Jᵀ of the parameters' Jacobian J is a sum
over layers of products of activations and back-propagated signals, and J itself is never formed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nodeflow.neural_ode.layout import NETS, SELU, SELU_ABOVE, SELU_BELOW, widths_of
from nodeflow.neural_ode.model import FUNCTIONS, Parameters

__all__ = ["SLOPES", "Fit"]

_FIRST_DAMPING = 1e-3


def _gelu_slope(x: Tensor, _: Tensor) -> Tensor:
    bell = torch.exp(-0.5 * x.square()) / math.sqrt(2 * math.pi)
    slope: Tensor = torch.special.ndtr(x) + x * bell
    return slope


def _silu_slope(x: Tensor, y: Tensor) -> Tensor:
    share = torch.sigmoid(x)
    return share + y * (1 - share)


SLOPES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    # Where SELU is y < 0, its slope is y + αλ.
    SELU: lambda _, y: (y + SELU_BELOW).masked_fill_(y > 0, SELU_ABOVE),
    "gelu": _gelu_slope,
    "silu": _silu_slope,
    "softplus": lambda x, _: torch.sigmoid(x),
    "tanh": lambda _, y: 1 - y.square(),
}
"""Slope of each activation, of what it was given and of its value there."""


class Fit:
    """Levenberg–Marquardt steps of R replicates, each with its own damping.

    Args:
        parameters: the stack, float64; not changed.
        points: (R, K) states.
        targets: (R, 3, K) values of f, h_ego, h_alt to reach.
        root: (R, 3K, q) matrix L; the loss is |Lᵀ (values − targets)|².
        damping: (R,) where to go on; None starts.
        activation: of the networks.

    Attributes:
        parameters: the stack as it is now.
        loss: (R,) its loss.
        damping: (R,) of the next step, relative to the mean of the diagonal.
    """

    def __init__(
        self,
        parameters: Parameters,
        points: Tensor,
        targets: Tensor,
        root: Tensor,
        damping: Tensor | None = None,
        activation: str = SELU,
    ) -> None:
        self.parameters, self._activation = dict(parameters), activation
        self._points, self._targets, self._root = points, targets.flatten(1), root
        first = torch.full((len(points),), _FIRST_DAMPING).to(points)
        self.damping = first if damping is None else damping.to(points)
        self._nets = [_Net(self.parameters, net, points, activation) for net in NETS]
        self._residual = self._weighted(self._nets)
        self.loss = self._residual.square().sum((1, 2))

    def step(self) -> Tensor:
        """One step; those replicates that it would make worse stay where they are. Returns loss."""
        signals = [net.signals() for net in self._nets]
        count = self._points.shape[1]
        left = torch.cat(
            [
                torch.bmm(net.kernel(signal), self._root[:, i * count : (i + 1) * count])
                for i, (net, signal) in enumerate(zip(self._nets, signals, strict=True))
            ],
            dim=1,
        )
        matrix = torch.bmm(self._root.transpose(1, 2), left)
        diagonal = matrix.diagonal(dim1=1, dim2=2)
        diagonal += (self.damping * diagonal.mean(1)).unsqueeze(1)
        factor, _ = torch.linalg.cholesky_ex(matrix)
        pull = -torch.bmm(self._root, torch.cholesky_solve(self._residual, factor)).squeeze(-1)
        trial = dict(self.parameters)
        for i, (net, signal) in enumerate(zip(self._nets, signals, strict=True)):
            for name, change in net.pulled(signal, pull[:, i * count : (i + 1) * count]).items():
                trial[name] = trial[name] + change
        nets = [_Net(trial, net, self._points, self._activation) for net in NETS]
        residual = self._weighted(nets)
        loss = residual.square().sum((1, 2))
        better = loss < self.loss
        self.parameters = {
            name: _where(better, trial[name], old) for name, old in self.parameters.items()
        }
        self._nets = [a.taken(better, b) for a, b in zip(nets, self._nets, strict=True)]
        self._residual = _where(better, residual, self._residual)
        self.loss = _where(better, loss, self.loss)
        self.damping = torch.where(better, self.damping / 3, self.damping * 4).clamp(1e-14, 1e6)
        return self.loss

    def _weighted(self, nets: list[_Net]) -> Tensor:
        values = torch.cat([net.values for net in nets], dim=1)
        return torch.bmm(self._root.transpose(1, 2), (values - self._targets).unsqueeze(-1))


class _Net:
    """One network of every replicate at all points: what its layers are given, and its values."""

    def __init__(self, parameters: Parameters, net: str, points: Tensor, activation: str) -> None:
        depth = len(widths_of(parameters)) - 1
        self.name, self._activation = net, activation
        self.weights = [parameters[f"{net}.{layer}.weight"] for layer in range(depth)]
        self.inputs, self.sums = [points.unsqueeze(-1)], []
        for layer, weight in enumerate(self.weights):
            bias = parameters[f"{net}.{layer}.bias"].unsqueeze(1)
            output = torch.baddbmm(bias, self.inputs[-1], weight.transpose(1, 2))
            if layer < depth - 1:
                self.sums.append(output)
                self.inputs.append(FUNCTIONS[activation](output))
        self.values = output.squeeze(-1)  # (R, K)

    def signals(self) -> list[Tensor]:
        """Derivative of the value by the output of each layer, (R, K, width)."""
        signals = [torch.ones_like(self.inputs[0])]
        layers = zip(self.weights[:0:-1], self.sums[::-1], self.inputs[:0:-1], strict=True)
        for weight, x, y in layers:
            slope = SLOPES[self._activation](x, y)
            signals.append(torch.bmm(signals[-1], weight).mul_(slope))
        return signals[::-1]

    def kernel(self, signals: list[Tensor]) -> Tensor:
        """J Jᵀ, (R, K, K)."""
        replicates, count = self.values.shape
        total = self.values.new_zeros(replicates, count, count)
        for x, d in zip(self.inputs, signals, strict=True):
            inner = torch.bmm(x, x.transpose(1, 2)).add_(1.0)
            total.addcmul_(inner, torch.bmm(d, d.transpose(1, 2)))
        return total

    def pulled(self, signals: list[Tensor], pull: Tensor) -> Parameters:
        """Jᵀ pull, as parameters."""
        parameters: Parameters = {}
        for layer, (x, d) in enumerate(zip(self.inputs, signals, strict=True)):
            weighted = d * pull.unsqueeze(-1)
            parameters[f"{self.name}.{layer}.weight"] = torch.bmm(weighted.transpose(1, 2), x)
            parameters[f"{self.name}.{layer}.bias"] = weighted.sum(1)
        return parameters

    def taken(self, better: Tensor, other: _Net) -> _Net:
        """Itself where `better`, else `other`."""
        for name in ("weights", "inputs", "sums"):
            mine, its = getattr(self, name), getattr(other, name)
            mine[:] = [_where(better, a, b) for a, b in zip(mine, its, strict=True)]
        self.values = _where(better, self.values, other.values)
        return self


def _where(better: Tensor, new: Tensor, old: Tensor) -> Tensor:
    if better.all():
        return new
    return torch.where(better.view(-1, *[1] * (new.ndim - 1)), new, old)
