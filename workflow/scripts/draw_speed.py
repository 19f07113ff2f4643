"""Draw how long a network takes, generated and trained."""

from typing import Any

from nodeflow.figures.speed import draw_speed
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.runtime import RUNTIME
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_speed(read_table(files.runtime, RUNTIME), snakemake.params.p["made"])
    save(figure, output.png, output.pdf)
