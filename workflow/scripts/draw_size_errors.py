"""Draw the error of the neural ODEs against graph size."""

from typing import Any

from nodeflow.figures.node import draw_size_errors
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TESTS
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    tests = read_table(files.tests, COLLECTED_TESTS)
    figure = draw_size_errors(tests, p["beta"])
    save(figure, output.png, output.pdf)
