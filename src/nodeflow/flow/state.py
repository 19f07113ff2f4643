"""What modules have learned, as arrays by name, for files that hold several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import nn

__all__ = ["load_state", "part_of", "state_of"]

M = TypeVar("M", bound=nn.Module)


def state_of(module: nn.Module, part: str) -> dict[str, np.ndarray]:
    """The arrays of a module, their names behind that of the part."""
    return {f"{part}.{name}": x.cpu().numpy() for name, x in module.state_dict().items()}


def load_state(module: M, tensors: Mapping[str, np.ndarray], part: str) -> M:
    """The module with what `state_of` gave, in evaluation mode."""
    arrays = part_of(tensors, part)
    module.load_state_dict({name: torch.from_numpy(x) for name, x in arrays.items()})
    return module.eval()


def part_of(tensors: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """The arrays of a part by their names within it."""
    start = f"{part}."
    return {
        name.removeprefix(start): array for name, array in tensors.items() if name.startswith(start)
    }
