"""Learn an ensemble from what is not held out of the user's own series: trained, or by a prior."""

from typing import Any

from nodeflow.data.held_out import hold_out
from nodeflow.data.observed import Source, read_observed
from nodeflow.job import job
from nodeflow.neural_ode.ensemble import train_ensemble
from nodeflow.neural_ode.ensemble_files import save_ensemble
from nodeflow.priors.files import load_prior

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    observed = read_observed(Source(**p["data"]), f"own.{p['own']}")
    parts = hold_out(observed.series, **p["split"], seed=p["seed"])
    given = observed.graph, parts.training
    how = {"members": p["members"], "seed": p["seed"]}
    if p["prior"] is None:
        ensemble = train_ensemble(*given, **how)
    else:
        ensemble = load_prior(p["prior"]).learn(*given, **how)
    save_ensemble(output[0], ensemble, metadata)
