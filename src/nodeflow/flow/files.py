"""Samples into a file, whether or not the zoo that they are decoded with fits in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nodeflow.flow.method import Condition, Generator
from nodeflow.flow.sample import sample
from nodeflow.flow.samples import sample_seeds, write_samples
from nodeflow.flow.settings import SampleSettings
from nodeflow.stack import Networks, Stack, joined

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

    More than eight parameters, because it is a draw and its file at once, and streams what does
    not fit in memory.

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
    if members is not None and flow.streamed:
        flow.stream(path, sample_seeds(count, root_seed, labels), settings, members, made, device)
        return
    parts = []
    for condition in conditions:
        own = labels if condition is None else (*labels, condition.label)
        parts.append(sample(flow, count, settings, root_seed, own, device, condition))
    samples = joined(parts)
    numbers = {"member": np.arange(len(samples))}
    write_samples(path, Stack(samples.parameters, about=samples.about | numbers), made)
