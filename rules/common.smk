# What every stage shares: the checked configuration, the plan that follows from it, and wildcards.
import sys
from pathlib import Path

from snakemake.io import is_flagged
from snakemake.settings.types import DeploymentMethod

from nodeflow.config import read_config
from nodeflow.config.command_line import typed
from nodeflow.grid import WILDCARDS
from nodeflow.parts import outdated
from nodeflow.plan import Plan, fill, narrow, paths
from nodeflow.plan.disk import expected_bytes
from nodeflow.plan.figure import QUESTIONS
from nodeflow.plan.figures import FIGURES
from nodeflow.plan.own import PICTURES
from nodeflow.plan.registry import check_registry
from nodeflow.plan.stages import REPORT, STAGES, requests
from nodeflow.plan.tables import TABLES, collections, table
from nodeflow.problems import Problem
from nodeflow.provenance import remember_config
from nodeflow.start import check_paths, check_room, remarks

# Not workflow.basedir: another workflow may use this one as a module.
ROOT = Path(workflow.current_basedir).parent

CONTAINED = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method

try:
    check_paths(ROOT, sys.executable, own_python=not CONTAINED)
    config = typed(config, workflow.config_settings.config)
    plan = Plan(read_config(config), ROOT)
    check_registry(plan)
except Problem as problem:
    raise WorkflowError(str(problem)) from None

# Not again in each job.
for remark in remarks(ROOT, sys.argv) if workflow.is_main_process else []:
    logger.warning(remark)


# The software of all jobs with `--sdm apptainer`; without it they share Snakemake's environment, from a
# folder whose name holds a space as well, of which Snakemake takes no container.
if " " not in str(ROOT):

    container: str(ROOT / "nodeflow.sif")


remember_config(config)
# The words of the report see the configuration alone. Another dictionary: the one that there was may
# be another workflow's.
config = {**config, "equations": plan.dynamics.equations, "methods": plan.flows.methods}


onstart:
    # With its limit of submissions (there is one by default) Snakemake 9 starts a timer at every
    # finished job, and each of them wakes the scheduler once a second until the end of the run: at
    # hundreds of jobs that is a busy loop beside them.
    workflow.scheduler.job_rate_limiter = None
    if plan.config.check_disk:
        waiting = [
            (job.rule.name, job.params.get("p", {}))
            for job in workflow.dag.needrun_jobs()
        ]
        try:
            check_room(Path.cwd(), expected_bytes(waiting, plan.neural_ode.count))
        except Problem as problem:
            raise WorkflowError(str(problem)) from None
    # A job that makes several files leaves those alone that are what they should be. Who forces it
    # to run wants all of them anew.
    for job in workflow.dag.needrun_jobs():
        if workflow.dag.reason(job).forced:
            for file in filter(lambda file: is_flagged(file, "update"), job.output):
                Path(file).unlink(missing_ok=True)


wildcard_constraints:
    **WILDCARDS,


# Where a path of this workflow lies: a workflow that uses this one as a module may have moved it.
placed = workflow.modifier.path_modifier.replace_prefix


def one_of(path, parts):
    """A file that a job makes together with others, each of which has parameters of its own.

    If the job has to run for others of them alone, it leaves this one as it is. What follows from
    it is then not to run again, so Snakemake must not see that it follows from a job that runs.

    Args:
        path: the file.
        parts: what each file of the job is made with, by its path.
    """
    old = outdated({placed(part): made for part, made in parts.items()})
    return before_update(path) if old and placed(path) not in old else path


def of_every_system(pattern):
    """The files of all systems, made by one job that leaves those alone that are what they should be."""
    return [update(narrow(pattern, system=system)) for system in plan.dynamics.systems]


def edges(row):
    """The edges of all graphs of a role and a cell."""
    return one_of(narrow(paths.EDGES, **row), plan.graphs.files(row))


def trajectories(row):
    """The trajectories of a system on all graphs of a role and a cell."""
    return one_of(narrow(paths.TRAJECTORIES, **row), plan.dynamics.files(row))


def learned_files(tests, row):
    """What all systems' tests of a training cell are of: models, or laws, or first these, then those."""
    return [
        one_of(narrow(pattern, **each), tests.models.files(each))
        for pattern in tests.models.patterns
        for each in plan.dynamics.each(row)
    ]


def report_group(_):
    """The SLURM group of all tables and figures, where a profile forms such groups."""
    formed = REPORT in workflow.group_settings.group_components
    return REPORT if formed else None


def benchmarks(files):
    """The benchmark files of all jobs that some files follow from: those of the run's own graph."""
    starts = {
        maker: tuple(str(file).split("{")[0] for file in maker.output)
        for maker in workflow.rules
        if maker.benchmark
    }
    found, seen, waiting = [], set(), list(files)
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for maker, start in starts.items():
            if file.startswith(start) and maker.is_producer(file):
                wildcards = maker.get_wildcards(file)
                found.append(maker.expand_benchmark(wildcards))
                seen.update(maker.expand_output(wildcards)[0])
                waiting += maker.expand_input(wildcards)[0]
    return found


def of_own_zoos(rows, *patterns):
    """Files of zoos from elsewhere, and of flows over them, for a user who has to have named some."""

    def files(wildcards):
        if not rows:
            raise WorkflowError(
                "No checkpoints of your own are in this run: name them in zoo.zoos.NAME.checkpoints, "
                "NAME in zoo.use, and for new networks a flow over that zoo in flow.use."
            )
        return [x for pattern in patterns for x in fill(pattern, rows)]

    return files


def own_pages(wildcards):
    """The pages on all data of the user's own, who asked for them and has to have named some."""
    if not plan.own.all:
        raise WorkflowError(
            "The configuration names no data of your own; name the files of a network and its "
            "series: --config 'own={mine: {network: network.csv, series: runs.csv}}'."
        )
    return fill(paths.OWN_PAGE, plan.own.all)
