"""Flows, their samples and their histories as files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nodeflow.flow.codec import Codec, SpanCodec, codec_from_tensors, codec_to_tensors
from nodeflow.flow.descent import Descent, DescentField
from nodeflow.flow.gram import Columns, decode_columns
from nodeflow.flow.sample import AnyFlow, Samples, StoredSamples
from nodeflow.flow.settings import DescentSettings, settings_of
from nodeflow.flow.train import Flow
from nodeflow.flow.velocity import build_velocity
from nodeflow.tables import (
    Kind,
    open_tensors,
    opened_parameters,
    write_tensors,
    writing_tensors,
)
from nodeflow.zoo.architectures import Architecture, build
from nodeflow.zoo.store import Stored

__all__ = [
    "FLOW_FILE",
    "FLOW_SAMPLES",
    "open_samples",
    "read_flow",
    "read_samples",
    "stream_samples",
    "write_flow",
    "write_samples",
]

FLOW_FILE = Kind("flow", 3)
FLOW_SAMPLES = Kind("flow samples", 1)


def write_flow(path: str | Path, flow: AnyFlow, parameters: Mapping[str, Any]) -> None:
    """Write a flow as one safetensors file: all that it was trained to, and its settings.

    Args:
        path: final name.
        flow: the flow.
        parameters: what else it was made with; checked on read.
    """
    about: dict[str, Any] = {
        "settings": flow.settings.as_dict(),
        "shapes": [[name, list(shape)] for name, shape in flow.shapes.items()],
        "classes": list(flow.labels),
    }
    tensors: dict[str, np.ndarray] = {}
    if isinstance(flow, Descent):
        modules: dict[str, nn.Module] = {"velocity": flow.field}
        modules |= {f"label {i}": field for i, field in enumerate(flow.labelled.values())}
        about["initializations"] = list(flow.initializations)
        about["recipe"] = dict(flow.field.architecture.recipe)
    else:
        modules = {"velocity": flow.velocity}
        tensors |= {f"codec.{name}": array for name, array in codec_to_tensors(flow.codec).items()}
    for part, module in modules.items():
        for name, tensor in module.state_dict().items():
            tensors[f"{part}.{name}"] = tensor.cpu().numpy()
    write_tensors(path, tensors, FLOW_FILE, {**parameters, **about})


def read_flow(path: str | Path, parameters: Mapping[str, Any] | None = None) -> AnyFlow:
    """Read and check a flow; it is on the CPU, ready to be sampled.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors, about = _read(path, FLOW_FILE, parameters)
    settings = settings_of(about["settings"]["method"], about["settings"])
    shapes = {name: tuple(shape) for name, shape in about["shapes"]}
    labels = tuple(about.get("classes", ()))
    if isinstance(settings, DescentSettings):
        architecture = build(**about["recipe"])
        state = _state(tensors, "velocity.")
        if "noise" not in state:  # descents had none at first
            state["noise"] = torch.zeros(settings.evaluations)
            settings = replace(settings, noise=0.0)
        field = _descent_field(architecture, state)
        labelled = {
            label: _descent_field(architecture, _state(tensors, f"label {i}."))
            for i, label in enumerate(labels)
        }
        return Descent(settings, shapes, tuple(about["initializations"]), field, labelled)
    stored, kind = _part(tensors, "codec."), settings.codec.kind
    codec: Codec | SpanCodec
    codec = SpanCodec(**stored) if kind == "span" else codec_from_tensors(kind, stored)
    # A field with labels has a mean for each of them and one for none.
    size = (len(labels) + 1, codec.size) if labels else (codec.size,)
    velocity = build_velocity(
        settings.velocity,
        torch.zeros(size),
        torch.ones(size),
        settings.source_std,
        settings.path_noise,
        torch.Generator(),
    )
    velocity.load_state_dict(_state(tensors, "velocity."))
    return Flow(settings, shapes, codec, velocity.eval(), labels)


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


def stream_samples(
    path: str | Path,
    flow: Flow,
    columns: Columns,
    codes: np.ndarray,
    seeds: np.ndarray,
    parameters: Mapping[str, Any],
) -> None:
    """Decode and write the networks of a streamed flow, a few parameters of each at a time.

    Args:
        path: final name; the file is as `write_samples` makes it.
        flow: its codec is a `SpanCodec`.
        columns: the members that it learned from, as they were given to `fit_streamed_flow`.
        codes: (M, k) sampled codes; see `nodeflow.flow.sample.sample_codes`.
        seeds: (M,) their seeds.
        parameters: what they were made with; checked on read.
    """
    assert isinstance(flow.codec, SpanCodec)
    count, ok = len(codes), np.isfinite(codes).all(axis=1)
    forms = {f"parameters.{n}": ("F32", (count, *shape)) for n, shape in flow.shapes.items()}
    forms |= {"codes": ("F32", codes.shape), "seeds": ("I64", (count,)), "ok": ("BOOL", (count,))}
    about = {**parameters, "tensors": list(flow.shapes)}
    scaled = codes.astype(np.float64) * flow.codec.scale
    with writing_tensors(path, forms, FLOW_SAMPLES, about) as file:
        sizes = [math.prod(shape) for shape in flow.shapes.values()]
        rows = [file[f"parameters.{name}"].reshape(count, -1) for name in flow.shapes]
        ends, start = np.cumsum(sizes), 0
        for part in decode_columns(columns, flow.codec.spectrum, flow.codec.weights, scaled):
            # A pass never goes beyond a tensor's end.
            tensor = int(np.searchsorted(ends, start, side="right"))
            place = start - (int(ends[tensor]) - sizes[tensor])
            with np.errstate(over="ignore"):
                part = np.where(ok[:, None], part, np.nan).astype(np.float32)
            ok &= np.isfinite(part).all(axis=1)
            rows[tensor][:, place : place + part.shape[1]] = part
            start += part.shape[1]
        file["codes"][:], file["seeds"][:], file["ok"][:] = codes, seeds, ok


def read_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Samples:
    """Read and check generated networks; see `read_flow`."""
    tensors, about = _read(path, FLOW_SAMPLES, parameters)
    stacked = _part(tensors, "parameters.")
    return Samples(
        {name: torch.from_numpy(stacked[name]) for name in about["tensors"]},
        tensors["codes"],
        tensors["seeds"],
        tensors["ok"],
    )


def open_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> StoredSamples:
    """Check generated networks, to read a few of them at a time; see `read_flow`."""
    with open_tensors(path, FLOW_SAMPLES, parameters) as file:
        seeds, ok = file.get_tensor("seeds"), file.get_tensor("ok")
        names = opened_parameters(file)["tensors"]
        shapes = {n: tuple(file.get_slice(f"parameters.{n}").get_shape()[1:]) for n in names}
    numbers = np.arange(len(seeds))
    where = np.stack([np.zeros_like(numbers), numbers], axis=1)
    return StoredSamples(
        Stored((Path(path),), where, numbers, shapes, prefix="parameters."), seeds, ok
    )


def _read(
    path: str | Path, kind: Kind, parameters: Mapping[str, Any] | None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file and what it was made with."""
    with open_tensors(path, kind, parameters) as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        return tensors, opened_parameters(file)


def _descent_field(architecture: Architecture, state: dict[str, Tensor]) -> DescentField:
    evaluations, probes, features = state["items"].shape
    field = DescentField(architecture, evaluations, probes, features, state["targets"].shape[2])
    field.load_state_dict(state)
    return field.eval()


def _state(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in _part(tensors, prefix).items()}


def _part(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in tensors.items()
        if name.startswith(prefix)
    }
