"""Draw the networks beside their null models."""

from typing import Any

from nodeflow.figures.graphs import draw_networks
from nodeflow.figures.style import drawing, save
from nodeflow.graphs.collected import COLLECTED_NETWORKS
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    save(draw_networks(read_table(files.networks, COLLECTED_NETWORKS)), output.png, output.pdf)
