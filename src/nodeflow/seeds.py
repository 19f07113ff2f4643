"""Independent random streams named by labels.

A stream is the hash of (root seed, purpose, labels…). It does not depend on the order in which
jobs run, on how items are grouped into jobs, or on any other stream.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodeflow.grid import number

if TYPE_CHECKING:
    import torch

__all__ = ["Stream", "derive_seed", "numpy_generator", "torch_generator"]


@dataclass(frozen=True)
class Stream:
    """Random streams of one item: a root seed, and the labels that all of them begin with.

    Attributes:
        root: the run's root seed.
        labels: what identifies the item: system, cell, replicate …
    """

    root: int
    labels: tuple[str | float, ...] = ()

    def seed(self, purpose: str, *labels: str | float) -> int:
        """The seed of one stream of this item; see `derive_seed`."""
        return derive_seed(self.root, purpose, *self.labels, *labels)

    def numpy(self, purpose: str, *labels: str | float) -> np.random.Generator:
        """The numpy generator of one stream of this item."""
        return np.random.default_rng(self.seed(purpose, *labels))


def derive_seed(root: int, purpose: str, *labels: str | float) -> int:
    """A seed in [0, 2⁶³) for one named stream.

    Args:
        root: the run's root seed (`seed` in the configuration).
        purpose: what the stream is for, e.g. "graph"; different purposes never share a stream.
        labels: what identifies the item: system, cell, replicate …
    """
    words = [str(root), purpose, *(x if isinstance(x, str) else number(x) for x in labels)]
    digest = hashlib.blake2b(json.dumps(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_generator(root: int, purpose: str, *labels: str | float) -> np.random.Generator:
    """The numpy generator of one named stream; see `derive_seed`."""
    return np.random.default_rng(derive_seed(root, purpose, *labels))


def torch_generator(root: int, purpose: str, *labels: str | float) -> torch.Generator:
    """The torch generator (on the CPU, whatever the device of the model) of one named stream."""
    import torch

    return torch.Generator().manual_seed(derive_seed(root, purpose, *labels))
