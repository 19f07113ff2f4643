"""Gradients of a loss of stacked perceptrons, as one operation that can be differentiated again.

A perceptron's layers are small, so what automatic differentiation of a gradient costs is mostly the
handling of its many operations. Here the second pass is written out: it is that of Pearlmutter 1994
(Neural Computation 6, 147), a pass forward along a direction in weights, and one back through both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softmax

__all__ = ["LossGradient"]


class LossGradient(torch.autograd.Function):
    """Gradient of the mean cross-entropy on the same items, for each of M perceptrons alone.

    (networks (M, D), items (P, features), labels' probabilities (P, classes), weights of items
    (M, P) or None) → (M, D). Beside them, the widths from features to classes, and the activation,
    "relu" or "tanh". Networks are flat rows: weight (out × in) and bias of each layer.
    """

    @staticmethod
    def forward(
        ctx: Any,
        networks: Tensor,
        items: Tensor,
        likely: Tensor,
        weights: Tensor | None,
        widths: Sequence[int],
        activation: str,
    ) -> Tensor:
        """The gradients."""
        layers = _layers(networks, widths)
        # Shape (M, units, P) throughout: softmax and sums over few classes are slow along the last.
        units: list[Tensor] = [items.T]
        for place, (matrix, bias) in enumerate(layers):
            summed = _product(matrix, units[-1]).add_(bias.unsqueeze(2))
            units.append(summed if place + 1 == len(layers) else _activate(summed, activation))
        shares = softmax(units.pop(), dim=1)
        scale = 1 / len(items) if weights is None else weights.unsqueeze(1) / len(items)
        errors = [(shares - likely.T) * scale]
        for (matrix, _), unit in zip(layers[:0:-1], units[:0:-1], strict=True):
            back = torch.bmm(matrix.transpose(1, 2), errors[0])
            errors.insert(0, _sloped(back, unit, activation))
        ctx.save_for_backward(networks, likely, weights, shares, *units, *errors)
        ctx.widths, ctx.activation = widths, activation
        gradient = torch.empty_like(networks)
        for (matrix, bias), unit, error in zip(
            _layers(gradient, widths), units, errors, strict=True
        ):
            matrix.copy_(_product(error, unit.transpose(-2, -1)))
            torch.sum(error, dim=2, out=bias)
        return gradient

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """What a direction in gradients comes from."""
        widths, activation = ctx.widths, ctx.activation
        networks, likely, weights, shares, *both = ctx.saved_tensors
        count = len(widths) - 1
        units, errors = both[:count], both[count:]
        layers, ways = _layers(networks, widths), _layers(grads[0].contiguous(), widths)
        # Forward: how much each sum and each unit changes along the direction.
        moved_sums: list[Tensor] = []
        moved: Tensor | None = None
        moved_units: list[Tensor | None] = []
        for place, ((matrix, _), (way, bias)) in enumerate(zip(layers, ways, strict=True)):
            moved_units.append(moved)
            change = _product(way, units[place]).add_(bias.unsqueeze(2))
            if moved is not None:
                change.baddbmm_(matrix, moved)
            moved_sums.append(change)
            if place + 1 < count:
                moved = _sloped(change, units[place + 1], activation)
        # The derivative along it is ⟨errors of the logits, their change⟩. Back through both passes.
        last = moved_sums[-1]
        scale = 1 / likely.shape[0] if weights is None else weights.unsqueeze(1) / likely.shape[0]
        weighted = shares * last
        to_sums = (weighted - shares * weighted.sum(dim=1, keepdim=True)) * scale
        to_likely = -(last * scale).sum(dim=0).T
        to_weights = None
        if weights is not None:
            to_weights = ((shares - likely.T) * last).sum(dim=1) / likely.shape[0]
        to_networks = torch.empty_like(networks)
        targets = _layers(to_networks, widths)
        for place in range(count - 1, -1, -1):
            (to_matrix, to_bias), unit, error = targets[place], units[place], errors[place]
            total = _product(to_sums, unit.transpose(-2, -1))
            moved = moved_units[place]
            if moved is not None:
                total.baddbmm_(error, moved.transpose(1, 2))
            to_matrix.copy_(total)
            torch.sum(to_sums, dim=2, out=to_bias)
            matrix, way = layers[place][0], ways[place][0]
            if place == 0:
                break
            back = torch.bmm(matrix.transpose(1, 2), to_sums)
            back.baddbmm_(way.transpose(1, 2), error)
            back = _sloped(back, unit, activation)
            if activation == "tanh":
                bend = torch.bmm(matrix.transpose(1, 2), error).mul_(-2 * unit * (1 - unit * unit))
                back.addcmul_(bend, moved_sums[place - 1])
            to_sums = back
        to_items = to_sums.flatten(0, 1).T @ matrix.flatten(0, 1)
        to_items = to_items.addmm_(errors[0].flatten(0, 1).T, way.flatten(0, 1))
        return to_networks, to_items, to_likely, to_weights, None, None


def _layers(rows: Tensor, widths: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Weights (M, out, in) and biases (M, out) of each layer, as views of flat rows."""
    found, start = [], 0
    for before, after in pairwise(widths):
        end = start + after * before
        found.append((rows[:, start:end].view(-1, after, before), rows[:, end : end + after]))
        start = end + after
    return found


def _product(stack: Tensor, other: Tensor) -> Tensor:
    """Products of a stack of matrices with as many others, or with one: then as one product."""
    if other.ndim == 3:
        return torch.bmm(stack, other)
    return (stack.flatten(0, 1) @ other).view(*stack.shape[:2], -1)


def _activate(summed: Tensor, activation: str) -> Tensor:
    return summed.relu_() if activation == "relu" else summed.tanh_()


def _sloped(changes: Tensor, units: Tensor, activation: str) -> Tensor:
    """Changes of sums times the derivative of the activation, by its value."""
    if activation == "relu":
        return torch.ops.aten.threshold_backward(changes, units, 0)  # type: ignore[no-any-return]
    return changes * (1 - units * units)
