"""Measure how fast generated networks learn changed tasks."""

from typing import Any

import numpy as np

from nodeflow.datasets import load_dataset
from nodeflow.flow.samples import open_samples
from nodeflow.job import choose_device, job
from nodeflow.judge.schemas import TRANSFER
from nodeflow.judge.transfer import TransferSettings, transfer
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import open_blocks
from nodeflow.zoo.train import Fresh, TrainSettings

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}
flow = p["from"]["from"]

with job(snakemake.log[0], snakemake.threads):
    _, held_out = open_blocks(files.members, *flow["from"]).split(*p["members"])
    samples = open_samples(files.samples, p["from"])
    architecture = build(**p["architecture"])
    settings = TransferSettings(**p["settings"])
    folders = snakemake.params.folders
    dataset = load_dataset(*p["datasets"], *snakemake.params.own)
    training = TrainSettings(**p["training"])
    table = transfer(
        architecture,
        {
            "generated": samples.select(np.flatnonzero(samples.ok)),
            "held-out": held_out,
            "initialization": Fresh(
                architecture, np.arange(settings.networks), training, p["seed"], "transfer"
            ),
        },
        {task: load_dataset(data, folders[task]) for task, data in p["tasks"].items()},
        settings,
        root_seed=p["seed"],
        labels=(p["flow"], p["alignment"], p["capacity"]),
        calibration=dataset.train_x[: p["calibration"]],
        device=choose_device(p["device"]),
    )
    write_table(output[0], table, TRANSFER, metadata)
