"""Training of neural ODEs: all replicates of a system and cell as one stacked tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.signal import savgol_filter
from torch import Tensor
from torchdiffeq import odeint

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.job import Progress
from nodeflow.node.lookup import Lookup, place_knots
from nodeflow.node.model import initial_parameters, velocity
from nodeflow.node.settings import MatchingSettings, PaperSettings, RecipeProblem, recipe_settings
from nodeflow.node.store import Models
from nodeflow.seeds import torch_generator

__all__ = ["Observations", "observed", "train_models", "train_stack"]

_CPU = torch.device("cpu")
_HISTORY_ROWS = 100


@dataclass(frozen=True)
class Observations:
    """What one replicate learns from: one graph and trajectories on it.

    Attributes:
        graph: index of the graph.
        adjacency: (n, n) float32.
        times: (T,) equally spaced.
        states: (M, T, n) float32.
    """

    graph: int
    adjacency: np.ndarray
    times: np.ndarray
    states: np.ndarray


def observed(graphs: Sequence[Graph], trajectories: Sequence[Trajectory]) -> list[Observations]:
    """The successful trajectories of every graph, together with its adjacency.

    Raises:
        RecipeProblem: a graph has none.
    """
    found = []
    for index, graph in enumerate(graphs):
        good = [x for x in trajectories if x.graph == index and x.status == "ok"]
        if not good:
            raise RecipeProblem(
                f"no trajectory of training graph {index} could be integrated; "
                "loosen dynamics.rtol or raise dynamics.max_steps."
            )
        states = np.stack([x.states for x in good])
        adjacency = graph.adjacency(np.float32).toarray()
        found.append(Observations(index, adjacency, good[0].times, states))
    return found


def train_models(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    *,
    recipe: str,
    settings: Mapping[str, Any],
    seeds: int,
    labels: tuple[str | float, ...],
    root_seed: int,
    device: torch.device = _CPU,
) -> tuple[Models, pd.DataFrame]:
    """Train `seeds` neural ODEs on each graph, all of them together.

    Args:
        graphs: training graphs, all of the same size.
        trajectories: observed on them; failed ones are left out.
        recipe: "matching" or "paper".
        settings: changes to the recipe's defaults.
        seeds: initializations per graph.
        labels: what names the system and the cell; random numbers follow from
            (root_seed, labels, graph, seed).
        root_seed: the run's root seed.
        device: where to train.

    Returns:
        The models, graph by graph and seed by seed, and the history with the columns of
        `NODE_HISTORY`.

    Raises:
        RecipeProblem: unknown recipe or setting, or no usable trajectories.
    """
    chosen = recipe_settings(recipe, settings)
    pairs = [(x, seed) for x in observed(graphs, trajectories) for seed in range(seeds)]
    names = [(*labels, x.graph, seed) for x, seed in pairs]
    data = [x for x, _ in pairs]
    return train_stack(data, chosen, names, root_seed, device, f"train {labels[0]}")


def train_stack(
    data: Sequence[Observations],
    settings: MatchingSettings | PaperSettings,
    names: Sequence[tuple[str | float, ...]],
    root_seed: int,
    device: torch.device = _CPU,
    label: str = "train",
) -> tuple[Models, pd.DataFrame]:
    """Train one replicate on each of `data`; with "matching", each as if it were alone.

    With the paper's recipe the replicates share the integrator's steps, so they agree with those
    trained alone only within its tolerance.

    Args:
        data: what each replicate learns from; graphs of one size, the same number of times.
        settings: of the recipe.
        names: what names each replicate.
        root_seed: the run's root seed.
        device: where to train.
        label: for progress lines.

    Returns:
        As `train_models`.
    """
    generators = [torch_generator(root_seed, "node", *name) for name in names]
    widths = (1, *settings.hidden, 1)
    start = initial_parameters(generators, widths=widths, scale=settings.scale)
    parameters = {name: tensor.to(device).requires_grad_() for name, tensor in start.items()}
    if isinstance(settings, MatchingSettings):
        losses = _matching(data, settings, parameters, generators, device)
    else:
        losses = _trajectory_matching(data, settings, parameters, generators, device)
    history, finite = [], torch.ones(len(data), dtype=torch.bool, device=device)
    rows = {round(x) for x in np.geomspace(1, settings.steps, _HISTORY_ROWS)}
    progress = Progress(settings.steps, label)
    for step, loss in enumerate(losses, start=1):
        finite &= loss.isfinite()
        if step in rows:
            history.append((step, loss.cpu().numpy()))
            progress.update(step, loss=float(loss.nanmean()))
    trained = {name: tensor.detach().cpu() for name, tensor in parameters.items()}
    for tensor in trained.values():
        finite &= tensor.flatten(1).isfinite().all(1).to(device)
    table = pd.DataFrame(
        [
            {"replicate": replicate, "step": step, "loss": float(value)}
            for replicate in range(len(data))
            for step, values in history
            for value in [values[replicate]]
        ]
    )
    models = Models(
        {name: tensor.numpy() for name, tensor in trained.items()},
        np.array([x.graph for x in data]),
        np.array([[x.states.min(), x.states.max()] for x in data], dtype=np.float64),
        finite.cpu().numpy(),
    )
    return models, table


def _matching(
    data: Sequence[Observations],
    settings: MatchingSettings,
    parameters: dict[str, Tensor],
    generators: Sequence[torch.Generator],
    device: torch.device,
) -> Iterator[Tensor]:
    """Steps of vector-field matching; yields the loss (R,) of each."""
    if len(data[0].times) < settings.window:
        raise RecipeProblem(
            f"recipe matching needs at least {settings.window} observation times, found "
            f"{len(data[0].times)}; raise dynamics.training.times."
        )
    # Replicates of one graph share its slopes, states and knots.
    prepared = {x.graph: _slopes(x, settings, device) for x in data}
    knots = {x.graph: torch.from_numpy(place_knots(x.states, settings.knots)) for x in data}
    lookup = Lookup(torch.stack([knots[x.graph] for x in data]).float().to(device))
    adjacency = torch.stack([torch.from_numpy(x.adjacency) for x in data]).to(device)
    optimizer = torch.optim.Adam(list(parameters.values()), lr=settings.learning_rate, fused=True)
    for step in range(settings.steps):
        rate = 0.5 * settings.learning_rate * (1 + math.cos(math.pi * step / settings.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        states, slopes = [], []
        for x, generator in zip(data, generators, strict=True):
            all_states, all_slopes = prepared[x.graph]
            chosen = torch.randint(len(all_states), (settings.batch,), generator=generator)
            states.append(all_states[chosen.to(device)])
            slopes.append(all_slopes[chosen.to(device)])
        values = lookup.interpolate(lookup.values(parameters), torch.stack(states))
        f, h_ego, h_alt = values.unbind(-1)
        found = f + h_ego * torch.bmm(h_alt, adjacency)
        loss = (found - torch.stack(slopes)).abs().mean((1, 2))
        _step(optimizer, loss, parameters, settings.clip)
        yield loss.detach()


def _slopes(
    data: Observations, settings: MatchingSettings, device: torch.device
) -> tuple[Tensor, Tensor]:
    """All observed states (M·T, n) and their slopes, from local polynomials in time."""
    spacing = float(data.times[1] - data.times[0])
    slopes = savgol_filter(
        data.states.astype(np.float64), settings.window, settings.order, deriv=1, delta=spacing,
        axis=1, mode="interp",
    )  # fmt: skip
    n = data.states.shape[2]
    return (
        torch.from_numpy(data.states.reshape(-1, n)).to(device),
        torch.from_numpy(slopes.reshape(-1, n).astype(np.float32)).to(device),
    )


def _trajectory_matching(
    data: Sequence[Observations],
    settings: PaperSettings,
    parameters: dict[str, Tensor],
    generators: Sequence[torch.Generator],
    device: torch.device,
) -> Iterator[Tensor]:
    """Steps of the paper's recipe; yields the root mean squared error (R,) of each."""
    adjacency = torch.stack([torch.from_numpy(x.adjacency) for x in data]).to(device)
    states = {x.graph: torch.from_numpy(x.states).to(device) for x in data}
    times = torch.from_numpy(data[0].times).float().to(device)
    optimizer = torch.optim.Adagrad(
        list(parameters.values()), lr=settings.learning_rate, initial_accumulator_value=0.1
    )

    def rhs(_: Tensor, x: Tensor) -> Tensor:
        return velocity(parameters, adjacency, x)

    for _ in range(settings.steps):
        batch = torch.stack(
            [
                states[x.graph][
                    torch.randint(len(x.states), (settings.batch,), generator=generator).to(device)
                ]
                for x, generator in zip(data, generators, strict=True)
            ]
        )
        solved = odeint(
            rhs, batch[:, :, 0], times, rtol=settings.tolerance, atol=settings.tolerance,
            method="dopri5", options={"first_step": settings.first_step},
        )  # fmt: skip
        error: Tensor = solved.permute(1, 2, 0, 3) - batch
        loss = error.square().mean((1, 2, 3)).sqrt()
        _step(optimizer, loss, parameters, math.inf)
        yield loss.detach()


def _step(
    optimizer: torch.optim.Optimizer, loss: Tensor, parameters: Mapping[str, Tensor], clip: float
) -> None:
    """One step for every replicate; they share no parameter, so the sum's gradient is each own."""
    optimizer.zero_grad(set_to_none=True)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    if math.isfinite(clip):
        gradients = [p.grad for p in parameters.values() if p.grad is not None]
        norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
        factor = (clip / (norm + 1e-12)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))
    optimizer.step()
