"""Gather the measures of all networks and of their null models."""

from typing import Any

from nodeflow.graphs.collected import COLLECTED_NETWORKS, NETWORK
from nodeflow.graphs.store import NETWORKS
from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, NETWORKS, NETWORK)
    write_table(snakemake.output[0], table, COLLECTED_NETWORKS, made)
