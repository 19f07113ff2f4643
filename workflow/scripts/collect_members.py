"""Gather the members of all zoos."""

from typing import Any

from nodeflow.job import job
from nodeflow.tables import gather, write_table
from nodeflow.zoo.collected import COLLECTED_MEMBERS, ZOO
from nodeflow.zoo.metrics import ZOO_METRICS

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, ZOO_METRICS, ZOO)
    write_table(snakemake.output[0], table, COLLECTED_MEMBERS, made)
