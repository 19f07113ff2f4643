"""Neural ODEs with what tells them apart, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors

__all__ = ["Members", "joined", "learned", "read_members", "read_zoos", "write_members"]

MEMBERS = Kind("bridge members", 2)


@dataclass(frozen=True)
class Members:
    """R neural ODEs with what tells them apart.

    Attributes:
        parameters: float32 tensors of shape (R, *shape) by name; see `nodeflow.neural_ode.layout`.
        system: (R,) name of the system that each was trained on.
        beta: (R,) inverse temperature of its training graph.
        gamma: (R,) degree exponent of its training graph.
        graph: (R,) index of that graph in its cell.
        seed: (R,) number of its initialization.
        seen: (R, 2) smallest and largest state in its training data.
        loss: (R,) training loss of the last batch.
        error: (R,) mean absolute error on the training data; NaN where there is none.
        ok: (R,) False where the training failed.
    """

    parameters: dict[str, Tensor]
    system: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    graph: np.ndarray
    seed: np.ndarray
    seen: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    ok: np.ndarray

    def __len__(self) -> int:
        return len(self.ok)

    def take(self, places: Sequence[int] | np.ndarray) -> Members:
        """The members at some places, in this order."""
        where = np.asarray(places, dtype=np.int64)
        rows = torch.from_numpy(where)
        facts = {name: getattr(self, name)[where] for name in FACTS}
        return Members({n: x[rows] for n, x in self.parameters.items()}, **facts)

    def with_parameters(self, parameters: Mapping[str, Tensor]) -> Members:
        """The same members in another form."""
        return replace(self, parameters=dict(parameters))

    def in_cells(self, cells: Sequence[tuple[float, float]]) -> np.ndarray:
        """(R,) which members belong to one of these β and γ."""
        found = np.zeros(len(self), dtype=bool)
        for beta, gamma in cells:
            found |= (self.beta == beta) & (self.gamma == gamma)
        return found

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor of one neural ODE."""
        return {name: tuple(tensor.shape[1:]) for name, tensor in self.parameters.items()}


FACTS = ("system", "beta", "gamma", "graph", "seed", "seen", "loss", "error", "ok")
"""The attributes of `Members` beside the parameters."""


def joined(parts: Sequence[Members]) -> Members:
    """Several zoos of one architecture as one, one after another."""
    parameters = {
        name: torch.cat([part.parameters[name] for part in parts]) for name in parts[0].parameters
    }
    facts = {name: np.concatenate([getattr(part, name) for part in parts]) for name in FACTS}
    return Members(parameters, **facts)


def learned(
    members: Members, cells: Sequence[tuple[float, float]], learned_graphs: int
) -> np.ndarray:
    """(R,) which members a flow learns from: those of its cells and of the first graphs of each.

    All others are held out: they have neither a seed nor a training graph in common with these.
    """
    own: np.ndarray = members.ok & members.in_cells(cells) & (members.graph < learned_graphs)
    return own


def write_members(path: str | Path, members: Members, parameters: Mapping[str, Any]) -> None:
    """Write neural ODEs, trained or generated, as one safetensors file."""
    systems = list(dict.fromkeys(members.system.tolist()))
    tensors = {f"parameters.{name}": x.numpy() for name, x in members.parameters.items()}
    facts = {name: getattr(members, name) for name in FACTS}
    facts["system"] = np.array([systems.index(name) for name in members.system], dtype=np.int64)
    facts["ok"] = members.ok.astype(np.uint8)
    about = {"systems": systems, "tensors": list(members.parameters)}
    write_tensors(path, {**tensors, **facts}, MEMBERS, {**parameters, **about})


def read_members(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Members:
    """Read and check neural ODEs.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors = read_tensors(path, MEMBERS, parameters)
    about = read_parameters(path)
    facts = {name: tensors[name] for name in FACTS}
    facts["system"] = np.array(about["systems"])[facts["system"]]
    facts["ok"] = facts["ok"].astype(bool)
    return Members(
        {name: torch.from_numpy(tensors[f"parameters.{name}"]) for name in about["tensors"]},
        **facts,
    )


def read_zoos(paths: Sequence[str | Path], made: Sequence[Mapping[str, Any]]) -> Members:
    """Several zoos as one; see `read_members`."""
    return joined([read_members(path, own) for path, own in zip(paths, made, strict=True)])
