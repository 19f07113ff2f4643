"""Flows over neural ODEs as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nodeflow.bridge.flow import BridgeFlow, Conditions, new_velocity
from nodeflow.flow.codec import codec_from_tensors, codec_to_tensors
from nodeflow.flow.settings import flow_settings
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors

__all__ = ["read_node_flow", "write_node_flow"]

FLOW = Kind("bridge flow", 1)


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
