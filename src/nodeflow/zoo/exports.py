"""Generated networks as checkpoints of the user's own: files that his module loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from nodeflow.provenance import versions
from nodeflow.stack import Stack
from nodeflow.tables import open_tensors, opened_parameters, replacing
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import recalibrated
from nodeflow.zoo.schemas import ZOO_BLOCK

__all__ = ["completed", "saved_dtypes", "write_checkpoints"]

_CPU = torch.device("cpu")
_FLOATING = (
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
)


def completed(
    architecture: Architecture,
    networks: Stack[Tensor],
    items: np.ndarray | None,
    members: Stack[Tensor],
    device: torch.device = _CPU,
) -> tuple[dict[str, Tensor], str]:
    """Generated networks with the running statistics that their module asks for.

    Args:
        architecture: of all networks.
        networks: M of them.
        items: training items, on which statistics are measured anew; None, or none of them, gives
            each network those of the first member.
        members: of the zoo.
        device: where to compute.

    Returns:
        Tensors of shape (M, *shape), and where statistics come from: "recalibrated", "reference",
        or "" if the architecture has none.
    """
    if not architecture.statistics:
        return dict(networks.parameters), ""
    if items is not None and len(items) > 1 and len(networks):
        measured = recalibrated(architecture, networks.parameters, items, device)
        return {**networks.parameters, **measured}, "recalibrated"
    first = {
        name: x[:1].expand(len(networks), *x.shape[1:]) for name, x in members.statistics.items()
    }
    return {**networks.parameters, **first}, "reference"


def saved_dtypes(path: str | Path) -> dict[str, torch.dtype]:
    """Types of tensors in the checkpoints that a block was read from, by name."""
    with open_tensors(path, ZOO_BLOCK) as file:
        names = opened_parameters(file).get("dtypes", {})
    known = {str(x).removeprefix("torch."): x for x in _FLOATING}
    return {name: known[kind] for name, kind in names.items()}


def write_checkpoints(
    folder: str | Path,
    architecture: Architecture,
    networks: Mapping[str, Tensor],
    seeds: Sequence[int] | np.ndarray,
    dtypes: Mapping[str, torch.dtype],
    made: Mapping[str, Any],
) -> list[Path]:
    """Write networks as one safetensors file each, as `load_state_dict(strict=True)` takes them.

    `module.load_state_dict(safetensors.torch.load_file(path))` reads one. Its metadata hold its
    seed and what it was made with, as JSON under "nodeflow".

    Args:
        folder: is made where it is not there.
        architecture: of all networks.
        networks: tensors of shape (M, *shape), running statistics among them.
        seeds: (M,), the seed of each.
        dtypes: the type of each tensor.
        made: what the networks were made with.

    Returns:
        The files of those networks that are finite in these types, in their order.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for place, seed in enumerate(seeds):
        state = architecture.state_dict({n: x[place] for n, x in networks.items()}, dtypes)
        if not all(x.isfinite().all() for x in state.values()):
            continue
        about = {
            "seed": int(seed),
            "sample": place,
            "versions": versions(),
            "made_with": dict(made),
        }
        path = folder / f"sample_{place:04d}.safetensors"
        with replacing(path) as beside:
            # Tensors with several names are written under each: no module misses one then.
            save_file(
                {name: x.clone().contiguous() for name, x in state.items()},
                beside,
                {"format": "pt", "nodeflow": json.dumps(about)},
            )
        paths.append(path)
    return paths
