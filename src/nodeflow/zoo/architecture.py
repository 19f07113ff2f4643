"""What the networks of a zoo have in common: named shapes, and a function of stacked parameters.

K networks of one architecture are one dictionary of tensors with a leading axis of length K; every
function here acts on all of them at once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import embedding
from torch.overrides import TorchFunctionMode

from nodeflow.tensors import arrange, as_tensors, without_buffers, without_constants
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.starts import own_start
from nodeflow.zoo.ties import copied, with_aliases, without_aliases

__all__ = ["INITIALIZATIONS", "Architecture", "in_turn"]

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

_TURN = threading.RLock()


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
        tensors = {name: x.to((dtypes or {}).get(name, x.dtype)) for name, x in network.items()}
        return with_aliases({**tensors, **constants, **counters}, self.aliases)

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
                drawn = own_start(self.original, generator)
                for tensor, start in self.starts.items():
                    if start == "own":
                        stacked[tensor][k] = drawn[tensor]
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
        return self._stacked(parameters, statistics, self.as_read(x))

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
            return self._together(parameters, statistics, self.as_read(x).clone())
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

    def as_read(self, x: Tensor) -> Tensor:
        """Items (..., features) in the shape, and of the kind, that the module reads."""
        shaped = x.reshape(*x.shape[:-1], *self.item)
        return shaped.long() if self.tokens else shaped


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


def _uniform(weight: Tensor, bound: float, generator: Generator) -> Tensor:
    return weight.uniform_(-bound, bound, generator=generator)
