"""Find the common centre of the members of a zoo that flows learn from."""

from typing import Any

from nodeflow.canonical.align import CanonicalSettings
from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.universe import centre_of_files
from nodeflow.job import job
from nodeflow.zoo.described import architecture_of
from nodeflow.zoo.store import write_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    centre = centre_of_files(
        files.members,
        p["from"],
        p["members"],
        derive_symmetry(architecture_of(p["from"][0]["architecture"])),
        CanonicalSettings(
            **{**p["settings"], "matching": MatchSettings(**p["settings"]["matching"])}
        ),
    )
    write_block(output[0], centre, made)
