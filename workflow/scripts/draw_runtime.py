"""Draw what the run cost."""

from typing import Any

from nodeflow.figures.runtime import draw_runtime
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.resources import RESOURCES
from nodeflow.runtime import RUNTIME
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    runtime, resources = read_table(files.runtime, RUNTIME), read_table(files.resources, RESOURCES)
    figure = draw_runtime(runtime, resources)
    save(figure, output.png, output.pdf)
