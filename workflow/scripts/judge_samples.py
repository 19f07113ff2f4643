"""Judge generated networks beside trained ones and controls."""

from typing import Any

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.datasets import load_dataset
from nodeflow.flow.store import open_samples
from nodeflow.job import choose_device, job
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.panel import PanelSettings, judge_panel
from nodeflow.judge.store import JUDGE_PANEL, JUDGE_SUMMARY
from nodeflow.judge.summary import summarize
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.store import open_blocks

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}
flow = p["from"]["from"]

with job(snakemake.log[0], snakemake.threads):
    labels = (p["flow"], p["weights"], p["width"])
    dataset = load_dataset(p["data"], snakemake.params.folder)
    training, held_out = open_blocks(files.members, flow["from"]).split(p["members"])
    architecture = build(**p["architecture"])
    panel = judge_panel(
        architecture,
        training,
        held_out if len(held_out) else None,
        open_samples(files.samples, p["from"]),
        dataset.test_x,
        dataset.test_y,
        PanelSettings(**p["settings"]),
        root_seed=p["seed"],
        labels=labels,
        align=closest_gauge(derive_symmetry(architecture), MatchSettings(**p["matching"])),
        calibration=dataset.train_x,
        device=choose_device(p["device"]),
    )
    write_table(output.panel, panel, JUDGE_PANEL, made)
    write_table(output.summary, summarize(panel, p["seed"], labels), JUDGE_SUMMARY, made)
