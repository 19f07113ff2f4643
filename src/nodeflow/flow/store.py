"""Flows, their samples and their histories as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from nodeflow.flow.codec import codec_from_tensors, codec_to_tensors
from nodeflow.flow.sample import Samples
from nodeflow.flow.settings import flow_settings
from nodeflow.flow.train import Flow
from nodeflow.flow.velocity import build_velocity
from nodeflow.tables import Kind, Schema, read_parameters, read_tensors, write_tensors

__all__ = [
    "FLOW_FILE",
    "FLOW_HISTORY",
    "FLOW_SAMPLES",
    "read_flow",
    "read_samples",
    "write_flow",
    "write_samples",
]

FLOW_FILE = Kind("flow", 1)
FLOW_SAMPLES = Kind("flow samples", 1)

FLOW_HISTORY = Schema(
    "flow history",
    1,
    columns={
        "step": pa.int64(),
        "loss": pa.float64(),
        "train_loss": pa.float64(),
        "held_out_loss": pa.float64(),
    },
    about={
        "step": "optimizer steps done",
        "loss": "mean flow matching loss of the batches since the row before, squared code units",
        "train_loss": "loss of the weights to be sampled from, on training members at fixed draws",
        "held_out_loss": "the same on members that the flow never learns from; NaN without any",
    },
)


def write_flow(path: str | Path, flow: Flow, parameters: Mapping[str, Any]) -> None:
    """Write a flow as one safetensors file: codec, velocity field and settings.

    Args:
        path: final name.
        flow: the flow.
        parameters: what else it was made with; checked on read.
    """
    tensors = {f"codec.{name}": array for name, array in codec_to_tensors(flow.codec).items()}
    for name, tensor in flow.velocity.state_dict().items():
        tensors[f"velocity.{name}"] = tensor.cpu().numpy()
    about = {
        "settings": flow.settings.as_dict(),
        "shapes": [[name, list(shape)] for name, shape in flow.shapes.items()],
    }
    write_tensors(path, tensors, FLOW_FILE, {**parameters, **about})


def read_flow(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Flow:
    """Read and check a flow; it is on the CPU, ready to be sampled.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors = read_tensors(path, FLOW_FILE, parameters)
    about = read_parameters(path)
    settings = flow_settings(about["settings"]["method"], about["settings"])
    codec = codec_from_tensors(settings.codec.kind, _part(tensors, "codec."))
    velocity = build_velocity(
        settings.velocity,
        torch.zeros(codec.size),
        torch.ones(codec.size),
        settings.source_std,
        settings.path_noise,
        torch.Generator(),
    )
    state = _part(tensors, "velocity.")
    velocity.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    shapes = {name: tuple(shape) for name, shape in about["shapes"]}
    return Flow(settings, shapes, codec, velocity.eval())


def write_samples(path: str | Path, samples: Samples, parameters: Mapping[str, Any]) -> None:
    """Write generated networks, the failed ones included, as one safetensors file.

    Args:
        path: final name.
        samples: the networks.
        parameters: what they were made with; checked on read.
    """
    tensors = {f"parameters.{name}": t.numpy() for name, t in samples.parameters.items()}
    tensors |= {"codes": samples.codes, "seeds": samples.seeds, "ok": samples.ok}
    write_tensors(path, tensors, FLOW_SAMPLES, {**parameters, "tensors": list(samples.parameters)})


def read_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Samples:
    """Read and check generated networks; see `read_flow`."""
    tensors = read_tensors(path, FLOW_SAMPLES, parameters)
    stacked = _part(tensors, "parameters.")
    order = read_parameters(path)["tensors"]
    return Samples(
        {name: torch.from_numpy(stacked[name]) for name in order},
        tensors["codes"],
        tensors["seeds"],
        tensors["ok"],
    )


def _part(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in tensors.items()
        if name.startswith(prefix)
    }
