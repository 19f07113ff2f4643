"""Zoos: data sets, architectures and training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Name, Names, Section, either, is_path, key, known
from nodeflow.datasets import DATASETS, FILES, SOURCES, VIEWS, VOCABULARIES, DataProblem, form
from nodeflow.datasets.registry import base_name
from nodeflow.datasets.sets import SETS
from nodeflow.settings.fields import (
    Counts,
    Keys,
    OneOf,
    Size,
    Some,
    Strict,
    Text,
    Whole,
    fault,
    meaning,
)
from nodeflow.zoo.settings import (
    ArchitectureSettings,
    MlpSettings,
    TrainSettings,
    misfit,
    parameters,
    places,
)

__all__ = ["Data", "Zoo", "Zoos"]

Data = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9_]+(:[a-z0-9]+)*$")]

_MOST_PARAMETERS = 10**10
"""Numbers of one network: what no machine that trains zoos holds."""

_MOST_JOBS = 10_000
"""Jobs that a zoo may be made of: Snakemake plans so many in a minute."""


class Download(Section):
    """A published file."""

    url: Annotated[str, Strict(), StringConstraints(pattern="^(https?|file)://[^ ]+$")] = key(
        "address of a file, or of a tar archive"
    )
    sha256: Annotated[str, Strict(), StringConstraints(pattern="^[0-9a-fA-F]{64}$")] = key(
        "its SHA-256 digest"
    )


class Zoo(Section):
    """Networks of one architecture, trained alike."""

    data: Data = key(
        f"data set: {', '.join(DATASETS)}; behind colons how it is seen: {', '.join(VIEWS)} "
        "(averaged to so many pixels), as in digits:rotated"
    )
    hidden: Counts = key("widths of the hidden layers of the MLP", default=None)
    architecture: ArchitectureSettings = key("instead of hidden: another network", default=None)
    members: Annotated[Whole, Ge(3), Le(10**9)] = key("networks that a flow learns from")
    held_out: Annotated[Whole, Ge(0), Le(10**9)] = key("further networks that no flow ever sees")
    block: Size = key(
        "networks trained in one job; two at least, as barriers are measured within the first"
    )
    training: Annotated[TrainSettings, Keys(without=frozenset({"initializations", "keep"}))]

    @property
    def network(self) -> Any:
        """What the networks are."""
        return self.architecture or MlpSettings("mlp", self.hidden)

    @property
    def written_network(self) -> dict[str, Any]:
        """The same as written, for the parameters of files."""
        if self.architecture is None:
            return {"kind": "mlp", **self.dump("hidden")}
        written: dict[str, Any] = self.dump("architecture")["architecture"]
        return written

    @property
    def form(self) -> tuple[tuple[int, ...], int]:
        """Shape of an item, and number of classes, 1 where a number is predicted."""
        return form(self.data)

    @property
    def parameters(self) -> int:
        """Numbers of one network."""
        item, classes = self.form
        return parameters(self.network, item, classes, VOCABULARIES.get(self.data, 0))

    @property
    def reads(self) -> tuple[int, int, Any]:
        """What tells whether networks are of one architecture: features, classes, settings."""
        item, classes = self.form
        return math.prod(item), classes, self.network

    @property
    def jobs(self) -> int:
        """Blocks that the members are trained in."""
        return -(-(self.members + self.held_out) // self.block)

    def faults(self) -> Iterator[PydanticCustomError]:
        """Networks that cannot read the items, and too many jobs."""
        yield from either(self, "hidden", "architecture")
        try:
            item, _ = self.form
        except DataProblem as problem:
            yield fault("data", f"is {self.data}. {problem}")
        key_of = "architecture" if self.architecture else "hidden"
        reason = misfit(self.network, item, base_name(self.data) in VOCABULARIES)
        if reason:
            yield fault(
                key_of,
                f"makes networks of kind {self.network.kind}, which {reason} ({self.data}).",
            )
        if self.parameters > _MOST_PARAMETERS:
            yield fault(
                key_of,
                f"makes networks of {self.parameters:,} numbers; allowed are {_MOST_PARAMETERS:,}.",
            )
        items = SETS[base_name(self.data)].training_items
        module = self.network.kind != "mlp"
        if module and items is not None and self.training.batch_size > items:
            yield fault(
                "training.batch_size",
                f"is {self.training.batch_size}, but {self.data} has {items:,} training items; "
                "make it smaller.",
            )
        if self.training.batch_size == 1 and places(self.network, item) == 1:
            yield fault(
                "training.batch_size",
                "is 1; networks that normalize over a step's items and end in one pixel need two "
                "at least.",
            )
        if self.jobs > _MOST_JOBS:
            yield fault(
                "block",
                f"is {self.block}, which makes {self.jobs:,} jobs of this zoo; allowed are "
                f"{_MOST_JOBS:,}, so choose larger blocks.",
            )


class Zoos(Section):
    """All zoos."""

    use: Some[Text] = key("names of the zoos to train")
    where_found: Names = key("zoos to train as well if their data set is on this machine")
    folders: dict[
        Annotated[str, OneOf(FILES)],
        Annotated[
            Text | None,
            meaning(
                "folder with the files of a data set, "
                + "; ".join(f"{name}: {', '.join(files)}" for name, files in FILES.items())
                + "; null looks for fashion_mnist and fortunes where Debian puts them"
            ),
        ],
    ]
    downloads: dict[
        Annotated[str, OneOf(FILES)],
        Annotated[
            Annotated[tuple[Download, ...], MinLen(1)] | None,
            meaning(
                "data sets to download where zoo.folders names none; null takes the published files"
            ),
        ],
    ]
    zoos: Annotated[dict[Name, Zoo], MinLen(1)]

    def faults(self) -> Iterator[PydanticCustomError]:
        """Folders that cannot be, downloads without an address, names that are not defined."""
        for name, path in self.folders.items():
            if path is not None and not is_path(path):
                yield fault(f"folders.{name}", f"is {path}, which cannot be a folder.")
        yield from known("use", self.use, self.zoos)
        yield from known("where_found", self.where_found, self.zoos)
        for name, sources in self.downloads.items():
            if sources is None and name not in SOURCES:
                yield fault(
                    f"downloads.{name}",
                    "is null, but no address with a digest is known for it; list url and sha256 of "
                    "its files.",
                )

    @property
    def wanted(self) -> Mapping[str, Zoo]:
        """The zoos to train, where their data are there."""
        return {name: self.zoos[name] for name in dict.fromkeys([*self.use, *self.where_found])}
