"""Training of neural ODEs: all replicates of a system and cell as one stacked tensor.

A run that was killed goes on from its checkpoint and ends with the same bits. A replicate that
diverges, or whose field explodes on the trajectories it was trained on, is trained again with
smaller steps; one that fails every time is marked, and its parameters are not kept. One that is
not much better than predicting that nothing ever changes is kept, and the history says so.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor

from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.job import Progress
from nodeflow.neural_ode.estimate import Estimate
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.layout import SELU
from nodeflow.neural_ode.observations import (
    Observations,
    check_observations,
    first_runs,
    observed,
)
from nodeflow.neural_ode.recipes import Trainer, Weights, make_trainer
from nodeflow.neural_ode.settings import (
    MatchingSettings,
    RecipeProblem,
    Settings,
    recipe_settings,
    snapshot_steps,
)
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.table import TableProblem
from nodeflow.neural_ode.units import Units, in_given_units, scaled, units_of
from nodeflow.seeds import torch_generator
from nodeflow.stack import Stack
from nodeflow.tables import FileProblem, Kind, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["ATTEMPTS", "Checkpoints", "Observations", "observed", "train_models", "train_stack"]

log = logging.getLogger("nodeflow")

ATTEMPTS = 3
"""How often a replicate is trained before it is given up."""

_CPU = torch.device("cpu")
_HISTORY_ROWS = 100
_CHECKED_TRAJECTORIES, _CHECKED_TIMES = 4, 8
_CHECK_TOLERANCE = 1e-5
"""Of the tables by which trained fields are checked: a tenth of the integrator's."""

_WEAK = 1 / 3
"""Share of the error of standing still above which a model is not much better than that."""

_CHECKPOINT = Kind("node checkpoint", 2)

Arrays = dict[str, np.ndarray]
"""Parameters of R replicates by name."""


@dataclass(frozen=True)
class Checkpoints:
    """Where a training leaves what it has done so far.

    Attributes:
        path: beginning of the files' names.
        made: what the training is made with; a checkpoint of another training is not used.
        every: steps between two of them.
    """

    path: str
    made: Mapping[str, Any]
    every: int = 1000

    def _file(self, attempt: int) -> Path:
        return Path(f"{self.path}.{attempt}.checkpoint")

    def write(
        self,
        attempt: int,
        state: Mapping[str, Tensor],
        done: int,
        losses: Tensor,
        snapshots: Sequence[Arrays],
    ) -> None:
        """Save a state after `done` steps, and all losses (done, R) and snapshots so far."""
        tensors = {name: tensor.numpy() for name, tensor in state.items()}
        tensors |= {f"snapshot {name}": values for name, values in _over_steps(snapshots).items()}
        facts = {"done": np.array([done]), "losses": losses.numpy()}
        write_tensors(self._file(attempt), {**tensors, **facts}, _CHECKPOINT, self.made)

    def read(self, attempt: int) -> tuple[dict[str, Tensor], int, Tensor, list[Arrays]] | None:
        """What `write` was given; None if there is nothing to go on from."""
        if not self._file(attempt).exists():
            return None
        try:
            arrays = read_tensors(self._file(attempt), _CHECKPOINT, self.made)
        except FileProblem as problem:
            log.warning("Training starts anew: %s", problem)
            return None
        kept = {
            name.removeprefix("snapshot "): arrays.pop(name)
            for name in list(arrays)
            if name.startswith("snapshot ")
        }
        snapshots = [dict(zip(kept, x, strict=True)) for x in zip(*kept.values(), strict=True)]
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return tensors, int(tensors.pop("done")), tensors.pop("losses"), snapshots

    def remove(self) -> None:
        """Delete all files."""
        for attempt in range(ATTEMPTS):
            self._file(attempt).unlink(missing_ok=True)


@one_thread_if_small
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
    checkpoints: Checkpoints | None = None,
) -> tuple[Models, pd.DataFrame]:
    """Train `seeds` neural ODEs on each graph, all of them together.

    More than eight parameters, because a training is named by data, recipe, seeds and labels,
    and may be resumed.

    Args:
        graphs: training graphs; all of the same size, but for Gauss–Newton.
        trajectories: observed on them, in any units (see `nodeflow.neural_ode.units`), with finite
            states of all nodes, each at times of its own (with the paper's recipe all at the
            same times); failed ones are left out.
        recipe: one of `RECIPES`.
        settings: changes to the recipe's defaults.
        seeds: initializations per graph, at least 1.
        labels: what names the system and the cell; random numbers follow from
            (root_seed, labels, graph, seed).
        root_seed: the run's root seed.
        device: where to train.
        checkpoints: where to resume from; None resumes nothing.

    Returns:
        The models, graph by graph and seed by seed, and the history with the columns of
        `NEURAL_ODE_HISTORY`, but for the losses of the baselines.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit its graph or the others on it.
        RecipeProblem: unknown recipe or setting, or trajectories that the recipe cannot learn from.
    """
    if not isinstance(seeds, int) or seeds < 1 or isinstance(labels, str) or not labels:
        raise RecipeProblem(
            f"seeds = {seeds!r} and labels = {labels!r} do not fit; give at least one seed, and "
            'labels as a tuple that begins with the system, such as ("SIS",).'
        )
    chosen = recipe_settings(recipe, settings)
    pairs = [(x, seed) for x in observed(graphs, trajectories) for seed in range(seeds)]
    names = [(*labels, x.graph, seed) for x, seed in pairs]
    data = [x for x, _ in pairs]
    return train_stack(
        data, chosen, names, root_seed, device, f"train {labels[0]}", checkpoints=checkpoints
    )


