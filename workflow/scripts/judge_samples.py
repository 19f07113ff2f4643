"""Judge generated networks beside trained ones and controls; those of several zoos by label."""

from typing import Any

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.flow.method import Condition
from nodeflow.flow.samples import open_samples
from nodeflow.flow.zoos import open_zoos, origins
from nodeflow.job import choose_device, job
from nodeflow.judge.conditional import judge_conditional
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.items import judged_items
from nodeflow.judge.panel import PanelSettings, judge_panel
from nodeflow.judge.schemas import CONDITIONAL, CONDITIONAL_SUMMARY, JUDGE_PANEL, JUDGE_SUMMARY
from nodeflow.judge.summary import summarize, summarize_conditional
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}
drawn, flow = p["from"], p["from"]["from"]

with job(snakemake.log[0], snakemake.threads):
    settings = PanelSettings(**p["settings"])
    labels = (p["flow"], p["alignment"], p["capacity"])
    learned = origins(flow, snakemake.params.folders)
    architecture = learned[0].architecture
    zoos = open_zoos(files.members, flow["from"], p["members"], learned)
    samples = open_samples(files.samples, drawn)
    align = closest_gauge(derive_symmetry(architecture), MatchSettings(**p["matching"]))
    device = choose_device(p["device"])
    if len(zoos) > 1:
        conditions = [Condition(label, w) for label in drawn["labels"] for w in drawn["guidance"]]
        table = judge_conditional(
            architecture,
            zoos,
            dict(zip(conditions, samples.parts(drawn["count"]), strict=True)),
            align,
            settings,
            device,
        )
        write_table(output.panel, table, CONDITIONAL, made)
        summary = summarize_conditional(table, p["seed"], labels)
        write_table(output.summary, summary, CONDITIONAL_SUMMARY, made)
    else:
        (zoo,), (origin,) = zoos.values(), learned
        items = judged_items(origin, settings)
        panel = judge_panel(
            architecture,
            zoo.training,
            zoo.held_out or None,
            samples,
            items.x,
            items.y,
            items.settings,
            root_seed=p["seed"],
            labels=labels,
            align=align,
            calibration=items.calibration,
            device=device,
        )
        write_table(output.panel, panel, JUDGE_PANEL, made)
        write_table(output.summary, summarize(panel, p["seed"], labels), JUDGE_SUMMARY, made)
