"""Draw whether training on the states of hubs closes the gap."""

from typing import Any

from nodeflow.figures.experiments import draw_conjecture
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.degree import COLLECTED_ERRORS
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    errors = read_table(files.errors, COLLECTED_ERRORS)
    both = errors.query("variant == 'covering'")[
        ["trained_beta", "trained_gamma"]
    ].drop_duplicates()
    own = errors.query("beta == trained_beta and gamma == trained_gamma and N == @p['size']")
    figure = draw_conjecture(own.merge(both))
    save(figure, output.png, output.pdf)
