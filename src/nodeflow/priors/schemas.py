"""Schemas of what a run asks of priors: light, for whoever reads or draws their tables."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Gathered, Schema, gathered

__all__ = [
    "COLLECTED_ENSEMBLES",
    "COLLECTED_FITS",
    "COLLECTED_FIXED_POINTS",
    "COLLECTED_FUNCTIONS",
    "COLLECTED_HIDDEN",
    "COLLECTED_PANEL",
    "COLLECTED_RUNS",
    "INSIDE",
    "OUTSIDE",
    "PRIOR_CLAIMS",
    "PRIOR_TABLES",
    "STRANGER",
]

INSIDE, OUTSIDE, STRANGER = "inside", "outside", "stranger"
"""Where the coefficients of a test system are; a stranger's form is that of no family."""

_FLOAT, _INT, _TEXT, _BOOL = pa.float64(), pa.int64(), pa.string(), pa.bool_()

Columns = dict[str, tuple[pa.DataType, str]]

FAMILY = Schema(
    "family",
    1,
    {"family": _TEXT},
    {"family": "family of the test systems; strangers are mixtures that belong to none"},
)

_SYSTEM: Columns = {
    "where": (_TEXT, "coefficients inside the ranges of the zoo, outside, or stranger"),
    "trial": (_INT, "number of the test system"),
}
_METHOD: Columns = {
    "method": (_TEXT, "what predicts; docs/priors.md says what each is"),
    "frames": (_INT, "frames of one run that it has seen; 0 for coefficients alone"),
    "noise": (_FLOAT, "standard deviation of their noise over the rms state"),
}
_CELL: Columns = {
    "N": (_INT, "number of nodes of the test graph"),
    "gamma": (_FLOAT, "its degree exponent γ"),
    "graph": (_INT, "its index"),
}
_STATUS: Columns = {
    "status": (_TEXT, "ok, or failed: then the numbers are NaN"),
    "reason": (_TEXT, "why it failed"),
}


def _schema(name: str, *parts: Columns) -> Schema:
    merged = {column: facts for part in parts for column, facts in part.items()}
    return Schema(
        name,
        1,
        {column: type_ for column, (type_, _) in merged.items()},
        {column: about for column, (_, about) in merged.items()},
        identity=FAMILY,
    )


PRIOR_TABLES = {
    "runs": _schema(
        "runs of test systems",
        _SYSTEM,
        _METHOD,
        _CELL,
        _STATUS,
        {
            "mae": (_FLOAT, "absolute error, mean over nodes and times"),
            "mae_hubs": (_FLOAT, "the same for the hundredth of the nodes with highest degrees"),
            "relative": (_FLOAT, "mae over the mean absolute true state"),
        },
    ),
    "fits": _schema(
        "frames and families",
        _SYSTEM,
        {name: _METHOD[name] for name in ("frames", "noise")},
        {
            "candidate": (_TEXT, "family whose prior the frames were learned with"),
            "evidence": (_FLOAT, "logarithm of the probability density of the frames, in nats"),
            "weight": (_FLOAT, "probability of the family among all candidates; NaN where alone"),
            "misfit": (_FLOAT, "chance that noise depends on the states as what is left does"),
            "alarm": (_BOOL, "whether the prior says that it does not fit"),
            "noise_found": (_FLOAT, "standard deviation of the noise that was found, over the rms"),
            "covered": (
                _FLOAT,
                "own family: share of further, as noisy frames in bands of 90 %",
            ),
            "error": (_FLOAT, "relative error of the forecast with this candidate"),
            "spread": (
                _FLOAT,
                "own family: half width of those bands over the error; medians",
            ),
        },
    ),
    "fixed_points": _schema(
        "fixed points of test systems",
        _SYSTEM,
        _METHOD,
        _CELL,
        _STATUS,
        {
            "mae": (_FLOAT, "distance to the true fixed point, mean over nodes"),
            "size": (_FLOAT, "mean absolute state of the true fixed point"),
        },
    ),
    "hidden": _schema(
        "unobserved nodes of test systems",
        _SYSTEM,
        _METHOD,
        _CELL,
        {"share": (_FLOAT, "share of nodes that are not observed")},
        _STATUS,
        {
            "mae": (_FLOAT, "absolute error on the observed subgraph, mean over nodes and times"),
            "mae_floor": (_FLOAT, "the same for the true system on that subgraph"),
        },
    ),
    "ensembles": _schema(
        "ensembles for test systems",
        _SYSTEM,
        _METHOD,
        _CELL,
        {
            "members": (_INT, "neural ODEs that do not fail"),
            "error_one": (_FLOAT, "median of their relative errors"),
            "error": (_FLOAT, "relative error of their mean"),
            "error_selected": (
                _FLOAT,
                "of the one that is best on the next smaller graphs; NaN on the smallest",
            ),
            "alarm": (
                _FLOAT,
                "area under the ROC curve of their spread at a node against the twentieth of the "
                "nodes where their mean errs most",
            ),
        },
    ),
    "functions": _schema(
        "functions of test systems",
        _SYSTEM,
        _METHOD,
        {
            "function": (_TEXT, "f, h_ego or h_alt, in the gauge of the prior"),
            "state": (_FLOAT, "state of a node"),
            "true": (_FLOAT, "value of the true function"),
            "low": (_FLOAT, "twentieth of draws below"),
            "middle": (_FLOAT, "median of draws"),
            "high": (_FLOAT, "twentieth of draws above"),
        },
    ),
    "panel": _schema(
        "novelty of neural ODEs",
        {
            "set": (_TEXT, "zoo, trained on test systems, generated, or a control"),
            "index": (_INT, "number in its set"),
            "error": (_FLOAT, "mean absolute error of the field over the mean true velocity"),
            "nearest": (_FLOAT, "distance of canonical weights to the nearest member of the zoo"),
            "ratio": (_FLOAT, "that over the second nearest; a replica below 1/3"),
            "function_nearest": (_FLOAT, "the same of functions, in the zoo's deviations"),
            "function_ratio": (_FLOAT, "likewise"),
        },
    ),
}
"""Of each family, by the name of their file."""


def _of_all(name: str) -> Gathered:
    return gathered(f"{PRIOR_TABLES[name].name}, all families", PRIOR_TABLES[name], FAMILY)


COLLECTED_RUNS = _of_all("runs")
COLLECTED_FITS = _of_all("fits")
COLLECTED_FIXED_POINTS = _of_all("fixed_points")
COLLECTED_HIDDEN = _of_all("hidden")
COLLECTED_ENSEMBLES = _of_all("ensembles")
COLLECTED_FUNCTIONS = _of_all("functions")
COLLECTED_PANEL = _of_all("panel")

PRIOR_CLAIMS = Schema(
    "claims on priors",
    1,
    {
        "claim": _TEXT,
        "family": _TEXT,
        "statistic": _TEXT,
        "value": _FLOAT,
        "low": _FLOAT,
        "high": _FLOAT,
        "wanted": _TEXT,
        "bound": _FLOAT,
        "systems": _INT,
        "verdict": _TEXT,
    },
    {
        "claim": "what is claimed",
        "family": "of the test systems",
        "statistic": "the number that decides",
        "value": "over all test systems",
        "low": "lower end of its 95 % interval, from test systems drawn again",
        "high": "upper end",
        "wanted": "at most, or at least",
        "bound": "the number to reach",
        "systems": "test systems",
        "verdict": "confirmed, contradicted, or open: the interval holds the bound",
    },
)
