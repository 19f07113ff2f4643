"""Zoos that were trained elsewhere: checkpoints in, networks out, and back again.

A checkpoint that is no network of the zoo is left out, with the reason; the others go on.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from nodeflow.problems import Problem
from nodeflow.stack import Stack
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.files import CheckpointProblem, checkpoint_files
from nodeflow.zoo.inside import network_in
from nodeflow.zoo.reading import read_checkpoint
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.store import Block
from nodeflow.zoo.torch_modules import from_module

__all__ = ["Imported", "RelatedWarning", "import_checkpoints", "own_architecture"]

_NEAR = 0.5
_SEEN = 2**16
"""Parameters of each network that are compared to find out how near networks lie."""


class RelatedWarning(UserWarning):
    """Checkpoints lie nearer to each other than independent training runs do."""


@dataclass(frozen=True)
class Imported:
    """Networks of a zoo that was trained elsewhere.

    Attributes:
        architecture: of all of them.
        members: the networks, numbered by their place among the checkpoints.
        report: columns of `ZOO_IMPORT`, one row a checkpoint, also of those that were left out.
        dtypes: type of the numbers of each tensor, as it was saved in the first network.
    """

    architecture: Architecture
    members: Stack[Tensor]
    report: pd.DataFrame
    dtypes: Mapping[str, torch.dtype]

    def state_dict(self, network: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A network as the module's `load_state_dict(strict=True)` takes it."""
        return self.architecture.state_dict(network, self.dtypes)


@one_thread_if_small
def import_checkpoints(
    source: str | Path | Sequence[str | Path | Mapping[str, Any]],
    module: nn.Module | Callable[[], nn.Module] | Architecture,
    item: Sequence[int] | None = None,
    *,
    pattern: str = "",
    part: str = "",
    tokens: int = 0,
    first: int = 0,
) -> Imported:
    """Networks that were trained elsewhere, out of a folder, of files, or of state dictionaries.

    Files are safetensors or what `torch.save` wrote, of which no code is run. A network is found in
    a checkpoint by its tensors, under whatever keys and prefixes a training loop or a wrapper put
    before them. Half precision becomes float32; tied weights are one tensor; counters of batches
    are left out. Checkpoints that are not finite, incomplete, of other shapes, or the same network
    as one before are left out, and `Imported.report` says why.

    Args:
        source: a folder; or files, or state dictionaries (also within a checkpoint), a network
            each.
        module: the module that they are of, with any values; what makes it; or its architecture.
        item: shape of an item that the module reads; may be left out if its first layer is linear.
        pattern: which files of a folder; see `checkpoint_files`.
        part: which network of each checkpoint, if it holds several; see `network_in`.
        tokens: the number of different tokens if items are texts, else 0.
        first: number of the first checkpoint.

    Raises:
        CheckpointProblem: no folder, no files, or no network in any of them.
        ArchitectureProblem: see `from_module`; or the shape of an item has to be given.
    """
    architecture = (
        module if isinstance(module, Architecture) else own_architecture(module, item, tokens)
    )
    if isinstance(source, Mapping):
        raise CheckpointProblem(
            "state dictionaries come as a list of at least one, a network each; this is a "
            "dictionary, so put it into a list."
        )
    if isinstance(source, str | Path):
        source = checkpoint_files(source, pattern)
    if not len(source):
        raise CheckpointProblem("the list of checkpoints is empty; give at least one.")
    files = [x for x in source if isinstance(x, str | Path)]
    folders = [Path(x).parent for x in files]
    where = os.path.commonpath(folders) or "." if len(files) == len(source) else "the list"
    stacks: dict[str, Tensor] = {}
    dtypes: dict[str, torch.dtype] = {}
    seen: dict[bytes, str] = {}
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, given in enumerate(source, first):
        name = str(given) if isinstance(given, str | Path) else f"state dictionary {number}"
        kind, reason = "", ""
        try:
            state = _state(given, architecture, name, part)
            network = _network(state, architecture, name)
            kind = ", ".join(sorted({_kind(state[x]) for x in network if x in state}))
            twin = seen.setdefault(_digest(network), name)
            if twin != name:
                raise CheckpointProblem(f"{name} is the same network as {twin}.")
            if not stacks:
                dtypes = _dtypes(state, architecture)
                stacks = {n: torch.empty(len(source), *x.shape[1:]) for n, x in network.items()}
            for tensor, x in network.items():
                stacks[tensor][len(numbers)] = x[0]
            numbers.append(number)
        except Problem as problem:
            reason = str(problem)
        rows.append(
            {
                "member": number,
                "file": name,
                "dtype": kind,
                "nearest": np.nan,
                "status": "left out" if reason else "ok",
                "reason": reason,
            }
        )
    if not numbers:
        raise CheckpointProblem(
            f"none of the {len(rows)} checkpoints of {where} is a network of {architecture.name}; "
            f"the first: {rows[0]['reason']}"
        )
    tensors = {name: x[: len(numbers)] for name, x in stacks.items()}
    members = Block(
        np.array(numbers),
        {name: tensors[name] for name in architecture.shapes},
        {name: tensors[name] for name in architecture.statistics},
    )
    report = pd.DataFrame(rows)
    near = _nearness(members)
    report.loc[report["status"] == "ok", "nearest"] = near
    if (near < _NEAR).sum() > len(near) / 2:
        warnings.warn(
            f"{int((near < _NEAR).sum())} of {len(near)} networks of {where} are nearer than half "
            "the usual distance to another, as checkpoints of one training run are: what is new "
            "relative to them means little; keep one of each run (pattern).",
            RelatedWarning,
            stacklevel=3,
        )
    return Imported(architecture, members, report, dtypes)


