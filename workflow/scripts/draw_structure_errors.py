"""Draw the error of the neural ODEs over β and γ of the test graphs."""

from typing import Any

from nodeflow.figures.node import draw_structure_errors
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TESTS
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    tests = read_table(files.tests, COLLECTED_TESTS).query("variant == 'plain'")
    trained_here = (tests["trained_beta"] == p["trained_beta"]) & (
        tests["trained_gamma"] == p["trained_gamma"]
    )
    figure = draw_structure_errors(tests[trained_here & (tests["N"] == p["size"])])
    save(figure, output.png, output.pdf)
