"""Draw accuracy against novelty of generated networks and controls."""

from typing import Any

from nodeflow.figures.flow import draw_frontier
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_PANEL
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_frontier(read_table(files.panel, COLLECTED_PANEL))
    save(figure, output.png, output.pdf)