def own_architecture(
    module: nn.Module | Callable[[], nn.Module],
    item: Sequence[int] | None = None,
    tokens: int = 0,
    name: str = "",
) -> Architecture:
    """The architecture of the user's module, or of what makes it; see `from_module`.

    Args:
        module: the module, or a class or function that gives it without arguments.
        item: shape of an item; may be left out if the first layer is linear.
        tokens: the number of different tokens if items are texts, else 0.
        name: of the architecture; by default the module's class.

    Raises:
        ArchitectureProblem: no module, or the shape of an item has to be given.
    """
    built: Any = module
    if not isinstance(module, nn.Module) and callable(module):
        built = module()
    if not isinstance(built, nn.Module):
        raise ArchitectureProblem(
            f"{name or 'the function'} gives {type(built).__name__}; it has to give an nn.Module."
        )
    name = name or type(built).__name__
    if item is None:
        layers = [
            part
            for part in built.modules()
            if next(part.parameters(recurse=False), None) is not None
        ]
        if not layers or not isinstance(layers[0], nn.Linear):
            raise ArchitectureProblem(
                f"what shape the items of {name} have cannot be told from its first layer; give "
                "item, e.g. (3, 32, 32)."
            )
        item = (layers[0].in_features,)
    with warnings.catch_warnings():
        # How networks start is of no account: these were trained elsewhere.
        warnings.filterwarnings("ignore", message="No reset_parameters")
        return from_module(built, tuple(item), name, tokens)


def _state(
    given: str | Path | Mapping[str, Any], architecture: Architecture, name: str, part: str
) -> Mapping[str, Any]:
    held = read_checkpoint(given) if isinstance(given, str | Path) else given
    return network_in(held, architecture, name, part).state


def _network(state: Mapping[str, Any], architecture: Architecture, name: str) -> dict[str, Tensor]:
    """A network as a stack of one, in single precision."""
    _check(state, architecture, name)
    stacked: dict[str, Any] = {
        key: x[None] if isinstance(x, Tensor) else np.asarray(x)[None] for key, x in state.items()
    }
    network = {key: x.float() for key, x in architecture.arrange(stacked, name).items()}
    for key, x in network.items():
        if not x.isfinite().all():
            raise CheckpointProblem(f"tensor {key} of {name} holds values that are not finite.")
    return network


def _check(state: Mapping[str, Any], architecture: Architecture, name: str) -> None:
    """Find out whether a state dictionary is a whole network of an architecture."""
    others = {first: alias for alias, first in architecture.aliases.items()}
    for key, shape in {**architecture.shapes, **architecture.statistics}.items():
        x = state.get(key, state.get(others.get(key, key)))
        if x is None:
            kind = " (a buffer of batch normalization)" if key in architecture.statistics else ""
            raise CheckpointProblem(
                f"tensor {key}{kind} is missing from {name}; save the whole state dictionary, or "
                f"name the module that it is of in place of {architecture.name}."
            )
        given_shape = tuple(x.shape)
        if given_shape != tuple(shape):
            turned = ", transposed" if given_shape == tuple(reversed(shape)) else ""
            raise CheckpointProblem(
                f"tensor {key} of {name} has shape {given_shape}{turned}, and {architecture.name} "
                f"has {tuple(shape)} there; name the module that it was trained with."
            )


def _digest(network: Mapping[str, Tensor]) -> bytes:
    digest = hashlib.blake2b()
    for tensor in network.values():
        digest.update(tensor.numpy().data)
    return digest.digest()


def _kind(x: Any) -> str:
    return str(torch.as_tensor(x).dtype).removeprefix("torch.")


def _dtypes(state: Mapping[str, Any], architecture: Architecture) -> dict[str, torch.dtype]:
    """Type of each tensor that a state dictionary and its architecture have in common."""
    names = {*architecture.shapes, *architecture.statistics, *architecture.aliases}
    dtypes = {
        architecture.aliases.get(name, name): torch.as_tensor(x).dtype
        for name, x in state.items()
        if name in names
    }
    return {name: dtypes[name] for name in (*architecture.shapes, *architecture.statistics)}


def _nearness(members: Stack[Tensor]) -> np.ndarray:
    """Distance (K,) of each network to the nearest other one, in units of their usual distance."""
    count = len(members)
    if count < 3:
        return np.full(count, np.nan)
    rows = torch.cat([x.reshape(len(x), -1) for x in members.parameters.values()], dim=1)
    rows = rows[:, :: max(1, rows.shape[1] // _SEEN)].double()
    distances = torch.cdist(rows, rows)
    usual = distances[tuple(torch.triu_indices(count, count, 1))].median()
    distances.fill_diagonal_(torch.inf)
    near: np.ndarray = (distances.min(1).values / usual).numpy()
    return near
