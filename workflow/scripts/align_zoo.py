"""Align one block of a zoo to the zoo's first member."""

from typing import Any

from nodeflow.canonical.align import CanonicalSettings, canonicalize
from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.schemas import ALIGNMENT
from nodeflow.job import job
from nodeflow.tables import write_table
from nodeflow.zoo.described import architecture_of
from nodeflow.zoo.store import read_block, write_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    block = read_block(files.members, p["from"])
    settings = p["settings"]
    aligned = canonicalize(
        block.tensors,
        read_block(files.reference, p["reference"]).first,
        derive_symmetry(architecture_of(p["from"]["architecture"])),
        CanonicalSettings(**{**settings, "matching": MatchSettings(**settings["matching"])}),
        members=block.members,
    )
    write_block(output.members, block.with_tensors(aligned.parameters), made)
    write_table(output.report, aligned.report, ALIGNMENT, made)
