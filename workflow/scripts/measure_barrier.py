"""Measure the loss on the straight line from a zoo's first member to others."""

from typing import Any

from nodeflow.canonical.barrier import loss_barrier
from nodeflow.canonical.store import BARRIER
from nodeflow.datasets import load_dataset
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import read_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    dataset = load_dataset(p["data"], snakemake.params.folder)
    block = read_block(files.members, p["from"])
    count = min(p["pairs"], len(block) - 1)
    path = loss_barrier(
        build(**p["architecture"]),
        block.take([0] * count).tensors,
        block.take(range(1, count + 1)).tensors,
        dataset.test_x,
        dataset.test_y,
        points=p["points"],
        calibration=dataset.train_x[: p["calibration"]],
        device=choose_device(p["device"]),
    )
    write_table(output[0], path, BARRIER, made)
