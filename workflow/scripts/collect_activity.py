"""Summarize activity by degree, over time on a training graph and at the end on test graphs."""

from typing import Any

from nodeflow.dynamics.by_degree import collect_activity
from nodeflow.dynamics.schemas import COLLECTED_ACTIVITY
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
metadata = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    over_time = collect_activity(files.training, files.training_edges, every_time=True)
    write_table(output.over_time, over_time, COLLECTED_ACTIVITY, {**metadata, "every_time": True})
    at_end = collect_activity(files.test, files.test_edges, every_time=False)
    write_table(output.at_end, at_end, COLLECTED_ACTIVITY, {**metadata, "every_time": False})
