"""Measure the loss on the straight line from a zoo's first member to others, raw and aligned."""

from typing import Any

from nodeflow.canonical.barrier import loss_barrier
from nodeflow.canonical.schemas import BARRIER
from nodeflow.job import choose_device, job
from nodeflow.tables import is_current, write_table
from nodeflow.zoo.described import architecture_of, data_of
from nodeflow.zoo.store import read_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    architecture = architecture_of(p["raw"]["architecture"])
    dataset = data_of(p["raw"]["data"], snakemake.params.folder, architecture)
    assert dataset is not None  # the plan asks for barriers only where there are items
    for alignment, made in p.items():
        if is_current(output[alignment], BARRIER, made):
            continue
        block = read_block(files[alignment], made["from"])
        count = min(made["pairs"], len(block) - 1)
        path = loss_barrier(
            architecture,
            block.take([0] * count).tensors,
            block.take(range(1, count + 1)).tensors,
            dataset.test_x,
            dataset.test_y,
            points=made["points"],
            calibration=dataset.train_x[: made["calibration"]],
            device=choose_device(made["device"]),
        )
        write_table(output[alignment], path, BARRIER, made)
