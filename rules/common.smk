# What every stage shares: the checked configuration, paths, the grid, and the params of a rule.
from pathlib import Path

from nodeflow.config import ConfigProblem, check_config, load_schema
from nodeflow.grid import NUMBER, Cell, cells, number
from nodeflow.provenance import code_digest

ROOT = Path(workflow.basedir)

try:
    check_config(config, load_schema(ROOT / "config/schema/config.schema.yaml"))
except ConfigProblem as problem:
    raise WorkflowError(str(problem)) from None


wildcard_constraints:
    role="training|test",
    system="[A-Za-z]+",
    N=r"\d+",
    beta=NUMBER,
    gamma=NUMBER,
    trained_beta=NUMBER,
    trained_gamma=NUMBER,
    zoo="[a-z0-9_]+",
    flow="[a-z0-9_]+",
    block=r"\d+",
    weights="aligned|raw",
    width=r"\d+",


def code(rule):
    """Digest of the script of a rule and of all library code behind it: an edit re-runs the rule."""
    return code_digest(ROOT / "workflow/scripts" / f"{rule}.py")
