"""Draw the accuracy of generated networks by capacity of the flow."""

from typing import Any

from nodeflow.figures.flow import draw_capacity
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_PANEL
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_capacity(read_table(files.panel, COLLECTED_PANEL))
    save(figure, output.png, output.pdf)
