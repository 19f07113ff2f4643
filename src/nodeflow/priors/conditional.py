"""A flow over rows of numbers, conditional on coefficients: it learns where others regress.

Rows are the weights of neural ODEs, or the codes of their functions. Flow matching as in
`nodeflow.flow` (Lipman et al. 2023, arXiv:2210.02747), whose conditions are labels; here they are
numbers. The velocity starts as the exact one between the source and a Gaussian with the mean and
variances of the codes of all rows, and what is learned on top sees the condition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nodeflow.flow.codec import Codec, fit_codec
from nodeflow.flow.settings import FlowSettings, SampleSettings
from nodeflow.flow.solvers import integrate
from nodeflow.flow.velocity import gaussian_velocity
from nodeflow.optimizers import Adam, cosine
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small

__all__ = ["ConditionalFlow", "fit_conditional"]

Array = NDArray[np.float64]


class _Velocity(nn.Module):
    """v(x, t | condition): that of the Gaussian of all codes, and a rest that starts at 0."""

    mean: Tensor
    variance: Tensor
    frequencies: Tensor

    def __init__(self, settings: FlowSettings, codes: Tensor, conditions: int) -> None:
        super().__init__()
        h, half = settings.velocity.hidden, settings.velocity.time_features // 2
        self.source_std = settings.source_std
        variance = codes.var(0, unbiased=False)
        self.register_buffer("mean", codes.mean(0))
        self.register_buffer("variance", variance.clamp_min(1e-6 * float(variance.mean())))
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.linspace(-1, 6, half))
        widths = [codes.shape[1] + 2 * half + conditions, *[h] * (settings.velocity.blocks + 1)]
        self.hidden = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, b)  # type: ignore[no-untyped-call]
            for a, b in pairwise(widths)
        )
        self.last: nn.Linear = nn.utils.skip_init(nn.Linear, h, codes.shape[1])  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        column = t[:, None]
        gaussian, deviation = gaussian_velocity(
            x, column, self.mean, self.variance, self.source_std, 0.0
        )
        angles = column * self.frequencies
        inner = torch.cat(
            [(x - column * self.mean) / deviation, angles.sin(), angles.cos(), condition], dim=1
        )
        for number, layer in enumerate(self.hidden):
            found = nn.functional.gelu(layer(inner))
            inner = found if number == 0 else inner + found
        rest: Tensor = self.last(inner) * self.variance.sqrt()
        return gaussian + rest


@dataclass(frozen=True, eq=False)
class ConditionalFlow:
    """A trained flow over rows.

    Attributes:
        settings: how it was trained.
        codec: rows ↔ codes.
        velocity: v(x, t | condition).
    """

    settings: FlowSettings
    codec: Codec
    velocity: _Velocity

    @one_thread_if_small
    def sample(self, condition: Array, seed: int, how: SampleSettings) -> Array:
        """A row (D,) for a condition (C,) and a seed, whatever else is asked for."""
        noise = torch.randn(1, self.codec.size, generator=torch.Generator().manual_seed(seed))
        known = torch.from_numpy(condition[None]).float()
        with torch.no_grad():
            code = integrate(
                lambda x, t: self.velocity(x, t, known),
                self.settings.source_std * noise,
                how.solver,
                how.steps,
            )
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.codec.decode(code.numpy())[0])


@one_thread_if_small
def fit_conditional(
    rows: Array, conditions: Array, settings: FlowSettings, seed: int, *labels: str | float
) -> ConditionalFlow:
    """Train a flow over rows (M, D) with conditions (M, C), by AdamW with a cosine schedule.

    Args:
        rows: what is learned.
        conditions: of each row, of order one.
        settings: codec, widths, source and optimizer; path noise is not used.
        seed: the run's root seed.
        labels: what names this flow; every random number comes from (seed, *labels).
    """
    codec = fit_codec(rows, settings.codec)
    codes = torch.from_numpy(codec.encode(rows)).float()
    known = torch.from_numpy(conditions).float()
    generator = torch_generator(seed, "conditional flow", *labels)
    velocity, averaged = (_Velocity(settings, codes, known.shape[1]) for _ in range(2))
    for module in velocity.modules():
        if isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
    nn.init.zeros_(velocity.last.weight)
    nn.init.zeros_(velocity.last.bias)
    averaged.load_state_dict(velocity.state_dict())
    optimizer = Adam(
        velocity.parameters(), betas=settings.betas, weight_decay=settings.weight_decay,
        decoupled=True,
    )  # fmt: skip
    rates = settings.learning_rate, settings.final_learning_rate
    for step in range(1, settings.steps + 1):
        chosen = torch.randint(len(codes), (settings.batch,), generator=generator)
        x1 = codes[chosen]
        x0 = settings.source_std * torch.randn(x1.shape, generator=generator)
        t = torch.rand(settings.batch, generator=generator)
        found = velocity(torch.lerp(x0, x1, t[:, None]), t, known[chosen])
        loss = nn.functional.mse_loss(found, x1 - x0)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(cosine(step - 1, settings.steps, *rates))
        # Early on, an average over fewer steps, so that it forgets the initial weights.
        decay = min(settings.ema, (step + 1) / (step + 10)) if settings.ema else 0.0
        get_ema_multi_avg_fn(decay)(  # type: ignore[no-untyped-call]
            list(averaged.parameters()), list(velocity.parameters()), step
        )
    return ConditionalFlow(settings, codec, averaged.eval())
