# What every stage shares: the checked configuration, the plan that follows from it, and wildcards.
from pathlib import Path

from nodeflow.config import ConfigProblem, read_config
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan
from nodeflow.provenance import remember_config

# Not workflow.basedir: another workflow may use this one as a module.
ROOT = Path(workflow.current_basedir).parent

try:
    read_config(config)
except ConfigProblem as problem:
    raise WorkflowError(str(problem)) from None

remember_config(config)
plan = Plan(config, ROOT)


onstart:
    # With its limit of submissions (there is one by default) Snakemake 9 starts a timer at every
    # finished job, and each of them wakes the scheduler once a second until the end of the run: at
    # hundreds of jobs that is a busy loop beside them.
    workflow.scheduler.job_rate_limiter = None


wildcard_constraints:
    **WILDCARDS,
