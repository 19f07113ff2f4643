"""Draw the accuracy of the zoo members."""

from typing import Any

from nodeflow.figures.style import drawing, save
from nodeflow.figures.zoo import draw_zoo
from nodeflow.job import job
from nodeflow.tables import read_table
from nodeflow.zoo.collected import COLLECTED_MEMBERS

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_zoo(read_table(files.metrics, COLLECTED_MEMBERS))
    save(figure, output.png, output.pdf)
