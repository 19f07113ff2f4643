"""The jobs of a finished run, each of which can be run again in this process on damaged inputs."""

import contextlib
import json
import logging
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.workflow.conftest import ROOT, Checkout


class Files(list[str]):
    """Files of a job as scripts see them: in order, and by name."""

    def __init__(self, named: dict[str, Any], folder: Path | None = None) -> None:
        self._folder = folder
        super().__init__(self._placed(named[""]))
        for name, value in named.items():
            if name:
                setattr(self, name, self._placed(value))

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if isinstance(key, str) else super().__getitem__(key)

    def _placed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._placed(x) for x in value]
        return str(self._folder / value) if self._folder else value


@dataclass(frozen=True)
class Job:
    """One job: its rule and script, and its files with their names as Snakemake has them."""

    rule: str
    script: str
    input: dict[str, Any]
    output: dict[str, Any]
    params: dict[str, Any]
    log: list[str]
    benchmark: str

    def run(self, run: Checkout, scratch: Path) -> tuple[bool, list[str]]:
        """Run the script on the inputs in a finished run, its outputs going to `scratch`.

        Returns:
            Whether it succeeded, and the lines of its log.
        """
        log = scratch / "job.log"
        snakemake = SimpleNamespace(
            input=Files(self.input),
            output=Files(self.output, scratch),
            params=SimpleNamespace(**self.params),
            log=[str(log)],
            threads=1,
        )
        script = ROOT / "workflow/scripts" / self.script
        with contextlib.chdir(run.folder), _own_logging():
            try:
                runpy.run_path(str(script), {"snakemake": snakemake}, self.rule)
            except SystemExit:
                return False, log.read_text().splitlines()
        return True, log.read_text().splitlines()


def jobs_of(run: Checkout) -> list[Job]:
    """All jobs of a smoke run."""
    environment = {**os.environ, "PYTHONPATH": str(run.folder / "src")}
    command = [sys.executable, str(ROOT / "tests/drill/list_jobs.py")]
    answer = subprocess.run(
        command, cwd=run.folder, env=environment, capture_output=True, text=True, check=True
    )
    return [Job(**job) for job in json.loads(answer.stdout)]


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("nodeflow")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        logging.captureWarnings(False)
