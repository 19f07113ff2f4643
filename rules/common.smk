# What every stage shares: the checked configuration, the plan that follows from it, and wildcards.
from pathlib import Path

from nodeflow.config import ConfigProblem, check_config, load_schema
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan

ROOT = Path(workflow.basedir)

try:
    check_config(config, load_schema(ROOT / "config/schema/config.schema.yaml"))
except ConfigProblem as problem:
    raise WorkflowError(str(problem)) from None

plan = Plan(config, ROOT)


wildcard_constraints:
    **WILDCARDS,
