"""Schemas of the bridge's tables."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from nodeflow.tables import Gathered, Schema, gathered

__all__ = [
    "BRIDGE_DEGREES",
    "BRIDGE_ENSEMBLES",
    "BRIDGE_FIXED_POINTS",
    "BRIDGE_FUNCTIONS",
    "BRIDGE_PANEL",
    "BRIDGE_QUESTIONS",
    "BRIDGE_RUNS",
    "BRIDGE_UNOBSERVED",
    "COLLECTED_DEGREES",
    "COLLECTED_ENSEMBLES",
    "COLLECTED_FIXED_POINTS",
    "COLLECTED_FUNCTIONS",
    "COLLECTED_PANEL",
    "COLLECTED_RUNS",
    "COLLECTED_UNOBSERVED",
    "TABLES",
    "ZOO_SYSTEM",
]

_FLOAT, _INT, _TEXT = pa.float64(), pa.int64(), pa.string()

_WHICH = {
    "zoo": (_TEXT, "name of the zoo"),
    "system": (_TEXT, "dynamical system"),
    "set": (_TEXT, "held-out (trained, never learned from), generated, weight flow, or a control"),
    "trained_beta": (_FLOAT, "β of the training graphs, or the condition of generated ones"),
    "trained_gamma": (_FLOAT, "γ of the training graphs, or the condition of generated ones"),
    "unseen": (pa.bool_(), "whether the flow never saw a member of that β and γ"),
}
_TESTED = {
    "N": (_INT, "number of nodes of the test graphs"),
    "beta": (_FLOAT, "β of the test graphs"),
    "gamma": (_FLOAT, "γ of the test graphs"),
}
_STATUS = {
    "status": (_TEXT, "ok, or failed: then the numbers are NaN"),
    "reason": (_TEXT, "why it failed; empty if it did not"),
}
_INDEX = {"index": (_INT, "number of the neural ODE in its set")}
_GRAPH = {"graph": (_INT, "index of the test graph")}
_MAE = {
    "mae": (_FLOAT, "absolute error of the states, mean over nodes and times"),
    "mae_hubs": (_FLOAT, "the same over the hundredth of the nodes with the highest degree"),
}


def _schema(name: str, *parts: Mapping[str, tuple[pa.DataType, str]]) -> Schema:
    merged = {column: facts for part in parts for column, facts in part.items()}
    return Schema(
        name,
        1,
        {column: type_ for column, (type_, _) in merged.items()},
        {column: about for column, (_, about) in merged.items()},
    )


BRIDGE_PANEL = _schema(
    "bridge panel",
    {
        "zoo": _WHICH["zoo"],
        "system": _WHICH["system"],
        "set": (_TEXT, "zoo (training members), held-out, generated, or the name of a control"),
    },
    _INDEX,
    {
        "seed": (_INT, "seed it can be made from again; -1 for trained ones"),
        "error": (
            _FLOAT,
            "mean absolute error of the vector field on a graph that nothing was trained on, over "
            "the mean absolute true velocity",
        ),
        "nearest": (_FLOAT, "Euclidean distance of the weights to the nearest training member"),
        "ratio": (_FLOAT, "that over the distance to the second-nearest; a replica if below 1/3"),
        "function_nearest": (
            _FLOAT,
            "root mean square difference of the three functions to those of the nearest training "
            "member, in units of their deviation over the zoo",
        ),
        "function_ratio": (_FLOAT, "that over the same to the second-nearest"),
        "overlap": (
            _FLOAT,
            "largest cosine between the vector field's residuals and a training member's",
        ),
        "spread": (_FLOAT, "Euclidean distance of the weights to the mean of the set"),
        "function_spread": (_FLOAT, "the same of the functions, in units of function_nearest"),
    },
    _STATUS,
)

BRIDGE_RUNS = _schema(
    "bridge runs",
    _WHICH,
    _TESTED,
    _GRAPH,
    _INDEX,
    {
        "trained_graph": (
            _INT,
            "number of its training graph among those of its set; -1 if it has none of its own",
        )
    },
    _STATUS,
    _MAE,
)

BRIDGE_ENSEMBLES = _schema(
    "bridge ensembles",
    _WHICH,
    _TESTED,
    {
        "size": (_INT, "members of the ensemble; 1 is a neural ODE alone"),
        "ensemble": (_INT, "number of the ensemble; those of one size share no member"),
    },
    _GRAPH,
    _MAE,
    {
        "rank_correlation": (
            _FLOAT,
            "Spearman's correlation over nodes of the alarm with the error; the alarm is the "
            "members' disagreement, and of one alone how far its states leave the training range",
        ),
        "auc_errors": (
            _FLOAT,
            "area under the ROC curve of the alarm against the twentieth of the nodes where "
            "trained neural ODEs err most",
        ),
        "auc_outside": (
            _FLOAT,
            "the same against nodes whose true state is outside the training range half of the "
            "time",
        ),
    },
)

BRIDGE_DEGREES = _schema(
    "bridge errors by degree",
    _WHICH,
    _TESTED,
    {
        "degree": (_FLOAT, "centre of the degree bin; 0 for isolated nodes"),
        "nodes": (_INT, "nodes in the bin"),
        "mae_low": (_FLOAT, "first decile of the errors of single neural ODEs at these nodes"),
        "mae": (_FLOAT, "their median"),
        "mae_high": (_FLOAT, "their last decile"),
        "ensemble_mae": (_FLOAT, "mean error of the ensemble of all of the set"),
        "disagreement": (_FLOAT, "mean absolute distance of its members from its prediction"),
        "outside": (_FLOAT, "share of node-times outside the training range"),
    },
)

BRIDGE_FUNCTIONS = _schema(
    "bridge functions",
    _WHICH,
    {
        "function": (_TEXT, "f, h_ego or h_alt"),
        "state": (_FLOAT, "state of the node"),
        "true": (_FLOAT, "value of the true function in the canonical gauge"),
        "low": (_FLOAT, "first decile of the learned functions"),
        "middle": (_FLOAT, "their median"),
        "high": (_FLOAT, "their last decile"),
        "count": (_INT, "neural ODEs"),
    },
)

BRIDGE_FIXED_POINTS = _schema(
    "bridge fixed points",
    _WHICH,
    _TESTED,
    _INDEX,
    _STATUS,
    {
        "displacement": (_FLOAT, "distance to the true fixed point, mean over nodes"),
        "displacement_hubs": (_FLOAT, "the same over the hundredth with the highest degree"),
        "scale": (_FLOAT, "mean absolute state of the true fixed point"),
        "stable": (_INT, "1 if all eigenvalues have negative real parts, 0 if not, -1 if unknown"),
    },
)

BRIDGE_UNOBSERVED = _schema(
    "bridge unobserved nodes",
    _WHICH,
    _TESTED,
    _INDEX,
    {
        "share": (_FLOAT, "share of the nodes that were removed"),
        "mae": (_FLOAT, "absolute error at the nodes that are left, mean over times"),
    },
)

TABLES = {
    "panel": BRIDGE_PANEL,
    "runs": BRIDGE_RUNS,
    "ensembles": BRIDGE_ENSEMBLES,
    "degrees": BRIDGE_DEGREES,
    "functions": BRIDGE_FUNCTIONS,
    "fixed_points": BRIDGE_FIXED_POINTS,
    "unobserved": BRIDGE_UNOBSERVED,
}
"""The tables that each zoo and system has, by the name of their file."""

ZOO_SYSTEM = _schema("zoo and system", {name: _WHICH[name] for name in ("zoo", "system")})


def _of_all(schema: Schema) -> Gathered:
    return gathered(f"{schema.name} of all zoos", schema, ZOO_SYSTEM)


COLLECTED_PANEL = _of_all(BRIDGE_PANEL)
COLLECTED_RUNS = _of_all(BRIDGE_RUNS)
COLLECTED_ENSEMBLES = _of_all(BRIDGE_ENSEMBLES)
COLLECTED_DEGREES = _of_all(BRIDGE_DEGREES)
COLLECTED_FUNCTIONS = _of_all(BRIDGE_FUNCTIONS)
COLLECTED_FIXED_POINTS = _of_all(BRIDGE_FIXED_POINTS)
COLLECTED_UNOBSERVED = _of_all(BRIDGE_UNOBSERVED)

BRIDGE_QUESTIONS = _schema(
    "bridge questions",
    {
        "question": (_TEXT, "what is asked"),
        "zoo": _WHICH["zoo"],
        "system": _WHICH["system"],
        "N": _TESTED["N"],
        "beta": (_FLOAT, "β of training and test graphs; NaN: all of the zoo together"),
        "gamma": (_FLOAT, "γ, likewise"),
        "unseen": _WHICH["unseen"],
        "cells": (
            _INT,
            "pairs of β and γ that the statistic is the mean of, geometric for ratios",
        ),
        "statistic": (_TEXT, "what answers it: a ratio of median errors, or a difference of areas"),
        "estimate": (_FLOAT, "its value"),
        "low": (_FLOAT, "lower end of its 95 % bootstrap interval"),
        "high": (_FLOAT, "upper end"),
        "no_difference": (_FLOAT, "the value that the interval is compared with"),
        "n": (
            _INT,
            "what was drawn again in the smaller of the sets compared: training graphs with all "
            "their neural ODEs, generated neural ODEs, or ensembles",
        ),
        "graphs": (_INT, "test graphs on which the statistic exists"),
        "answer": (
            _TEXT,
            "yes, no, open (the interval holds the value of no difference), or not answerable",
        ),
        "reason": (_TEXT, "why it is not answerable, or why an end of the interval is infinite"),
    },
)
