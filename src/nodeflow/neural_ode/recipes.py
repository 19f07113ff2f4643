"""The recipes step by step: each trains a stack of replicates and can be stopped and resumed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.interpolation import Interpolation, place_knots
from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.levenberg import Fit
from nodeflow.neural_ode.model import Parameters, evaluate_net, initial_parameters, velocity
from nodeflow.neural_ode.observations import Observations, first_runs
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    Settings,
)
from nodeflow.optimizers import Adagrad, Adam, Optimizer, cosine

__all__ = ["Trainer", "Weights", "make_trainer", "slopes"]

_MOST_SOLVER_STEPS = 8192

Weights = Sequence[np.ndarray | None]
"""For each replicate (M, B) weights of B blocks of time of its M runs; None counts all alike."""


class Trainer(Protocol):
    """A training run of R replicates.

    Attributes:
        steps: how many calls of `step` make a whole run.
    """

    steps: int

    @property
    def parameters(self) -> Parameters:
        """The stack as it is now."""

    def step(self) -> Tensor:
        """One step of every replicate; its loss (R,), not finite where a replicate is lost."""

    def state(self) -> dict[str, Tensor]:
        """All that `restore` needs, as named tensors."""

    def restore(self, state: Mapping[str, Tensor], done: int) -> None:
        """Go on from a state that was taken after `done` steps."""


def make_trainer(
    data: Sequence[Observations],
    settings: Settings,
    generators: Sequence[torch.Generator],
    device: torch.device,
    weights: Weights | None = None,
    estimated: Sequence[Estimate] | None = None,
) -> Trainer:
    """The trainer of a recipe at its start.

    Args:
        data: what each replicate learns from.
        settings: of the recipe.
        generators: of random numbers, one for each replicate.
        device: where to train.
        weights: how often each replicate counts blocks of time of its runs; see `train_stack`.
        estimated: for Gauss–Newton, what the data say, where that is known; `data` is not read.
    """
    weights = [None] * len(data) if weights is None else weights
    widths = (1, *settings.hidden, 1)
    start = initial_parameters(generators, widths=widths, scale=settings.scale)
    parameters = {name: tensor.to(device).requires_grad_() for name, tensor in start.items()}
    if isinstance(settings, GaussNewtonSettings):
        known = _estimates(data, weights, settings) if estimated is None else estimated
        return _GaussNewton(known, settings, parameters, device)
    if isinstance(settings, MatchingSettings):
        return _Matching(data, settings, parameters, generators, device, weights)
    return _Paper(data, settings, parameters, generators, device, weights)


def _unique(data: Sequence[Observations]) -> dict[int, Observations]:
    """The different objects among `data`, by identity."""
    return {id(x): x for x in data}


class _Optimized:
    """What is common to trainers with an optimizer and random batches."""

    steps: int
    parameters: Parameters
    _optimizer: Optimizer
    _generators: Sequence[torch.Generator]

    def state(self) -> dict[str, Tensor]:
        state = {f"parameter {name}": x.detach().cpu() for name, x in self.parameters.items()}
        state |= {f"optimizer {name}": x.cpu() for name, x in self._optimizer.state().items()}
        state |= {f"generator {i}": g.get_state() for i, g in enumerate(self._generators)}
        return state

    def restore(self, state: Mapping[str, Tensor], done: int) -> None:
        kept: dict[str, Tensor] = {}
        for name, value in state.items():
            kind, _, rest = name.partition(" ")
            if kind == "parameter":
                self.parameters[rest].data.copy_(value)
            elif kind == "optimizer":
                kept[rest] = value
            else:
                self._generators[int(rest)].set_state(value)
        self._optimizer.restore(kept)
        self._done = done

    def _update(self, loss: Tensor, learning_rate: float, clip: float = math.inf) -> None:
        """One step; replicates share no parameter, so the sum's gradient is that of each."""
        self._optimizer.zero_grad()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        if math.isfinite(clip):
            gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
            norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
            factor = (clip / (norm + 1e-12)).clamp(max=1.0)
            for gradient in gradients:
                gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))
        self._optimizer.step(learning_rate)
        self._done += 1

    _done = 0


