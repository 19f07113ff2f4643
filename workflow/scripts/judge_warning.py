"""Does the spread of an ensemble of neural ODEs warn of its errors?"""

from typing import Any

from nodeflow.job import job
from nodeflow.judge.error_schemas import AREAS, CURVES
from nodeflow.judge.warning import judge_warning
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    curves, areas = judge_warning(files, p["size"], p["training_size"])
    write_table(output.curves, curves, CURVES, metadata)
    write_table(output.areas, areas, AREAS, metadata)
