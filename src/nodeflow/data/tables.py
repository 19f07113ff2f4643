"""The tables of what was observed on a network of the user's own."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema

__all__ = ["MEASURES", "NODES", "NOTES", "OBSERVATIONS"]

_OWN = Schema("own data", 1, {"own": pa.string()}, {"own": "name in the configuration"})

OBSERVATIONS = Schema(
    "own observations",
    1,
    {
        "run": pa.string(),
        "time": pa.float64(),
        "node": pa.string(),
        "degree": pa.int64(),
        "value": pa.float64(),
    },
    {
        "run": "name of the run",
        "time": "when it was observed, in the unit of the file",
        "node": "name of the node",
        "degree": "number of neighbours; in a directed network, of nodes that act on it",
        "value": "what was observed, in the unit of the file",
    },
    identity=_OWN,
)

NODES = Schema(
    "own nodes",
    1,
    {
        "node": pa.string(),
        "degree": pa.int64(),
        "acts_on": pa.int64(),
        "strength": pa.float64(),
        "values": pa.int64(),
        "missing": pa.int64(),
        "low": pa.float64(),
        "mean": pa.float64(),
        "high": pa.float64(),
    },
    {
        "node": "name of the node",
        "degree": "number of neighbours; in a directed network, of nodes that act on it",
        "acts_on": "number of nodes that it acts on; its degree in an undirected network",
        "strength": "sum of the weights of the edges by which others act on it",
        "values": "how many values were observed, in all runs",
        "missing": "at how many of the times of all runs it has no value",
        "low": "smallest value; NaN if there is none",
        "mean": "mean of its values; NaN if there is none",
        "high": "largest value; NaN if there is none",
    },
    identity=_OWN,
)

MEASURES = Schema(
    "own measures",
    1,
    {"of": pa.string(), "measure": pa.string(), "value": pa.float64(), "about": pa.string()},
    {
        "of": "network or series",
        "measure": "what is measured",
        "value": "its value",
        "about": "what that means, in a sentence",
    },
    identity=_OWN,
)

NOTES = Schema(
    "own notes",
    1,
    {"topic": pa.string(), "note": pa.string(), "limits": pa.bool_()},
    {
        "topic": "what it is about",
        "note": "what has to be known about the data, in sentences",
        "limits": "whether it limits what can be told from the data",
    },
    identity=_OWN,
)