class _GaussNewton(_Optimized):
    """The loss of a step is the root mean squared trajectory error, to second order."""

    def __init__(
        self,
        estimated: Sequence[Estimate],
        settings: GaussNewtonSettings,
        parameters: Parameters,
        device: torch.device,
    ) -> None:
        self.steps = settings.warmup + settings.steps
        self.parameters = parameters
        self._settings, self._generators = settings, []
        exact = torch.device("cpu") if device.type == "mps" else device

        def stacked(name: str) -> Tensor:
            rows = [getattr(x, name) for x in estimated]
            return torch.from_numpy(np.stack(rows)).to(exact)

        self._points, self._targets = stacked("points"), stacked("values")
        self._root = stacked("root")
        self._few = self._points.float().to(device), self._targets.float().to(device)
        size = self._few[1].square().mean(2, keepdim=True).sqrt()
        self._size = torch.maximum(size, 1e-3 * size.amax(1, keepdim=True))
        self._optimizer = Adam(parameters.values())
        self._fit: Fit | None = None

    def step(self) -> Tensor:
        if self._done < self._settings.warmup:
            rate = cosine(self._done, self._settings.warmup, self._settings.learning_rate)
            points, targets = self._few
            outputs = torch.stack(
                [
                    evaluate_net(self.parameters, net, points, self._settings.activation)
                    for net in NETS
                ],
                1,
            )
            self._update(((outputs - targets) / self._size).square().mean((1, 2)), rate)
            off = (outputs.detach().to(self._root) - self._targets).flatten(1).unsqueeze(-1)
            return torch.bmm(self._root.transpose(1, 2), off).square().sum((1, 2)).sqrt()
        if self._fit is None:
            self._fit = self._begin(None)
        loss = self._fit.step()
        self.parameters = self._fit.parameters
        self._done += 1
        return loss.sqrt()

    def state(self) -> dict[str, Tensor]:
        if self._fit is None:
            return super().state()
        state = {f"parameter {name}": x.cpu() for name, x in self.parameters.items()}
        return state | {"damping": self._fit.damping.cpu()}

    def restore(self, state: Mapping[str, Tensor], done: int) -> None:
        if "damping" not in state:
            super().restore(state, done)
            return
        self.parameters = {
            name: state[f"parameter {name}"].to(self._root) for name in self.parameters
        }
        self._fit = self._begin(state["damping"])
        self._done = done

    def _begin(self, damping: Tensor | None) -> Fit:
        exact = {name: x.detach().to(self._root) for name, x in self.parameters.items()}
        return Fit(
            exact, self._points, self._targets, self._root, damping, self._settings.activation
        )


def _estimates(
    data: Sequence[Observations], weights: Weights, settings: GaussNewtonSettings
) -> list[Estimate]:
    """The estimate of each replicate; those of one graph share all but what weights change."""
    estimated: dict[tuple[int, int], Estimate] = {}
    for key, x in _unique(data).items():
        mine = {id(w): w for y, w in zip(data, weights, strict=True) if y is x}
        try:
            several = estimates(
                first_runs(x.groups, settings.trajectories), x.adjacency, knots=settings.knots,
                steps=settings.times, ridge=settings.ridge, weights=list(mine.values()),
            )  # fmt: skip
        except np.linalg.LinAlgError:
            # The replicates are lost, the others of the stack are not.
            count = settings.knots + 3
            nothing = np.full((3, count), np.nan)
            lost = Estimate(np.zeros(count), nothing, np.eye(3 * count), np.nan, np.nan)
            several = [lost] * len(mine)
        estimated |= {(key, weight): y for weight, y in zip(mine, several, strict=True)}
    return [estimated[id(x), id(w)] for x, w in zip(data, weights, strict=True)]


