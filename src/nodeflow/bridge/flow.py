"""A flow over the weights of neural ODEs, conditional on the system and on β and γ.

Flow matching as in `nodeflow.flow.train`. The velocity starts as the exact one between the source
and a Gaussian with each system's own mean and variances, so before the first step each system's
samples are draws of that Gaussian; what is learned on top sees the condition. With one system and
one cell the condition is constant, and the flow unconditional.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nodeflow.bridge.members import Members
from nodeflow.flow.codec import Codec, fit_codec, flatten, unflatten
from nodeflow.flow.settings import FlowSettings, SampleSettings
from nodeflow.flow.solvers import integrate
from nodeflow.flow.velocity import VelocitySettings, gaussian_velocity
from nodeflow.job import Progress
from nodeflow.optimizers import Adam, cosine
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator

__all__ = [
    "BridgeFlow",
    "BridgeFlowProblem",
    "ConditionalVelocity",
    "Conditions",
    "fit_bridge_flow",
    "generate",
    "new_velocity",
]

_CPU = torch.device("cpu")
_REPORTS = 50
_BLOCK = 64
_WATCHED = 512


class BridgeFlowProblem(Problem):
    """A flow over neural ODEs cannot be trained or sampled as asked."""


@dataclass(frozen=True)
class Conditions:
    """How system, β and γ become numbers.

    Attributes:
        systems: names, in the order of the indicator features.
        centre: means of β and γ over the training members.
        scale: their standard deviations; 1 where all members agree.
    """

    systems: tuple[str, ...]
    centre: tuple[float, float]
    scale: tuple[float, float]

    @classmethod
    def of(cls, members: Members) -> Conditions:
        """Those of the training members."""
        cell = np.stack([members.beta, members.gamma])
        # Equal values may differ from their mean by a rounding error.
        deviation = cell.std(axis=1)
        scale = np.where(deviation > 1e-9 * np.abs(cell).max(), deviation, 1.0)
        systems = tuple(dict.fromkeys(members.system.tolist()))
        return cls(systems, tuple(cell.mean(axis=1).tolist()), tuple(scale.tolist()))

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.systems) + 2

    def index(self, system: Sequence[str] | np.ndarray) -> np.ndarray:
        """Position of each system, int64.

        Raises:
            BridgeFlowProblem: a system that the flow never learned.
        """
        unknown = sorted(set(system) - set(self.systems))
        if unknown:
            raise BridgeFlowProblem(
                f"This flow has not learned {unknown[0]}; it knows {', '.join(self.systems)}."
            )
        return np.array([self.systems.index(name) for name in system], dtype=np.int64)

    def features(
        self, system: Sequence[str] | np.ndarray, beta: np.ndarray, gamma: np.ndarray
    ) -> Tensor:
        """One row for each neural ODE, (R, size) float32: the system's indicator, β and γ."""
        indicator = np.eye(len(self.systems))[self.index(system)]
        cell = (np.stack([beta, gamma], 1) - np.array(self.centre)) / np.array(self.scale)
        return torch.from_numpy(np.concatenate([indicator, cell], 1)).float()


