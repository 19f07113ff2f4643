"""Gather tables of all jobs in one table each, as the rule names them with their schemas."""

from pkgutil import resolve_name
from typing import Any

from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    for name, table in p.items():
        schema = resolve_name(f"nodeflow.{table['schema']}")
        if table["read"]:
            rows = resolve_name(f"nodeflow.{table['read']}")(files[name])
        else:
            rows = gather(files[name], schema)
        write_table(output[name], rows, schema, metadata)
