"""The tables of what was observed on a network of the user's own."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema

__all__ = ["ERRORS", "FORECASTS", "FUNCTIONS", "MEASURES", "NODES", "NOTES", "OBSERVATIONS"]

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

_BANDS = {name: pa.float64() for name in ("mean", "lower_50", "upper_50", "lower_90", "upper_90")}
_ABOUT_BANDS = {
    "mean": "mean of the ensemble",
    "lower_50": "lower end of the 50 % band",
    "upper_50": "upper end of the 50 % band",
    "lower_90": "lower end of the 90 % band",
    "upper_90": "upper end of the 90 % band",
}

FORECASTS = Schema(
    "own forecasts",
    1,
    {
        "run": pa.string(),
        "origin": pa.float64(),
        "time": pa.float64(),
        "lead": pa.float64(),
        "node": pa.string(),
        "degree": pa.int64(),
        "value": pa.float64(),
        **_BANDS,
        "trusted": pa.bool_(),
        "persistence": pa.float64(),
        "mean_field": pa.float64(),
        "network_autoregression": pa.float64(),
        "autoregression": pa.float64(),
    },
    {
        "run": "name of the run",
        "origin": "time of the state that the forecast starts from",
        "time": "that it is for",
        "lead": "time since the origin",
        "node": "name of the node",
        "degree": "number of neighbours that have a series; if directed, of those that act on it",
        "value": "what was observed; NaN if nothing was",
        **_ABOUT_BANDS,
        "trusted": "whether the forecast stays where the ensemble has learned",
        "persistence": "what is forecast by standing still: the value at the origin",
        "mean_field": "what is forecast by a linear mean field",
        "network_autoregression": "what is forecast by a linear autoregression on the network",
        "autoregression": "what is forecast by the node's own autoregression",
    },
    identity=_OWN,
)

ERRORS = Schema(
    "own errors",
    1,
    {
        "by": pa.string(),
        "node": pa.string(),
        "at": pa.float64(),
        "method": pa.string(),
        "values": pa.int64(),
        "mae": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "rmse": pa.float64(),
        "covered_50": pa.float64(),
        "covered_90": pa.float64(),
        "trusted": pa.float64(),
    },
    {
        "by": "all, node, degree or lead: what forecasts are put together by",
        "node": "name of the node; empty unless by node",
        "at": "mean degree, or mean lead time, of what is put together; NaN if by all",
        "method": "ensemble, or a baseline of `nodeflow.data.BASELINES`",
        "values": "number of observed values that were forecast",
        "mae": "mean absolute error",
        "low": "first decile of the absolute errors",
        "high": "last decile of the absolute errors",
        "rmse": "root of the mean squared error",
        "covered_50": "share of values in the 50 % band; NaN for baselines",
        "covered_90": "share of values in the 90 % band; NaN for baselines",
        "trusted": "share of forecasts that are trusted; NaN for baselines",
    },
    identity=_OWN,
)

FUNCTIONS = Schema(
    "own functions",
    1,
    {"function": pa.string(), "state": pa.float64(), **_BANDS, "seen": pa.bool_()},
    {
        "function": "f, h_ego or h_alt, or product for h_ego(x) h_alt(x)",
        "state": "state x of a node, in the unit of the file",
        **_ABOUT_BANDS,
        "seen": "whether x lies between the smallest and the largest state of the training",
    },
    identity=_OWN,
)
