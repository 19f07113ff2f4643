"""Conditional flow matching: training a velocity field on the codes of a zoo's members.

Source: Lipman et al. 2023 (arXiv:2210.02747) for the loss; Gupta et al. 2026 (arXiv:2601.05052) for
method "paper".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nodeflow.flow.codec import Shapes, SpanCodec, finite_rows, fit_codec, scale_of
from nodeflow.flow.diffusion import noise_prediction_loss
from nodeflow.flow.gram import gram_pca
from nodeflow.flow.method import Fitting, LearnedZoo
from nodeflow.flow.sample import Flow
from nodeflow.flow.settings import FlowProblem, FlowSettings
from nodeflow.flow.velocity import build_velocity, draw_dropout_from
from nodeflow.job import Progress
from nodeflow.optimizers import Adam, cosine
from nodeflow.seeds import torch_generator
from nodeflow.stack import Networks
from nodeflow.threads import one_thread_if_small

__all__ = ["fit_over_codes", "flow_matching_loss", "shapes_to_learn", "train_velocity"]

_REPORTS = 50
_VALIDATION_DRAWS = 256
_COLUMNS = 2**16
"""Parameters of each member that are in memory at a time where a zoo is streamed."""


def fit_over_codes(zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Flow, pd.DataFrame]:
    """Fit one codec and train one field over its codes on the members of a zoo, or of several.

    With a codec of kind "span" only a few parameters of each member are in memory at a time.

    Args:
        zoos: name, which becomes a label if there are several → zoo. With a PCA codec held-out
            members are projected onto the training members' span.
        how: with `FlowSettings`.

    Returns:
        The flow, on the CPU, and its history as `train_velocity` gives it.

    Raises:
        FlowProblem: several zoos are to be streamed.
        TensorProblem: networks have other tensors than the first zoo's, or are not finite.
        CodecProblem: the members do not allow such a codec; see `fit_codec`.
    """
    if how.settings.codec.kind == "span":
        return _over_stream(zoos, how)
    loaded = {
        name: replace(zoo, training=_loaded(zoo.training), held_out=_loaded(zoo.held_out))
        for name, zoo in zoos.items()
    }
    return _in_memory(loaded, how)


def _loaded(networks: Any) -> Any:
    """Networks in memory: those in files are read, blocks are left as they are."""
    inside = networks is None or hasattr(networks, "parameters")
    return networks if inside else networks.take(np.arange(len(networks)))


@one_thread_if_small
def _in_memory(zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Flow, pd.DataFrame]:
    settings: FlowSettings = how.settings
    shapes, several = shapes_to_learn(zoos), len(zoos) > 1
    learned = {name: zoo.training for name, zoo in zoos.items()}
    unseen = {name: x for name, zoo in zoos.items() if (x := zoo.held_out) is not None and len(x)}
    rows, classes = _pooled(learned, zoos, shapes, "the members")
    codec = fit_codec(rows, settings.codec)
    codes, others, other_classes = torch.from_numpy(codec.encode(rows)).float(), None, None
    if unseen:
        rows, other_classes = _pooled(unseen, zoos, shapes, "the held-out members")
        others = torch.from_numpy(codec.encode(rows)).float()
    generator = torch_generator(how.root_seed, "flow", *how.labels)
    numbers = (classes, other_classes) if several else None
    velocity, history = train_velocity(codes, settings, generator, others, how.device, numbers)
    return Flow(settings, shapes, codec, velocity.cpu(), tuple(zoos) if several else ()), history


def shapes_to_learn(zoos: Mapping[str, LearnedZoo]) -> dict[str, tuple[int, ...]]:
    """Name → shape of one network's tensors, in the order of the first zoo's architecture.

    Without an origin they are in the order of their names: none that a dictionary happens to have.

    Raises:
        FlowProblem: networks without tensors.
    """
    first = next(iter(zoos.values()))
    if first.origin is None and not first.training.shapes:
        raise FlowProblem("the members hold no tensors; give stacked parameters by name.")
    if first.origin is None:
        return dict(sorted(first.training.shapes.items()))
    return {name: tuple(shape) for name, shape in first.origin.architecture.shapes.items()}


def _over_stream(zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Flow, pd.DataFrame]:
    """A flow over a zoo of which only a few parameters are in memory at a time."""
    if len(zoos) > 1:
        raise FlowProblem(
            "a flow over several zoos holds them in memory; choose a codec of kind pca or raw."
        )
    settings: FlowSettings = how.settings
    (zoo,), shapes = zoos.values(), shapes_to_learn(zoos)
    parts = [zoo.training, *([] if zoo.held_out is None else [zoo.held_out])]
    arranged = [part.arranged(shapes, "the members") for part in parts]

    def columns() -> Iterator[np.ndarray]:
        for cuts in zip(*(part.columns(_COLUMNS) for part in arranged), strict=True):
            yield np.concatenate(cuts)

    pca = gram_pca(columns, len(zoo.training))
    scale = scale_of(pca.spectrum, settings.codec)
    codec = SpanCodec(pca.coefficients, scale, pca.spectrum)
    codes, others = (
        torch.from_numpy(found[:, : codec.size] / scale).float()
        for found in (pca.codes, pca.others)
    )
    generator = torch_generator(how.root_seed, "flow", *how.labels)
    known = others if len(others) else None
    velocity, history = train_velocity(codes, settings, generator, known, how.device)
    return Flow(settings, shapes, codec, velocity.cpu()), history


def _pooled(
    networks: Mapping[str, Networks], zoos: Mapping[str, LearnedZoo], shapes: Shapes, what: str
) -> tuple[np.ndarray, Tensor]:
    """Flat networks of all zoos, and the number of the zoo that each is from."""
    rows, classes = [], []
    for number, name in enumerate(zoos):
        if name not in networks:
            continue
        whole = networks[name].take(np.arange(len(networks[name])))
        role = what if len(zoos) == 1 else f"{what} of {name}"
        rows.append(finite_rows(whole.parameters, shapes, role))
        classes.append(torch.full((len(whole),), number))
    return np.concatenate(rows), torch.cat(classes)


@one_thread_if_small
def train_velocity(
    codes: Tensor,
    settings: FlowSettings,
    generator: torch.Generator,
    held_out: Tensor | None = None,
    device: torch.device | str = "cpu",
    classes: tuple[Tensor, Tensor | None] | None = None,
) -> tuple[nn.Module, pd.DataFrame]:
    """Train a velocity field by conditional flow matching.

    Every step draws fresh source noise, times in U[0, 1] and path noise. The weights returned are
    the last ones or their moving average; nothing is selected by a loss.

    Args:
        codes: (K, k) training codes.
        settings: all choices.
        generator: CPU generator of every random number.
        held_out: (H, k) codes of other members, whose loss is recorded.
        device: where to train.
        classes: number of the label of each code, (K,) int64, and of each held-out one; None for a
            field without labels.

    Returns:
        The velocity field in evaluation mode, and one row per report: `step`; `loss`, the mean
        over the batches since the last row; `train_loss` and `held_out_loss`, the loss of the
        weights to be sampled from, without dropout, on draws that stay the same throughout (NaN
        without held-out codes).

    Raises:
        FlowProblem: non-finite codes.
    """
    if not torch.isfinite(codes).all():
        raise FlowProblem("codes are not finite; leave failed members out of the training set.")
    own, others = (None, None) if classes is None else classes
    velocity = build_velocity(
        settings.velocity,
        *_moments(codes, own),
        settings.source_std,
        settings.path_noise,
        generator,
    ).to(device)
    averaged = copy.deepcopy(velocity).eval() if settings.ema else None
    draw_dropout_from(velocity, generator)
    watch = _Watch((codes, own), (held_out, others), settings, generator, device)
    sampled = velocity if averaged is None else averaged
    learned, averages = list(velocity.parameters()), list(sampled.parameters())
    optimizer = Adam(
        learned, betas=settings.betas, weight_decay=settings.weight_decay, decoupled=True
    )
    rates = settings.learning_rate, settings.final_learning_rate
    report_every = max(1, settings.steps // _REPORTS)
    since, rows = torch.zeros((), device=device), []
    reported = 0
    progress = Progress(settings.steps, f"train flow ({settings.method})")
    pairs = _pairs(codes, own, settings, generator)
    velocity.train()
    for step in range(1, settings.steps + 1):
        x0, x1, label = next(pairs)
        t = torch.rand(len(x1), generator=generator)
        noise = settings.path_noise * torch.randn(x1.shape, generator=generator)
        draws = _there((x0, x1, t, noise, label), device)
        loss = _loss(settings, velocity, *draws)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(cosine(step - 1, settings.steps, *rates))
        if averaged is not None:
            # Early on, an average over fewer steps, so that it forgets the initial weights.
            decay = min(settings.ema, (step + 1) / (step + 10))
            get_ema_multi_avg_fn(decay)(averages, learned, step)  # type: ignore[no-untyped-call]
        since += loss.detach()
        if step % report_every == 0 or step == settings.steps:
            mean_loss = float(since) / (step - reported)
            reported = step
            since.zero_()
            row = {"step": step, "loss": mean_loss, **watch(sampled)}
            rows.append(row)
            progress.update(step, **{name: x for name, x in row.items() if name != "step"})
    return sampled.eval(), pd.DataFrame(rows)


def _moments(codes: Tensor, classes: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and variances (k,) of codes; with classes (L + 1, k), of each and of all together."""
    if classes is None:
        return codes.mean(dim=0), codes.var(dim=0)
    parts = [*(codes[classes == k] for k in range(int(classes.max()) + 1)), codes]
    return torch.stack([x.mean(dim=0) for x in parts]), torch.stack([x.var(dim=0) for x in parts])


