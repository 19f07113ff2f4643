"""Read a network and series of the user's own, and say what is in them."""

from typing import Any

from nodeflow.data.check import (
    data_notes,
    measure_table,
    observation_table,
    observed_nodes,
)
from nodeflow.data.observed import Source, note_table, read_observed
from nodeflow.data.tables import MEASURES, NODES, NOTES, OBSERVATIONS
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    observed = read_observed(Source(**p["data"]), f"own.{p['own']}")
    write_table(output.series, observation_table(observed), OBSERVATIONS, metadata)
    write_table(output.nodes, observed_nodes(observed), NODES, metadata)
    write_table(output.measures, measure_table(observed), MEASURES, metadata)
    write_table(output.notes, note_table(data_notes(observed)), NOTES, metadata)
