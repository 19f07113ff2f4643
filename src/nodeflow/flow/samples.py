"""Generated networks, in memory and in files, whatever generated them.

Each sample has its own seed, and depends on nothing else: not on how many are drawn at once, nor
on its place among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.schemas import FLOW_SAMPLES
from nodeflow.seeds import derive_seed
from nodeflow.tables import open_tensors, opened_parameters, write_tensors
from nodeflow.zoo.store import Block, Networks, Stored

__all__ = [
    "Drawn",
    "Samples",
    "StoredSamples",
    "joined",
    "open_samples",
    "read_samples",
    "sample_seeds",
    "write_samples",
]


class Drawn(Protocol):
    """Generated networks, in memory (`Samples`) or in a file (`StoredSamples`)."""

    @property
    def networks(self) -> Networks:
        """All of them, numbered from 0."""
        ...

    @property
    def seeds(self) -> np.ndarray:
        """(M,) int64, the seed of each."""
        ...


@dataclass(frozen=True)
class StoredSamples:
    """Generated networks in a file, read when they are asked for.

    Attributes:
        networks: the networks, numbered from 0.
        seeds: (M,) int64, the seed of each.
        ok: (M,) bool; False where a parameter is not finite.
    """

    networks: Stored
    seeds: np.ndarray
    ok: np.ndarray

    def parts(self, count: int) -> list[StoredSamples]:
        """These networks, `count` at a time."""
        cuts = [slice(i, i + count) for i in range(0, len(self.seeds), count)]
        numbers = np.arange(len(self.seeds))
        return [
            StoredSamples(self.networks.select(numbers[c]), self.seeds[c], self.ok[c]) for c in cuts
        ]


@dataclass(frozen=True)
class Samples:
    """Generated networks.

    Attributes:
        parameters: name → tensor (M, *shape), float32; those of a failed sample are not finite.
        codes: (M, k) float32; k is 0 for a descent.
        seeds: (M,) int64, the seed of each.
        ok: (M,) bool; False where a parameter is not finite.
    """

    parameters: dict[str, Tensor]
    codes: np.ndarray
    seeds: np.ndarray
    ok: np.ndarray

    @property
    def networks(self) -> Block:
        """All of them, numbered from 0."""
        return Block(np.arange(len(self.seeds)), self.parameters)

    def parts(self, count: int) -> list[Samples]:
        """These networks, `count` at a time."""
        return [
            Samples(
                {name: tensor[i : i + count] for name, tensor in self.parameters.items()},
                self.codes[i : i + count],
                self.seeds[i : i + count],
                self.ok[i : i + count],
            )
            for i in range(0, len(self.seeds), count)
        ]


def joined(parts: Sequence[Samples]) -> Samples:
    """Several draws of networks of one architecture as one, one after the other."""
    return Samples(
        {name: torch.cat([p.parameters[name] for p in parts]) for name in parts[0].parameters},
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("codes", "seeds", "ok")),
    )


def sample_seeds(count: int, root_seed: int, labels: tuple[str | float, ...]) -> np.ndarray:
    """The seeds (count,) int64 of samples 0, 1, …: hashes of (root_seed, labels, index)."""
    seeds = [derive_seed(root_seed, "flow sample", *labels, index) for index in range(count)]
    return np.array(seeds, dtype=np.int64)


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
    """Read and check generated networks; see `nodeflow.flow.read_flow`."""
    with open_tensors(path, FLOW_SAMPLES, parameters) as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        names = opened_parameters(file)["tensors"]
    return Samples(
        {name: torch.from_numpy(tensors[f"parameters.{name}"]) for name in names},
        tensors["codes"],
        tensors["seeds"],
        tensors["ok"],
    )


def open_samples(path: str | Path, parameters: Mapping[str, Any] | None = None) -> StoredSamples:
    """Check generated networks, to read a few of them at a time; see `read_samples`."""
    with open_tensors(path, FLOW_SAMPLES, parameters) as file:
        seeds, ok = file.get_tensor("seeds"), file.get_tensor("ok")
        names = opened_parameters(file)["tensors"]
        shapes = {n: tuple(file.get_slice(f"parameters.{n}").get_shape()[1:]) for n in names}
    numbers = np.arange(len(seeds))
    where = np.stack([np.zeros_like(numbers), numbers], axis=1)
    return StoredSamples(
        Stored((Path(path),), where, numbers, shapes, prefix="parameters."), seeds, ok
    )