class ConditionalVelocity(nn.Module):
    """v(x, t | condition): each system's Gaussian velocity, and a learned rest that starts at zero.

    Args:
        settings: widths and blocks.
        means: (S, k) mean of the codes of each system.
        variances: (S, k) their variances.
        features: number of features of a condition, the first S of them the system's indicator.
        source_std: standard deviation of the source.
    """

    means: Tensor
    variances: Tensor
    frequencies: Tensor

    def __init__(
        self,
        settings: VelocitySettings,
        means: Tensor,
        variances: Tensor,
        features: int,
        source_std: float,
    ) -> None:
        super().__init__()
        h, half, size = settings.hidden, settings.time_features // 2, means.shape[1]
        self.source_std = source_std
        self.register_buffer("means", means.clone())
        floor = 1e-6 * variances.mean(1, keepdim=True)
        self.register_buffer("variances", torch.maximum(variances, floor))
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.linspace(-1, 6, half))
        self.condition = _linear(2 * half + features, h)
        self.first = _linear(size, h)
        self.blocks = nn.ModuleList(_Block(h) for _ in range(settings.blocks))
        self.norm = nn.LayerNorm(h)
        self.last = _linear(h, size)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Velocity (B, k) at codes x (B, k), times t (B,) and conditions (B, c)."""
        column = t[:, None]
        system = condition[:, : len(self.means)]
        mean, variance = system @ self.means, system @ self.variances
        gaussian, deviation = gaussian_velocity(x, column, mean, variance, self.source_std, 0.0)
        angles = column * self.frequencies
        known = torch.cat([angles.sin(), angles.cos(), condition], dim=1)
        shift = nn.functional.gelu(self.condition(known))
        hidden = self.first((x - column * mean) / deviation)
        for block in self.blocks:
            hidden = block(hidden, shift)
        rest: Tensor = self.last(self.norm(hidden)) * variance.sqrt()
        return gaussian + rest


class _Block(nn.Module):
    """Hidden state → itself + a two-layer network of its normalized self, shifted."""

    def __init__(self, h: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(h)
        self.shift, self.first, self.last = _linear(h, h), _linear(h, h), _linear(h, h)

    def forward(self, hidden: Tensor, shift: Tensor) -> Tensor:
        inner = nn.functional.gelu(self.first(self.norm(hidden)) + self.shift(shift))
        out: Tensor = hidden + self.last(inner)
        return out


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer without values yet: nn.Linear would draw them from the global generator."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    return layer


def new_velocity(
    settings: FlowSettings,
    means: Tensor,
    variances: Tensor,
    features: int,
    generator: torch.Generator,
) -> ConditionalVelocity:
    """A fresh velocity field on the CPU; its last layer is zero."""
    velocity = ConditionalVelocity(
        settings.velocity, means, variances, features, settings.source_std
    )
    for module in velocity.modules():
        if isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
    nn.init.zeros_(velocity.last.weight)
    nn.init.zeros_(velocity.last.bias)
    return velocity


@dataclass(frozen=True)
class BridgeFlow:
    """A trained generative model of neural ODEs.

    Attributes:
        settings: how it was trained.
        shapes: name → shape of one neural ODE's tensors, in the order of a flat row.
        codec: rows ↔ codes.
        conditions: how system, β and γ become numbers.
        velocity: v(x, t | condition), in evaluation mode.
    """

    settings: FlowSettings
    shapes: Mapping[str, Sequence[int]]
    codec: Codec
    conditions: Conditions
    velocity: ConditionalVelocity


def fit_bridge_flow(
    members: Members,
    settings: FlowSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    held_out: Members | None = None,
    device: torch.device = _CPU,
) -> tuple[BridgeFlow, pd.DataFrame]:
    """Fit the codec and train the velocity field on canonical neural ODEs.

    Args:
        members: those to learn from.
        settings: codec, widths, source and optimizer; path noise is not used.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from it.
        held_out: others of the same systems, whose loss is recorded and nothing else.
        device: where to train.

    Returns:
        The flow, on the CPU, and its history with the columns of `nodeflow.flow.FLOW_HISTORY`.
    """
    rows = flatten(members.parameters, members.shapes)
    codec = fit_codec(rows, settings.codec)
    codes = torch.from_numpy(codec.encode(rows)).float()
    conditions = Conditions.of(members)
    system = torch.from_numpy(conditions.index(members.system))
    own = [codes[system == k] for k in range(len(conditions.systems))]
    means = torch.stack([x.mean(0) for x in own])
    variances = torch.stack([x.var(0, unbiased=False) for x in own])
    generator = torch_generator(root_seed, "bridge flow", *labels)
    velocity = new_velocity(settings, means, variances, conditions.size, generator)
    sets = {"train_loss": (codes, _features(conditions, members))}
    if held_out is not None:
        other = codec.encode(flatten(held_out.parameters, members.shapes))
        sets["held_out_loss"] = torch.from_numpy(other).float(), _features(conditions, held_out)
    trained, history = _train(velocity, sets, settings, generator, device)
    return BridgeFlow(settings, members.shapes, codec, conditions, trained.cpu().eval()), history


def _features(conditions: Conditions, members: Members) -> Tensor:
    return conditions.features(members.system, members.beta, members.gamma)


def _train(
    velocity: ConditionalVelocity,
    sets: Mapping[str, tuple[Tensor, Tensor]],
    settings: FlowSettings,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[ConditionalVelocity, pd.DataFrame]:
    """AdamW with a cosine schedule; returns the moving average of the weights."""
    codes, features = sets["train_loss"]
    watched = {name: _draws(*pair, settings, generator, _WATCHED) for name, pair in sets.items()}
    velocity = velocity.to(device)
    averaged = new_velocity(
        settings, velocity.means.cpu(), velocity.variances.cpu(), features.shape[1], generator
    ).to(device)
    averaged.load_state_dict(velocity.state_dict())
    optimizer = Adam(
        velocity.parameters(),
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        decoupled=True,
    )
    rates = settings.learning_rate, settings.final_learning_rate
    report_every = max(1, settings.steps // _REPORTS)
    progress, rows, since = Progress(settings.steps, "train flow over nODEs"), [], []
    for step in range(1, settings.steps + 1):
        loss = _loss(velocity, _draws(codes, features, settings, generator, settings.batch), device)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(cosine(step - 1, settings.steps, *rates))
        # Early on, an average over fewer steps, so that it forgets the initial weights.
        decay = min(settings.ema, (step + 1) / (step + 10)) if settings.ema else 0.0
        get_ema_multi_avg_fn(decay)(  # type: ignore[no-untyped-call]
            list(averaged.parameters()), list(velocity.parameters()), step
        )
        since.append(loss.detach())
        if step % report_every == 0 or step == settings.steps:
            with torch.no_grad():
                seen = {name: float(_loss(averaged, x, device)) for name, x in watched.items()}
            row = {"step": step, "loss": float(torch.stack(since).mean()), **seen}
            rows.append({"held_out_loss": math.nan, **row})
            since.clear()
            progress.update(step, loss=row["loss"])
    return averaged, pd.DataFrame(rows)


def _draws(
    codes: Tensor, features: Tensor, settings: FlowSettings, generator: torch.Generator, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Source points, codes, times and conditions of `count` pairs."""
    chosen = torch.randint(len(codes), (count,), generator=generator)
    x1 = codes[chosen]
    x0 = settings.source_std * torch.randn(x1.shape, generator=generator)
    return x0, x1, torch.rand(count, generator=generator), features[chosen]


