"""Train a zoo of neural ODEs of one system as one stacked tensor."""

from typing import Any

from nodeflow.bridge.members import write_members
from nodeflow.bridge.zoo import DataSettings, train_zoo
from nodeflow.job import choose_device, job

snakemake: Any
p = snakemake.params.p
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    members = train_zoo(
        p["system"],
        p["parameters"],
        [(beta, gamma) for beta, gamma in p["cells"]],
        graphs=p["graphs"],
        seeds=p["seeds"],
        data=DataSettings(**{**p["data"], "initial": tuple(p["data"]["initial"])}),
        training=p["training"],
        root_seed=p["seed"],
        device=choose_device(p["device"]),
        label=p["nodes"],
    )
    write_members(snakemake.output[0], members, made)
