"""Draw: errors of generated neural ODEs, unobserved nodes, fixed points."""

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
    names = ("unobserved", "fixed_points")
    runs = read_table(files.runs, COLLECTED["runs"])
    figure = draw_bridge_errors(runs, full, *(read_table(files[x], COLLECTED[x]) for x in names))
    save(figure, output.png, output.pdf)
