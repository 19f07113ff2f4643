"""Flows from the files of a zoo, and samples into a file, whether or not the zoo fits in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from nodeflow.flow.codec import SpanCodec
from nodeflow.flow.conditional import Condition
from nodeflow.flow.descent import Descent
from nodeflow.flow.fit import Origin, fit_any_flow
from nodeflow.flow.sample import (
    AnyFlow,
    Samples,
    SampleSettings,
    sample,
    sample_codes,
    sample_seeds,
)
from nodeflow.flow.settings import DescentSettings, FlowSettings
from nodeflow.flow.store import stream_samples, write_samples
from nodeflow.flow.train import fit_streamed_flow
from nodeflow.zoo.store import Block, Stored, open_blocks, read_blocks, read_columns, read_members

__all__ = [
    "fit_from_files",
    "open_zoos",
    "read_zoos",
    "sample_conditions",
    "sample_to_file",
]

Paths = Sequence[str | Path]

_CPU = torch.device("cpu")


def fit_from_files(
    paths: Paths,
    learned: int,
    made: Sequence[Mapping[str, Any]],
    settings: FlowSettings | DescentSettings,
    origin: Origin,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
) -> tuple[AnyFlow, pd.DataFrame]:
    """Train a flow on a zoo; with a codec of kind "span" the zoo is never in memory as a whole.

    Args:
        paths: the zoo's blocks.
        learned: members with numbers below this one are learned from, the others held out.
        made: what each of the blocks must have been made with.
        settings: of `fit_flow`, `fit_streamed_flow` or `fit_descent`.
        origin: how the members came to be.
        root_seed: the run's root seed.
        labels: what names this flow.
        device: where to train.
    """
    if isinstance(settings, FlowSettings) and settings.codec.kind == "span":
        count = int((read_members(paths, made) < learned).sum())
        columns = partial(read_columns, paths, made=made)
        shapes = origin.architecture.shapes
        return fit_streamed_flow(columns, count, shapes, settings, root_seed, labels, device)
    training, held_out = read_blocks(paths, made).split(learned)
    return fit_any_flow(training, held_out, settings, origin, root_seed, labels, device)


def sample_to_file(
    path: str | Path,
    flow: AnyFlow,
    count: int,
    settings: SampleSettings,
    zoo: tuple[Paths, int],
    root_seed: int,
    labels: tuple[str | float, ...],
    made: Mapping[str, Any],
    device: torch.device = _CPU,
) -> None:
    """Draw networks from a flow and write them; those of a streamed flow bit by bit.

    Args:
        path: final name.
        flow: the trained flow.
        count: how many networks.
        settings: solver and steps.
        zoo: blocks that a streamed flow learned from, and the number that those members are below.
        root_seed: the run's root seed.
        labels: what names this draw.
        made: what the samples are made with.
        device: where to integrate.
    """
    if isinstance(flow, Descent) or not isinstance(flow.codec, SpanCodec):
        write_samples(path, sample(flow, count, settings, root_seed, labels, device), made)
        return
    seeds = sample_seeds(count, root_seed, labels)
    columns = partial(read_columns, zoo[0], below=zoo[1])
    codes = sample_codes(flow, seeds, settings, device)
    stream_samples(path, flow, columns, codes, seeds, made)


def read_zoos(
    paths: Paths,
    made: Mapping[str, Sequence[Mapping[str, Any]]],
    learned: Sequence[int],
) -> dict[str, tuple[Block, Block]]:
    """As `open_zoos`, in memory."""
    opened = open_zoos(paths, made, learned)
    return {
        zoo: (known.take(range(len(known))), others.take(range(len(others))))
        for zoo, (known, others) in opened.items()
    }


def open_zoos(
    paths: Paths,
    made: Mapping[str, Sequence[Mapping[str, Any]]],
    learned: Sequence[int],
) -> dict[str, tuple[Stored, Stored]]:
    """Several zoos, each as members to learn from and held-out ones.

    Args:
        paths: the blocks of all zoos, one zoo after the other.
        made: name of each zoo → what each of its blocks must have been made with.
        learned: for each zoo, the number that members to learn from are below.
    """
    found, start = {}, 0
    for (zoo, own), below in zip(made.items(), learned, strict=True):
        found[zoo] = open_blocks(paths[start : start + len(own)], own).split(below)
        start += len(own)
    return found


def sample_conditions(
    path: str | Path,
    flow: AnyFlow,
    count: int,
    settings: SampleSettings,
    conditions: Sequence[Condition],
    root_seed: int,
    labels: tuple[str | float, ...],
    made: Mapping[str, Any],
    device: torch.device = _CPU,
) -> None:
    """Draw networks under several conditions, and write them one condition after the other.

    The seeds of a label are the same at every guidance, so that guidance alone makes a difference.

    Args:
        path: final name.
        flow: a conditional flow.
        count: how many networks for each condition.
        settings: solver and steps.
        conditions: labels and how much they count.
        root_seed: the run's root seed.
        labels: what names this draw.
        made: what the samples are made with.
        device: where to integrate.
    """
    parts = [
        sample(flow, count, settings, root_seed, (*labels, condition.label), device, condition)
        for condition in conditions
    ]
    whole = Samples(
        {name: torch.cat([part.parameters[name] for part in parts]) for name in flow.shapes},
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("codes", "seeds", "ok")),
    )
    write_samples(path, whole, made)
