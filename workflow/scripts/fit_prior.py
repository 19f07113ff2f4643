"""Fit a prior to the functions of a zoo of neural ODEs of one family."""

from typing import Any

from nodeflow.job import job
from nodeflow.priors.files import save_prior
from nodeflow.priors.gaussian import fit_prior
from nodeflow.priors.zoo import read_zoo

snakemake: Any
p = snakemake.params.p
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    zoo = read_zoo(snakemake.input[0], p["from"])
    source = p["from"]
    about = {"system": p["family"], "ranges": source["ranges"], **source["observing"]}
    save_prior(snakemake.output[0], fit_prior(zoo.members(), about), made)
