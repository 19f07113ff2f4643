"""Blocks of networks as files, and the table of what their training gave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from nodeflow.problems import Problem
from nodeflow.tables import (
    FileProblem,
    open_tensors,
    opened_parameters,
    write_tensors,
)
from nodeflow.zoo.schemas import ZOO_BLOCK
from nodeflow.zoo.tensors import (
    Shapes,
    arrange,
    as_tensors,
    check_shapes,
    shapes_of,
    without_buffers,
)

__all__ = [
    "Block",
    "BlockProblem",
    "Networks",
    "Stored",
    "Supply",
    "check_networks",
    "held",
    "open_blocks",
    "pieces",
    "read_about",
    "read_block",
    "read_blocks",
    "write_block",
]


class BlockProblem(Problem):
    """A block does not hold what is asked for; the text says what it holds."""


_MEMBERS, _ABOUT = "members", "about."

_TOGETHER = 2**25
"""Parameters of networks that are in memory together where a zoo is larger: 128 MiB."""


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

    def take(self, places: Sequence[int] | np.ndarray) -> Block:
        """Some of the networks, in this order, in memory."""
        ...


class Networks(Supply, Protocol):
    """A supply that can be looked at along parameters too: a `Block`, or `Stored` networks."""

    @property
    def members(self) -> np.ndarray:
        """Numbers of the networks, int64 of shape (K,)."""
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
    """Find out whether networks come with their numbers, as a block or in files.

    Raises:
        BlockProblem: they are a bare dictionary, or something else.
    """
    if not hasattr(networks, "take"):
        raise BlockProblem(
            f"{what} are given as {type(networks).__name__}; give a block of them, "
            "zoo.Block(numpy.arange(K), tensors)."
        )


def held(networks: Networks) -> Networks:
    """The networks, in memory if they are no more than are held there; see `pieces`."""
    parts = list(pieces(networks))
    return networks.take(parts[0]) if len(parts) == 1 else networks


@dataclass(frozen=True)
class Block:
    """K networks of one architecture.

    Attributes:
        members: their numbers in the zoo, int64 of shape (K,).
        parameters: tensors or arrays of shape (K, *shape) by name; kept as tensors of one floating
            type (see `nodeflow.zoo.tensors.arrange`), in the order given. State dictionaries may
            be stacked as they are: running statistics are taken to be what they are.
        statistics: running means and variances, likewise; none without batch normalization.
        about: what is known of each network, arrays of shape (K,) by name: of trained ones their
            seed, the epoch they were kept of, and their metrics (see `ZOO_METRICS`).

    Raises:
        BlockProblem: not as many networks in a tensor as there are members.
        TensorProblem: something is no tensor of floating numbers.
    """

    members: np.ndarray
    parameters: dict[str, Tensor]
    statistics: dict[str, Tensor] = field(default_factory=dict)
    about: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        members = np.asarray(self.members, dtype=np.int64)
        object.__setattr__(self, "members", members)
        parameters, statistics = without_buffers(self.parameters, "the parameters of a block")
        statistics |= self.statistics
        for part, given in (("parameters", parameters), ("statistics", statistics)):
            tensors = as_tensors(given, f"the {part} of a block")
            object.__setattr__(self, part, tensors)
            for name, tensor in tensors.items():
                if tensor.ndim == 0 or len(tensor) != len(members):
                    raise BlockProblem(
                        f"tensor {name} of a block has shape {tuple(tensor.shape)} for "
                        f"{len(members)} members; stack as many networks along its first axis."
                    )

    def __len__(self) -> int:
        return len(self.members)

    def take(self, places: Sequence[int] | np.ndarray) -> Block:
        """The networks at some places of the block, in this order."""
        where = np.asarray(places, dtype=np.int64).copy()
        rows = torch.from_numpy(where)
        return Block(
            self.members[where],
            {name: x[rows] for name, x in self.parameters.items()},
            {name: x[rows] for name, x in self.statistics.items()},
            {name: x[where] for name, x in self.about.items()},
        )

    select = take

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Block:
        """See `Networks`."""
        return replace(self, parameters=arrange(self.parameters, shapes, what=what))

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        for name, shape in self.shapes.items():
            for rows in _cuts(shape, size):
                yield self.parameters[name][:, rows].detach().cpu().flatten(1).numpy()

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Parameters and statistics: all that a network needs to say anything."""
        return {**self.parameters, **self.statistics}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        return shapes_of(self.parameters)

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Block:
        """The same networks in another form."""
        return replace(
            self,
            parameters={name: tensors[name] for name in self.parameters},
            statistics={name: tensors[name] for name in self.statistics},
        )

    @property
    def first(self) -> dict[str, Tensor]:
        """The first network that there is: parameters and statistics of shape (*shape)."""
        return {name: tensor[0] for name, tensor in self.tensors.items()}

    def only(self, member: int) -> dict[str, Tensor]:
        """One network: parameters and statistics of shape (*shape).

        Raises:
            BlockProblem: the block has no such member.
        """
        found = np.flatnonzero(self.members == member)
        if len(found) == 0:
            raise BlockProblem(
                f"Member {member} is not in this block, perhaps because its training failed; "
                f"choose one of {', '.join(map(str, self.members[:20]))} …"
            )
        return {name: tensor[found[0]] for name, tensor in self.tensors.items()}

    def split(self, number: int) -> tuple[Block, Block]:
        """The members with numbers below `number`, and the others."""
        below = self.members < number
        return self.take(np.flatnonzero(below)), self.take(np.flatnonzero(~below))


