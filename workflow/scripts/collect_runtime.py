"""Gather Snakemake's benchmark files."""

from typing import Any

from nodeflow.job import job
from nodeflow.runtime import RUNTIME, read_benchmarks
from nodeflow.tables import write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    write_table(snakemake.output[0], read_benchmarks(snakemake.input), RUNTIME, made)
