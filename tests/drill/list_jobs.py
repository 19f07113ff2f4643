"""Prints all jobs of the smoke run as JSON; called in the folder of a workflow."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)


def named(files: Any) -> dict[str, Any]:
    """Names of a job's files, and all of them in order under ""."""
    by_name = {
        name: str(value) if isinstance(value, str) else [str(x) for x in value]
        for name, value in files.items()
    }
    return {"": [str(x) for x in files], **by_name}


def jobs() -> list[dict[str, Any]]:
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[Path("config/smoke.yaml")]),
            snakefile=Path("Snakefile"),
        )
        dag = workflow.dag(DAGSettings(targets={"all_figures", "all_tables"}, forceall=True))
        # Snakemake has no public way to a list of jobs with their params; its own commands do this.
        internal = dag.workflow_api._workflow
        internal._prepare_dag(
            forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True
        )
        internal._build_dag()
        return [
            {
                "rule": job.rule.name,
                "script": Path(job.rule.script).name,
                "input": named(job.input),
                "output": named(job.output),
                "params": dict(job.params.items()),
                "log": [str(x) for x in job.log],
                "benchmark": str(job.benchmark),
            }
            for job in internal.dag.jobs
            if job.output
        ]


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = jobs()
    json.dump(found, sys.stdout)
