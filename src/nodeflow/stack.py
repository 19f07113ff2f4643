"""Stacks: K networks of one architecture with what is known of each, in memory and in files.

Members of zoos, generated networks, neural ODEs and the steps of their training are stacks; they
differ in what is known of each network. A stack in a file need not be in memory as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from nodeflow.problems import Problem

if TYPE_CHECKING:
    from torch import Tensor  # which many a job with stacks of arrays takes no time to load

    from nodeflow.tensors import Shapes

__all__ = [
    "Networks",
    "Stack",
    "StackProblem",
    "Supply",
    "check_networks",
    "held",
    "joined",
    "pieces",
]

Array = TypeVar("Array", bound="np.ndarray | Tensor")

MEMBER, _SEED, _OK = "member", "seed", "ok"
PARAMETERS, STATISTICS, ABOUT = "parameters", "statistics", "about"
NAMES = "stack"
"""In a file's parameters: names of its tensors and facts, in order."""

_TOGETHER = 2**25
"""Parameters of networks that are in memory together where a stack is larger: 128 MiB."""


class StackProblem(Problem):
    """A stack does not hold what is asked for; the text says what it holds."""


class Supply(Protocol):
    """K networks of one architecture that are taken into memory a few at a time."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        ...

    def __len__(self) -> int: ...

    def select(self, places: Sequence[int] | np.ndarray) -> Supply:
        """Some of the networks, in this order, where they are."""
        ...

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Tensor]:
        """Some of the networks, in this order, in memory."""
        ...


class Networks(Supply, Protocol):
    """A supply that can be looked at along parameters too: a `Stack` of tensors, or `Stored`."""

    @property
    def members(self) -> np.ndarray:
        """Numbers of the networks, int64 of shape (K,)."""
        ...

    @property
    def seeds(self) -> np.ndarray:
        """What each can be made again from, int64 of shape (K,); −1 where that is not known."""
        ...

    def select(self, places: Sequence[int] | np.ndarray) -> Networks:
        """Some of the networks, in this order, where they are."""
        ...

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Networks:
        """The same networks with their tensors in this order.

        Raises:
            TensorProblem: a tensor is missing, or is none of these, or has another shape.
        """
        ...

    def columns(self, size: int) -> Iterator[np.ndarray]:
        """Arrays (K, c) of at most `size` parameters of each network, or one row of a tensor.

        All networks of the same shapes are cut at the same parameters, and where a tensor ends.
        """
        ...


def pieces(networks: Supply, share: int = 1) -> Iterator[np.ndarray]:
    """Places of the networks, as many at a time as are held in memory.

    How many these are follows from the architecture alone, and so does how products are rounded.

    Args:
        networks: K of them.
        share: of the memory, one part in so many.
    """
    size = sum(map(math.prod, networks.shapes.values()))
    step = max(1, _TOGETHER // (share * max(1, size)))
    for start in range(0, len(networks), step):
        yield np.arange(start, min(start + step, len(networks)))


def check_networks(networks: object, what: str) -> None:
    """Find out whether networks come with their numbers, as a stack or in files.

    Raises:
        StackProblem: they are a bare dictionary, or something else.
    """
    if not hasattr(networks, "take"):
        raise StackProblem(
            f"{what} are given as {type(networks).__name__}; give a block of them, "
            "zoo.Block(numpy.arange(K), tensors)."
        )


def held(networks: Networks) -> Networks:
    """The networks, in memory if they are no more than are held there; see `pieces`."""
    parts = list(pieces(networks))
    return networks.take(parts[0]) if len(parts) == 1 else networks


class Known:
    """What is known of networks, in memory or in files."""

    about: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.about[MEMBER])

    @property
    def members(self) -> np.ndarray:
        """Numbers of the networks, int64 of shape (K,)."""
        return self.about[MEMBER]

    @property
    def seeds(self) -> np.ndarray:
        """What each can be made again from, int64 of shape (K,); −1 where that is not known."""
        return self.about.get(_SEED, np.full(len(self), -1))

    @property
    def ok(self) -> np.ndarray:
        """Which networks can be used, bool of shape (K,): all, if nothing else is known."""
        return self.about.get(_OK, np.ones(len(self), dtype=bool))


@dataclass(frozen=True)
class Stack(Known, Generic[Array]):
    """K networks of one architecture.

    Attributes:
        parameters: tensors, or arrays, of shape (K, *shape) by name.
        statistics: running means and variances, likewise; none without batch normalization.
        about: what is known of each network, arrays of shape (K, …) by name. "member" are their
            numbers, from 0 on if none are given; "seed" and "ok" see `seeds` and `ok`.

    Raises:
        StackProblem: not as many networks in one tensor or fact as in another.
    """

    parameters: dict[str, Array]
    statistics: dict[str, Array] = field(default_factory=dict)
    about: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if MEMBER in self.about:
            members = np.asarray(self.about[MEMBER], dtype=np.int64)
        else:
            first: list[Any] = [*self.about.values(), *self.parameters.values()][:1]
            members = np.arange(len(first[0]) if first else 0)
        object.__setattr__(self, "about", {MEMBER: members} | self.about | {MEMBER: members})
        parts: dict[str, Any] = {**self.parameters, **self.statistics, **self.about}
        for name, x in parts.items():
            if x.ndim == 0 or len(x) != len(members):
                raise StackProblem(
                    f"tensor {name} of a stack has shape {tuple(x.shape)} for {len(members)} "
                    "members; stack as many networks along its first axis."
                )

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Array]:
        """The networks at some places of the stack, in this order."""
        rows = np.array(places, dtype=np.int64)
        parts: list[Mapping[str, Any]] = [self.parameters, self.statistics, self.about]
        return Stack(*({name: x[rows] for name, x in part.items()} for part in parts))

    select = take

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Stack[Tensor]:
        """See `Networks`; whatever was given becomes tensors of one floating type."""
        from nodeflow.tensors import arrange, as_tensors

        given: Mapping[str, Any] = self.parameters
        return Stack(
            arrange(given, shapes, what=what), as_tensors(self.statistics, what), self.about
        )

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        for name, shape in self.shapes.items():
            for cut in cuts_of(shape, size):
                yield as_array(self.parameters[name][:, cut]).reshape(len(self), -1)

    @property
    def tensors(self) -> dict[str, Array]:
        """Parameters and statistics: all that a network needs to say anything."""
        return {**self.parameters, **self.statistics}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        return {name: tuple(x.shape[1:]) for name, x in self.parameters.items()}

    def with_tensors(self, tensors: Mapping[str, Array]) -> Stack[Array]:
        """The same networks in another form."""
        return replace(
            self,
            parameters={name: tensors[name] for name in self.parameters},
            statistics={name: tensors[name] for name in self.statistics},
        )

    @property
    def first(self) -> dict[str, Array]:
        """The first network that there is: parameters and statistics of shape (*shape)."""
        tensors: Mapping[str, Any] = self.tensors
        return {name: x[0] for name, x in tensors.items()}

    def only(self, member: int) -> dict[str, Array]:
        """One network: parameters and statistics of shape (*shape).

        Raises:
            StackProblem: the stack has no such member.
        """
        rows = np.flatnonzero(self.members == member)
        if len(rows) == 0:
            raise StackProblem(
                f"Member {member} is not in this block, perhaps because its training failed; "
                f"choose one of {', '.join(map(str, self.members[:20]))} …"
            )
        tensors: dict[str, Any] = self.tensors
        return {name: x[rows[0]] for name, x in tensors.items()}

    def split(self, number: int) -> tuple[Stack[Array], Stack[Array]]:
        """The members with numbers below `number`, and the others."""
        below = self.members < number
        return self.take(np.flatnonzero(below)), self.take(np.flatnonzero(~below))

    def parts(self, count: int) -> list[Stack[Array]]:
        """These networks, `count` at a time."""
        return [self.take(rows) for rows in rows_of(len(self), count)]


def joined(parts: Sequence[Stack[Array]]) -> Stack[Array]:
    """Several stacks of one architecture as one, one after the other, with their own numbers."""
    first = parts[0]
    return Stack(
        {name: _concatenated([p.parameters[name] for p in parts]) for name in first.parameters},
        {name: _concatenated([p.statistics[name] for p in parts]) for name in first.statistics},
        {name: np.concatenate([p.about[name] for p in parts]) for name in first.about},
    )


def _concatenated(arrays: Sequence[Any]) -> Any:
    if isinstance(arrays[0], np.ndarray):
        return np.concatenate(arrays)
    import torch

    return torch.cat(list(arrays))


def as_array(x: Any) -> np.ndarray:
    return np.asarray(x if isinstance(x, np.ndarray) else x.detach().cpu().numpy())


def rows_of(total: int, count: int) -> list[np.ndarray]:
    return [np.arange(i, min(i + count, total)) for i in range(0, total, count)]


def cuts_of(shape: tuple[int, ...], size: int) -> Iterator[slice]:
    """Cuts of a tensor's first axis, each of at most `size` values or one row."""
    step = max(1, size // math.prod(shape[1:]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


# --- files ---------------------------------------------------------------------------------------
