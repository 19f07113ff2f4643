"""What has to be right around a run of the workflow before its first job, and what is worth saying.

Snakemake starts each script of a rule through a shell and a format string, so some paths that a
file system allows end every job. And it does some things without a word that a user would want to
know.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Sequence
from pathlib import Path

import nodeflow
from nodeflow.problems import Problem

__all__ = ["StartProblem", "check_paths", "check_room", "dropped_files", "remarks", "same_package"]

_OF_A_SHELL = set(" \t\n|&;()<>$`\"'*?[]{}\\")
"""Characters that keep a path from being one word of a shell's command."""

_OF_A_FORMAT = set("{}")
"""Characters that make a path another one in a format string."""


class StartProblem(Problem):
    """The workflow cannot run from where it lies; the text says what to move."""


def check_paths(root: Path, python: str, *, own_python: bool = True) -> None:
    """Raise if Snakemake could not start the scripts of rules.

    Args:
        root: folder of the workflow.
        python: path of the interpreter that runs Snakemake.
        own_python: whether jobs run with that interpreter too, as without a container.

    Raises:
        StartProblem: the path of the workflow, or that of Python, holds what Snakemake would take
            for a command of its own.
    """
    for what, path, forbidden, cure in (
        (
            "checkout",
            str(root),
            _OF_A_FORMAT if own_python else _OF_A_FORMAT | {" "},
            "move it to a folder without",
        ),
        (
            "Python environment",
            python if own_python else "",
            _OF_A_SHELL,
            "make one in a folder without",
        ),
    ):
        bad = sorted(forbidden.intersection(path))
        if bad:
            named = " and ".join({" ": "a space", "\t": "a tab"}.get(x, x) for x in bad)
            raise StartProblem(
                f"the path of the {what}, {path}, holds {named}, with which Snakemake cannot start "
                f"scripts; {cure}."
            )


def check_room(folder: Path, needed: int) -> None:
    """Raise if a run writes more than there is room for.

    Args:
        folder: where it writes.
        needed: bytes.

    Raises:
        StartProblem: the disk is too small.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StartProblem(
            f"this run writes about {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB "
            "free; make room, keep less (dynamics.test.stored: false), or run it nonetheless with "
            "--config check_disk=false."
        )


def remarks(root: Path, arguments: Sequence[str]) -> list[str]:
    """What a user would want to know before a run, a sentence each.

    Args:
        root: folder of the workflow.
        arguments: of Snakemake's command line.
    """
    faults = []
    dropped = dropped_files(arguments)
    if dropped:
        faults.append(
            f"Of several --configfile Snakemake takes the last alone: {', '.join(dropped)} "
            "is not read. Name all files after one --configfile."
        )
    installed = Path(nodeflow.__file__).parent
    if not same_package(root / "src/nodeflow", installed):
        faults.append(
            f"Jobs use the nodeflow that is installed in {installed}, which differs from that of "
            f"this checkout, {root / 'src/nodeflow'}. To run the code of the checkout, install it "
            f"there as editable: pip install -e {root}"
        )
    return faults


def dropped_files(arguments: Sequence[str]) -> list[str]:
    """Configuration files that a later --configfile on the same command line replaces."""
    groups: list[list[str]] = []
    taking = False
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in ("--configfile", "--configfiles"):
            groups.append([value] if value else [])
            taking = not value
        elif argument.startswith("-"):
            taking = False
        elif taking:
            groups[-1].append(argument)
    kept = groups[-1] if groups else []
    return [file for group in groups[:-1] for file in group if file not in kept]


def same_package(one: Path, other: Path) -> bool:
    """Whether two folders hold the same modules; a folder that is not there differs from none."""
    if not one.is_dir() or one.resolve() == other.resolve():
        return True
    names = {path.relative_to(one) for path in one.rglob("*.py*") if path.suffix != ".pyc"}
    there = {path.relative_to(other) for path in other.rglob("*.py*") if path.suffix != ".pyc"}
    return names == there and all(
        filecmp.cmp(one / name, other / name, shallow=False) for name in names
    )