def _loss(velocity: ConditionalVelocity, draws: tuple[Tensor, ...], device: torch.device) -> Tensor:
    """Flow matching loss: mean over pairs and coordinates of |v − (x1 − x0)|²."""
    x0, x1, t, condition = (x.to(device) for x in draws)
    return nn.functional.mse_loss(velocity(torch.lerp(x0, x1, t[:, None]), t, condition), x1 - x0)


def generate(
    flow: BridgeFlow,
    system: Sequence[str] | np.ndarray,
    beta: np.ndarray,
    gamma: np.ndarray,
    seeds: np.ndarray,
    settings: SampleSettings,
    device: torch.device = _CPU,
) -> dict[str, Tensor]:
    """Draw one neural ODE for each condition.

    Each depends on its condition and its seed alone, not on the others: blocks have one size, the
    last is filled up, because matrix products of other sizes round differently.

    Args:
        flow: the trained flow.
        system: M systems that it has learned.
        beta: (M,) inverse temperatures, also ones that it has not seen.
        gamma: (M,) degree exponents.
        seeds: (M,) one seed for each.
        settings: solver and steps.
        device: where to integrate.

    Returns:
        Tensors of shape (M, *shape), float32; a failed sample is not finite.

    Raises:
        BridgeFlowProblem: a system that the flow never learned.
    """
    features = flow.conditions.features(system, beta, gamma)
    velocity, size = flow.velocity.to(device), flow.codec.size
    codes = np.empty((len(seeds), size))
    for start in range(0, len(seeds), _BLOCK):
        some = seeds[start : start + _BLOCK]
        x0, condition = torch.zeros(_BLOCK, size), torch.zeros(_BLOCK, features.shape[1])
        condition[:, 0] = 1
        condition[: len(some)] = features[start : start + _BLOCK]
        for row, seed in enumerate(some):
            noise = torch.randn(size, generator=torch.Generator().manual_seed(int(seed)))
            x0[row] = flow.settings.source_std * noise
        there = condition.to(device)
        with torch.no_grad():
            x1 = integrate(
                lambda x, t, c=there: velocity(x, t, c),  # type: ignore[misc]
                x0.to(device), settings.solver, settings.steps,
            )  # fmt: skip
        codes[start : start + _BLOCK] = x1.cpu().numpy()[: len(some)]
    with np.errstate(over="ignore", invalid="ignore"):
        rows = flow.codec.decode(codes).astype(np.float32)
    rows[~(np.isfinite(codes).all(1) & np.isfinite(rows).all(1))] = np.nan
    return unflatten(rows, flow.shapes)
