"""What is in observed series and in their network, before anything is learned from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nodeflow.data.limits import limits, some_nodes
from nodeflow.data.observed import Note, Observed
from nodeflow.data.series import Series
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.measures import graph_table
from nodeflow.graphs.schemas import GRAPHS

__all__ = ["data_notes", "measure_table", "observation_table", "observed_nodes"]

_MANY = 0.2
"""Share of missing values from which a node is named."""


def observation_table(observed: Observed) -> pd.DataFrame:
    """One row for each value, with the columns of `nodeflow.data.tables.OBSERVATIONS`."""
    names = np.array([str(node) for node in observed.series.nodes], dtype=object)
    parts = []
    for run in observed.series.runs:
        at, node = np.nonzero(np.isfinite(run.states))
        parts.append(
            pd.DataFrame(
                {
                    "run": run.name,
                    "time": run.times[at],
                    "node": names[node],
                    "degree": observed.graph.degrees[node],
                    "value": run.states[at, node],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def observed_nodes(observed: Observed) -> pd.DataFrame:
    """One row for each node of the network, with the columns of `nodeflow.data.tables.NODES`."""
    graph = observed.graph
    states = np.concatenate([run.states for run in observed.series.runs])
    count = np.isfinite(states).sum(axis=0)
    values = pd.DataFrame(states)
    return pd.DataFrame(
        {
            "node": [str(node) for node in observed.series.nodes],
            "degree": graph.degrees,
            "acts_on": np.bincount(graph.edges[:, 0], minlength=graph.n)
            if graph.directed
            else graph.degrees,
            "strength": _strengths(graph),
            "values": count,
            "missing": len(states) - count,
            "low": values.min().to_numpy(),
            "mean": values.mean().to_numpy(),
            "high": values.max().to_numpy(),
        }
    )


def measure_table(observed: Observed) -> pd.DataFrame:
    """Measures of network and series, with the columns of `nodeflow.data.tables.MEASURES`.

    Clustering, assortativity and the largest component are those of the network without directions
    and weights.
    """
    rows = [("network", *row) for row in _network_measures(observed.graph)]
    rows += [("series", *row) for row in _series_measures(observed.series)]
    return pd.DataFrame(rows, columns=["of", "measure", "value", "about"])


def data_notes(observed: Observed) -> list[Note]:
    """What has to be known about the data: how they were read, and what limits them."""
    return [
        *observed.notes,
        *_network_notes(observed.graph, observed.series.nodes),
        *limits(observed.graph, observed.series),
        *_series_notes(observed),
    ]


def _strengths(graph: Graph) -> np.ndarray:
    """Sum of each row of A, shape (n,)."""
    return np.asarray(graph.adjacency().sum(axis=1)).ravel()


def _network_measures(graph: Graph) -> Iterator[tuple[str, float, str]]:
    [facts] = graph_table([graph.skeleton()]).to_dict("records")
    yield "nodes", graph.n, GRAPHS.about["nodes"]
    yield "edges", len(graph.edges), GRAPHS.about["edges"]
    yield "directed", float(graph.directed), "1 if edges have directions, else 0."
    if graph.directed:
        yield "reciprocity", _reciprocity(graph), "Share of edges that are there both ways."
    yield "weighted", float(graph.weights is not None), "1 if edges have weights, else 0."
    degrees, of = graph.degrees, "nodes that act on a node" if graph.directed else "neighbours"
    yield "mean_degree", float(degrees.mean()), f"Mean number of {of}."
    yield "k_max", int(degrees.max()), f"Largest number of {of}."
    alone = "that nothing acts on" if graph.directed else "without neighbours"
    yield "isolated_share", float((degrees == 0).mean()), f"Share of nodes {alone}."
    strengths = _strengths(graph)
    yield "mean_strength", float(strengths.mean()), "Mean sum of the weights that act on a node."
    for name in ("clustering", "assortativity", "giant_share"):
        yield name, float(facts[name]), GRAPHS.about[name]


def _reciprocity(graph: Graph) -> float:
    pairs = {(u, v) for u, v in graph.edges.tolist()}
    return sum((v, u) in pairs for u, v in pairs) / len(pairs) if pairs else float("nan")


def _series_measures(series: Series) -> Iterator[tuple[str, float, str]]:
    states = np.concatenate([run.states for run in series.runs])
    steps = np.concatenate([np.diff(run.times) for run in series.runs])
    seen = series.observed
    yield "runs", len(series.runs), "Number of runs."
    counts = [len(run.times) for run in series.runs]
    yield "times_fewest", min(counts), "Number of times of the run with the fewest."
    yield "times_most", max(counts), "Number of times of the run with the most."
    yield "first_time", min(run.times[0] for run in series.runs), "First time of all runs."
    yield "last_time", max(run.times[-1] for run in series.runs), "Last time of all runs."
    yield "shortest_step", float(steps.min()), "Shortest time between two observations."
    yield "longest_step", float(steps.max()), "Longest time between two observations."
    yield "observed_nodes", int(seen.sum()), "Number of nodes with a series."
    missing = float(np.isnan(states[:, seen]).mean())
    yield "missing_share", missing, "Share of missing values, of nodes with a series."
    yield "low", float(np.nanmin(states)), "Smallest value."
    yield "high", float(np.nanmax(states)), "Largest value."


def _network_notes(graph: Graph, names: Sequence[Any]) -> Iterator[Note]:
    alone = np.flatnonzero(graph.degrees == 0)
    if len(alone) and len(graph.edges):
        yield Note(
            "isolated nodes",
            f"Nothing acts on {some_nodes(alone, names)}: of such nodes only what they do by "
            "themselves can be learned.",
        )


def _series_notes(observed: Observed) -> Iterator[Note]:
    series, nodes = observed.series, observed_nodes(observed)
    seen = nodes[nodes["values"] > 0]
    share = seen["missing"] / (seen["missing"] + seen["values"])
    if share.any():
        overall = seen["missing"].sum() / (seen["missing"] + seen["values"]).sum()
        often = share.index[share >= _MANY].to_numpy()
        text = f"{overall:.1%} of the values are missing; gaps are filled by interpolation."
        if len(often):
            text += f" At least {_MANY:.0%} are missing of {some_nodes(often, series.nodes)}."
        yield Note("missing values", text, limits=bool(len(often)))
    steps = np.concatenate([np.diff(run.times) for run in series.runs])
    if steps.max() > 1.01 * steps.min():
        yield Note(
            "times",
            f"Times are uneven: from {steps.min():.3g} to {steps.max():.3g} between two "
            "observations. They are used as they are.",
        )
