"""Snakemake in processes that are forked from one that has loaded it already.

To load it takes longer than most dry runs. Each process is otherwise one of its own: it starts in a
folder, with arguments and an environment, and leaves nothing behind in the process of the tests.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

_START = multiprocessing.get_context("forkserver")
_START.set_forkserver_preload(["snakemake.cli"])


def run_snakemake(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """As `python -m snakemake` with these arguments."""
    with TemporaryDirectory() as answers:
        out, err = Path(answers) / "out", Path(answers) / "err"
        what = (list(arguments), folder, dict(environment), out, err)
        process = _START.Process(target=_snakemake, args=what)
        process.start()
        process.join()
        assert process.exitcode is not None
        return subprocess.CompletedProcess(
            ["snakemake", *arguments], process.exitcode, out.read_text(), err.read_text()
        )


def _snakemake(
    arguments: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        with path.open("w") as file:
            os.dup2(file.fileno(), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = ["", *environment.get("PYTHONPATH", "").split(os.pathsep)]
    sys.argv = ["snakemake", *arguments]

    from snakemake.cli import main

    main(arguments)
