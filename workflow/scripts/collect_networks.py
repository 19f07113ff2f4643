"""Gather the measures of all networks and of their null models."""

from typing import Any

from nodeflow.graphs.networks import COLLECTED_NETWORKS, gather_networks
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    write_table(snakemake.output[0], gather_networks(snakemake.input), COLLECTED_NETWORKS, made)
