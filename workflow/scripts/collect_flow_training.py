"""Gather the training histories of all flows."""

from typing import Any

from nodeflow.flow.collected import COLLECTED_FLOW_HISTORY, FLOW
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, FLOW_HISTORY, FLOW)
    write_table(snakemake.output[0], table, COLLECTED_FLOW_HISTORY, made)
