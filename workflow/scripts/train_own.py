"""Train an ensemble of neural ODEs on what is not held out of the user's own series."""

from typing import Any

from nodeflow.data.held_out import hold_out
from nodeflow.data.observed import Source, read_observed
from nodeflow.job import job
from nodeflow.node.ensemble import save_ensemble, train_ensemble

snakemake: Any
p, output = snakemake.params.p, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    observed = read_observed(Source(**p["data"]), f"own.{p['own']}")
    parts = hold_out(observed.series, **p["split"], seed=p["seed"])
    ensemble = train_ensemble(observed.graph, parts.training, members=p["members"], seed=p["seed"])
    save_ensemble(output[0], ensemble, made)
