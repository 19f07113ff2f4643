"""Files of the bridge: zoos of neural ODEs, their canonical frames, and flows over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nodeflow.bridge.canonical import Frame
from nodeflow.bridge.flow import BridgeFlow, Conditions, new_velocity
from nodeflow.bridge.zoo import FACTS, Members, joined
from nodeflow.canonical.matching import MatchSettings
from nodeflow.flow.codec import codec_from_tensors, codec_to_tensors
from nodeflow.flow.settings import flow_settings
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors

__all__ = [
    "read_frame",
    "read_members",
    "read_node_flow",
    "read_zoos",
    "write_frame",
    "write_members",
    "write_node_flow",
]

MEMBERS = Kind("bridge members", 1)
FRAME = Kind("bridge frame", 1)
FLOW = Kind("bridge flow", 1)


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


def write_frame(path: str | Path, frame: Frame, parameters: Mapping[str, Any]) -> None:
    """Write a canonical frame as one safetensors file."""
    tensors = {f"reference.{name}": tensor.numpy() for name, tensor in frame.reference.items()}
    about = {"ranges": frame.ranges, "matching": asdict(frame.settings)}
    write_tensors(path, tensors, FRAME, {**parameters, **about})


def read_frame(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Frame:
    """Read and check a canonical frame; see `read_members`."""
    tensors = read_tensors(path, FRAME, parameters)
    about = read_parameters(path)
    return Frame(
        {system: (low, high) for system, (low, high) in about["ranges"].items()},
        {name.removeprefix("reference."): torch.from_numpy(x) for name, x in tensors.items()},
        MatchSettings(**about["matching"]),
    )


def write_node_flow(path: str | Path, flow: BridgeFlow, parameters: Mapping[str, Any]) -> None:
    """Write a flow over neural ODEs as one safetensors file."""
    tensors = {f"codec.{name}": array for name, array in codec_to_tensors(flow.codec).items()}
    for name, tensor in flow.velocity.state_dict().items():
        tensors[f"velocity.{name}"] = tensor.cpu().numpy()
    about = {
        "settings": flow.settings.as_dict(),
        "shapes": [[name, list(shape)] for name, shape in flow.shapes.items()],
        "conditions": asdict(flow.conditions),
    }
    write_tensors(path, tensors, FLOW, {**parameters, **about})


def read_node_flow(path: str | Path, parameters: Mapping[str, Any] | None = None) -> BridgeFlow:
    """Read and check a flow over neural ODEs, ready to be sampled; see `read_members`."""
    tensors = read_tensors(path, FLOW, parameters)
    about = read_parameters(path)
    settings = flow_settings(about["settings"]["method"], about["settings"])
    known = {name: tuple(value) for name, value in about["conditions"].items()}
    conditions = Conditions(**known)
    state = {
        name.removeprefix("velocity."): torch.from_numpy(array)
        for name, array in tensors.items()
        if name.startswith("velocity.")
    }
    velocity = new_velocity(
        settings, state["means"], state["variances"], conditions.size, torch.Generator()
    )
    velocity.load_state_dict(state)
    codec = {
        name.removeprefix("codec."): array
        for name, array in tensors.items()
        if name.startswith("codec.")
    }
    return BridgeFlow(
        settings,
        {name: tuple(shape) for name, shape in about["shapes"]},
        codec_from_tensors(settings.codec.kind, codec),
        conditions,
        velocity.eval(),
    )
