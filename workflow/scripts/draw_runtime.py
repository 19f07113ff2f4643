"""Draw what the run cost."""

from typing import Any

from nodeflow.figures.runtime import draw_runtime
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.runtime import RUNTIME
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_runtime(read_table(files.runtime, RUNTIME))
    save(figure, output.png, output.pdf)
