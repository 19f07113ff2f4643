"""Draw fixed points of neural ODEs beside those of the true systems."""

from typing import Any

from nodeflow.figures.experiments import draw_fixed_points
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_FIXED_POINTS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_fixed_points(read_table(files.table, COLLECTED_FIXED_POINTS))
    save(figure, output.png, output.pdf)
