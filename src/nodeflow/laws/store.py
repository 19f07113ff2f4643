"""Files of laws: of each training graph the law that was found on it, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.laws.data import LawProblem
from nodeflow.laws.law import VERSION, Law
from nodeflow.neural_ode.learned import Fields
from nodeflow.tables import FileProblem, Kind, read_facts, write_facts

__all__ = ["LAWS", "Laws", "read_law", "read_laws", "write_laws"]

LAWS = Kind("laws", VERSION)


@dataclass(frozen=True, eq=False)
class Laws:
    """The laws of one system, one for each of R training graphs.

    Attributes:
        laws: in the order of the graphs; None where none was found.
        reasons: why; empty where one was found.
    """

    laws: tuple[Law | None, ...]
    reasons: tuple[str, ...]

    @property
    def fields(self) -> Fields:
        """Their vector fields, for tests."""
        nowhere = (np.nan, np.nan)
        return Fields(
            tuple(None if law is None else law.field for law in self.laws),
            np.arange(len(self.laws)),
            np.array([nowhere if law is None else law.seen for law in self.laws]),
        )


def write_laws(path: str | Path, laws: Laws, parameters: Mapping[str, Any]) -> None:
    """Write laws as one JSON file: under `facts`, `laws`, each with its `reason` and its `law`.

    A law is written as `Law.to_dict` says it; null stands for one that was not found.
    """
    entries = [
        {"reason": reason, "law": None if law is None else law.to_dict()}
        for law, reason in zip(laws.laws, laws.reasons, strict=True)
    ]
    write_facts(path, {"laws": entries}, LAWS, parameters)


def read_laws(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Laws:
    """Read and check laws.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    entries = read_facts(path, LAWS, parameters)["laws"]
    try:
        laws = tuple(None if x["law"] is None else Law.from_dict(x["law"]) for x in entries)
    except LawProblem as problem:
        raise FileProblem(f"{path}: {problem}") from problem
    return Laws(laws, tuple(x["reason"] for x in entries))


def read_law(path: str | Path) -> Law:
    """A law from a JSON file of what `Law.to_dict` returned.

    Raises:
        LawProblem: the file is missing or holds no law.
    """
    try:
        said = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LawProblem(f"{path} cannot be read as JSON ({error}); give a law's file.") from error
    if isinstance(said, dict) and "stamp" in said:
        raise LawProblem(f"{path} holds the laws of a run; read them with laws.read_laws.")
    try:
        return Law.from_dict(said)
    except LawProblem as error:
        raise LawProblem(f"{path}: {error}") from error
