"""The table of how far bands and flags of ensembles of neural ODEs hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.neural_ode.schemas import EVALUATED
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_TRUST", "ENSEMBLE", "NEURAL_ODE_TRUST", "PERCENTAGES"]

ENSEMBLE = -1
"""In place of the index of a training graph: bands are made of the models of all."""

PERCENTAGES = {50: 0.5, 90: 0.9}
"""The bands by their percentages."""

NEURAL_ODE_TRUST = Schema(
    "node trust",
    2,
    {
        "N": pa.int32(),
        "beta": pa.float64(),
        "gamma": pa.float64(),
        "graph": pa.int32(),
        "training_graph": pa.int32(),
        "status": pa.string(),
        "reason": pa.string(),
        "models": pa.int32(),
        "calibration_runs": pa.int32(),
        **{f"stretch_{p}": pa.float64() for p in PERCENTAGES},
        **{f"student_{p}": pa.float64() for p in PERCENTAGES},
        **{f"coverage_{p}": pa.float64() for p in PERCENTAGES},
        **{f"coverage_{p}_unflagged": pa.float64() for p in PERCENTAGES},
        "width_90": pa.float64(),
        "flagged": pa.float64(),
        "agree": pa.float64(),
        "bad": pa.float64(),
        "bad_agree": pa.float64(),
        "precision": pa.float64(),
        "recall": pa.float64(),
        "mae_flagged": pa.float64(),
        "mae_unflagged": pa.float64(),
        "error_flagged": pa.float64(),
        "error_unflagged": pa.float64(),
    },
    {
        "N": "number of nodes of the test graph",
        "beta": "its inverse temperature β",
        "gamma": "its degree exponent γ",
        "graph": "index of the test graph",
        "training_graph": "index of the graph that a law was found on; -1 for the ensemble of all "
        "models of a training cell",
        "status": "ok, or failed: then what follows is NaN",
        "reason": "why there are no bands",
        "models": "how many models, or laws that the data do not exclude, the bands are made of: "
        "fewest over trajectories",
        "calibration_runs": "held-out trajectories of training graphs that the bands were scaled "
        "by; 0 for laws, and if no two models were trained on other graphs: bands are Student's",
        **{
            f"stretch_{p}": f"width of the {p} % band in widths of that of Student's t"
            for p in PERCENTAGES
        },
        **{
            f"student_{p}": f"share of true states inside the {p} % band of Student's t"
            for p in PERCENTAGES
        },
        **{
            f"coverage_{p}": f"share of true states inside the {p} % band; nodes and times after "
            "the first, as elsewhere"
            for p in PERCENTAGES
        },
        **{
            f"coverage_{p}_unflagged": "the same for the nodes that are never flagged"
            for p in PERCENTAGES
        },
        "width_90": "mean half width of the 90 % band over the mean |true state|",
        "flagged": "share of nodes that are flagged at some time; for a law: outside of the states "
        "seen, where laws differ",
        "agree": "share of nodes outside of the states seen where laws agree; 0 for ensembles",
        "bad": "share of nodes that are predicted badly: mean error of the ensemble's mean above "
        "1 % of the mean |true state|; nodes where that is below 1e-3 do not count, here and below",
        "bad_agree": "share of them among the nodes outside where laws agree; NaN if there is none",
        "precision": "share of the flagged nodes that are predicted badly; NaN if there are none",
        "recall": "share of the badly predicted nodes that are flagged; NaN if there are none",
        "mae_flagged": "absolute error of the ensemble's mean, mean over flagged nodes",
        "mae_unflagged": "the same for the nodes that are never flagged",
        "error_flagged": "the same over the mean |true state|, median over flagged nodes",
        "error_unflagged": "the same for the nodes that are never flagged",
    },
    identity=EVALUATED,
)

COLLECTED_TRUST = gathered("trust in all ensembles", NEURAL_ODE_TRUST, EVALUATED)
