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
    errors = read_table(files.errors, COLLECTED_ERRORS)
    trained_here = (errors["trained_beta"] == p["trained_beta"]) & (
        errors["trained_gamma"] == p["trained_gamma"]
    )
    at_its_beta = (errors["N"] == p["size"]) & (errors["beta"] == p["trained_beta"])
    figure = draw_degree_errors(errors[trained_here & at_its_beta])
    save(figure, output.png, output.pdf)
