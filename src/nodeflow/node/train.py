"""Training of neural ODEs: all replicates of a system and cell as one stacked tensor.

A run that was killed goes on from its checkpoint and ends with the same bits. A replicate that
diverges, or whose field explodes on the trajectories it was trained on, is trained again with
smaller steps; one that fails every time is marked, and its parameters are not kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from nodeflow.node.field import as_field
from nodeflow.node.observations import Observations, observed
from nodeflow.node.recipes import Trainer, make_trainer
from nodeflow.node.settings import Settings, recipe_settings, snapshot_steps
from nodeflow.node.store import Models, Snapshots
from nodeflow.node.table import TableProblem
from nodeflow.seeds import torch_generator
from nodeflow.tables import FileProblem, Kind, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["ATTEMPTS", "Checkpoints", "Observations", "observed", "train_models", "train_stack"]

log = logging.getLogger("nodeflow")

ATTEMPTS = 3
"""How often a replicate is trained before it is given up."""

_CPU = torch.device("cpu")
_HISTORY_ROWS = 100
_CHECKED_TRAJECTORIES = 4
_CHECK_TOLERANCE = 1e-5
"""Of the tables by which trained fields are checked: a tenth of the integrator's."""

_CHECKPOINT = Kind("node checkpoint", 2)

Stack = dict[str, np.ndarray]
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
        snapshots: Sequence[Stack],
    ) -> None:
        """Save a state after `done` steps, and all losses (done, R) and snapshots so far."""
        tensors = {name: tensor.numpy() for name, tensor in state.items()}
        tensors |= {f"snapshot {name}": values for name, values in _over_steps(snapshots).items()}
        facts = {"done": np.array([done]), "losses": losses.numpy()}
        write_tensors(self._file(attempt), {**tensors, **facts}, _CHECKPOINT, self.made)

    def read(self, attempt: int) -> tuple[dict[str, Tensor], int, Tensor, list[Stack]] | None:
        """What `write` was given; None if there is nothing to go on from."""
        if not self._file(attempt).exists():
            return None
        try:
            found = read_tensors(self._file(attempt), _CHECKPOINT, self.made)
        except FileProblem as problem:
            log.warning("Training starts anew: %s", problem)
            return None
        kept = {
            name.removeprefix("snapshot "): found.pop(name)
            for name in list(found)
            if name.startswith("snapshot ")
        }
        snapshots = [dict(zip(kept, x, strict=True)) for x in zip(*kept.values(), strict=True)]
        tensors = {name: torch.from_numpy(array.copy()) for name, array in found.items()}
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

    Args:
        graphs: training graphs, all of the same size.
        trajectories: observed on them; failed ones are left out.
        recipe: one of `RECIPES`.
        settings: changes to the recipe's defaults.
        seeds: initializations per graph.
        labels: what names the system and the cell; random numbers follow from
            (root_seed, labels, graph, seed).
        root_seed: the run's root seed.
        device: where to train.
        checkpoints: where to resume from; None resumes nothing.

    Returns:
        The models, graph by graph and seed by seed, and the history with the columns of
        `NODE_HISTORY`, but for the losses of the baselines.

    Raises:
        RecipeProblem: unknown recipe or setting, or no usable trajectories.
    """
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
) -> tuple[Models, pd.DataFrame]:
    """Train one replicate on each of `data`, each as if it were alone, up to rounding.

    With the paper's recipe the replicates share the integrator's steps, so they agree with those
    trained alone only within its tolerance. Replicates that are given the same object in `data`
    share what is computed from it.

    Args:
        data: what each replicate learns from; graphs of one size, the same number of times.
        settings: of the recipe.
        names: what names each replicate.
        root_seed: the run's root seed.
        device: where to train.
        label: for progress lines.
        checkpoints: where to resume from; None resumes nothing.

    Returns:
        As `train_models`.
    """
    count = len(data)
    kept: Stack = {}
    steps, early = snapshot_steps(settings), Stack()
    ok, error = np.zeros(count, dtype=bool), np.full(count, np.nan)
    waiting = list(range(count))
    history = []
    for attempt in range(ATTEMPTS):
        again = (attempt,) if attempt else ()
        generators = [torch_generator(root_seed, "node", *names[i], *again) for i in waiting]
        some = [data[i] for i in waiting]
        trainer = make_trainer(some, settings, generators, device)
        losses, snapshots = _run(
            trainer, f"{label}, attempt {attempt + 1}", attempt, checkpoints, steps.tolist()
        )
        trained = _stack(trainer)
        faults = _faults(trained, losses.numpy(), some)
        if not kept:
            kept = {n: np.full((count, *x.shape[1:]), np.nan, x.dtype) for n, x in trained.items()}
            early = {n: np.full((len(steps), *x.shape), np.nan, x.dtype) for n, x in kept.items()}
        for row, replicate in enumerate(waiting):
            reason = faults[row][0]
            history.append(_history(replicate, attempt, losses[:, row], reason))
            if not reason:
                ok[replicate], error[replicate] = True, faults[row][1]
                for name, values in trained.items():
                    kept[name][replicate] = values[row]
                    for place, snapshot in enumerate(snapshots):
                        early[name][place, replicate] = snapshot[name][row]
            else:
                log.warning("%s: replicate %d failed: %s", label, replicate, reason)
        waiting = [i for i in waiting if not ok[i]]
        settings = settings.gentler()
        if not waiting:
            break
    if checkpoints is not None:
        checkpoints.remove()
    seen = np.array([[x.states.min(), x.states.max()] for x in data], dtype=np.float64)
    table = pd.concat(history, ignore_index=True)
    graphs = np.array([x.graph for x in data])
    over_training = Snapshots(steps, early) if len(steps) else None
    return Models(kept, graphs, seen, ok, error, over_training), table


def _run(
    trainer: Trainer,
    label: str,
    attempt: int,
    checkpoints: Checkpoints | None,
    kept: Sequence[int],
) -> tuple[Tensor, list[Stack]]:
    """All steps, or those that are left.

    Returns:
        The losses (steps, R), and the parameters after each of the steps in `kept`.
    """
    found = None if checkpoints is None else checkpoints.read(attempt)
    losses: list[Tensor] = []
    snapshots = [_stack(trainer)] if 0 in kept else []
    if found is not None:
        state, done, before, snapshots = found
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


def _stack(trainer: Trainer) -> Stack:
    """A copy of the parameters as they are now, in float32."""
    return {n: x.detach().float().cpu().numpy().copy() for n, x in trainer.parameters.items()}


def _over_steps(snapshots: Sequence[Stack]) -> Stack:
    """Arrays (S, R, …); empty without snapshots."""
    return {n: np.stack([x[n] for x in snapshots]) for n in (snapshots[0] if snapshots else ())}


def _history(replicate: int, attempt: int, losses: Tensor, reason: str) -> pd.DataFrame:
    """About a hundred rows, at steps that are equally spaced on a logarithmic scale."""
    steps = np.unique(np.round(np.geomspace(1, len(losses), _HISTORY_ROWS)).astype(np.int64))
    return pd.DataFrame(
        {
            "replicate": replicate,
            "attempt": attempt,
            "step": steps,
            "loss": losses.numpy()[steps - 1],
            "status": reason or "ok",
        }
    )


def _faults(
    parameters: Mapping[str, np.ndarray], losses: np.ndarray, data: Sequence[Observations]
) -> list[tuple[str, float]]:
    """Why each replicate is of no use, empty if it is; and its error on its training data."""
    found = []
    for row, x in enumerate(data):
        finite = all(np.isfinite(values[row]).all() for values in parameters.values())
        if not (finite and np.isfinite(losses[:, row]).all()):
            found.append(("training diverged: loss or parameters are not finite", np.nan))
            continue
        found.append(_explosion(parameters, row, x))
    return found


def _explosion(
    parameters: Mapping[str, np.ndarray], row: int, data: Observations
) -> tuple[str, float]:
    """Whether the trained field, started where training trajectories start, leaves them at all.

    Returns:
        What is wrong with it, empty if nothing is, and its mean absolute error.
    """
    states = data.states[:_CHECKED_TRAJECTORIES].astype(np.float64)
    try:
        seen = (float(states.min()), float(states.max()))
        field = as_field(parameters, row, table=seen, tolerance=_CHECK_TOLERANCE)
    except TableProblem as problem:
        return f"the trained functions are too rough: {problem}", np.nan
    times = data.times[[0, *range(len(data.times) // 8, len(data.times), len(data.times) // 8)]]
    at = np.searchsorted(data.times, times)
    adjacency = csr_array(data.adjacency.astype(np.float64))
    got = simulate(field, adjacency, states[:, 0], times, rtol=1e-4, atol=1e-4, max_steps=5000)
    bad = next((reason for reason in got.reason if reason), "")
    if bad:
        return f"the trained field explodes on its own training data: {bad}", np.nan
    true = states[:, at]
    error = float(np.abs(got.states - true).mean())
    still = float(np.abs(true - true[:, :1]).mean())
    if not error < still or still == 0:
        worse = f"the trained field is no better than standing still: {error:.3g} and {still:.3g}"
        return worse, error
    return "", error
