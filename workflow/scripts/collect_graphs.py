"""Gather the measures of the graphs of all cells."""

from typing import Any

from nodeflow.graphs.collected import CELL, COLLECTED_GRAPHS
from nodeflow.graphs.store import GRAPHS
from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, GRAPHS, CELL)
    write_table(snakemake.output[0], table, COLLECTED_GRAPHS, made)
