"""Stacks: K networks of one architecture with what is known of each, in memory and in files.

Members of zoos, generated networks, neural ODEs and the steps of their training are stacks; they
differ in what is known of each network. A stack in a file need not be in memory as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from safetensors import safe_open

from nodeflow.problems import Problem
from nodeflow.tables import (
    FileProblem,
    Kind,
    open_tensors,
    opened_parameters,
    write_tensors,
    writing_tensors,
)

if TYPE_CHECKING:
    from torch import Tensor  # which many a job with stacks of arrays takes no time to load

    from nodeflow.tensors import Shapes

__all__ = [
    "Networks",
    "Stack",
    "StackProblem",
    "Stored",
    "Supply",
    "check_networks",
    "from_arrays",
    "held",
    "joined",
    "open_stacks",
    "pieces",
    "read_about",
    "read_stack",
    "to_arrays",
    "write_stack",
    "writing_stack",
]

Array = TypeVar("Array", bound="np.ndarray | Tensor")

_MEMBER, _SEED, _OK = "member", "seed", "ok"
_PARAMETERS, _STATISTICS, _ABOUT = "parameters", "statistics", "about"
_NAMES = "stack"
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


class _Known:
    """What is known of networks, in memory or in files."""

    about: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.about[_MEMBER])

    @property
    def members(self) -> np.ndarray:
        """Numbers of the networks, int64 of shape (K,)."""
        return self.about[_MEMBER]

    @property
    def seeds(self) -> np.ndarray:
        """What each can be made again from, int64 of shape (K,); −1 where that is not known."""
        return self.about.get(_SEED, np.full(len(self), -1))

    @property
    def ok(self) -> np.ndarray:
        """Which networks can be used, bool of shape (K,): all, if nothing else is known."""
        return self.about.get(_OK, np.ones(len(self), dtype=bool))


@dataclass(frozen=True)
class Stack(_Known, Generic[Array]):
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
        if _MEMBER in self.about:
            members = np.asarray(self.about[_MEMBER], dtype=np.int64)
        else:
            first: list[Any] = [*self.about.values(), *self.parameters.values()][:1]
            members = np.arange(len(first[0]) if first else 0)
        object.__setattr__(self, "about", {_MEMBER: members} | self.about | {_MEMBER: members})
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
            for cut in _cuts(shape, size):
                yield _as_array(self.parameters[name][:, cut]).reshape(len(self), -1)

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
        return [self.take(rows) for rows in _rows(len(self), count)]


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


def _as_array(x: Any) -> np.ndarray:
    return np.asarray(x if isinstance(x, np.ndarray) else x.detach().cpu().numpy())


def _rows(total: int, count: int) -> list[np.ndarray]:
    return [np.arange(i, min(i + count, total)) for i in range(0, total, count)]


def _cuts(shape: tuple[int, ...], size: int) -> Iterator[slice]:
    """Cuts of a tensor's first axis, each of at most `size` values or one row."""
    step = max(1, size // math.prod(shape[1:]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


# --- files ---------------------------------------------------------------------------------------


def to_arrays(stack: Stack[Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A stack as a file holds it: its arrays, networks as float32, and what says their order."""
    arrays = {
        f"{part}.{name}": np.asarray(_as_array(x), dtype=np.float32)
        for part, tensors in ((_PARAMETERS, stack.parameters), (_STATISTICS, stack.statistics))
        for name, x in tensors.items()
    }
    arrays |= {f"{_ABOUT}.{name}": np.asarray(x) for name, x in stack.about.items()}
    return arrays, _names(list(stack.parameters), list(stack.statistics), list(stack.about))


def from_arrays(arrays: Mapping[str, np.ndarray], said: Mapping[str, Any]) -> Stack[np.ndarray]:
    """The stack of which a file holds these arrays, and says these parameters."""
    parameters, statistics, about = (
        {name: arrays[f"{part}.{name}"] for name in said[_NAMES][part]}
        for part in (_PARAMETERS, _STATISTICS, _ABOUT)
    )
    return Stack(parameters, statistics, about)


def _names(parameters: list[str], statistics: list[str], about: list[str]) -> dict[str, Any]:
    return {_NAMES: {_PARAMETERS: parameters, _STATISTICS: statistics, _ABOUT: about}}


def write_stack(
    path: str | Path, stack: Stack[Any], kind: Kind, parameters: Mapping[str, Any]
) -> None:
    """Write a stack as one safetensors file, its networks as float32.

    Args:
        path: final name.
        stack: its tensors may be on any device and of any floating type.
        kind: of the file.
        parameters: what the stack was made with; checked on read.
    """
    arrays, names = to_arrays(stack)
    write_tensors(path, arrays, kind, {**parameters, **names})


@contextmanager
def writing_stack(
    path: str | Path,
    count: int,
    shapes: Shapes,
    about: Mapping[str, np.ndarray],
    kind: Kind,
    parameters: Mapping[str, Any],
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Parameters (K, *shape) and facts on disk that the body fills; see `write_stack`.

    Args:
        path: final name; appears only when the body has succeeded.
        count: how many networks, K.
        shapes: of each parameter of one network.
        about: what is known of each, which the body may still change.
        kind: of the file.
        parameters: what the stack is made with.
    """
    facts = {**about, _MEMBER: np.arange(count)}
    types = {"f": "F32", "i": "I64", "b": "BOOL"}
    forms = {f"{_PARAMETERS}.{name}": ("F32", (count, *shape)) for name, shape in shapes.items()}
    forms |= {f"{_ABOUT}.{name}": (types[x.dtype.kind], x.shape) for name, x in facts.items()}
    names = _names(list(shapes), [], list(facts))
    with writing_tensors(path, forms, kind, {**parameters, **names}) as arrays:
        for name, x in facts.items():
            arrays[f"{_ABOUT}.{name}"][:] = x
        yield (
            {name: arrays[f"{_PARAMETERS}.{name}"] for name in shapes},
            {name: arrays[f"{_ABOUT}.{name}"] for name in facts},
        )


def read_stack(
    path: str | Path, kind: Kind, parameters: Mapping[str, Any] | None = None
) -> Stack[np.ndarray]:
    """Read and check a stack.

    Args:
        path: the file.
        kind: of the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    with open_tensors(path, kind, parameters) as file:
        arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        return from_arrays(arrays, opened_parameters(file))


def read_about(
    path: str | Path, kind: Kind, parameters: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """What is known of each network of a stack, without the networks; see `read_stack`."""
    with open_tensors(path, kind, parameters) as file:
        return _read_about(file, opened_parameters(file)[_NAMES])


def _read_about(file: Any, names: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    return {name: file.get_tensor(f"{_ABOUT}.{name}") for name in names[_ABOUT]}


@dataclass(frozen=True)
class Stored(_Known):
    """K networks of one architecture in files, read when they are asked for.

    Attributes:
        paths: the files.
        where: for each network its file and its place there, int64 of shape (K, 2).
        shapes: shape of each parameter of one network.
        statistics: names of its running statistics.
        about: see `Stack`.
    """

    paths: tuple[Path, ...]
    where: np.ndarray
    shapes: Mapping[str, tuple[int, ...]]
    statistics: tuple[str, ...]
    about: Mapping[str, np.ndarray]

    def select(self, places: Sequence[int] | np.ndarray) -> Stored:
        """See `Networks`."""
        rows = np.asarray(places, dtype=np.int64)
        about = {name: values[rows] for name, values in self.about.items()}
        return replace(self, where=self.where[rows], about=about)

    def split(self, number: int) -> tuple[Stored, Stored]:
        """The members with numbers below `number`, and the others."""
        below = self.members < number
        return self.select(np.flatnonzero(below)), self.select(np.flatnonzero(~below))

    def parts(self, count: int) -> list[Stored]:
        """These networks, `count` at a time."""
        return [self.select(rows) for rows in _rows(len(self), count)]

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Stored:
        """See `Networks`."""
        from nodeflow.tensors import check_shapes

        check_shapes(self.shapes, shapes, what)
        return replace(self, shapes={name: self.shapes[name] for name in shapes})

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Tensor]:
        """See `Networks`."""
        import torch

        chosen = self.select(places)
        # Networks that lie one after the other are read at once.
        breaks = np.any(np.diff(chosen.where, axis=0) != (0, 1), axis=1)
        runs = np.split(np.arange(len(chosen)), np.flatnonzero(breaks) + 1)
        tensors: dict[str, dict[str, Tensor]] = {_PARAMETERS: {}, _STATISTICS: {}}
        for file in dict.fromkeys(chosen.where[:, 0].tolist() or [0]):
            with safe_open(self.paths[file], framework="numpy") as opened:
                for part, names in ((_PARAMETERS, self.shapes), (_STATISTICS, self.statistics)):
                    for name in names:
                        stored = opened.get_slice(f"{part}.{name}")
                        if name not in tensors[part]:
                            shape = stored.get_shape()[1:]
                            tensors[part][name] = torch.empty(len(chosen), *shape)
                        for run in runs:
                            if len(run) > 0 and chosen.where[run[0], 0] == file:
                                first = int(chosen.where[run[0], 1])
                                rows = torch.from_numpy(stored[first : first + len(run)])
                                tensors[part][name][run[0] : run[0] + len(run)] = rows
        return Stack(tensors[_PARAMETERS], tensors[_STATISTICS], dict(chosen.about))

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        files = {int(file): self.where[:, 0] == file for file in np.unique(self.where[:, 0])}
        for name, shape in self.shapes.items():
            # Opened for each tensor anew: what is mapped of a file stays in memory until closed.
            with ExitStack() as stack:
                slices = {}
                for file in files:
                    opened = stack.enter_context(safe_open(self.paths[file], framework="numpy"))
                    slices[file] = opened.get_slice(f"{_PARAMETERS}.{name}")
                for cut in _cuts(shape, size):
                    rows = np.empty(
                        (len(self), (cut.stop - cut.start) * math.prod(shape[1:])), np.float32
                    )
                    for file, here in files.items():
                        part = slices[file][:, cut]
                        rows[here] = part.reshape(len(part), -1)[self.where[here, 1]]
                    yield rows


def open_stacks(
    paths: Sequence[str | Path], kind: Kind, made: Sequence[Mapping[str, Any]] | None = None
) -> Stored:
    """Open several files of one zoo as one stack, in the order of their members.

    Args:
        paths: its files.
        kind: of the files.
        made: what each of them was made with, where given.

    Raises:
        FileProblem: see `read_stack`; also when two files hold the same member or networks of other
            shapes.
    """
    where, about, kinds = [], [], []
    expected = made if made is not None else [None] * len(paths)
    for i, (path, parameters) in enumerate(zip(paths, expected, strict=True)):
        with open_tensors(path, kind, parameters) as file:
            names = opened_parameters(file)[_NAMES]
            about.append(_read_about(file, names))
            shapes = {
                n: tuple(file.get_slice(f"{_PARAMETERS}.{n}").get_shape()[1:])
                for n in names[_PARAMETERS]
            }
            kinds.append((shapes, tuple(names[_STATISTICS])))
        count = len(about[-1][_MEMBER])
        where.append(np.stack([np.full(count, i), np.arange(count)], axis=1))
        if kinds[-1] != kinds[0]:
            raise FileProblem(
                f"{path} and {paths[0]} hold networks of different architectures; "
                "read blocks of one zoo at a time."
            )
    known = {name: np.concatenate([part[name] for part in about]) for name in about[0]}
    numbers = known[_MEMBER]
    if len(np.unique(numbers)) < len(numbers):
        raise FileProblem(
            f"Two of {', '.join(map(str, paths))} hold the same member; name each block once."
        )
    stored = Stored(tuple(map(Path, paths)), np.concatenate(where), *kinds[0], known)
    return stored.select(np.argsort(numbers))
