"""Networks and series of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Section, is_file, key
from nodeflow.settings.fields import Flag, Number, Positive, Some, Strict, Text, Whole, fault

__all__ = ["FILES", "Own", "OwnName", "Split"]

OwnName = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
"""A name of the user's choice, which becomes a folder."""

FILES = ("network", "series", "nodes", "prior")
"""Keys that name a file of the user's own."""

_Part = Annotated[Number, Gt(0), Lt(1)]


class Split(Section):
    """What is held out of the training; one of these keys."""

    runs: _Part | Some[Text | Whole] | None = key(
        "whole runs are held out: their share, drawn by the seed, or a list of their names",
        default=None,
    )
    time: _Part | None = key("the last part of every run is held out: its share", default=None)
    after: Number | None = key(
        "what is observed after this time is held out, in the unit of the file", default=None
    )

    @property
    def given(self) -> dict[str, Any]:
        """What is held out, by key."""
        every = {"runs": self.runs, "time": self.time, "after": self.after}
        return {name: x for name, x in every.items() if x is not None}

    def faults(self) -> Iterator[PydanticCustomError]:
        """None of the keys, or several."""
        given = list(self.given)
        if len(given) != 1:
            yield fault("", f"names {' and '.join(given) or 'nothing'}; name runs, time or after.")


class Own(Section):
    """A network, and what was observed on it."""

    network: Text = key("its file: an edge list, or Matrix Market, Pajek, GML or GraphML")
    series: Text = key(
        "its series, a CSV or Parquet file: columns run, time, node, value, or run, time and one "
        "for each node; a single run needs no column run"
    )
    nodes: Text | None = key(
        "file of all nodes of an edge list, one a line, where some have no edge", default=None
    )
    directed: Flag | None = key(
        "whether the first node of an edge acts on the second one alone; as the file says if null",
        default=None,
    )
    weighted: Flag | None = key(
        "whether the third column of an edge list holds weights; as its header says if null",
        default=None,
    )
    simplify: Flag = key(
        "whether repeated edges are merged and self-loops dropped, instead of refused",
        default=False,
    )
    split: Split | None = key(
        "what is held out to be forecast; a quarter of the runs if there are four or more, else "
        "the last quarter of time, if null",
        default=None,
    )
    horizon: Positive | None = key(
        "how far ahead forecasts go, in the unit of time of the file; through all that is held out "
        "if null",
        default=None,
    )
    members: Annotated[Whole, Ge(2), Le(1000)] = key(
        "neural ODEs of the ensemble, whose spread gives the bands", default=8
    )
    prior: Text | None = key(
        "file of a prior over functions (`nodeflow.priors.save_prior`), with which two times are "
        "enough to learn from; trained without one if null",
        default=None,
    )

    law: Flag = key(
        "whether the law behind the series is looked for, in formulas; large networks take a while",
        default=True,
    )

    def faults(self) -> Iterator[PydanticCustomError]:
        """Files that are not there."""
        for name in FILES:
            path = getattr(self, name)
            if path is not None and not is_file(path):
                yield fault(name, f"is {path}, which is not a file.")
