"""Train members of a zoo for fewer epochs."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.schemas import ZOO_EPOCHS
from nodeflow.zoo.settings import TrainSettings
from nodeflow.zoo.shorter import train_shorter

snakemake: Any
p, output = snakemake.params.p, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    table = train_shorter(
        build(**p["architecture"]),
        load_dataset(p["data"], snakemake.params.folder),
        range(p["count"]),
        TrainSettings(**p["training"]),
        root_seed=p["seed"],
        zoo=p["zoo"],
        device=choose_device(p["device"]),
    )
    write_table(output[0], table, ZOO_EPOCHS, {**p, "code": snakemake.params.code})