def _there(draws: Sequence[Tensor | None], device: torch.device | str) -> list[Any]:
    return [None if draw is None else draw.to(device) for draw in draws]


def _loss(
    settings: FlowSettings,
    velocity: nn.Module,
    x0: Tensor,
    x1: Tensor,
    t: Tensor,
    noise: Tensor,
    label: Tensor | None,
) -> Tensor:
    """The loss of the settings' process; for a diffusion, x0 is the noise on the codes x1."""
    network = velocity if label is None else partial(velocity, label=label)
    if settings.process == "diffusion":
        return noise_prediction_loss(network, x0, x1, t)
    return flow_matching_loss(network, x0, x1, t, noise)


def flow_matching_loss(
    velocity: Callable[[Tensor, Tensor], Tensor], x0: Tensor, x1: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """Mean over batch and coordinates of |v((1−t) x0 + t x1 + noise, t) − (x1 − x0)|².

    Args:
        velocity: v(x, t).
        x0: (B, k) source points.
        x1: (B, k) codes.
        t: (B,) times.
        noise: (B, k) noise added along the path.
    """
    x = torch.lerp(x0, x1, t[:, None]) + noise
    return nn.functional.mse_loss(velocity(x, t), x1 - x0)


def _pairs(
    codes: Tensor, classes: Tensor | None, settings: FlowSettings, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Endless batches of source points, codes and, if there are classes, labels, on the CPU.

    Labels are withheld at random, as classifier-free guidance needs it (Ho & Salimans 2022,
    arXiv:2207.12598): such a pair has the number behind the last label.
    """
    targets = _batches(len(codes), settings.batch, generator)
    for chosen in targets:
        x1, label = codes[chosen], None
        x0 = settings.source_std * torch.randn(x1.shape, generator=generator)
        if classes is not None:
            withheld = torch.rand(len(chosen), generator=generator) < settings.label_dropout
            label = torch.where(withheld, int(classes.max()) + 1, classes[chosen])
        yield x0, x1, label


def _batches(points: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Places of points in shuffled passes; a pass's last, incomplete batch is dropped.

    A pass holds every point once, or as often as it takes to fill one batch.
    """
    repeats = math.ceil(batch / points)
    while True:
        order = torch.cat([torch.randperm(points, generator=generator) for _ in range(repeats)])
        for start in range(0, len(order) - batch + 1, batch):
            yield order[start : start + batch]


class _Watch:
    """The loss on training and held-out codes, at draws that stay the same throughout."""

    def __init__(
        self,
        known: tuple[Tensor, Tensor | None],
        held_out: tuple[Tensor | None, Tensor | None],
        settings: FlowSettings,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> None:
        # Its own stream, so that what is watched does not change what is learned.
        self._settings = settings
        seed = int(torch.randint(2**62, (1,), generator=generator))
        generator = torch.Generator().manual_seed(seed)
        self._draws = {"train_loss": _fixed_draws(*known, settings, generator, device)}
        if held_out[0] is not None:
            draws = _fixed_draws(held_out[0], held_out[1], settings, generator, device)
            self._draws["held_out_loss"] = draws

    def __call__(self, velocity: nn.Module) -> dict[str, float]:
        was_training = velocity.training
        velocity.eval()
        with torch.no_grad():
            found = {
                name: float(_loss(self._settings, velocity, *draws))
                for name, draws in self._draws.items()
            }
        velocity.train(was_training)
        return {name: found.get(name, math.nan) for name in ("train_loss", "held_out_loss")}


def _fixed_draws(
    codes: Tensor,
    classes: Tensor | None,
    settings: FlowSettings,
    generator: torch.Generator,
    device: torch.device | str,
) -> list[Any]:
    """x0, x1, t, path noise and label, with times spread evenly and codes used equally often."""
    chosen = next(_batches(len(codes), _VALIDATION_DRAWS, generator))
    x1 = codes[chosen]
    x0 = settings.source_std * torch.randn(x1.shape, generator=generator)
    t = (torch.randperm(len(x1), generator=generator) + 0.5) / len(x1)
    noise = settings.path_noise * torch.randn(x1.shape, generator=generator)
    return _there((x0, x1, t, noise, None if classes is None else classes[chosen]), device)
