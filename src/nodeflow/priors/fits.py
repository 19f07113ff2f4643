"""What frames of a test system say with a prior, and how good forecasts with it are."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.series import Run
from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.ensemble import Ensemble
from nodeflow.neural_ode.layout import ModelProblem
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.problem import PriorProblem
from nodeflow.priors.trials import Trial

__all__ = ["Frames", "first_field", "learned", "mode", "weigh"]

Array = NDArray[np.float64]

_LEVEL = 0.9


def learned(prior: Prior, trial: Trial, run: Run, draws: int) -> Ensemble | None:
    """What some frames say with a prior; None where they cannot be learned from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return prior.learn(trial.graph, [run], members=draws, seed=trial.seed)
        except (PriorProblem, np.linalg.LinAlgError):
            return None


def mode(found: Ensemble | None) -> Curves | None:
    """The mode of a posterior: draws come in pairs around it."""
    if found is None or not isinstance(found.models, Curves):
        return None
    values = found.models.values
    return Curves(found.models.states, values[:2].mean(axis=0, keepdims=True))


def first_field(curves: Curves | None) -> Field | None:
    """The vector field of the first triple, if there is one and it can be used."""
    return curves.fields[0] if curves is not None and curves.fields else None


def weigh(rows: Sequence[dict[str, Any]]) -> None:
    """Give candidates for the same frames their probabilities, from their evidence."""
    evidence = np.array([x["evidence"] for x in rows])
    weights = np.exp(evidence - evidence.max()) if np.isfinite(evidence).any() else 0.0
    weights = np.broadcast_to(weights / max(float(np.sum(weights)), 1e-300), len(rows))
    for row, weight in zip(rows, weights, strict=True):
        row["weight"] = float(weight)


@dataclass(frozen=True)
class Frames:
    """Frames of a test system, and a run on another graph that forecasts are compared with.

    Attributes:
        trial: the system.
        run: the frames.
        noise: its standard deviation over the root mean square of the states.
        graph: the other graph.
        truth: the run on it.
    """

    trial: Trial
    run: Run
    noise: float
    graph: Graph
    truth: Trajectory

    def row(self, candidate: str, found: Ensemble | None) -> dict[str, Any]:
        """A row of "fits": what the frames say with the prior of a candidate family."""
        row: dict[str, Any] = {
            "frames": len(self.run.times), "noise": self.noise, "candidate": candidate,
            "evidence": -math.inf, "weight": math.nan, "alarm": True,
        }  # fmt: skip
        if found is None:
            return row
        size = float(np.sqrt(np.square(self.run.states).mean()))
        row |= {
            "evidence": found.made["evidence"],
            "misfit": found.made["misfit"],
            "alarm": any(x.startswith("No function") for x in found.made["alarm"]),
            "noise_found": found.noise / size,
            "error": self._error(first_field(mode(found))),
        }
        if candidate == self.trial.family:
            row |= self._bands(found, self.noise * size)
        return row

    def _error(self, made: Field | None) -> float:
        """Relative error of a forecast; infinite where it fails."""
        if made is None or self.truth.status != "ok":
            return math.inf
        true, tolerance = self.truth.states, asdict(self.trial.tolerance)
        [found] = simulate_graphs(made, [self.graph], [true[:1]], self.truth.times, **tolerance)
        off = float(np.abs(found.states[0] - true)[1:].mean() / true[1:].mean())
        return off if math.isfinite(off) else math.inf

    def _bands(self, found: Ensemble, noise: float) -> dict[str, float]:
        """How often bands cover further observations that are as noisy, and their width."""
        states = self.truth.states.astype(np.float64)
        try:
            table = found.predict(self.graph, states[0], self.truth.times, levels=(_LEVEL,))
        except ModelProblem:
            return {"covered": 0.0}
        mean, low, high = (
            table[x].to_numpy().reshape(states.shape)[1:]
            for x in ("mean", f"lower_{100 * _LEVEL:g}", f"upper_{100 * _LEVEL:g}")
        )
        later = states[1:]
        seen = later + noise * self.trial.generator("further").standard_normal(later.shape)
        off = float(np.median(np.abs(mean - later)))
        return {
            "covered": float(((low <= seen) & (seen <= high)).mean()),
            "spread": float(np.median((high - low) / 2)) / max(off, 1e-300),
        }
