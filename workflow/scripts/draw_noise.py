"""Draw the error against noise in training and test."""

from typing import Any

from nodeflow.figures.experiments import draw_noise
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_NOISE
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_noise(read_table(files.table, COLLECTED_NOISE))
    save(figure, output.png, output.pdf)
