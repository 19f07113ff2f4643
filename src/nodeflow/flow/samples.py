"""Generated networks, whatever generated them: stacks that know the seed and code of each.

Each sample has its own seed, and depends on nothing else: not on how many are drawn at once, nor
on its place among them. Known of each is its "seed", its "code", (k,) float32 where k is 0 for a
descent, and whether it is "ok": not where a parameter is not finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.schemas import FLOW_SAMPLES
from nodeflow.seeds import derive_seed
from nodeflow.stack import Stack
from nodeflow.stack_files import Stored, open_stacks, read_stack, write_stack

__all__ = ["open_samples", "read_samples", "sample_seeds", "write_samples"]


def sample_seeds(count: int, root_seed: int, labels: tuple[str | float, ...]) -> np.ndarray:
    """The seeds (count,) int64 of samples 0, 1, …: hashes of (root_seed, labels, index)."""
    seeds = [derive_seed(root_seed, "flow sample", *labels, index) for index in range(count)]
    return np.array(seeds, dtype=np.int64)


def write_samples(path: str | Path, samples: Stack[Tensor], parameters: Mapping[str, Any]) -> None:
    """Write generated networks, the failed ones included, as one safetensors file.

    Args:
        path: final name.
        samples: the networks.
        parameters: what they were made with; checked on read.
    """
    write_stack(path, samples, FLOW_SAMPLES, parameters)


def read_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Stack[Tensor]:
    """Read and check generated networks; see `nodeflow.flow.read_flow`."""
    read = read_stack(path, FLOW_SAMPLES, parameters)
    tensors = {name: torch.from_numpy(x) for name, x in read.parameters.items()}
    return Stack(tensors, about=read.about)


def open_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Stored:
    """Check generated networks, to read a few of them at a time; see `read_samples`."""
    return open_stacks([path], FLOW_SAMPLES, [parameters or {}])
