"""Whether bands and flags of an ensemble of neural ODEs are to be trusted, measured on test graphs.

The ensemble are all models of a training cell. What its bands need is learned on the training
graphs alone, each of whose trajectories is held out for the models trained on the other graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.runs import runs_on_each
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import Learned
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.schemas import NEAR_ZERO, OF_TRUTH
from nodeflow.neural_ode.seen import Seen, flags
from nodeflow.neural_ode.trust import Calibration, bands, calibrate
from nodeflow.neural_ode.trust_table import ENSEMBLE, PERCENTAGES
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    from nodeflow.neural_ode.evaluate import Watch

__all__ = [
    "Evidence",
    "Rated",
    "evidence_of",
    "failure",
    "rate_forecasts",
    "rating",
    "rating_each",
    "rating_of",
    "summary",
]

Floats = NDArray[np.float64]

WRONG = 0.01
"""A node is predicted badly if its error is a larger share of its state."""

_RUNS, _TIMES = 16, 32
"""Of each training graph so many trajectories are held out, at about so many times."""


@dataclass(frozen=True)
class Evidence:
    """What the training graphs say about an ensemble.

    Attributes:
        seen: states that all of its models have seen.
        calibration: how wide its bands have to be.
    """

    seen: Seen
    calibration: Calibration


@one_thread_if_small
def evidence_of(
    models: Learned,
    fields: Sequence[Field | None],
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    *,
    tolerance: Tolerance,
) -> Evidence:
    """What training data cover, and how well models predict those of graphs that they did not see.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        fields: the vector field of each; None where the training failed.
        graphs: the training graphs, by index.
        trajectories: on them, all those that the models learned from.
        tolerance: of the true system; for models see `Tolerance.for_error`.

    Raises:
        TrajectoryProblem: a trajectory does not fit its graph or the others; see `runs_on_each`.
    """
    good = [[x for x in runs if x.status == "ok"] for runs in runs_on_each(graphs, trajectories)]
    used = [graph for graph in np.unique(models.training_graph).tolist() if good[graph]]
    seen = Seen.shared([Seen.of(np.stack([x.states for x in good[g]]), graphs[g]) for g in used])
    held_out = [good[graph][-_RUNS:] for graph in used]
    times = good[used[0]][0].times
    at = slice(None, None, max(len(times) // _TIMES, 1))
    initials = [np.stack([x.states[0] for x in runs]).astype(np.float64) for runs in held_out]
    simulated = {
        r: simulate_graphs(
            field,
            [graphs[graph] for graph in used],
            initials,
            times[at],
            **asdict(tolerance.for_error(models.error[r])),
        )
        for r, field in enumerate(fields)
        if field is not None
    }
    predictions, truths = [], []
    for place, graph in enumerate(used):
        others = [r for r in simulated if models.training_graph[r] != graph]
        for number, run in enumerate(held_out[place]):
            states = [simulated[r][place].states[number] for r in others]
            predictions.append(np.reshape(states, (len(others), *run.states[at].shape)))
            truths.append(run.states[at])
    return Evidence(seen, calibrate(predictions, truths, tuple(PERCENTAGES.values())))


def rate_forecasts(
    evidence: Evidence,
    graph: Graph,
    truth: Sequence[Trajectory],
    forecasts: Sequence[Simulation | None],
) -> dict[str, Any]:
    """How good the bands and flags of an ensemble are on a graph.

    Args:
        evidence: what the training graphs say.
        graph: a test graph.
        truth: B trajectories of the true system on it.
        forecasts: what each model predicts of them; None for a model whose training failed.

    Returns:
        The columns of `NEURAL_ODE_TRUST`, but for those that name the graphs.
    """
    models = [x for x in forecasts if x is not None]
    reason = failure(truth)
    each = [] if reason else [_rated(evidence, graph, x, models, b) for b, x in enumerate(truth)]
    fewest = min((x.models for x in each), default=0)
    if fewest < 2 and not reason:
        reason = f"{fewest} of {len(forecasts)} models could be integrated, not at least two"
    return summary(evidence.calibration, each, reason)


def failure(truth: Sequence[Trajectory]) -> str:
    """Why there is nothing to compare with; empty if there is."""
    return next((f"{OF_TRUTH}{x.reason}" for x in truth if x.status != "ok"), "")


def summary(calibration: Calibration, each: Sequence[Rated], reason: str) -> dict[str, Any]:
    """How good bands and flags are on a graph, over its trajectories.

    Args:
        calibration: of the bands.
        each: trajectory by trajectory.
        reason: why there are no bands or nothing to compare with; empty if there are.

    Returns:
        The columns of `NEURAL_ODE_TRUST`, but for those that name the graphs.
    """
    row: dict[str, Any] = {
        "calibration_runs": calibration.runs,
        **{f"stretch_{p}": x for p, x in zip(PERCENTAGES, calibration.stretch, strict=True)},
        "models": min((x.models for x in each), default=0),
    }
    if reason:
        return {**row, "status": "failed", "reason": reason}
    inside, student, half, size, error, flagged, agree = (
        np.concatenate([getattr(x, name) for x in each], axis=-1)
        for name in ("inside", "student", "half", "size", "error", "flagged", "agree")
    )
    known = size >= NEAR_ZERO
    relative = error[known] / size[known]
    bad, warned = relative > WRONG, flagged[known]
    for p, all_in, student_in in zip(PERCENTAGES, inside, student, strict=True):
        row[f"student_{p}"] = _mean(student_in)
        row[f"coverage_{p}"] = _mean(all_in)
        row[f"coverage_{p}_unflagged"] = _mean(all_in[~flagged])
    return {
        **row,
        "status": "ok",
        "reason": "",
        "width_90": _mean(half) / max(_mean(size), np.finfo(float).tiny),
        "flagged": _mean(flagged),
        "agree": _mean(agree),
        "bad": _mean(bad),
        "bad_agree": _mean(bad[agree[known]]),
        "precision": _mean(bad[warned]),
        "recall": _mean(warned[bad]),
        "mae_flagged": _mean(error[flagged]),
        "mae_unflagged": _mean(error[~flagged]),
        "error_flagged": _median(relative[warned]),
        "error_unflagged": _median(relative[~warned]),
    }


def rating(evidence: Evidence, graphs: Sequence[Graph], rows: list[dict[str, Any]]) -> Watch:
    """What `evaluate_models` is watched by: it adds a row of `NEURAL_ODE_TRUST` for each graph.

    Args:
        evidence: what the training graphs say.
        graphs: the test graphs, by index.
        rows: where rows are added, with all columns but N, beta and gamma.
    """

    def watch(
        index: int, truth: Sequence[Trajectory], forecasts: Sequence[Simulation | None]
    ) -> None:
        row = rate_forecasts(evidence, graphs[index], truth, forecasts)
        rows.append({"graph": index, "training_graph": ENSEMBLE, **row})

    return watch


def rating_each(models: Fields, graphs: Sequence[Graph], rows: list[dict[str, Any]]) -> Watch:
    """The same where each model has bands and flags of its own: a row for each, too."""

    def watch(index: int, truth: Sequence[Trajectory], _: Sequence[Simulation | None]) -> None:
        for graph, rate in zip(models.training_graph.tolist(), models.raters, strict=True):
            if rate is not None:
                row = rate(graphs[index], truth)
                rows.append({"graph": index, "training_graph": graph, **row})

    return watch


def rating_of(
    models: Learned,
    evidence: Evidence | None,
    graphs: Sequence[Graph],
    rows: list[dict[str, Any]],
) -> Watch | None:
    """The one of both that suits models: by what is known of their ensemble, else by their own.

    Returns:
        None where there is neither.
    """
    if evidence:
        return rating(evidence, graphs, rows)
    if isinstance(models, Fields) and models.raters:
        return rating_each(models, graphs, rows)
    return None


@dataclass(frozen=True)
class Rated:
    """What bands and flags are worth on one trajectory on n nodes, over the times after the first.

    Attributes:
        models: how many models or laws the bands are made of.
        inside: (L, n) share of times at which the true state is in the band of each level.
        student: (L, n) the same for bands that are not calibrated.
        half: (n,) mean half width of the widest band.
        size: (n,) mean |true state|.
        error: (n,) mean absolute error of the middle.
        flagged: (n,) whether the node is not to be trusted.
        agree: (n,) whether it leaves what was seen, and is to be trusted.
    """

    models: int
    inside: Floats
    student: Floats
    half: Floats
    size: Floats
    error: Floats
    flagged: NDArray[np.bool_]
    agree: NDArray[np.bool_]


def _rated(
    evidence: Evidence, graph: Graph, truth: Trajectory, models: Sequence[Simulation], number: int
) -> Rated:
    states = truth.states.astype(np.float64)
    given = np.reshape([x.states[number] for x in models], (len(models), *states.shape))
    forecast = bands(given, evidence.calibration.levels)
    student = (forecast.high - forecast.low)[:, 1:] / 2
    half = np.array(evidence.calibration.stretch)[:, None, None] * student
    distance = np.abs(states - forecast.mean)[1:]
    flagged = flags(forecast.mean, evidence.seen, graph)[-1]
    return Rated(
        forecast.left,
        (distance <= half).mean(axis=1),
        (distance <= student).mean(axis=1),
        half[-1].mean(axis=0),
        np.abs(states[1:]).mean(axis=0),
        distance.mean(axis=0),
        flagged,
        np.zeros_like(flagged),
    )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else np.nan


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else np.nan
