"""Flows as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.flow.method import Generator, Written
from nodeflow.flow.methods import METHODS, settings_of
from nodeflow.flow.training_schemas import FLOW_FILE
from nodeflow.tables import open_tensors, opened_parameters, write_tensors

__all__ = ["read_flow", "write_flow"]


def write_flow(path: str | Path, flow: Generator, parameters: Mapping[str, Any]) -> None:
    """Write a flow as one safetensors file: all that it was trained to, and its settings.

    Args:
        path: final name.
        flow: the flow.
        parameters: what else it was made with; checked on read.
    """
    about = {
        "settings": flow.settings.as_dict(),
        "shapes": [[name, list(shape)] for name, shape in flow.shapes.items()],
        "classes": list(flow.labels),
        **flow.about(),
    }
    write_tensors(path, flow.tensors(), FLOW_FILE, {**parameters, **about})


def read_flow(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Generator:
    """Read and check a flow; it is on the CPU, ready to be sampled.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    with open_tensors(path, FLOW_FILE, parameters) as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        about = opened_parameters(file)
    method = about["settings"]["method"]
    settings = settings_of(method, about["settings"])
    shapes = {name: tuple(shape) for name, shape in about["shapes"]}
    written = Written(settings, shapes, tuple(about["classes"]), tensors, about)
    return METHODS[method].read(written)
