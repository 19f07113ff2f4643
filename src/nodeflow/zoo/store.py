"""Blocks of networks as files, and the table of what their training gave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from nodeflow.problems import Problem
from nodeflow.tables import (
    FileProblem,
    Kind,
    open_tensors,
    opened_parameters,
    write_tensors,
)

__all__ = [
    "ZOO_BLOCK",
    "Block",
    "BlockProblem",
    "read_about",
    "read_block",
    "read_blocks",
    "read_columns",
    "read_members",
    "write_block",
]


class BlockProblem(Problem):
    """A block does not hold what is asked for; the text says what it holds."""


ZOO_BLOCK = Kind("zoo block", 3)

_MEMBERS, _ABOUT = "members", "about."


@dataclass(frozen=True)
class Block:
    """K networks of one architecture.

    Attributes:
        members: their numbers in the zoo, int64 of shape (K,).
        parameters: tensors of shape (K, *shape) by name, in the order of `Architecture.shapes`.
        statistics: running means and variances, likewise; none without batch normalization.
        about: what is known of each network, arrays of shape (K,) by name: of trained ones their
            seed, the epoch they were kept of, and their metrics (see `ZOO_METRICS`).
    """

    members: np.ndarray
    parameters: dict[str, Tensor]
    statistics: dict[str, Tensor] = field(default_factory=dict)
    about: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.members)

    def take(self, places: Sequence[int] | np.ndarray) -> Block:
        """The networks at some places of the block, in this order."""
        where = np.asarray(places, dtype=np.int64)
        rows = torch.from_numpy(where)
        return Block(
            self.members[where],
            {name: x[rows] for name, x in self.parameters.items()},
            {name: x[rows] for name, x in self.statistics.items()},
            {name: x[where] for name, x in self.about.items()},
        )

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Parameters and statistics: all that a network needs to say anything."""
        return {**self.parameters, **self.statistics}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        return {name: tuple(tensor.shape[1:]) for name, tensor in self.parameters.items()}

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Block:
        """The same networks in another form."""
        return replace(
            self,
            parameters={name: tensors[name] for name in self.parameters},
            statistics={name: tensors[name] for name in self.statistics},
        )

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


def read_columns(
    paths: Sequence[str | Path],
    below: int | None = None,
    size: int = 2**16,
    made: Sequence[Mapping[str, Any]] | None = None,
) -> Iterator[np.ndarray]:
    """Read the parameters of all networks of a zoo a few at a time, never a whole block.

    Args:
        paths: its blocks.
        below: only members with numbers below this one; by default all.
        size: at most so many parameters at a time, but at least one row of a tensor.
        made: what each of them was made with, where given.

    Yields:
        float32 arrays (members, c), in the order of members and of flattened networks.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    members, names = _members(paths, made)
    order = np.argsort(members)
    order = order[members[order] < below] if below is not None else order
    for name in names:
        # Opened for each tensor anew: what is mapped of a file stays in memory until it is closed.
        # The files were checked when their members were read.
        with ExitStack() as stack:
            files = [stack.enter_context(safe_open(path, framework="numpy")) for path in paths]
            parts = [file.get_slice(name) for file in files]
            shape = parts[0].get_shape()[1:]
            step = max(1, size // math.prod(shape[1:]))
            for start in range(0, shape[0], step):
                end = min(start + step, shape[0])
                rows = np.concatenate([part[:, start:end] for part in parts])
                yield rows.reshape(len(members), -1)[order]


def read_members(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> np.ndarray:
    """Numbers of all networks of a zoo, in order, without the networks; see `read_blocks`."""
    return np.sort(_members(paths, made)[0])


def _members(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None
) -> tuple[np.ndarray, list[str]]:
    """Numbers of all networks as the files have them, and the names of their parameters."""
    found, names = [], []
    for path, own in _with_made(paths, made):
        with open_tensors(path, ZOO_BLOCK, own) as file:
            found.append(file.get_tensor(_MEMBERS))
            names = opened_parameters(file)["tensors"]
    return np.concatenate(found), names


def _with_made(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None
) -> Iterator[tuple[str | Path, Mapping[str, Any] | None]]:
    return zip(paths, made if made is not None else [None] * len(paths), strict=True)


def read_blocks(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> Block:
    """Read several blocks of one zoo as one, in the order of their members; see `read_block`.

    Args:
        paths: its blocks.
        made: what each of them was made with, where given.

    Raises:
        FileProblem: also when two blocks hold the same member or networks of other shapes.
    """
    blocks = [read_block(path, own) for path, own in _with_made(paths, made)]
    shapes = blocks[0].shapes
    for path, block in zip(paths, blocks, strict=True):
        if block.shapes != shapes:
            raise FileProblem(
                f"{path} and {paths[0]} hold networks of different architectures; "
                "read blocks of one zoo at a time."
            )
    members = np.concatenate([block.members for block in blocks])
    if len(np.unique(members)) < len(members):
        raise FileProblem(
            f"Two of {', '.join(map(str, paths))} hold the same member; name each block once."
        )
    order = np.argsort(members)
    index = torch.from_numpy(order)
    return Block(
        members[order],
        {name: torch.cat([block.parameters[name] for block in blocks])[index] for name in shapes},
        {
            name: torch.cat([block.statistics[name] for block in blocks])[index]
            for name in blocks[0].statistics
        },
        {
            name: np.concatenate([block.about[name] for block in blocks])[order]
            for name in blocks[0].about
        },
    )
