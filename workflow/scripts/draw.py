"""Draw a figure: a function of tables, which the rule names with their schemas and its settings."""

from pkgutil import resolve_name
from typing import Any

from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    draw = resolve_name(f"nodeflow.{p['draw']}")
    tables = {
        argument: read_table(
            files[argument], resolve_name(f"nodeflow.{table['schema']}"), table["facts"]
        )
        for argument, table in p["tables"].items()
    }
    save(draw(**tables, **p["settings"]), output.png, output.pdf)
