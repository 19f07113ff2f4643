"""Sampling a flow: source noise carried along the velocity field, then decoded to networks.

Each sample has its own seed, and depends on nothing else: not on how many are drawn at once, nor
on its place among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.codec import SpanCodec, unflatten
from nodeflow.flow.conditional import Condition, guided
from nodeflow.flow.descent import Descent
from nodeflow.flow.diffusion import DIFFUSION_STEPS, ancestral
from nodeflow.flow.settings import SOLVERS, FlowProblem, SampleSettings
from nodeflow.flow.train import Flow
from nodeflow.seeds import derive_seed
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.store import Block, Networks, Stored

__all__ = [
    "EVALUATIONS",
    "SOLVERS",
    "AnyFlow",
    "Drawn",
    "SampleSettings",
    "Samples",
    "StoredSamples",
    "integrate",
    "sample",
    "sample_codes",
    "sample_rows",
    "sample_seeds",
]

EVALUATIONS: Mapping[str, int] = {"euler": 1, "heun": 2, "rk4": 4}
"""Evaluations of the velocity per step, of the solvers with fixed steps."""

AnyFlow = Flow | Descent
"""A trained generative model of network weights, of any method."""

_CPU = torch.device("cpu")
_BLOCK = 64


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


@one_thread_if_small
def sample(
    flow: AnyFlow,
    count: int,
    settings: SampleSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
    condition: Condition | None = None,
) -> Samples:
    """Draw networks from a flow.

    Args:
        flow: the trained flow.
        count: how many networks, M.
        settings: solver and steps.
        root_seed: the run's root seed.
        labels: what names this draw; see `sample_seeds`.
        device: where to integrate.
        condition: of a conditional flow, the label and how much it counts.
    """
    seeds = sample_seeds(count, root_seed, labels)
    codes, rows = sample_rows(flow, seeds, settings, device, condition)
    ok = np.isfinite(codes).all(axis=1) & np.isfinite(rows).all(axis=1)
    # An infinite code can be lost in decoding, and its sample must not pass for a network.
    rows[~ok] = np.nan
    return Samples(unflatten(rows, flow.shapes), codes, seeds, ok)


def sample_rows(
    flow: AnyFlow,
    seeds: np.ndarray,
    settings: SampleSettings,
    device: torch.device = _CPU,
    condition: Condition | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Codes (M, k) and flat networks (M, D) of these seeds (M,), float32; a descent has no codes.

    Raises:
        FlowProblem: a descent is asked for other steps than those that it learned; a flow was
            streamed; see `sample_codes` too.
    """
    _check_condition(flow, condition)
    if isinstance(flow, Descent):
        learned = flow.settings.evaluations
        if (settings.solver, settings.steps) != ("euler", learned):
            raise FlowProblem(
                f"a descent of {learned} evaluations is sampled with solver euler and {learned} "
                f"steps, not with {settings.solver} and {settings.steps}."
            )
        asked = () if condition is None else (condition.label, condition.guidance)
        return np.empty((len(seeds), 0), dtype=np.float32), flow.rows(seeds, device, *asked)
    codes = sample_codes(flow, seeds, settings, device, condition)
    if isinstance(flow.codec, SpanCodec):
        raise FlowProblem("a streamed flow is decoded with the files of its zoo: stream_samples.")
    with np.errstate(over="ignore"):
        return codes, flow.codec.decode(codes).astype(np.float32)


def sample_seeds(count: int, root_seed: int, labels: tuple[str | float, ...]) -> np.ndarray:
    """The seeds (count,) int64 of samples 0, 1, …: hashes of (root_seed, labels, index)."""
    seeds = [derive_seed(root_seed, "flow sample", *labels, index) for index in range(count)]
    return np.array(seeds, dtype=np.int64)


def sample_codes(
    flow: Flow,
    seeds: np.ndarray,
    settings: SampleSettings,
    device: torch.device = _CPU,
    condition: Condition | None = None,
) -> np.ndarray:
    """Codes (M, k), float32, of the samples with these seeds (M,), whatever else is asked for.

    Samples are integrated in blocks of one fixed size, the last filled up with zeros, because
    matrix products of other sizes round differently.

    Raises:
        FlowProblem: a solver for diffusions on a flow, or the other way round; a conditional flow
            without a condition that it has learned, or any other flow with one.
    """
    _check_condition(flow, condition)
    size = flow.codec.size
    diffusion = flow.settings.process == "diffusion"
    if diffusion != (settings.solver == "ddpm"):
        raise FlowProblem(
            f'a {flow.settings.process} is not sampled with solver {settings.solver}: "ddpm" is '
            "for diffusions, all others are for flows."
        )
    draws = DIFFUSION_STEPS if diffusion else 1
    velocity = _field(flow, condition, _BLOCK, device)
    codes = np.empty((len(seeds), size), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(seeds), _BLOCK):
            some = seeds[start : start + _BLOCK]
            noise = torch.zeros(draws, _BLOCK, size)
            for row, seed in enumerate(some):
                generator = torch.Generator().manual_seed(int(seed))
                noise[:, row] = torch.randn(draws, size, generator=generator)
            if diffusion:
                x1 = ancestral(velocity, noise.to(device))
            else:
                x0 = flow.settings.source_std * noise[0].to(device)
                x1 = integrate(velocity, x0, settings.solver, settings.steps)
            codes[start : start + _BLOCK] = x1.cpu().numpy()[: len(some)]
    return codes


def _check_condition(flow: AnyFlow, condition: Condition | None) -> None:
    if condition is None and not flow.labels:
        return
    if condition is None or condition.label not in flow.labels:
        asked = "no label" if condition is None else f"the label {condition.label}"
        known = ", ".join(flow.labels) or "none"
        raise FlowProblem(f"a flow was asked for {asked}; it has learned {known}.")


def _field(
    flow: Flow, condition: Condition | None, count: int, device: torch.device
) -> Callable[[Tensor, Tensor], Tensor]:
    """The velocity (or, of a diffusion, the noise) of `count` points under one condition."""
    velocity = flow.velocity.to(device).eval()
    if condition is None:
        return velocity
    label = torch.full((count,), flow.labels.index(condition.label), device=device)
    return guided(velocity, label, len(flow.labels), condition.guidance)


def integrate(
    velocity: Callable[[Tensor, Tensor], Tensor], x0: Tensor, solver: str, steps: int
) -> Tensor:
    """Solve dx/dt = v(x, t) from t = 0 to 1.

    Args:
        velocity: (points (B, k), times (B,)) → velocities (B, k).
        x0: (B, k) points at t = 0.
        solver: a name in `SOLVERS`; "heun" is the explicit trapezoidal rule, of order 2.
        steps: equal steps.

    Returns:
        Points (B, k) at t = 1.
    """

    def v(t: Tensor | float, x: Tensor) -> Tensor:
        return velocity(x, torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(len(x)))

    x, h = x0, 1 / steps
    for step in range(steps):
        t, after = step / steps, (step + 1) / steps
        k1 = v(t, x)
        if solver == "euler":
            x = x + h * k1
        elif solver == "heun":
            x = x + h / 2 * (k1 + v(after, x + h * k1))
        else:
            middle = (t + after) / 2
            k2 = v(middle, x + h / 2 * k1)
            k3 = v(middle, x + h / 2 * k2)
            k4 = v(after, x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x
