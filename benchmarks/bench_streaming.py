"""A zoo larger than the memory: principal components, a flow and its samples, and what they take.

    OMP_NUM_THREADS=1 python benchmarks/bench_streaming.py FOLDER [--kind resnet18] [--networks 100]

Writes a zoo of networks with random weights into FOLDER, a few to a file, learns a flow from it
with a codec of kind "span", samples networks into a file, and prints the CPU seconds of each step
and the largest memory of the process so far, pages of files that are read or written included.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import torch

from nodeflow.flow import LearnedZoo, SampleSettings, fit_flow, sample_to_file, settings_of
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import Block, open_blocks, write_block


def report(what: str, since: float) -> None:
    """Print CPU seconds and the largest memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{what:48s} {time.process_time() - since:7.1f} CPU s, at most {peak:.2f} GiB", flush=True
    )


def main() -> None:
    """Run everything and print a line a step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="resnet18")
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--block", type=int, default=4)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()

    torch.set_num_threads(1)
    architecture = build({"kind": options.kind}, (3, 32, 32), 10)
    size = architecture.parameters * options.networks * 4 / 2**30
    print(
        f"{options.networks} × {architecture.name}, D = {architecture.parameters}: {size:.2f} GiB"
    )
    report("start", 0.0)
    start, paths = time.process_time(), []
    for first in range(0, options.networks, options.block):
        members = range(first, min(first + options.block, options.networks))
        generators = [torch_generator(1, "streaming", member) for member in members]
        paths.append(options.folder / f"block~{first}.safetensors")
        write_block(paths[-1], Block(np.array(members), architecture.initialize(generators)), {})
    report("written", start)
    start = time.process_time()
    changes = {"steps": options.steps, "codec": {"kind": "span"}, "velocity": {"hidden": 64}}
    zoo = open_blocks(paths)
    flow, _ = fit_flow(LearnedZoo(zoo), settings_of("codes", changes), 1, ("bench",))
    report("principal components in one pass, and a flow", start)
    start = time.process_time()
    sample_to_file(
        options.folder / "samples.safetensors", flow, options.samples, SampleSettings(),
        1, ("bench",), {}, members=zoo,
    )  # fmt: skip
    report(f"{options.samples} networks sampled into a file", start)


if __name__ == "__main__":
    main()
