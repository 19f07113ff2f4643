"""Align one block of a zoo to the zoo's first member."""

from typing import Any

from nodeflow.canonical.align import align_block
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.store import ALIGNMENT
from nodeflow.canonical.symmetry import mlp_symmetry
from nodeflow.job import job
from nodeflow.tables import write_table
from nodeflow.zoo.store import Block, read_block, write_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    block = read_block(files.members, p["from"])
    aligned = align_block(
        block.parameters,
        read_block(files.reference, {"zoo": p["zoo"], "block": 0}).only(p["reference"]),
        mlp_symmetry(block.shapes),
        MatchSettings(**p["settings"]),
        members=block.members,
    )
    write_block(output.members, Block(block.members, aligned.parameters), made)
    write_table(output.report, aligned.report, ALIGNMENT, made)