class _Matching(_Optimized):
    """The loss of a step is the mean absolute error of the slopes."""

    def __init__(
        self,
        data: Sequence[Observations],
        settings: MatchingSettings,
        parameters: Parameters,
        generators: Sequence[torch.Generator],
        device: torch.device,
        weights: Weights,
    ) -> None:
        self.steps, self.parameters = settings.steps, parameters
        self._settings, self._data, self._generators = settings, data, generators
        # Replicates of one graph share its slopes, states and knots.
        graphs = _unique(data)
        self._prepared = {key: _slopes(x, settings, device) for key, x in graphs.items()}
        knots = {
            key: torch.from_numpy(place_knots(_flat(x), settings.knots))
            for key, x in graphs.items()
        }
        self._chances = [_chances(x, w) for x, w in zip(data, weights, strict=True)]
        self._interpolation = Interpolation(
            torch.stack([knots[id(x)] for x in data]).float().to(device)
        )
        self._adjacency = _adjacencies(data, device)
        self._optimizer = Adam(parameters.values())

    def step(self) -> Tensor:
        rate = cosine(self._done, self.steps, self._settings.learning_rate)
        states, slopes = [], []
        for x, chances, generator in zip(self._data, self._chances, self._generators, strict=True):
            all_states, all_slopes = self._prepared[id(x)]
            chosen = _drawn(len(all_states), chances, self._settings.batch, generator)
            states.append(all_states[chosen.to(all_states.device)])
            slopes.append(all_slopes[chosen.to(all_states.device)])
        table = self._interpolation.values(self.parameters)
        f, h_ego, h_alt = self._interpolation.interpolate(table, torch.stack(states)).unbind(-1)
        rates = f + h_ego * torch.bmm(h_alt, self._adjacency.transpose(1, 2))
        loss = (rates - torch.stack(slopes)).abs().mean((1, 2))
        self._update(loss, rate, self._settings.clip)
        return loss.detach()


def _flat(data: Observations) -> np.ndarray:
    """All observed states (M·T, n)."""
    n = data.adjacency.shape[0]
    return np.concatenate([states.reshape(-1, n) for _, states in data.groups])


def _slopes(
    data: Observations, settings: MatchingSettings, device: torch.device
) -> tuple[Tensor, Tensor]:
    """All observed states (M·T, n) and their slopes."""
    by_group = [slopes(times, x.astype(np.float64), settings) for times, x in data.groups]
    n = data.adjacency.shape[0]
    flat = np.concatenate([x.astype(np.float32).reshape(-1, n) for x in by_group])
    return torch.from_numpy(_flat(data)).to(device), torch.from_numpy(flat).to(device)


def _chances(data: Observations, weights: np.ndarray | None) -> Tensor | None:
    """How likely each of the states of `_flat` is to be drawn; None if all are alike."""
    if weights is None:
        return None
    counts, first = [], 0
    for times, states in data.groups:
        mine = weights[first : first + len(states)]
        block = np.arange(len(times)) * weights.shape[1] // len(times)
        counts.append(mine[:, block].ravel())
        first += len(states)
    return torch.from_numpy(np.concatenate(counts).astype(np.float64))


def _drawn(count: int, chances: Tensor | None, batch: int, generator: torch.Generator) -> Tensor:
    """A batch out of so many items, with replacement."""
    if chances is None:
        return torch.randint(count, (batch,), generator=generator)
    return torch.multinomial(chances, batch, replacement=True, generator=generator)


def slopes(times: np.ndarray, states: np.ndarray, settings: MatchingSettings) -> np.ndarray:
    """Time derivatives of states (M, T, n), from local polynomials in time, of any spacing."""
    trajectories, count, n = states.shape
    flat = np.moveaxis(states, 1, 0).reshape(count, -1)
    derivatives = _derivative(times, settings.window, settings.order) @ flat
    return np.ascontiguousarray(np.moveaxis(derivatives.reshape(count, trajectories, n), 0, 1))