def write_block(path: str | Path, block: Block, parameters: Mapping[str, Any]) -> None:
    """Write a block as one safetensors file, its networks as float32.

    Args:
        path: final name.
        block: its tensors may be on any device and of any floating type.
        parameters: what the block was made with; checked on read.
    """
    tensors = {
        name: tensor.detach().to("cpu", torch.float32).numpy()
        for name, tensor in block.tensors.items()
    }
    tensors[_MEMBERS] = np.asarray(block.members, dtype=np.int64)
    tensors |= {f"{_ABOUT}{name}": np.asarray(values) for name, values in block.about.items()}
    names = {
        "tensors": list(block.parameters),
        "statistics": list(block.statistics),
        "about": list(block.about),
    }
    write_tensors(path, tensors, ZOO_BLOCK, {**parameters, **names})


def read_block(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Block:
    """Read and check a block; its tensors are on the CPU.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    with open_tensors(path, ZOO_BLOCK, parameters) as file:
        names = opened_parameters(file)
        return Block(
            file.get_tensor(_MEMBERS),
            {name: torch.tensor(file.get_tensor(name)) for name in names["tensors"]},
            {name: torch.tensor(file.get_tensor(name)) for name in names["statistics"]},
            _read_about(file, names),
        )


def read_about(
    path: str | Path, parameters: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Read numbers, seeds and metrics of a block's networks without the networks.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Returns:
        Arrays of shape (K,): "members", and `Block.about`.
    """
    with open_tensors(path, ZOO_BLOCK, parameters) as file:
        return {_MEMBERS: file.get_tensor(_MEMBERS), **_read_about(file, opened_parameters(file))}


def _read_about(file: Any, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: file.get_tensor(f"{_ABOUT}{name}") for name in names["about"]}


@dataclass(frozen=True)
class Stored:
    """K networks of one architecture in files, read when they are asked for.

    Attributes:
        paths: the files.
        where: for each network its file and its place there, int64 of shape (K, 2).
        members: their numbers, int64 of shape (K,).
        shapes: shape of each parameter of one network.
        statistics: names of its running statistics.
        about: see `Block`.
        prefix: of the names of parameters in the files.
    """

    paths: tuple[Path, ...]
    where: np.ndarray
    members: np.ndarray
    shapes: Mapping[str, tuple[int, ...]]
    statistics: tuple[str, ...] = ()
    about: Mapping[str, np.ndarray] = field(default_factory=dict)
    prefix: str = ""

    def __len__(self) -> int:
        return len(self.members)

    def select(self, places: Sequence[int] | np.ndarray) -> Stored:
        """See `Networks`."""
        rows = np.asarray(places, dtype=np.int64)
        about = {name: values[rows] for name, values in self.about.items()}
        return replace(self, where=self.where[rows], members=self.members[rows], about=about)

    def split(self, number: int) -> tuple[Stored, Stored]:
        """The members with numbers below `number`, and the others."""
        below = self.members < number
        return self.select(np.flatnonzero(below)), self.select(np.flatnonzero(~below))

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Stored:
        """See `Networks`."""
        check_shapes(self.shapes, shapes, what)
        return replace(self, shapes={name: self.shapes[name] for name in shapes})

    def take(self, places: Sequence[int] | np.ndarray) -> Block:
        """See `Networks`."""
        some = self.select(places)
        # Networks that lie one after the other are read at once.
        breaks = np.any(np.diff(some.where, axis=0) != (0, 1), axis=1)
        runs = np.split(np.arange(len(some)), np.flatnonzero(breaks) + 1)
        found: dict[str, Tensor] = {}
        for file in dict.fromkeys(some.where[:, 0].tolist() or [0]):
            with safe_open(self.paths[file], framework="numpy") as opened:
                for name in (*self.shapes, *self.statistics):
                    part = opened.get_slice(f"{self.prefix}{name}")
                    if name not in found:
                        found[name] = torch.empty(len(some), *part.get_shape()[1:])
                    for run in runs:
                        if len(run) > 0 and some.where[run[0], 0] == file:
                            first = int(some.where[run[0], 1])
                            rows = torch.from_numpy(part[first : first + len(run)])
                            found[name][run[0] : run[0] + len(run)] = rows
        parameters, statistics = (
            {name: found[name] for name in names} for names in (self.shapes, self.statistics)
        )
        return Block(some.members, parameters, statistics, dict(some.about))

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        files = {int(file): self.where[:, 0] == file for file in np.unique(self.where[:, 0])}
        for name, shape in self.shapes.items():
            # Opened for each tensor anew: what is mapped of a file stays in memory until closed.
            with ExitStack() as stack:
                parts = {}
                for file in files:
                    opened = stack.enter_context(safe_open(self.paths[file], framework="numpy"))
                    parts[file] = opened.get_slice(f"{self.prefix}{name}")
                for cut in _cuts(shape, size):
                    rows = np.empty(
                        (len(self), (cut.stop - cut.start) * math.prod(shape[1:])), np.float32
                    )
                    for file, own in files.items():
                        some = parts[file][:, cut]
                        rows[own] = some.reshape(len(some), -1)[self.where[own, 1]]
                    yield rows


def _cuts(shape: tuple[int, ...], size: int) -> Iterator[slice]:
    """Cuts of a tensor's first axis, each of at most `size` values or one row."""
    step = max(1, size // math.prod(shape[1:]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def open_blocks(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> Stored:
    """Open several blocks of one zoo as one, in the order of their members; see `read_block`.

    Args:
        paths: its blocks.
        made: what each of them was made with, where given.

    Raises:
        FileProblem: also when two blocks hold the same member or networks of other shapes.
    """
    members, where, about, kinds = [], [], [], []
    for i, (path, own) in enumerate(
        zip(paths, made if made is not None else [None] * len(paths), strict=True)
    ):
        with open_tensors(path, ZOO_BLOCK, own) as file:
            names = opened_parameters(file)
            members.append(file.get_tensor(_MEMBERS))
            about.append(_read_about(file, names))
            shapes = {n: tuple(file.get_slice(n).get_shape()[1:]) for n in names["tensors"]}
            kinds.append((shapes, tuple(names["statistics"])))
        where.append([(i, k) for k in range(len(members[-1]))])
        if kinds[-1] != kinds[0]:
            raise FileProblem(
                f"{path} and {paths[0]} hold networks of different architectures; "
                "read blocks of one zoo at a time."
            )
    numbers = np.concatenate(members)
    if len(np.unique(numbers)) < len(numbers):
        raise FileProblem(
            f"Two of {', '.join(map(str, paths))} hold the same member; name each block once."
        )
    return Stored(
        tuple(map(Path, paths)),
        np.concatenate([np.array(own, np.int64).reshape(-1, 2) for own in where]),
        numbers,
        *kinds[0],
        {name: np.concatenate([own[name] for own in about]) for name in about[0]},
    ).select(np.argsort(numbers))


def read_blocks(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> Block:
    """Read several blocks of one zoo as one; see `open_blocks`."""
    zoo = open_blocks(paths, made)
    return zoo.take(np.arange(len(zoo)))
