"""Train a neural ODE on each of many systems of a family."""

from typing import Any

from nodeflow.job import choose_device, job
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.families import Family, Observing
from nodeflow.priors.zoo import train_zoo, write_zoo

snakemake: Any
p = snakemake.params.p
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    zoo = train_zoo(
        Family.of(p["family"], p["ranges"]),
        p["members"],
        Observing.of(p["observing"]),
        GaussNewtonSettings(**p["training"]),
        p["seed"],
        choose_device(p["device"]),
    )
    write_zoo(snakemake.output[0], zoo, made)
