"""Learned functions beside the true ones."""

from typing import Any

from nodeflow.dynamics.systems import field
from nodeflow.job import job
from nodeflow.node.functions import NODE_FUNCTIONS, compare_functions
from nodeflow.node.store import read_models
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    models = read_models(files.models, p["models"])
    system = field(p["system"], p["models"]["from"]["parameters"])
    write_table(output[0], compare_functions(models, system), NODE_FUNCTIONS, made)
