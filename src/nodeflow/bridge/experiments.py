"""The experiments of trained neural ODEs, run on any set of them, without fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from nodeflow.bridge.predict import Predictions, ensemble, predict
from nodeflow.dynamics.fixed_points import find_fixed_points
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.bins import degree_bins, hubs
from nodeflow.graphs.graph import Graph

__all__ = [
    "TestCase",
    "area_under_roc",
    "ensemble_rows",
    "error_rows",
    "errors_by_degree",
    "fixed_point_rows",
    "unobserved_rows",
    "worst_nodes",
]

Rows = list[dict[str, object]]

_WORST = 0.05


@dataclass(frozen=True)
class TestCase:
    """One test graph with the true trajectory on it.

    Attributes:
        graph: the graph.
        times: (T,) observation times.
        states: (T, n) true states.
    """

    __test__ = False

    graph: Graph
    times: np.ndarray
    states: np.ndarray

    def errors(self, predicted: np.ndarray) -> np.ndarray:
        """Absolute errors of predictions (…, T, n), averaged over times: (…, n)."""
        errors: np.ndarray = np.abs(predicted - self.states).mean(axis=-2)
        return errors

    def outside(self, seen: tuple[float, float]) -> np.ndarray:
        """Share of times (n,) at which the true state is outside the training range."""
        share: np.ndarray = ((self.states < seen[0]) | (self.states > seen[1])).mean(axis=0)
        return share


def error_rows(predictions: Predictions, cases: Sequence[TestCase]) -> Rows:
    """One row for each neural ODE and graph: index, graph, status, reason, mae, mae_hubs."""
    rows: Rows = []
    for g, case in enumerate(cases):
        errors = case.errors(predictions.states[g])
        for k, error in enumerate(errors):
            reason = predictions.reason[k, g]
            rows.append(
                {
                    "index": k,
                    "graph": g,
                    "status": "failed" if reason else "ok",
                    "reason": reason,
                    "mae": error.mean(),
                    "mae_hubs": error[hubs(case.graph.degrees)].mean(),
                }
            )
    return rows


def ensemble_rows(
    predictions: Predictions,
    cases: Sequence[TestCase],
    sizes: Sequence[int],
    seen: tuple[float, float],
    worst: Sequence[np.ndarray],
) -> Rows:
    """Ensembles of disjoint members as predictors and as alarms.

    As an alarm, an ensemble ranks nodes by how much its members disagree; of one neural ODE alone,
    nodes are ranked by how far its predicted states leave the training range.

    Args:
        predictions: of M neural ODEs.
        cases: the test graphs.
        sizes: members in an ensemble; ⌊M / size⌋ of each are formed.
        seen: range of the training states.
        worst: for each graph, which nodes (n,) an alarm should find.

    Returns:
        Rows with size, ensemble, graph, mae, mae_hubs, rank_correlation (of alarm and error over
        nodes), auc_errors (alarm against `worst`) and auc_outside (against nodes whose true state
        is outside the training range half of the time).
    """
    rows: Rows = []
    for g, case in enumerate(cases):
        states = predictions.states[g]
        outside = case.outside(seen) >= 0.5
        for size in sizes:
            for number in range(len(states) // size):
                some = states[number * size : (number + 1) * size]
                middle, alarm = ensemble(some)
                if size == 1:
                    beyond = np.maximum(middle - seen[1], seen[0] - middle)
                    alarm = np.maximum(beyond, 0.0).mean(axis=0)
                error = case.errors(middle)
                rows.append(
                    {
                        "size": size,
                        "ensemble": number,
                        "graph": g,
                        "mae": error.mean(),
                        "mae_hubs": error[hubs(case.graph.degrees)].mean(),
                        "rank_correlation": _rank_correlation(alarm, error),
                        "auc_errors": area_under_roc(alarm, worst[g]),
                        "auc_outside": area_under_roc(alarm, outside),
                    }
                )
    return rows


def worst_nodes(error: np.ndarray) -> np.ndarray:
    """Which nodes are among the worst twentieth by error (n,)."""
    worst: np.ndarray = error > np.quantile(error, 1 - _WORST)
    return worst


def area_under_roc(score: np.ndarray, label: np.ndarray) -> float:
    """Chance that a labelled node has a higher score than another one; ties count one half.

    Args:
        score: (n,).
        label: (n,) bool.

    Returns:
        In [0, 1]; NaN if all nodes or none are labelled, or scores are not finite.
    """
    positive = int(label.sum())
    if positive == 0 or positive == len(label) or not np.isfinite(score).all():
        return float("nan")
    ranks = rankdata(score)
    wins = ranks[label].sum() - positive * (positive + 1) / 2
    return float(wins / (positive * (len(label) - positive)))


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation; NaN if either is constant or not finite."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def errors_by_degree(
    predictions: Predictions, cases: Sequence[TestCase], seen: tuple[float, float]
) -> pd.DataFrame:
    """Errors of the members and of their ensemble by degree, with what the ensemble expects.

    Returns:
        One row for each degree bin: degree, nodes, mae_low, mae, mae_high (deciles over members
        and nodes), ensemble_mae and disagreement (means over nodes), outside.
    """
    parts = []
    for g, case in enumerate(cases):
        states = predictions.states[g]
        prediction, alarm = ensemble(states)
        facts = {
            "degree": degree_bins(case.graph.degrees),
            "ensemble_mae": case.errors(prediction),
            "disagreement": alarm,
            "outside": case.outside(seen),
        }
        errors = pd.DataFrame(case.errors(states).T)
        parts.append(pd.concat([pd.DataFrame(facts), errors], axis=1))
    table = pd.concat(parts, ignore_index=True)
    members = [column for column in table if isinstance(column, int)]
    rows = []
    for degree, group in table.groupby("degree"):
        low, middle, high = np.nanquantile(group[members].to_numpy(), [0.1, 0.5, 0.9])
        means = group[["ensemble_mae", "disagreement", "outside"]].mean()
        rows.append(
            {"degree": degree, "nodes": len(group), "mae_low": low, "mae": middle,
             "mae_high": high, **means}
        )  # fmt: skip
    return pd.DataFrame(rows)


def unobserved_rows(
    fields: Sequence[Field | str],
    case: TestCase,
    shares: Sequence[float],
    tolerance: Tolerance,
    rng: np.random.Generator,
) -> Rows:
    """Predictions from a part of the network: some nodes are removed at random.

    Returns:
        One row for each neural ODE and share: index, share, mae (over the nodes that are left).
    """
    rows: Rows = []
    order = rng.permutation(case.graph.n)
    for share in shares:
        kept = np.sort(order[round(share * case.graph.n) :])
        part = TestCase(case.graph.subgraph(kept), case.times, case.states[:, kept])
        found = predict(fields, [part.graph], [part.states[0]], part.times, tolerance)
        errors = part.errors(found.states[0]).mean(axis=1)
        rows += [{"index": k, "share": share, "mae": error} for k, error in enumerate(errors)]
    return rows


def fixed_point_rows(
    fields: Sequence[Field | str],
    truth: Field,
    domain: tuple[float, float],
    case: TestCase,
    horizon: float,
    tolerance: Tolerance,
    error: float,
) -> Rows:
    """Fixed points of neural ODEs beside the true one on one graph.

    Each field is integrated to `horizon` and Newton's method starts from there.

    Args:
        fields: neural ODEs, from `fields_of`.
        truth: the true vector field.
        domain: bounds of its states.
        case: a test graph with its true trajectory.
        horizon: time to integrate to.
        tolerance: of the true system; for neural ODEs see `Tolerance.for_error`.
        error: of the neural ODEs on training data.

    Returns:
        One row for each neural ODE: index, status, reason, displacement (mean over nodes of the
        distance to the true fixed point), displacement_hubs, scale (mean of the true one), stable.
    """
    true, reason = _settle(truth, case, horizon, tolerance, domain)
    rows: Rows = []
    for k, field in enumerate(fields):
        found, why = None, reason and f"true system: {reason}"
        if not why:
            found, why = (
                (None, field)
                if isinstance(field, str)
                else _settle(field, case, horizon, tolerance.for_error(error), (-np.inf, np.inf))
            )
        row: dict[str, object] = {
            "index": k,
            "status": "ok" if found else "failed",
            "reason": why,
            "displacement": np.nan,
            "displacement_hubs": np.nan,
            "scale": np.nan,
            "stable": -1,
        }
        if found and true:
            distance = np.abs(found[0] - true[0])
            row |= {
                "displacement": distance.mean(),
                "displacement_hubs": distance[hubs(case.graph.degrees)].mean(),
                "scale": np.abs(true[0]).mean(),
                "stable": found[1],
            }
        rows.append(row)
    return rows


def _settle(
    field: Field, case: TestCase, horizon: float, tolerance: Tolerance, domain: tuple[float, float]
) -> tuple[tuple[np.ndarray, int] | None, str]:
    """The fixed point that a field reaches, and 1, 0 or −1: stable, not stable, unknown."""
    adjacency = case.graph.adjacency()
    start = case.states[:1].astype(np.float64)
    run = simulate(field, adjacency, start, [0.0, horizon], **asdict(tolerance))
    if run.reason[0]:
        return None, run.reason[0]
    found = find_fixed_points(field, adjacency, run.states[:, -1], domain=domain, eigenvalues=1)
    if not found.points:
        return None, found.searches[0].reason
    point = found.points[0]
    return (point.state, -1 if point.stable is None else int(point.stable)), ""
