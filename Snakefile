# nodeflow: neural ODEs on networks, flow matching over weights. One file in rules/ a stage, in the
# order data flows. `snakemake all_figures --cores 2` draws everything.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")


# One checkout serves many folders of results (--directory, -s): the defaults lie beside this file.
DEFAULTS = Path(workflow.current_basedir) / "config/config.yaml"
OWN = Path("config/config.yaml")


configfile: DEFAULTS


# A folder may have a configuration of its own, as with workflows that are deployed into one.
if OWN.is_file() and not OWN.samefile(DEFAULTS):

    configfile: OWN


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/graphs.smk"
include: "rules/dynamics.smk"
include: "rules/networks.smk"
include: "rules/neural_ode.smk"
include: "rules/laws.smk"
include: "rules/zoo.smk"
include: "rules/canonical.smk"
include: "rules/flow.smk"
include: "rules/priors.smk"
include: "rules/own.smk"
include: "rules/tables.smk"
include: "rules/benchmarks.smk"
include: "rules/figures.smk"


localrules:
    all_figures,
    neural_ode_figures,
    flow_figures,
    priors_figures,
    own_figures,
    own_zoos,
    own_networks,
    all_tables,
    download_data,


rule all_figures:
    default_target: True
    input:
        [x for figure in FIGURES for x in figure.wanted(plan)],
        fill(paths.OWN_PAGE, plan.own.all),


# One research question at a time: generalization on networks, generation of weights, priors of neural ODEs;
# and what the user brought along.
for research in ("neural_ode", "flow", "priors", "own"):

    rule:
        name:
            f"{research}_figures"
        input:
            [
                x
                for figure in FIGURES
                if QUESTIONS[figure.question].research == research
                for x in figure.wanted(plan)
            ],
            own_pages if research == "own" else [],


# What was taken of checkpoints from elsewhere; and networks like them, judged and written.
rule own_zoos:
    input:
        of_own_zoos(plan.zoos.imported, paths.IMPORT_NOTES, paths.IMPORT),


rule own_networks:
    input:
        of_own_zoos(plan.zoos.imported, paths.IMPORT_NOTES, paths.IMPORT),
        of_own_zoos(plan.exports.all, paths.FLOW_CHECKPOINTS),
        [x for name in ("flow_summary", "flow_panel") for x in table(name).wanted(plan)],
        [
            x
            for figure in FIGURES
            if figure.name == "frontier"
            for x in figure.wanted(plan)
        ],


rule all_tables:
    input:
        [file for x in TABLES if not x.costs for file in x.wanted(plan)],
