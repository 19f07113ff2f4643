"""Flows over neural ODEs as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nodeflow.bridge.flow import BridgeFlow, Conditions, new_velocity
from nodeflow.flow.codec import SpanCodec, codec_from_tensors, codec_to_tensors
from nodeflow.flow.settings import FlowSettings
from nodeflow.flow.state import load_state, part_of, state_of
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors

__all__ = ["read_node_flow", "write_node_flow"]

FLOW = Kind("bridge flow", 1)


def write_node_flow(path: str | Path, flow: BridgeFlow, parameters: Mapping[str, Any]) -> None:
    """Write a flow over neural ODEs as one safetensors file."""
    tensors = {f"codec.{name}": array for name, array in codec_to_tensors(flow.codec).items()}
    tensors |= state_of(flow.velocity, "velocity")
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
    settings = FlowSettings(**about["settings"])
    known = {name: tuple(value) for name, value in about["conditions"].items()}
    conditions = Conditions(**known)
    means, variances = (
        torch.from_numpy(tensors[f"velocity.{name}"]) for name in ("means", "variances")
    )
    velocity = new_velocity(settings, means, variances, conditions.size, torch.Generator())
    codec = codec_from_tensors(settings.codec.kind, part_of(tensors, "codec"))
    assert not isinstance(codec, SpanCodec)
    return BridgeFlow(
        settings,
        {name: tuple(shape) for name, shape in about["shapes"]},
        codec,
        conditions,
        load_state(velocity, tensors, "velocity"),
    )
