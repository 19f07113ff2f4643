"""Architectures as data: named shapes, and a function of stacked parameters.

K networks of one architecture are one dictionary of tensors with a leading axis of length K; every
function here acts on all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad, relu

from nodeflow.datasets import Dataset
from nodeflow.problems import Problem

__all__ = [
    "INITIALIZATIONS",
    "Architecture",
    "ArchitectureProblem",
    "classifier",
    "mlp",
    "mlp_like",
]


class ArchitectureProblem(Problem):
    """An architecture or an initialization that does not exist; the text says what does."""


INITIALIZATIONS: Mapping[str, Callable[[Tensor, int, int, Generator], object]] = {
    "he_uniform": lambda w, fan_in, fan_out, rng: _uniform(w, math.sqrt(6 / fan_in), rng),
    "xavier_uniform": lambda w, fan_in, fan_out, rng: _uniform(
        w, math.sqrt(6 / (fan_in + fan_out)), rng
    ),
    "torch": lambda w, fan_in, fan_out, rng: _uniform(w, 1 / math.sqrt(fan_in), rng),
    "normal": lambda w, fan_in, fan_out, rng: w.normal_(0, 0.02, generator=rng),
    "uniform": lambda w, fan_in, fan_out, rng: _uniform(w, 0.1, rng),
}
"""How weights start: "he_uniform" (±√(6/fan-in)), "xavier_uniform" (±√(6/(fan-in + fan-out))),
"torch" (PyTorch's default, ±1/√fan-in), "normal" (standard deviation 0.02), "uniform" (±0.1)."""


@dataclass(frozen=True)
class Architecture:
    """What all members of a zoo have in common.

    Attributes:
        name: e.g. "mlp 64-32-32-10".
        shapes: shape of each tensor of one network, in the order in which networks are flattened.
        network: (stacked parameters, items) → logits; see `forward`.
    """

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    network: Callable[[Mapping[str, Tensor], Tensor], Tensor] = field(repr=False, compare=False)

    @property
    def parameters(self) -> int:
        """D, the number of trainable parameters of one network."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def initialize(
        self, generators: Sequence[Generator], initializations: Sequence[str] = ("he_uniform",)
    ) -> dict[str, Tensor]:
        """Starting parameters of K networks; biases are zero.

        Args:
            generators: one for each network, on the CPU.
            initializations: names from `INITIALIZATIONS`, one for all networks or one for each.

        Returns:
            float32 tensors of shape (K, *shape), on the CPU.

        Raises:
            ArchitectureProblem: an initialization has no such name.
        """
        names = list(initializations) * (len(generators) if len(initializations) == 1 else 1)
        unknown = sorted(set(names) - set(INITIALIZATIONS))
        if unknown:
            raise ArchitectureProblem(
                f'There is no initialization "{unknown[0]}"; choose one of '
                f"{', '.join(INITIALIZATIONS)}."
            )
        stacked = {
            name: torch.zeros(len(generators), *shape) for name, shape in self.shapes.items()
        }
        for k, (generator, name) in enumerate(zip(generators, names, strict=True)):
            for tensor in stacked.values():
                if tensor.ndim > 2:
                    fan_out, fan_in = tensor.shape[1], tensor[k, 0].numel()
                    INITIALIZATIONS[name](tensor[k], fan_in, fan_out, generator)
        return stacked

    def forward(self, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Logits of K networks.

        Args:
            parameters: tensors of shape (K, *shape).
            x: items, shape (B, features) if all networks see the same ones, or (K, B, features).

        Returns:
            Logits of shape (K, B, classes).
        """
        return self.network(parameters, x)


def mlp(widths: Sequence[int]) -> Architecture:
    """A multilayer perceptron with biases and ReLU between its layers.

    Args:
        widths: features, hidden widths …, classes; e.g. [64, 32, 32, 10]. Tensors are named
            layer0.weight (out × in), layer0.bias (out), layer1.weight …

    Raises:
        ArchitectureProblem: fewer than two widths, or one below 1.
    """
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
    name = "mlp " + "-".join(map(str, widths))
    return Architecture(name, shapes, partial(_mlp_logits, layers=len(widths) - 1))


def classifier(dataset: Dataset, hidden: Sequence[int]) -> Architecture:
    """The perceptron with these hidden widths whose ends fit a data set; see `mlp`."""
    return mlp([dataset.train_x.shape[1], *hidden, dataset.classes])


def mlp_like(parameters: Mapping[str, Tensor]) -> Architecture:
    """The perceptron that stacked tensors, of shape (K, *shape), are the parameters of."""
    weights = [x for name, x in parameters.items() if name.endswith(".weight")]
    return mlp([weights[0].shape[2], *(weight.shape[1] for weight in weights)])


def _mlp_logits(parameters: Mapping[str, Tensor], x: Tensor, layers: int) -> Tensor:
    members, classes = parameters[f"layer{layers - 1}.bias"].shape
    h = _rounded_up(x, axes=1)
    h = h.expand(members, *h.shape) if x.ndim == 2 else h
    for layer in range(layers):
        weight = _rounded_up(parameters[f"layer{layer}.weight"], axes=2)
        bias = _rounded_up(parameters[f"layer{layer}.bias"], axes=1)
        h = torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))
        if layer < layers - 1:
            h = relu(h)
    return h[..., :classes]


def _rounded_up(tensor: Tensor, axes: int) -> Tensor:
    """The tensor with zeros added to its last axes, up to a multiple of 16.

    BLAS rounds differently where the memory of a matrix does not begin at a multiple of 64 bytes.
    Without these zeros, which change no product, the place of a network in its stack would do so.
    """
    missing = [(0, -length % 16) for length in reversed(tensor.shape[-axes:])]
    return pad(tensor, [x for pair in missing for x in pair]) if any(map(any, missing)) else tensor


def _uniform(weight: Tensor, bound: float, generator: Generator) -> Tensor:
    return weight.uniform_(-bound, bound, generator=generator)
