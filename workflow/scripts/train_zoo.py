"""Train one block of a zoo as one stacked tensor."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.job import Progress, choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.schemas import ZOO_METRICS
from nodeflow.zoo.store import write_block
from nodeflow.zoo.train import TrainSettings, train_block

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    dataset = load_dataset(p["data"], snakemake.params.folder)
    settings = TrainSettings(**p["training"])
    block = train_block(
        build(**p["architecture"]),
        dataset,
        range(p["first"], p["first"] + p["count"]),
        settings,
        root_seed=p["seed"],
        zoo=p["zoo"],
        device=choose_device(p["device"]),
        progress=Progress(settings.epochs, f"zoo {p['zoo']}, block {p['block']}"),
    )
    write_block(output.members, block, metadata)
    write_table(output.metrics, block.metrics, ZOO_METRICS, metadata)