def _derivative(times: np.ndarray, window: int, order: int) -> csr_array:
    """The (T, T) matrix of the slopes of polynomials fitted to the times nearest in number."""
    count = len(times)
    first = np.clip(np.arange(count) - window // 2, 0, count - window)
    columns = first[:, None] + np.arange(window)
    apart = times[columns] - times[:, None]
    reach = np.abs(apart).max(1)
    powers = (apart / reach[:, None])[:, :, None] ** np.arange(order + 1)
    weights = np.linalg.pinv(powers)[:, 1] / reach[:, None]
    rows = np.repeat(np.arange(count), window)
    return csr_array((weights.ravel(), (rows, columns.ravel())), shape=(count, count))


def _adjacencies(data: Sequence[Observations], device: torch.device) -> Tensor:
    return torch.stack([torch.from_numpy(x.dense()) for x in data]).to(device)


class _Paper(_Optimized):
    """The loss of a step is the root mean squared error of its integrated trajectories."""

    def __init__(
        self,
        data: Sequence[Observations],
        settings: PaperSettings,
        parameters: Parameters,
        generators: Sequence[torch.Generator],
        device: torch.device,
        weights: Weights,
    ) -> None:
        self.steps, self.parameters = settings.steps, parameters
        self._settings, self._data, self._generators = settings, data, generators
        self._adjacency = _adjacencies(data, device)
        self._states = {
            key: torch.from_numpy(x.groups[0][1]).to(device) for key, x in _unique(data).items()
        }
        self._chances = [None if w is None else torch.from_numpy(w.sum(1)) for w in weights]
        self._times = torch.from_numpy(data[0].groups[0][0]).float().to(device)
        self._optimizer = Adagrad(parameters.values(), first=0.1)

    def step(self) -> Tensor:
        batch = torch.stack(
            [
                self._states[id(x)][
                    _drawn(len(self._states[id(x)]), chances, self._settings.batch, generator).to(
                        self._times.device
                    )
                ]
                for x, chances, generator in zip(
                    self._data, self._chances, self._generators, strict=True
                )
            ]
        )
        everything = torch.arange(len(self._data), device=batch.device)
        # A lost replicate has parameters that are not finite, and takes no further part.
        last = torch.stack([x.detach().flatten(1).sum(1) for x in self.parameters.values()]).sum(0)
        good = everything[last.isfinite()]
        try:
            solved = self._solve(good, batch)
        except AssertionError:  # torchdiffeq's: no step is small enough, or too many are needed
            good = torch.tensor([i for i in good.tolist() if self._solvable(i, batch)]).to(good)
            solved = self._solve(good, batch) if len(good) else batch[:0]
        errors = solved - batch[good]
        loss = torch.full((len(batch),), math.nan, device=batch.device)
        loss = loss.index_copy(0, good, errors.square().mean((1, 2, 3)).sqrt())
        if len(good):
            self._update(loss[good], self._settings.learning_rate)
        else:
            self._done += 1
        for x in self.parameters.values():
            x.data[~loss.detach().isfinite()] = math.nan
        return loss.detach()

    def _solve(self, chosen: Tensor, batch: Tensor) -> Tensor:
        """Trajectories (R', B, T, n) of the chosen replicates."""
        parameters = {name: x[chosen] for name, x in self.parameters.items()}
        adjacency = self._adjacency[chosen]
        from torchdiffeq import odeint  # takes a while to load, and only this recipe needs it

        tolerance = self._settings.tolerance
        solved: Tensor = odeint(
            lambda _, x: velocity(parameters, adjacency, x), batch[chosen][:, :, 0], self._times,
            rtol=tolerance, atol=tolerance, method="dopri5",
            options={"first_step": self._settings.first_step, "max_num_steps": _MOST_SOLVER_STEPS},
        )  # fmt: skip
        return solved.permute(1, 2, 0, 3)

    def _solvable(self, replicate: int, batch: Tensor) -> bool:
        try:
            with torch.no_grad():
                self._solve(torch.tensor([replicate], device=batch.device), batch)
        except AssertionError:
            return False
        return True
