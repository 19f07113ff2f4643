"""Architectures as data: named shapes, and a function of stacked parameters.

K networks of one architecture are one dictionary of tensors with a leading axis of length K; every
function here acts on all of them at once. Perceptrons are batched products written out here; any
other network is a plain torch module, of which K copies are trained as one by `torch.func`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import pad, relu, tanh

from nodeflow.datasets import Dataset
from nodeflow.zoo.convolutional import ResNet, SmallCNN
from nodeflow.zoo.settings import PUBLISHED, ArchitectureProblem
from nodeflow.zoo.transformer import TextEncoder, VisionTransformer

__all__ = [
    "INITIALIZATIONS",
    "MODULES",
    "PUBLISHED",
    "Architecture",
    "ArchitectureProblem",
    "build",
    "classifier",
    "from_module",
    "mlp",
]


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


MODULES: Mapping[str, Callable[..., nn.Module]] = {
    "small_cnn": SmallCNN,
    "resnet": ResNet,
    "vit": VisionTransformer,
    "text": TextEncoder,
}
"""Kinds of networks that are modules. Each takes the shape of an item and the number of classes."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"relu": relu, "tanh": tanh}


@dataclass(frozen=True)
class Architecture:
    """What all members of a zoo have in common.

    Attributes:
        name: e.g. "mlp 64-32-32-10".
        shapes: shape of each tensor that is trained, in the order in which networks are flattened.
        starts: how each of them starts: "weight" (by an initialization), "normal" (standard
            deviation 0.02), "zero" or "one".
        network: (stacked tensors, items) → logits; see `forward`.
        statistics: shape of each running mean and variance of one network.
        activation: of a perceptron; empty for a module.
        module: a module of this architecture without values; None for a perceptron.
        item: shape of an item that the module reads.
        tokens: the number of different tokens if items are texts, else 0.
        recipe: arguments of `build` that make it again; empty for a module of one's own.
    """

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    starts: Mapping[str, str] = field(repr=False)
    network: Callable[[Mapping[str, Tensor], Tensor], Tensor] = field(repr=False, compare=False)
    statistics: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    activation: str = ""
    module: nn.Module | None = field(default=None, repr=False, compare=False)
    item: tuple[int, ...] = ()
    tokens: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

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
            tensor: torch.full((len(generators), *shape), float(self.starts[tensor] == "one"))
            for tensor, shape in self.shapes.items()
        }
        for k, (generator, name) in enumerate(zip(generators, names, strict=True)):
            for tensor, start in self.starts.items():
                one = stacked[tensor][k]
                if start == "weight":
                    fan_out, fan_in = one[:, :1].numel(), one[0].numel()
                    INITIALIZATIONS[name](one, fan_in, fan_out, generator)
                elif start == "normal":
                    one.normal_(0, 0.02, generator=generator)
        return stacked

    def fresh_statistics(self, members: int) -> dict[str, Tensor]:
        """Running means (zero) and variances (one) of K networks that have seen nothing."""
        return {
            name: torch.full((members, *shape), float(name.endswith("running_var")))
            for name, shape in self.statistics.items()
        }

    def forward(self, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Logits of K networks.

        Args:
            parameters: tensors of shape (K, *shape), running statistics among them.
            x: items, shape (B, features) if all networks see the same ones, or (K, B, features).

        Returns:
            Logits of shape (K, B, classes).
        """
        return self.network(parameters, x)

    def forward_training(
        self, parameters: Mapping[str, Tensor], statistics: Mapping[str, Tensor], x: Tensor
    ) -> Tensor:
        """Logits of K networks as they are trained: normalized over the items of the step.

        Args:
            parameters: tensors of shape (K, *shape).
            statistics: running means and variances, likewise; updated in place.
            x: items, shape (K, B, features).

        Returns:
            Logits of shape (K, B, classes).
        """
        if self.module is None:
            return self.network(parameters, x)
        return self._stacked(parameters, statistics, self._items(x))

    @cached_property
    def _stacked(self) -> Callable[..., Tensor]:
        """(stacked parameters, stacked statistics, stacked items) → logits while training."""
        module = copy.deepcopy(self.module)
        assert module is not None
        module.train()

        def one(parameters: dict[str, Tensor], statistics: dict[str, Tensor], x: Tensor) -> Any:
            return functional_call(module, (parameters, statistics), (x,))

        return vmap(one)

    def _items(self, x: Tensor) -> Tensor:
        shaped = x.reshape(*x.shape[:-1], *self.item)
        return shaped.long() if self.tokens else shaped


def build(settings: Mapping[str, Any], item: Sequence[int], classes: int) -> Architecture:
    """The architecture that settings name, with ends that fit a data set.

    Args:
        settings: `kind`, a name from `MODULES` or `PUBLISHED` or "mlp", and the arguments of that
            kind beside item and classes; e.g. {"kind": "resnet", "widths": [4, 8], "blocks": [1,
            1]} or {"kind": "mlp", "hidden": [32, 32]}.
        item: shape of an item: channels, height, width of an image; features or tokens.
        classes: number of classes.

    Raises:
        ArchitectureProblem: no such kind, other arguments than it takes, or ones that do not fit.
    """
    arguments = {key: value for key, value in settings.items() if key != "kind"}
    name = settings["kind"]
    kind, published = PUBLISHED.get(name, (name, {}))
    arguments = {**published, **arguments}
    if kind not in MODULES and kind != "mlp":
        raise ArchitectureProblem(
            f'There is no architecture "{kind}"; choose one of '
            f"{', '.join(['mlp', *MODULES, *PUBLISHED])}."
        )
    recipe = {"settings": dict(settings), "item": list(item), "classes": classes}
    try:
        if kind == "mlp":
            hidden = arguments.pop("hidden")
            found = mlp([math.prod(item), *hidden, classes], **arguments)
        else:
            with torch.device("meta"):
                module = MODULES[kind](tuple(item), classes, **arguments)
            found = from_module(module, item, name, arguments.get("vocabulary", 0))
    except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise ArchitectureProblem(
            f"{kind} cannot be built from {arguments} for items of shape {tuple(item)}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    return replace(found, recipe=recipe)


def from_module(
    module: nn.Module, item: Sequence[int], name: str = "module", tokens: int = 0
) -> Architecture:
    """The architecture of a torch module.

    Args:
        module: maps items (B, *item) to logits (B, classes); its values are of no account. Its
            buffers are running means and variances.
        item: shape of an item.
        name: of the architecture.
        tokens: the number of different tokens if items are texts, else 0.

    Raises:
        ArchitectureProblem: a buffer is none of these.
    """
    module = copy.deepcopy(module).to("meta").eval()
    statistics = {name: tuple(buffer.shape) for name, buffer in module.named_buffers()}
    for buffer in statistics:
        if not buffer.endswith(("running_mean", "running_var")):
            raise ArchitectureProblem(
                f"{buffer} is a buffer but no running mean or variance; make it a constant."
            )
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
    architecture = Architecture(
        name=name,
        shapes=shapes,
        starts={tensor: _start(module, tensor) for tensor in shapes},
        network=lambda tensors, x: torch.stack(
            [
                functional_call(module, {n: t[k] for n, t in tensors.items()}, items)
                for k, items in enumerate(_each(architecture._items(x), tensors, len(item)))
            ]
        ),
        statistics=statistics,
        module=module,
        item=tuple(item),
        tokens=tokens,
    )
    return architecture


def _each(items: Tensor, tensors: Mapping[str, Tensor], axes: int) -> Sequence[Tensor]:
    """The items of each network, whether they are the same or not."""
    members = len(next(iter(tensors.values())))
    return list(items) if items.ndim == axes + 2 else [items] * members


def _start(module: nn.Module, tensor: str) -> str:
    """How a tensor of a module starts; see `Architecture.starts`."""
    owner = module.get_submodule(tensor.rpartition(".")[0])
    if tensor.endswith("bias"):
        return "zero"
    if isinstance(owner, (nn.Linear, nn.Conv2d)):
        return "weight"
    return "one" if isinstance(owner, (nn.BatchNorm2d, nn.LayerNorm)) else "normal"


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


def _uniform(weight: Tensor, bound: float, generator: Generator) -> Tensor:
    return weight.uniform_(-bound, bound, generator=generator)
