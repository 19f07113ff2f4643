"""Find the law behind what is not held out of the user's own series."""

from typing import Any

from nodeflow.data.gaps import observed_part
from nodeflow.data.held_out import hold_out
from nodeflow.data.observed import Source, read_observed
from nodeflow.job import job
from nodeflow.laws.each import discover_each
from nodeflow.laws.store import write_laws

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    observed = read_observed(Source(**p["data"]), f"own.{p['own']}")
    parts = hold_out(observed.series, **p["split"], seed=p["seed"])
    graph, trajectories = observed_part(parts.training, observed.graph)
    write_laws(output[0], discover_each([graph], trajectories), metadata)
