"""Compare requested resources with used ones."""

from typing import Any

from nodeflow.job import job
from nodeflow.resources import RESOURCES, compare_resources
from nodeflow.runtime import RUNTIME
from nodeflow.tables import read_table, write_table

snakemake: Any
p = snakemake.params.p
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = compare_resources(read_table(snakemake.input.runtime, RUNTIME), p)
    write_table(snakemake.output[0], table, RESOURCES, metadata)
