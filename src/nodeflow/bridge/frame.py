"""The canonical form of a whole zoo, fitted on its training members and used for all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.bridge.canonical import Canonical, canonicalize, common_order
from nodeflow.bridge.members import Members
from nodeflow.canonical.matching import MatchSettings
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors

__all__ = ["Frame", "fit_frame", "read_frame", "write_frame"]

FRAME = Kind("bridge frame", 1)

_STATES = 64


@dataclass(frozen=True)
class Frame:
    """The canonical form of a zoo, fitted on its training members and used for all others.

    Attributes:
        ranges: smallest and largest training state of each system.
        reference: the common order, one neural ODE in float64.
        settings: of the matching.
    """

    ranges: dict[str, tuple[float, float]]
    reference: dict[str, Tensor]
    settings: MatchSettings

    def states(self, system: str) -> np.ndarray:
        """Equally spaced states (64,) over the training range of a system."""
        return np.linspace(*self.ranges[system], _STATES)

    def apply(
        self, parameters: Mapping[str, Tensor], system: Sequence[str] | np.ndarray
    ) -> Canonical:
        """Bring neural ODEs of these systems, one each, into the canonical form."""
        states = torch.from_numpy(np.stack([self.states(name) for name in system]))
        return canonicalize(parameters, states, self.reference, self.settings)


def fit_frame(members: Members, settings: MatchSettings) -> Frame:
    """The frame of a zoo.

    Args:
        members: its training members, of all systems.
        settings: of the matching.

    Raises:
        CanonicalProblem: none of them is finite.
    """
    ranges = {}
    for system in dict.fromkeys(members.system.tolist()):
        seen = members.seen[members.system == system]
        ranges[system] = (float(seen[:, 0].min()), float(seen[:, 1].max()))
    frame = Frame(ranges, {}, settings)
    states = torch.from_numpy(np.stack([frame.states(name) for name in members.system]))
    return Frame(ranges, common_order(members.parameters, states, settings), settings)


def write_frame(path: str | Path, frame: Frame, parameters: Mapping[str, Any]) -> None:
    """Write a canonical frame as one safetensors file."""
    tensors = {f"reference.{name}": tensor.numpy() for name, tensor in frame.reference.items()}
    about = {"ranges": frame.ranges, "used": asdict(frame.settings)}
    write_tensors(path, tensors, FRAME, {**parameters, **about})


def read_frame(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Frame:
    """Read and check a canonical frame; see `read_members`."""
    tensors = read_tensors(path, FRAME, parameters)
    about = read_parameters(path)
    return Frame(
        {system: (low, high) for system, (low, high) in about["ranges"].items()},
        {name.removeprefix("reference."): torch.from_numpy(x) for name, x in tensors.items()},
        MatchSettings(**about["used"]),
    )
