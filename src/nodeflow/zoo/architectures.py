"""Architectures as data: named shapes, and a function of stacked parameters.

K networks of one architecture are one dictionary of tensors with a leading axis of length K; every
function here acts on all of them at once. Perceptrons are batched products written out here; any
other network is a plain torch module, of which K copies are trained as one by `torch.func`.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from inspect import signature
from itertools import pairwise
from numbers import Integral
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import embedding, pad, relu, tanh
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from nodeflow.datasets import Dataset
from nodeflow.tensors import arrange, as_tensors, without_buffers, without_constants
from nodeflow.zoo.convolutional import ResNet, SmallCNN
from nodeflow.zoo.settings import PUBLISHED, ArchitectureProblem
from nodeflow.zoo.starts import kept_values, own_start, start_of, with_values
from nodeflow.zoo.ties import copied, on_meta, tied_names, with_aliases, without_aliases
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
    "in_turn",
    "mlp",
    "reading",
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

_TURN = threading.RLock()

_WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Modules of torch around another one, by name: to import that of compiled ones takes seconds."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"relu": relu, "tanh": tanh}


@dataclass(frozen=True)
class Architecture:
    """What all members of a zoo have in common.

    Attributes:
        name: e.g. "mlp 64-32-32-10".
        shapes: shape of each tensor that is trained, in the order in which networks are flattened.
        starts: how each of them starts: "weight" (by an initialization), "normal" (standard
            deviation 0.02), "zero", "one" or "own" (as `original` resets it; see `from_module`).
        network: (stacked tensors, items) → logits; see `forward`.
        statistics: shape of each running mean and variance of one network.
        activation: of a perceptron; empty for a module.
        module: a module of this architecture without values; None for a perceptron.
        original: a module of one's own with the values that it was given with.
        constants: buffers that all networks share, and that no training changes.
        aliases: of a parameter that stands in several places of the module, its other names, each
            with the one that it has in `shapes`.
        counters: names of the module's counters of batches, which nothing reads.
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
    original: nn.Module | None = field(default=None, repr=False, compare=False)
    constants: Mapping[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    aliases: Mapping[str, str] = field(default_factory=dict)
    counters: tuple[str, ...] = field(default=(), repr=False, compare=False)
    item: tuple[int, ...] = ()
    tokens: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def parameters(self) -> int:
        """D, the number of trainable parameters of one network."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def arrange(
        self, networks: Mapping[str, Tensor], what: str = "the networks"
    ) -> dict[str, Tensor]:
        """Stacked networks in the order of this architecture; see `nodeflow.tensors.arrange`.

        Other names of shared tensors and constants of the module may be among them, and are left
        out.

        Raises:
            TensorProblem: also where a constant is not the one of the module.
            TieProblem: a tensor is given under several names with different values.
        """
        if not self.constants and not self.aliases:
            return arrange(networks, self.shapes, self.statistics, what)
        parameters, others = without_buffers(networks, what)
        given = without_constants({**parameters, **others}, self.constants, self.aliases, what)
        once = without_aliases(as_tensors(given, what), self.aliases)
        return arrange(once, self.shapes, self.statistics, what)

    def state_dict(
        self, network: Mapping[str, Tensor], dtypes: Mapping[str, torch.dtype] | None = None
    ) -> dict[str, Tensor]:
        """One network as the module's `load_state_dict(strict=True)` reads it.

        Args:
            network: tensors of shape (*shape) by the names of `shapes` and `statistics`.
            dtypes: types that tensors are given, by name; they keep their own by default.

        Returns:
            Also what all networks share: each tensor under all its names, the constants that the
            module saves, and counters of batches, at zero.

        Raises:
            TieProblem: a tensor is given under several names with different values.
        """
        saved = set() if self.module is None else set(self.module.state_dict())
        constants = {name: x for name, x in self.constants.items() if name in saved}
        counters = {name: torch.tensor(0) for name in self.counters}
        own = {name: x.to((dtypes or {}).get(name, x.dtype)) for name, x in network.items()}
        return with_aliases({**own, **constants, **counters}, self.aliases)

    def initialize(
        self, generators: Sequence[Generator], initializations: Sequence[str] = ("he_uniform",)
    ) -> dict[str, Tensor]:
        """Starting parameters of K networks; biases of linear layers and convolutions are zero.

        Args:
            generators: one for each network, on the CPU.
            initializations: names from `INITIALIZATIONS`, one for all networks or one for each.

        Returns:
            float32 tensors of shape (K, *shape), on the CPU.

        Raises:
            ArchitectureProblem: an initialization has no such name, or their number is another.
        """
        if len(initializations) not in (1, len(generators)):
            raise ArchitectureProblem(
                f"{len(initializations)} initializations are given for {len(generators)} networks; "
                "give one for all or one for each."
            )
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
            if self.original is not None and "own" in self.starts.values():
                own = own_start(self.original, generator)
                for tensor, start in self.starts.items():
                    if start == "own":
                        stacked[tensor][k] = own[tensor]
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
        return vmap(self._training)

    @cached_property
    def _training(self) -> Callable[..., Any]:
        """(parameters, statistics, items) → logits of one network while training."""
        assert self.module is not None
        module = copied(self.module)
        module.train()

        def one(parameters: dict[str, Tensor], statistics: dict[str, Tensor], x: Tensor) -> Any:
            tensors = (parameters, statistics, self.shared(parameters))
            with in_turn(module), _EmbeddingsInStacks():
                return functional_call(module, tensors, (x,))

        return one

    def forward_together(
        self, parameters: Mapping[str, Tensor], x: Tensor, shares: Tensor | None = None
    ) -> Tensor:
        """Logits of K networks on the same items, normalized over them as in training.

        It can be differentiated twice, by the networks and by the items.

        Args:
            parameters: tensors of shape (K, *shape); running statistics are not needed.
            x: items, shape (B, features); of texts also the S tokens that are mixed at each place,
                shape (B, features, S).
            shares: of each of them, likewise: what is read at a place is the mean of the vectors
                that a network has for these tokens, weighted so.

        Returns:
            Logits of shape (K, B, classes).

        Raises:
            ArchitectureProblem: tokens are mixed, and the module does not embed what it is given.
        """
        if self.module is None:
            return self.network(parameters, x)
        like = next(iter(parameters.values()))
        statistics = {name: t.to(like) for name, t in self.fresh_statistics(len(like)).items()}
        if shares is None:
            # A copy, because a module may change its items in place, and all networks read them.
            return self._together(parameters, statistics, self._items(x).clone())
        mixed = _Mixed(x[..., 0].long(), x.long(), shares)
        with mixed:
            logits = self._together(parameters, statistics, mixed.given)
        if not mixed.embedded:
            raise ArchitectureProblem(
                f"{self.name} does not hand its tokens to an embedding as it is given them, so "
                "none can be mixed."
            )
        return logits

    @cached_property
    def _together(self) -> Callable[..., Tensor]:
        """(stacked parameters, stacked statistics, the same items for all) → logits."""
        return vmap(self._training, in_dims=(0, 0, None))

    def shared(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Copies of the constants, of the kind of the parameters that they go with."""
        like = next(iter(parameters.values()), torch.zeros(0))
        return {
            name: tensor.to(like, copy=True)
            if tensor.is_floating_point()
            else tensor.to(like.device, copy=True)
            for name, tensor in self.constants.items()
        }

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
            found = _of_module(module, item, name, arguments.get("vocabulary", 0))
    except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise ArchitectureProblem(
            f"{kind} cannot be built from {arguments} for items of shape {tuple(item)}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    return replace(found, recipe=recipe)


def from_module(
    module: nn.Module, item: Sequence[int], name: str = "module", tokens: int = 0
) -> Architecture:
    """The architecture of a torch module of one's own.

    Weights of its linear layers and convolutions start by the initialization that a zoo names, and
    their biases at zero. Everything else starts as the `reset_parameters` of its parts draw it
    under the seed of each member: gains of normalizations at one, embeddings, attention, recurrent
    layers, and parts of one's own that have this method. A parameter that nothing resets (a class
    token, say) starts in every member at the value that the module has here; a warning names those
    whose values are not all the same, because members then start alike there.

    Running means and variances are those of each network; counters of batches are left out, and all
    other buffers are constants that networks share. The module given stays as it is.

    Args:
        module: maps items (B, *item) to logits (B, classes); not trained, as it says how networks
            start.
        item: shape of an item.
        name: of the architecture.
        tokens: the number of different tokens if items are texts, else 0.

    Raises:
        ArchitectureProblem: no module, one that averages statistics over all batches, parameters
            without shapes or values, or a reset that fails.
    """
    module = _unwrapped(module)
    if not isinstance(item, Sequence) or not all(isinstance(size, Integral) for size in item):
        raise ArchitectureProblem(
            f"item is {item!r}; give the shape of one item as a tuple, e.g. (1, 28, 28) or (64,)."
        )
    try:
        original = with_values(module)
        kept = kept_values(original)
    except Exception as error:  # whatever a reset of one's own may raise
        raise ArchitectureProblem(
            f"{name} cannot be copied and reset under a seed: "
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    architecture = _of_module(module, item, name, tokens)
    starts = {tensor: start_of(original, tensor) for tensor in architecture.shapes}
    own = {tensor: x for tensor, x in kept.items() if starts.get(tensor) == "own"}
    for tensor, x in own.items():
        if x.isnan().any():
            raise ArchitectureProblem(
                f"parameter {tensor} has no value and no reset_parameters gives it one; give a "
                "module with values, not one on the meta device."
            )
    alike = [tensor for tensor, x in own.items() if x.numel() and x.min() < x.max()]
    if alike:
        warnings.warn(
            f"No reset_parameters sets {', '.join(alike)}: networks all start there with the "
            "values of the module that was given.",
            stacklevel=2,
        )
    return replace(architecture, starts=starts, original=original)


def _unwrapped(module: nn.Module) -> nn.Module:
    """The module itself, if it was wrapped by torch to run in parallel or compiled."""
    if not isinstance(module, nn.Module):
        raise ArchitectureProblem(
            f"an architecture is made of a torch module, not of {type(module).__name__}; give "
            "an nn.Module."
        )
    if isinstance(module, torch.jit.ScriptModule):
        raise ArchitectureProblem(
            "a module that torch.jit compiled cannot be run with other weights; give the module "
            "that it was compiled from."
        )
    inside = _WRAPPERS.get(type(module).__name__)
    if inside is not None:
        return _unwrapped(getattr(module, inside))
    if next(module.parameters(), None) is None:
        raise ArchitectureProblem(
            f"{type(module).__name__} has no parameters, so its networks are all the same; give a "
            "module that learns."
        )
    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ArchitectureProblem(
                f"parameter {name} has no shape yet; run the module once on items first."
            )
    return module


def _of_module(module: nn.Module, item: Sequence[int], name: str, tokens: int) -> Architecture:
    """As `from_module`, with tensors that start as those of the shipped modules do."""
    module, counters = copied(module), []
    for place, part in module.named_modules():
        if isinstance(part, nn.SyncBatchNorm):
            part.__class__ = _LocalBatchNorm  # type: ignore[assignment]
        if isinstance(part, _NormBase) and part.num_batches_tracked is not None:
            if part.momentum is None:
                raise ArchitectureProblem(
                    f"{place} averages its statistics over all batches (momentum None), and "
                    "stacks of networks keep no count of batches; give it a momentum."
                )
            # With a fixed momentum nothing reads this counter, and it is no number of a network.
            part.num_batches_tracked = None
            counters.append(f"{place}.num_batches_tracked".removeprefix("."))
    buffers = dict(module.named_buffers())
    statistics = {
        name: tuple(buffer.shape)
        for name, buffer in buffers.items()
        if name.endswith(("running_mean", "running_var"))
    }
    others = {name: buffer for name, buffer in buffers.items() if name not in statistics}
    for buffer, value in others.items():
        if value.is_meta:
            raise ArchitectureProblem(f"buffer {buffer} has no value; give a module with values.")
    constants = {buffer: value.detach().cpu() for buffer, value in others.items()}
    module = on_meta(module).eval()
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}

    def alone(tensors: Mapping[str, Tensor], items: Tensor) -> Tensor:
        # A copy, because a module may change its items in place, and all networks read the same.
        given = {**tensors, **architecture.shared(tensors)}
        with reading(name, item), in_turn(module):
            logits = functional_call(module, given, (items.clone(),))
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(items):
            kind = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ArchitectureProblem(
                f"{name} makes {kind} of {len(items)} items; it has to make logits, a tensor of "
                "shape (items, classes)."
            )
        return logits

    architecture = Architecture(
        name=name,
        shapes=shapes,
        starts={tensor: _start(module, tensor) for tensor in shapes},
        network=lambda tensors, x: torch.stack(
            [
                alone({n: t[k] for n, t in tensors.items()}, items)
                for k, items in enumerate(_each(architecture._items(x), tensors, len(item)))
            ]
        ),
        statistics=statistics,
        module=module,
        constants=constants,
        aliases=tied_names(module),
        counters=tuple(counters),
        item=tuple(int(size) for size in item),
        tokens=tokens,
    )
    return architecture


@contextmanager
def in_turn(module: nn.Module) -> Iterator[None]:
    """While a module computes with weights that torch puts into it for that long.

    Other threads wait, and what the module keeps as it computes (a cache, say) is forgotten: it may
    follow from the weights of one network, or from its precision.
    """
    with _TURN:
        before = [(part, dict(vars(part))) for part in module.modules()]
        try:
            yield
        finally:
            for part, attributes in before:
                vars(part).clear()
                vars(part).update(attributes)


@contextmanager
def reading(name: str, item: Sequence[int]) -> Iterator[None]:
    """While a module reads items; what it raises becomes an `ArchitectureProblem`."""
    try:
        yield
    except Exception as error:  # whatever a module of one's own may raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ArchitectureProblem(
            f"{name} cannot read items of shape {tuple(item)}: {reason}"
        ) from error


class _LocalBatchNorm(_BatchNorm):
    """What `nn.SyncBatchNorm`, which keeps a count and wants several processes, does in one."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


class _EmbeddingsInStacks(TorchFunctionMode):
    """Padding learns nothing in any network; `torch.vmap` sees to that in the first one only."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if function is not embedding:
            return function(*args, **(kwargs or {}))
        given = signature(embedding).bind(*args, **(kwargs or {})).arguments
        padding, weight = given.pop("padding_idx", None), given["weight"]
        if padding is not None:
            rows = torch.arange(len(weight), device=weight.device)[:, None]
            given["weight"] = torch.where(rows == padding % len(weight), weight.detach(), weight)
        return embedding(**given)


class _Mixed(TorchFunctionMode):
    """Embeds mixtures of tokens wherever the given ones are embedded.

    Attributes:
        given: (B, n) tokens that a module reads.
        embedded: whether any part of it has embedded them.
    """

    def __init__(self, given: Tensor, tokens: Tensor, shares: Tensor) -> None:
        super().__init__()
        self.given, self._tokens, self._shares, self.embedded = given, tokens, shares, False

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if function is not embedding:
            return function(*args, **(kwargs or {}))
        asked = signature(embedding).bind(*args, **(kwargs or {})).arguments
        if asked["input"] is not self.given:
            return embedding(**asked)
        self.embedded = True
        vectors = embedding(**{**asked, "input": self._tokens})
        return (vectors * self._shares.unsqueeze(-1)).sum(-2)


def _each(items: Tensor, tensors: Mapping[str, Tensor], axes: int) -> Sequence[Tensor]:
    """The items of each network, whether they are the same or not."""
    members = len(next(iter(tensors.values())))
    if members == 0:
        raise ArchitectureProblem("There are no networks in this stack; give at least one.")
    return list(items) if items.ndim == axes + 2 else [items] * members


def _start(module: nn.Module, tensor: str) -> str:
    """How a tensor of a shipped module starts; see `Architecture.starts`."""
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
