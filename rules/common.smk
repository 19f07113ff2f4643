# What every stage shares: the checked configuration, the plan that follows from it, and wildcards.
from dataclasses import astuple
from pathlib import Path

from snakemake.io import is_flagged

from nodeflow.config import ConfigProblem, check_config, load_schema
from nodeflow.grid import WILDCARDS, Cell
from nodeflow.parts import outdated
from nodeflow.plan import Plan
from nodeflow.provenance import remember_config

# Not workflow.basedir: another workflow may use this one as a module.
ROOT = Path(workflow.current_basedir).parent

try:
    check_config(config, load_schema(ROOT / "config/schema/config.schema.yaml"))
except ConfigProblem as problem:
    raise WorkflowError(str(problem)) from None

remember_config(config)
plan = Plan(config, ROOT)


onstart:
    # With its limit of submissions (there is one by default) Snakemake 9 starts a timer at every
    # finished job, and each of them wakes the scheduler once a second until the end of the run: at
    # hundreds of jobs that is a busy loop beside them.
    workflow.scheduler.job_rate_limiter = None
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
        parts: what each file of the job is made with.
    """
    old = outdated({placed(part): made for part, made in parts.items()})
    return before_update(path) if old and placed(path) not in old else path


def edges(role, cell):
    """The edges of all graphs of a cell."""
    folder = f"results/graphs/{role}/{cell.path}"
    made = plan.graph_parts(role, *astuple(cell))
    return one_of(
        f"{folder}/edges.parquet",
        {f"{folder}/{name}.parquet": part for name, part in made.items()},
    )


def trajectories(role, system, cell):
    """The trajectories of a system on all graphs of a cell."""
    made = plan.trajectory_parts(role, *astuple(cell))
    return one_of(
        f"results/trajectories/{role}/{system}/{cell.path}.parquet",
        {
            f"results/trajectories/{role}/{name}/{cell.path}.parquet": part
            for name, part in made.items()
        },
    )


def trained(wildcards, size):
    """The training cell that a path names, with graphs of some size."""
    return Cell(size, float(wildcards.trained_beta), float(wildcards.trained_gamma))
