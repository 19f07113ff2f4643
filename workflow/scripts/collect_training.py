"""Gather the training histories of all neural ODEs."""

from typing import Any

from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TRAINING, MODELS
from nodeflow.node.store import NODE_HISTORY
from nodeflow.tables import gather, write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, NODE_HISTORY, MODELS)
    write_table(snakemake.output[0], table, COLLECTED_TRAINING, made)
