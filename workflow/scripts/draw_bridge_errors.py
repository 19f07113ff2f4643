"""Draw: errors of generated neural ODEs."""

from typing import Any

from nodeflow.bridge.tables import COLLECTED
from nodeflow.figures.bridge import draw_bridge_errors
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TESTS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    full = read_table(files.full, COLLECTED_TESTS).query("variant == 'plain'")
    figure = draw_bridge_errors(read_table(files.runs, COLLECTED["runs"]), full)
    save(figure, output.png, output.pdf)
