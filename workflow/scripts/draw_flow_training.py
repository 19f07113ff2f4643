"""Draw the flow matching loss."""

from typing import Any

from nodeflow.figures.flow import draw_flow_training
from nodeflow.figures.style import drawing, save
from nodeflow.flow.collected import COLLECTED_FLOW_HISTORY
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_flow_training(read_table(files.history, COLLECTED_FLOW_HISTORY))
    save(figure, output.png, output.pdf)
