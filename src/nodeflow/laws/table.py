"""Laws as a table: what they are, and how far they are from the true ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.dynamics.systems import Field
from nodeflow.laws.collected import LAW_TABLE
from nodeflow.laws.store import Laws
from nodeflow.neural_ode.functions import compare_functions

__all__ = ["law_table"]

_NONE = {
    "status": "none", "law": "", "latex": "", "undetermined": True, "explains": False,
    "alternatives": 0,
}  # fmt: skip


def law_table(laws: Laws, system: Field) -> pd.DataFrame:
    """One row a training graph, with the columns of `LAW_TABLE`.

    Args:
        laws: of one system.
        system: the true vector field.
    """
    functions = compare_functions(laws.fields, system)
    rows = []
    for index, (law, reason) in enumerate(zip(laws.laws, laws.reasons, strict=True)):
        if law is None:
            rows.append({**_NONE, "training_graph": index, "reason": reason})
            continue
        own = functions[functions["replicate"] == index]
        rows.append(
            {
                "training_graph": index,
                "status": "ok",
                "reason": "",
                "law": str(law),
                "latex": law.latex(),
                "undetermined": law.undetermined,
                "explains": law.explains,
                "weight": law.weight,
                "alternatives": len(law.alternatives),
                "noise": law.noise,
                "check": law.check,
                "low": law.seen[0],
                "high": law.seen[1],
                "error_seen": _error(own[own["inside"]]),
                "error_beyond": _error(own[~own["inside"]]),
            }
        )
    return pd.DataFrame(rows, columns=list(LAW_TABLE.columns))


def _error(functions: pd.DataFrame) -> float:
    """The largest error of f and of the interaction, each in units of its largest true value."""
    errors = []
    for name in ("f", "product"):
        rows = functions[functions["function"] == name]
        error = float((rows["learned"] - rows["true"]).abs().max())
        errors.append(error / max(float(rows["true"].abs().max()), np.finfo(float).tiny))
    return max(errors)