@one_thread_if_small
def train_stack(
    data: Sequence[Observations],
    settings: Settings,
    names: Sequence[tuple[str | float, ...]],
    root_seed: int,
    device: torch.device = _CPU,
    label: str = "train",
    *,
    checkpoints: Checkpoints | None = None,
    weights: Weights | None = None,
    estimated: Sequence[Estimate] | None = None,
) -> tuple[Models, pd.DataFrame]:
    """Train one replicate on each of `data`, each as if it were alone, up to rounding.

    More than eight parameters, because the last three are for callers that resume, that resample,
    and that know estimates, one each.

    With the paper's recipe the replicates share the integrator's steps, so they agree with those
    trained alone only within its tolerance. Replicates that are given the same object in `data`
    share what is computed from it.

    Args:
        data: what each replicate learns from; graphs of one size, but for Gauss–Newton.
        settings: of the recipe.
        names: what names each replicate.
        root_seed: the run's root seed.
        device: where to train.
        label: for progress lines.
        checkpoints: where to resume from; None resumes nothing.
        weights: how often each replicate counts what it is given: (M, B) for B blocks of time of
            each of its M runs, as in a bootstrap; None, here or for one of them, counts all alike.
        estimated: for Gauss–Newton on data that need no units, what each of `data` says, where
            that has been estimated already.

    Returns:
        As `train_models`.

    Raises:
        RecipeProblem: the recipe cannot learn from these observations.
    """
    check_observations(data, settings)
    count = len(data)
    # Replicates that share an object go on sharing one.
    unit = {id(x): units_of(x, settings) for x in data}
    rescaled = {id(x): scaled(x, unit[id(x)]) for x in data}
    seen = np.array([x.range for x in data], dtype=np.float64)
    weights = [None] * count if weights is None else weights
    units, data = [unit[id(x)] for x in data], [rescaled[id(x)] for x in data]
    if estimated is not None and any(x != Units() for x in units):
        raise RecipeProblem(
            "functions were estimated of data that need other units; leave them out."
        )
    kept: Arrays = {}
    steps, early = snapshot_steps(settings), Arrays()
    ok, error = np.zeros(count, dtype=bool), np.full(count, np.nan)
    waiting = list(range(count))
    history = []
    size = np.array([x.state for x in units])
    loss_unit = size / [x.time for x in units] if isinstance(settings, MatchingSettings) else size
    for attempt in range(ATTEMPTS):
        again = (attempt,) if attempt else ()
        generators = [torch_generator(root_seed, "node", *names[i], *again) for i in waiting]
        retried = [data[i] for i in waiting]
        counted = [weights[i] for i in waiting]
        known = None if estimated is None else [estimated[i] for i in waiting]
        trainer = make_trainer(retried, settings, generators, device, counted, known)
        losses, snapshots = _run(
            trainer, f"{label}, attempt {attempt + 1}", attempt, checkpoints, steps.tolist()
        )
        trained = _stack(trainer)
        verdicts = _faults(trained, losses.numpy(), retried, settings.activation)
        if not kept:
            kept = {n: np.full((count, *x.shape[1:]), np.nan, x.dtype) for n, x in trained.items()}
            early = {n: np.full((len(steps), *x.shape), np.nan, x.dtype) for n, x in kept.items()}
        for row, replicate in enumerate(waiting):
            verdict = verdicts[row].times(size[replicate])
            in_units = losses[:, row] * loss_unit[replicate]
            history.append(_history(replicate, attempt, in_units, verdict.status))
            if not verdict.reason:
                ok[replicate], error[replicate] = True, verdict.error
                for name, values in trained.items():
                    kept[name][replicate] = values[row]
                    for place, snapshot in enumerate(snapshots):
                        early[name][place, replicate] = snapshot[name][row]
            if verdict.status != "ok":
                how = " failed" if verdict.reason else ""
                log.warning("%s: replicate %d%s: %s", label, replicate, how, verdict.status)
        waiting = [i for i in waiting if not ok[i]]
        settings = settings.gentler()
        if not waiting:
            break
    if checkpoints is not None:
        checkpoints.remove()
    table = pd.concat(history, ignore_index=True)
    graphs = np.array([x.graph for x in data])
    over_training = None
    if len(steps):
        over_training = Stack(in_given_units(early, units), about={"step": steps})
    models = Models(
        in_given_units(kept, units),
        about={"training_graph": graphs, "seen": seen, "ok": ok, "error": error},
        snapshots=over_training,
        activation=settings.activation,
    )
    return models, table


