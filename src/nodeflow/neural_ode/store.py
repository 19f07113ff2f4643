"""Neural ODEs and the steps of their training as stacks of arrays, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.neural_ode.layout import SELU
from nodeflow.stack import Stack
from nodeflow.stack_files import from_arrays, read_stack, write_stack
from nodeflow.tables import Kind, read_parameters, read_tensors

__all__ = [
    "Models",
    "models_from",
    "read_models",
    "read_snapshots",
    "write_models",
    "write_snapshots",
]

_MODELS = Kind("node models", 3)
_SNAPSHOTS = Kind("node snapshots", 2)


@dataclass(frozen=True)
class Models(Stack[np.ndarray]):
    """R trained neural ODEs of one system and training cell.

    Their parameters are float32 arrays of shape (R, …) by name, see `layout`; NaN where the
    training failed. Known of each are the `training_graph`, the states `seen`, whether it is `ok`,
    and its `error`.

    Attributes:
        snapshots: of a training whose recipe keeps them, the stack of its S steps, else None. Each
            is R neural ODEs: arrays of shape (S, R, …), and the "step", after so many steps of the
            optimizer: 0 first, the end of the training last. Of a replicate that was trained again
            they are of the attempt that was kept. They have a file of their own.
        activation: of their networks, one of `layout.ACTIVATIONS`.
    """

    snapshots: Stack[np.ndarray] | None = None
    activation: str = SELU

    @property
    def training_graph(self) -> np.ndarray:
        """(R,) index of the graph that each was trained on."""
        return self.about["training_graph"]

    @property
    def seen(self) -> np.ndarray:
        """(R, 2) smallest and largest state in the training data of each."""
        return self.about["seen"]

    @property
    def error(self) -> np.ndarray:
        """(R,) mean absolute error on what each was trained on; NaN where the training failed."""
        return self.about["error"]

    def some(self, rows: slice) -> Models:
        """Some of the models, without the steps of their training."""
        parameters = {name: x[rows] for name, x in self.parameters.items()}
        about = {name: x[rows] for name, x in self.about.items()}
        return Models(parameters, about=about, activation=self.activation)

    def labels(self, replicate: int) -> dict[str, int]:
        """What names a model in tables of its runs."""
        return {"replicate": replicate, "training_graph": int(self.training_graph[replicate])}


def write_models(path: str | Path, models: Models, parameters: Mapping[str, Any]) -> None:
    """Write models as one safetensors file; those whose training failed stay marked as such."""
    write_stack(path, models, _MODELS, {**parameters, "activation": models.activation})


def read_models(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Models:
    """Read and check models.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    return models_from(read_tensors(path, _MODELS, parameters), read_parameters(path))


def models_from(arrays: Mapping[str, np.ndarray], said: Mapping[str, Any]) -> Models:
    """The models of which a file holds these arrays, and says these parameters."""
    stack = from_arrays(arrays, said)
    return Models(stack.parameters, {}, stack.about, activation=said["activation"])


def write_snapshots(
    path: str | Path, snapshots: Stack[np.ndarray], parameters: Mapping[str, Any]
) -> None:
    """Write the steps of a training as one safetensors file."""
    write_stack(path, snapshots, _SNAPSHOTS, parameters)


def read_snapshots(
    path: str | Path, parameters: Mapping[str, Any] | None = None
) -> Stack[np.ndarray]:
    """Read and check the steps of a training.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    return read_stack(path, _SNAPSHOTS, parameters)
