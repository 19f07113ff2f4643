"""The principal components of all flows in one table: variances, and what codes keep of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from nodeflow.flow.schemas import FLOW_SPECTRA, FLOWS
from nodeflow.flow.training_schemas import FLOW_FILE
from nodeflow.tables import check_place, open_tensors, opened_parameters

__all__ = ["read_spectra"]


def read_spectra(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The columns of `FLOW_SPECTRA` from the files of flows; those without components have no rows.

    Raises:
        FileProblem: a file is no flow, or not that of the flow that its path names.
    """
    parts = []
    for path in paths:
        with open_tensors(path, FLOW_FILE) as file:
            made = opened_parameters(file)
            check_place(path, made, FLOWS.columns)
            if "codec.spectrum" not in file.keys():  # noqa: SIM118 (the file is no mapping)
                continue
            variance = file.get_tensor("codec.spectrum")
            size = len(file.get_tensor("codec.scale"))
        component = np.arange(1, len(variance) + 1)
        total = variance.sum()
        numbers = {
            "component": component,
            "variance": variance,
            "kept": np.cumsum(variance) / total if total > 0 else np.ones(len(variance)),
            "coded": component <= size,
        }
        parts.append(pd.DataFrame({**{name: made[name] for name in FLOWS.columns}, **numbers}))
    if not parts:
        return pd.DataFrame(columns=list(FLOW_SPECTRA.columns))
    return pd.concat(parts, ignore_index=True)
