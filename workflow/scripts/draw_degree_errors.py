"""Draw the error of the neural ODEs against degree."""

from typing import Any

from nodeflow.figures.node import draw_degree_errors
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.degree import COLLECTED_ERRORS
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    wanted = (
        "variant == 'plain' and N == @p['size'] and beta == @p['trained_beta'] and "
        "trained_beta == @p['trained_beta'] and trained_gamma == @p['trained_gamma']"
    )
    errors = read_table(files.errors, COLLECTED_ERRORS).query(wanted)
    save(draw_degree_errors(errors), output.png, output.pdf)
