"""Draw the degree distribution of the test graphs against theory."""

from typing import Any

from nodeflow.figures.graphs import draw_degrees, read_degrees
from nodeflow.figures.style import drawing, save
from nodeflow.job import job

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    degrees, theory = read_degrees(files.nodes, p["mean_degree"])
    save(draw_degrees(degrees, theory), output.png, output.pdf)
