"""Put degrees and clustering of the sampled graphs beside the model's predictions."""

from typing import Any

from nodeflow.graphs.against_theory import against_theory
from nodeflow.graphs.schemas import COLLECTED_CLUSTERING, COLLECTED_DEGREES
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
metadata = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    degrees, clustering = against_theory(files)
    write_table(output.degrees, degrees, COLLECTED_DEGREES, metadata)
    write_table(output.clustering, clustering, COLLECTED_CLUSTERING, metadata)
