"""Multilayer perceptrons: batched products of stacked parameters, written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad, relu, tanh

from nodeflow.datasets import Dataset
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.settings import ArchitectureProblem

__all__ = ["ACTIVATIONS", "classifier", "mlp"]

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"relu": relu, "tanh": tanh}


def mlp(widths: Sequence[int], activation: str = "relu") -> Architecture:
    """A multilayer perceptron with biases and an activation between its layers.

    Args:
        widths: features, hidden widths …, classes; e.g. [64, 32, 32, 10]. Tensors are named
            layer0.weight (out × in), layer0.bias (out), layer1.weight …
        activation: "relu" or "tanh".

    Raises:
        ArchitectureProblem: fewer than two widths, one below 1, or no such activation.
    """
    if activation not in ACTIVATIONS:
        raise ArchitectureProblem(
            f'There is no activation "{activation}"; choose one of {", ".join(ACTIVATIONS)}.'
        )
    widths = [int(width) for width in widths]
    if len(widths) < 2 or min(widths) < 1:
        raise ArchitectureProblem(
            f"widths {widths} make no MLP; list the number of features, the hidden widths and the "
            "number of classes, each at least 1."
        )
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (before, after) in enumerate(pairwise(widths)):
        shapes[f"layer{layer}.weight"] = (after, before)
        shapes[f"layer{layer}.bias"] = (after,)
    settings = {"kind": "mlp", "hidden": widths[1:-1], "activation": activation}
    return Architecture(
        name="mlp " + "-".join(map(str, widths)),
        shapes=shapes,
        starts={name: "weight" if len(shape) > 1 else "zero" for name, shape in shapes.items()},
        network=partial(_mlp_logits, layers=len(widths) - 1, activation=ACTIVATIONS[activation]),
        activation=activation,
        item=(widths[0],),
        recipe={"settings": settings, "item": widths[:1], "classes": widths[-1]},
    )


def classifier(dataset: Dataset, hidden: Sequence[int]) -> Architecture:
    """The perceptron with these hidden widths whose ends fit a data set; see `mlp`."""
    return mlp([dataset.train_x.shape[1], *hidden, dataset.classes])


def _mlp_logits(
    parameters: Mapping[str, Tensor],
    x: Tensor,
    layers: int,
    activation: Callable[[Tensor], Tensor],
) -> Tensor:
    members, classes = parameters[f"layer{layers - 1}.bias"].shape
    h = _rounded_up(x, axes=1)
    h = h.expand(members, *h.shape) if x.ndim == 2 else h
    for layer in range(layers):
        weight = _rounded_up(parameters[f"layer{layer}.weight"], axes=2)
        bias = _rounded_up(parameters[f"layer{layer}.bias"], axes=1)
        h = torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))
        if layer < layers - 1:
            h = activation(h)
    return h[..., :classes]


def _rounded_up(tensor: Tensor, axes: int) -> Tensor:
    """The tensor with zeros added to its last axes, up to a multiple of 16.

    BLAS rounds differently where the memory of a matrix does not begin at a multiple of 64 bytes.
    Without these zeros, which change no product, the place of a network in its stack would do so.
    """
    missing = [(0, -length % 16) for length in reversed(tensor.shape[-axes:])]
    return pad(tensor, [x for pair in missing for x in pair]) if any(map(any, missing)) else tensor
