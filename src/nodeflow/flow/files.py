"""Samples into a file, whether or not the zoo that they are decoded with fits in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nodeflow.flow.codec import SpanCodec
from nodeflow.flow.gram import decode_columns
from nodeflow.flow.method import Condition, Generator
from nodeflow.flow.sample import Flow, sample
from nodeflow.flow.samples import joined, sample_seeds, write_samples
from nodeflow.flow.schemas import FLOW_SAMPLES
from nodeflow.flow.settings import SampleSettings
from nodeflow.tables import writing_tensors
from nodeflow.zoo.store import Networks

__all__ = ["sample_to_file"]


def sample_to_file(
    path: str | Path,
    flow: Generator,
    count: int,
    settings: SampleSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    made: Mapping[str, Any],
    *,
    conditions: Sequence[Condition | None] = (None,),
    members: Networks | None = None,
    device: torch.device | str = "cpu",
) -> None:
    """Draw networks from a flow and write them; those of a streamed flow bit by bit.

    The seeds of a label are the same at every guidance, so that guidance alone makes a difference.

    Args:
        path: final name; one condition comes after the other.
        flow: the trained flow.
        count: how many networks, for each condition.
        settings: solver and steps.
        root_seed: the run's root seed.
        labels: what names this draw.
        made: what the samples are made with.
        conditions: of a flow over several zoos, labels and how much they count.
        members: those that a streamed flow learned from.
        device: where to compute.
    """
    if members is not None and isinstance(flow, Flow) and isinstance(flow.codec, SpanCodec):
        seeds = sample_seeds(count, root_seed, labels)
        codes = flow.codes(seeds, settings, None, device)
        _stream(path, flow, flow.codec, members, codes, seeds, made)
        return
    parts = []
    for condition in conditions:
        own = labels if condition is None else (*labels, condition.label)
        parts.append(sample(flow, count, settings, root_seed, own, device, condition))
    write_samples(path, joined(parts), made)


def _stream(
    path: str | Path,
    flow: Flow,
    codec: SpanCodec,
    members: Networks,
    codes: np.ndarray,
    seeds: np.ndarray,
    made: Mapping[str, Any],
) -> None:
    """Decode and write the networks of a streamed flow, a few parameters of each at a time.

    The file is as `write_samples` makes it.
    """
    count, ok = len(codes), np.isfinite(codes).all(axis=1)
    forms = {f"parameters.{n}": ("F32", (count, *shape)) for n, shape in flow.shapes.items()}
    forms |= {"codes": ("F32", codes.shape), "seeds": ("I64", (count,)), "ok": ("BOOL", (count,))}
    about = {**made, "tensors": list(flow.shapes)}
    scaled = codes.astype(np.float64) * codec.scale
    arranged = members.arranged(flow.shapes, "the members")

    def columns() -> Iterator[np.ndarray]:
        return arranged.columns(2**16)

    with writing_tensors(path, forms, FLOW_SAMPLES, about) as file:
        sizes = [math.prod(shape) for shape in flow.shapes.values()]
        rows = [file[f"parameters.{name}"].reshape(count, -1) for name in flow.shapes]
        ends, start = np.cumsum(sizes), 0
        for part in decode_columns(columns, codec.spectrum, codec.weights, scaled):
            # A pass never goes beyond a tensor's end.
            tensor = int(np.searchsorted(ends, start, side="right"))
            place = start - (int(ends[tensor]) - sizes[tensor])
            with np.errstate(over="ignore"):
                part = np.where(ok[:, None], part, np.nan).astype(np.float32)
            ok &= np.isfinite(part).all(axis=1)
            rows[tensor][:, place : place + part.shape[1]] = part
            start += part.shape[1]
        file["codes"][:], file["seeds"][:], file["ok"][:] = codes, seeds, ok
