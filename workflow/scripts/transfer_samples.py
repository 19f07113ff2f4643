"""Measure how fast generated networks learn changed tasks."""

from typing import Any

import numpy as np

from nodeflow.datasets import load_dataset
from nodeflow.flow.store import read_samples
from nodeflow.job import choose_device, job
from nodeflow.judge.store import TRANSFER
from nodeflow.judge.transfer import TransferSettings, transfer
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import read_blocks
from nodeflow.zoo.train import TrainSettings, initial_parameters

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}
flow = p["from"]["from"]

with job(snakemake.log[0], snakemake.threads):
    training, held_out = read_blocks(files.members, flow["from"]).split(p["members"])
    samples = read_samples(files.samples, p["from"])
    good = np.flatnonzero(samples.ok)
    architecture = build(**p["architecture"])
    settings = TransferSettings(**p["settings"])
    folders = snakemake.params.folders
    fresh = range(settings.networks)
    table = transfer(
        architecture,
        {
            "generated": {name: tensor[good] for name, tensor in samples.parameters.items()},
            "held-out": held_out.tensors,
            "initialization": initial_parameters(
                architecture, fresh, TrainSettings(**p["training"]), p["seed"], "transfer"
            ),
        },
        {task: load_dataset(data, folders[task]) for task, data in p["tasks"].items()},
        settings,
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        calibration=load_dataset(p["data"], snakemake.params.folder).train_x,
        device=choose_device(p["device"]),
    )
    write_table(output[0], table, TRANSFER, made)