def _run(
    trainer: Trainer,
    label: str,
    attempt: int,
    checkpoints: Checkpoints | None,
    kept: Sequence[int],
) -> tuple[Tensor, list[Arrays]]:
    """All steps, or those that are left.

    Returns:
        The losses (steps, R), and the parameters after each of the steps in `kept`.
    """
    resumed = None if checkpoints is None else checkpoints.read(attempt)
    losses: list[Tensor] = []
    snapshots = [_stack(trainer)] if 0 in kept else []
    if resumed is not None:
        state, done, before, snapshots = resumed
        trainer.restore(state, done)
        losses = list(before)
    progress = Progress(trainer.steps, label)
    for done in range(len(losses) + 1, trainer.steps + 1):
        losses.append(trainer.step().cpu().double())
        if done in kept:
            snapshots.append(_stack(trainer))
        progress.update(done, loss=float(losses[-1].nanmean()))
        if checkpoints is not None and (done % checkpoints.every == 0 or done == trainer.steps):
            checkpoints.write(attempt, trainer.state(), done, torch.stack(losses), snapshots)
    return torch.stack(losses), snapshots


def _stack(trainer: Trainer) -> Arrays:
    """A copy of the parameters as they are now, in float32."""
    return {n: x.detach().float().cpu().numpy().copy() for n, x in trainer.parameters.items()}


def _over_steps(snapshots: Sequence[Arrays]) -> Arrays:
    """Arrays (S, R, …); empty without snapshots."""
    return {n: np.stack([x[n] for x in snapshots]) for n in (snapshots[0] if snapshots else ())}


def _history(replicate: int, attempt: int, losses: Tensor, status: str) -> pd.DataFrame:
    """About a hundred rows, at steps that are equally spaced on a logarithmic scale."""
    steps = np.unique(np.round(np.geomspace(1, len(losses), _HISTORY_ROWS)).astype(np.int64))
    return pd.DataFrame(
        {
            "replicate": replicate,
            "attempt": attempt,
            "step": steps,
            "loss": losses.numpy()[steps - 1],
            "status": status,
        }
    )


@dataclass(frozen=True)
class Verdict:
    """What a trained replicate is worth.

    Attributes:
        reason: why it is of no use; empty if it is.
        error: its mean absolute error on trajectories that it was trained on; NaN if unknown.
        still: that of predicting that nothing ever changes.
    """

    reason: str = ""
    error: float = math.nan
    still: float = math.nan

    def times(self, unit: float) -> Verdict:
        """The same for states in another unit."""
        return replace(self, error=self.error * unit, still=self.still * unit)

    @property
    def status(self) -> str:
        """ok, why the replicate is of no use, or that it is of little."""
        beside = f"mean absolute error {self.error:.3g}, standing still {self.still:.3g}"
        if self.reason:
            return self.reason if math.isnan(self.error) else f"{self.reason}: {beside}"
        return f"weak, but kept: {beside}" if self.error > _WEAK * self.still else "ok"


def _faults(
    parameters: Mapping[str, np.ndarray],
    losses: np.ndarray,
    data: Sequence[Observations],
    activation: str = SELU,
) -> list[Verdict]:
    """The verdict on each replicate."""
    verdicts = []
    for row, x in enumerate(data):
        finite = all(np.isfinite(values[row]).all() for values in parameters.values())
        if not (finite and np.isfinite(losses[:, row]).all()):
            verdicts.append(Verdict("training diverged: loss or parameters are not finite"))
            continue
        verdicts.append(_on_training_data(parameters, row, x, activation))
    return verdicts


def _on_training_data(
    parameters: Mapping[str, np.ndarray], row: int, data: Observations, activation: str
) -> Verdict:
    """Whether the trained field, started where training trajectories start, follows them at all."""
    groups = first_runs(data.groups, _CHECKED_TRAJECTORIES)
    low, high = zip(*((float(x.min()), float(x.max())) for _, x in groups), strict=True)
    try:
        seen = min(low), max(high)
        field = as_field(
            parameters, row, table=seen, tolerance=_CHECK_TOLERANCE, activation=activation
        )
    except TableProblem as problem:
        return Verdict(f"the trained functions are too rough: {problem}")
    adjacency = csr_array(data.adjacency.astype(np.float64))
    off, moved = [], []
    for times, observed_states in groups:
        states = observed_states.astype(np.float64)
        every = max(len(times) // _CHECKED_TIMES, 1)
        at = np.array([0, *range(every, len(times), every)])
        got = simulate(
            field, adjacency, states[:, 0], times[at], rtol=1e-4, atol=1e-4, max_steps=5000
        )
        bad = next((reason for reason in got.reason if reason), "")
        if bad:
            return Verdict(f"the trained field explodes on its own training data: {bad}")
        true = states[:, at]
        off.append(np.abs(got.states - true).ravel())
        moved.append(np.abs(true - true[:, :1]).ravel())
    error, still = float(np.concatenate(off).mean()), float(np.concatenate(moved).mean())
    worse = "" if error < still else "the trained field is no better than standing still"
    return Verdict(worse, error, still)
