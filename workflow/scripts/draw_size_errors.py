"""Draw the error of the neural ODEs against graph size."""

from typing import Any

from nodeflow.figures.node import draw_size_errors
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TESTS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_size_errors(read_table(files.tests, COLLECTED_TESTS))
    save(figure, output.png, output.pdf)
