"""Members of zoos: stacks with numbers, and the files that hold blocks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow import stack_files
from nodeflow.stack import Stack
from nodeflow.stack_files import Stored
from nodeflow.tensors import as_tensors, without_buffers
from nodeflow.zoo.schemas import ZOO_BLOCK

__all__ = [
    "Block",
    "open_blocks",
    "read_about",
    "read_block",
    "read_blocks",
    "write_block",
]


def Block(  # noqa: N802, it makes a stack as a class would
    members: Sequence[int] | np.ndarray,
    parameters: Mapping[str, Any],
    statistics: Mapping[str, Any] | None = None,
    about: Mapping[str, np.ndarray] | None = None,
) -> Stack[Tensor]:
    """Networks with numbers, as a stack of tensors of one floating type.

    Args:
        members: their numbers in the zoo, (K,).
        parameters: tensors or arrays of shape (K, *shape) by name, kept in the order given. State
            dictionaries may be stacked as they are: running statistics are taken to be what they
            are.
        statistics: running means and variances, likewise.
        about: what else is known of each network, arrays of shape (K,) by name: of trained ones
            their seed, the epoch they were kept of, and their metrics (see `ZOO_METRICS`).

    Raises:
        StackProblem: not as many networks in a tensor as there are members.
        TensorProblem: something is no tensor of floating numbers.
    """
    plain, buffers = without_buffers(parameters, "the parameters of a block")
    return Stack(
        as_tensors(plain, "the parameters of a block"),
        as_tensors({**buffers, **(statistics or {})}, "the statistics of a block"),
        {**(about or {}), "member": np.asarray(members, dtype=np.int64)},
    )


def write_block(path: str | Path, block: Stack[Tensor], parameters: Mapping[str, Any]) -> None:
    """Write a block as one safetensors file; see `nodeflow.stack_files.write_stack`."""
    stack_files.write_stack(path, block, ZOO_BLOCK, parameters)


def read_block(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Stack[Tensor]:
    """Read and check a block; its tensors are on the CPU.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    read = stack_files.read_stack(path, ZOO_BLOCK, parameters)
    parameters_, statistics = (
        {name: torch.tensor(x) for name, x in part.items()}
        for part in (read.parameters, read.statistics)
    )
    return Stack(parameters_, statistics, read.about)


def read_about(
    path: str | Path, parameters: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Read numbers, seeds and metrics of a block's networks without the networks.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Returns:
        Arrays of shape (K,): "member", and whatever else is known of each.
    """
    return stack_files.read_about(path, ZOO_BLOCK, parameters)


def open_blocks(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> Stored:
    """Open several blocks of one zoo as one; see `nodeflow.stack_files.open_stacks`."""
    return stack_files.open_stacks(paths, ZOO_BLOCK, made)


def read_blocks(
    paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]] | None = None
) -> Stack[Tensor]:
    """Read several blocks of one zoo as one; see `open_blocks`."""
    zoo = open_blocks(paths, made)
    return zoo.take(np.arange(len(zoo)))
