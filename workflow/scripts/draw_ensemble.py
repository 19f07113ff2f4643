"""Draw clustering and heterogeneity of the graphs."""

from typing import Any

from nodeflow.figures.graphs import draw_ensemble
from nodeflow.figures.style import drawing, save
from nodeflow.graphs.against_theory import COLLECTED_CLUSTERING
from nodeflow.graphs.collected import COLLECTED_GRAPHS
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    graphs = read_table(files.graphs, COLLECTED_GRAPHS)
    theory = read_table(files.theory, COLLECTED_CLUSTERING)
    figure = draw_ensemble(graphs[graphs["N"] == p["size"]], theory)
    save(figure, output.png, output.pdf)
