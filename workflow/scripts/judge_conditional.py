"""Judge the networks of a conditional flow by label and guidance."""

from typing import Any

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.datasets import load_dataset
from nodeflow.flow.conditional import Condition
from nodeflow.flow.files import open_zoos
from nodeflow.flow.store import open_samples
from nodeflow.job import choose_device, job
from nodeflow.judge.conditional import LabelledZoo, judge_conditional
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.store import CONDITIONAL, CONDITIONAL_SUMMARY
from nodeflow.judge.summary import summarize_conditional
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    drawn, flow, folders = p["from"], p["from"]["from"], snakemake.params.folders
    blocks = dict(zip(flow["zoos"], flow["from"], strict=True))
    zoos = {
        zoo: LabelledZoo(*parts, load_dataset(p["tests"][zoo], folders[zoo]))
        for zoo, parts in open_zoos(files.members, blocks, flow["members"]).items()
    }
    conditions = [Condition(label, w) for label in drawn["labels"] for w in drawn["guidance"]]
    samples = open_samples(files.samples, drawn)
    architecture = build(**p["architecture"])
    table = judge_conditional(
        architecture,
        zoos,
        dict(zip(conditions, samples.parts(drawn["count"]), strict=True)),
        closest_gauge(derive_symmetry(architecture), MatchSettings(**p["matching"])),
        **p["settings"],
        device=choose_device(p["device"]),
    )
    write_table(output.judgement, table, CONDITIONAL, made)
    summary = summarize_conditional(table, p["seed"], (p["flow"], p["weights"], p["width"]))
    write_table(output.summary, summary, CONDITIONAL_SUMMARY, made)
