"""Align one block of a zoo to the zoo's first member."""

from typing import Any

from nodeflow.canonical.align import CanonicalSettings, canonicalize
from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.store import ALIGNMENT
from nodeflow.job import job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import Block, read_block, write_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}
first = {**{k: v for k, v in p["from"].items() if k not in ("first", "count")}, "block": 0}

with job(snakemake.log[0], snakemake.threads):
    block = read_block(files.members, p["from"])
    settings = p["settings"]
    aligned = canonicalize(
        block.tensors,
        read_block(files.reference, first).only(p["reference"]),
        derive_symmetry(build(**p["from"]["architecture"])),
        CanonicalSettings(
            MatchSettings(**settings["matching"]), settings["balance"], settings["residual"]
        ),
        members=block.members,
    )
    parameters, statistics = (
        {name: aligned.parameters[name] for name in part}
        for part in (block.parameters, block.statistics)
    )
    write_block(output.members, Block(block.members, parameters, statistics), made)
    write_table(output.report, aligned.report, ALIGNMENT, made)
