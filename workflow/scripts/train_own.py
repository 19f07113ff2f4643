"""Train an ensemble of neural ODEs on what is not held out of the user's own series."""

from typing import Any

from nodeflow.data.observed import Source, read_observed
from nodeflow.data.split import held_out
from nodeflow.job import job
from nodeflow.node.ensemble import save_ensemble, train_ensemble

snakemake: Any
p, output = snakemake.params.p, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    observed = read_observed(Source(**p["data"]), f"own.{p['own']}")
    training, _ = held_out(observed.series, p["split"])
    ensemble = train_ensemble(observed.graph, training, members=p["members"], seed=p["seed"])
    save_ensemble(output[0], ensemble)
