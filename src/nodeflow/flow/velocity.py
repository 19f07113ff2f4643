"""Velocity fields v(x, t): the networks that a flow trains."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nodeflow.flow.settings import VelocityProblem, VelocitySettings

__all__ = [
    "PaperVelocity",
    "ResidualVelocity",
    "SeededDropout",
    "VelocityProblem",
    "VelocitySettings",
    "build_velocity",
    "draw_dropout_from",
    "gaussian_velocity",
]


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a given generator instead of the global one."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Zero each entry with the given probability and scale the rest, in training only."""
        if not self.training or self.probability == 0:
            return x
        if self.generator is None:
            raise RuntimeError("call draw_dropout_from before training this network")
        kept = torch.empty(x.shape).bernoulli_(1 - self.probability, generator=self.generator)
        return x * (kept.to(x.device) / (1 - self.probability))


class PaperVelocity(nn.Module):
    """The "weight space flow model" of Gupta et al. 2026 (arXiv:2601.05052).

    A learned embedding of t is concatenated to x; then k + T → h → h/2 → h → k with layer
    normalization, GELU and dropout; the last layer starts at zero. With labels, a learned vector of
    length T for each is concatenated too.

    Args:
        size: length k of a code.
        settings: widths and dropout.
        labels: L, how many labels there are; number L stands for none.
    """

    def __init__(self, size: int, settings: VelocitySettings, labels: int = 0) -> None:
        super().__init__()
        h, T = settings.hidden, settings.time_features
        self.labels = labels
        self.label = _vectors(labels, T)
        self.time = nn.Sequential(_linear(1, T), nn.GELU(), _linear(T, T))
        inputs = size + T * (2 if labels else 1)
        self.body = nn.Sequential(
            _linear(inputs, h), nn.LayerNorm(h), nn.GELU(), SeededDropout(settings.dropout),
            _linear(h, h // 2), nn.LayerNorm(h // 2), nn.GELU(), SeededDropout(settings.dropout),
            _linear(h // 2, h), nn.LayerNorm(h), nn.GELU(),
        )  # fmt: skip
        self.last = _linear(h, size)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """Velocity (B, k) at codes x (B, k), times t (B,) and, if there are any, labels (B,)."""
        known = [x, self.time(t[:, None]), *_vector(self.label, label)]
        velocity: Tensor = self.last(self.body(torch.cat(known, dim=1)))
        return velocity


class ResidualVelocity(nn.Module):
    """The exact velocity of a Gaussian with the codes' mean and variances, plus a learned rest.

    For a source N(0, s²I) and codes N(μ, diag λ) the optimal velocity is known in closed form (see
    `gaussian_velocity`), and the learned part starts at zero: before the first step the flow
    samples that Gaussian, and training can only move it away from there. The learned part never
    has to carry the source noise through its hidden layers, so it may be narrower than a code.

    With labels there is a Gaussian for each and one for none of them, and a learned vector for each
    beside the features of time.

    Args:
        size: length k of a code.
        settings: widths, blocks and dropout.
        mean: (k,) mean μ of the training codes; with L labels (L + 1, k), the last of all codes.
        variance: variances λ of the training codes, likewise.
        source_std: s.
        path_noise: standard deviation σ of the noise added along the path.
    """

    mean: Tensor
    variance: Tensor
    frequencies: Tensor

    def __init__(
        self,
        size: int,
        settings: VelocitySettings,
        mean: Tensor,
        variance: Tensor,
        source_std: float,
        path_noise: float,
    ) -> None:
        super().__init__()
        h, half = settings.hidden, settings.time_features // 2
        self.labels = len(mean) - 1 if mean.ndim == 2 else 0
        self.label = _vectors(self.labels, settings.time_features)
        self.source_std, self.path_noise = source_std, path_noise
        self.register_buffer("mean", mean.clone())
        # A coordinate that never varies would make the velocity 0/0 at t = 1.
        self.register_buffer("variance", variance.clamp_min(1e-6 * float(variance.mean())))
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.linspace(-1, 6, half))
        known = settings.time_features * (2 if self.labels else 1)
        self.time = nn.Sequential(_linear(known, h), nn.GELU())
        self.first = _linear(size, h)
        self.blocks = nn.ModuleList(_Block(h, settings.dropout) for _ in range(settings.blocks))
        self.norm = nn.LayerNorm(h)
        self.last = _linear(h, size)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """Velocity (B, k) at codes x (B, k), times t (B,) and, if there are any, labels (B,)."""
        column = t[:, None]
        mean = self.mean if label is None else self.mean[label]
        variance = self.variance if label is None else self.variance[label]
        gaussian, deviation = gaussian_velocity(
            x, column, mean, variance, self.source_std, self.path_noise
        )
        angles = column * self.frequencies
        known = [angles.sin(), angles.cos(), *_vector(self.label, label)]
        time = self.time(torch.cat(known, dim=1))
        hidden = self.first((x - column * mean) / deviation)
        for block in self.blocks:
            hidden = block(hidden, time)
        rest: Tensor = self.last(self.norm(hidden)) * variance.sqrt()
        return gaussian + rest


class _Block(nn.Module):
    """Hidden state → itself + a two-layer network of its normalized self, shifted by time."""

    def __init__(self, h: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(h)
        self.time = _linear(h, h)
        self.first = _linear(h, h)
        self.dropout = SeededDropout(dropout)
        self.last = _linear(h, h)

    def forward(self, hidden: Tensor, time: Tensor) -> Tensor:
        inner = nn.functional.gelu(self.first(self.norm(hidden)) + self.time(time))
        after: Tensor = hidden + self.last(self.dropout(inner))
        return after


def gaussian_velocity(
    x: Tensor, t: Tensor, mean: Tensor, variance: Tensor, source_std: float, path_noise: float
) -> tuple[Tensor, Tensor]:
    """The optimal velocity E[x1 − x0 | x_t = x] when both ends are Gaussian.

    With x0 ~ N(0, s²), x1 ~ N(μ, λ) and x_t = (1−t) x0 + t x1 + σε, coordinate by coordinate:
    E = μ + (t λ − (1−t) s²) / (t² λ + (1−t)² s² + σ²) · (x − t μ).

    Args:
        x: codes (B, k).
        t: times, (B, 1) or a scalar.
        mean: μ, (k,).
        variance: λ, (k,).
        source_std: s.
        path_noise: σ.

    Returns:
        The velocity (B, k), and the standard deviation of x_t, broadcastable to it.
    """
    spread = t**2 * variance + (1 - t) ** 2 * source_std**2 + path_noise**2
    gain = (t * variance - (1 - t) * source_std**2) / spread
    return mean + gain * (x - t * mean), spread.sqrt()


def build_velocity(
    settings: VelocitySettings,
    mean: Tensor,
    variance: Tensor,
    source_std: float,
    path_noise: float,
    generator: torch.Generator,
) -> nn.Module:
    """A fresh velocity field on the CPU, initialized from `generator`.

    Linear layers start as PyTorch's default does, uniform in ±1/√fan_in; the last one at zero.
    Vectors of labels are standard normal.

    Args:
        settings: which network.
        mean: (k,) mean of the training codes; for a field with L labels (L + 1, k), as
            `ResidualVelocity` takes them.
        variance: their variances, likewise; "paper" uses neither.
        source_std: standard deviation of the source distribution.
        path_noise: standard deviation of the noise along the path.
        generator: where the initial weights come from.
    """
    velocity: PaperVelocity | ResidualVelocity
    if settings.kind == "paper":
        labels = len(mean) - 1 if mean.ndim == 2 else 0
        velocity = PaperVelocity(mean.shape[-1], settings, labels)
    else:
        size = mean.shape[-1]
        velocity = ResidualVelocity(size, settings, mean, variance, source_std, path_noise)
    for module in velocity.modules():
        if isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
    nn.init.zeros_(velocity.last.weight)
    nn.init.zeros_(velocity.last.bias)
    return velocity


def _vectors(labels: int, size: int) -> nn.Embedding | None:
    """A vector for each label and one for none, without values yet; None without labels."""
    if labels == 0:
        return None
    vectors: nn.Embedding = nn.utils.skip_init(nn.Embedding, labels + 1, size)  # type: ignore[no-untyped-call]
    return vectors


def _vector(vectors: nn.Embedding | None, label: Tensor | None) -> list[Tensor]:
    """The vectors (B, T) of labels (B,), in a list that is empty without labels."""
    return [] if vectors is None else [vectors(label)]


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer without values yet: nn.Linear would draw them from the global generator."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    return layer


def draw_dropout_from(velocity: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout layer of `velocity` draw its masks from `generator`."""
    for module in velocity.modules():
        if isinstance(module, SeededDropout):
            module.generator = generator
