"""Training, tests and experiments of all neural ODEs and laws in one table each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nodeflow.neural_ode.identity import MODELS
from nodeflow.neural_ode.schemas import (
    EVALUATED,
    MEAN_FIELD,
    NEURAL_ODE,
    NEURAL_ODE_FIXED_POINTS,
    NEURAL_ODE_FUNCTIONS,
    NEURAL_ODE_HIDDEN,
    NEURAL_ODE_NOISE,
    NEURAL_ODE_OVER_TRAINING,
    NEURAL_ODE_REWIRED,
    NEURAL_ODE_RUNS,
    NOISY_EVALUATED,
    PERSISTENCE,
)
from nodeflow.neural_ode.training_schemas import NEURAL_ODE_HISTORY
from nodeflow.tables import Gathered, gather, gathered

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COLLECTED_FIXED_POINTS",
    "COLLECTED_FUNCTIONS",
    "COLLECTED_HIDDEN",
    "COLLECTED_NOISE",
    "COLLECTED_OVER_TRAINING",
    "COLLECTED_REWIRED",
    "COLLECTED_TESTS",
    "COLLECTED_TRAINING",
    "MODELS",
    "own_cell",
    "read_fixed_points",
    "read_hidden",
    "read_noise",
    "read_tests",
]

COLLECTED_TRAINING = gathered("training of all models", NEURAL_ODE_HISTORY, MODELS)
COLLECTED_OVER_TRAINING = gathered(
    "errors of all models over training", NEURAL_ODE_OVER_TRAINING, MODELS
)
COLLECTED_REWIRED = gathered("errors on rewired graphs, all models", NEURAL_ODE_REWIRED, MODELS)
COLLECTED_TESTS = gathered("tests of all models", NEURAL_ODE_RUNS, EVALUATED)
COLLECTED_FIXED_POINTS = gathered("fixed points of all models", NEURAL_ODE_FIXED_POINTS, EVALUATED)
COLLECTED_HIDDEN = gathered("unobserved nodes, all models", NEURAL_ODE_HIDDEN, EVALUATED)
COLLECTED_NOISE = gathered("noise, all models", NEURAL_ODE_NOISE, NOISY_EVALUATED)
COLLECTED_FUNCTIONS = gathered("functions of all models", NEURAL_ODE_FUNCTIONS, EVALUATED)


def own_cell(table: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of test graphs with the β and γ of the training graphs."""
    return (table["beta"] == table["trained_beta"]) & (table["gamma"] == table["trained_gamma"])


def _read(schema: Gathered, case: tuple[str, ...], paths: Iterable[str | Path]) -> pd.DataFrame:
    """Gather files, and give what each model's errors stand beside rows of its own.

    A case of a training cell has one row of the mean field and one of persistence, as replicate 0,
    with its error and nothing else: neither learned anything.

    Args:
        schema: of the whole.
        case: columns that tell the cases of a training cell apart.
        paths: the files.
    """
    import pandas as pd

    table = gather(paths, schema)
    assert schema.identity is not None
    names = [*schema.identity.columns, *case]
    known = table[(table["method"] == NEURAL_ODE) & table["mae_persistence"].notna()]
    cases = known.drop_duplicates(names)
    beside = [
        cases[[*names, "mae_persistence", "mae_mean_field"]]
        .assign(
            method=method, replicate=0, training_graph=0, status="ok", reason="", mae=cases[column]
        )
        .reindex(columns=table.columns)
        .astype(table.dtypes)
        for method, column in ((MEAN_FIELD, "mae_mean_field"), (PERSISTENCE, "mae_persistence"))
    ]
    return pd.concat([table, *beside], ignore_index=True)


read_tests = partial(_read, COLLECTED_TESTS, ("N", "beta", "gamma", "graph"))
read_fixed_points = partial(_read, COLLECTED_FIXED_POINTS, ("graph", "size"))
read_hidden = partial(_read, COLLECTED_HIDDEN, ("graph", "removed", "share"))
read_noise = partial(_read, COLLECTED_NOISE, ("graph", "test_noise"))
