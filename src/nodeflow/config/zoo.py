"""Zoos: data sets, architectures and training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Name, Names, Section, either, is_file, is_path, key, known
from nodeflow.datasets import DATASETS, FILES, SOURCES, VIEWS, VOCABULARIES, DataProblem, form
from nodeflow.datasets.given import is_array_file
from nodeflow.datasets.named import NamedProblem, named_file
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
from nodeflow.zoo.files import CheckpointProblem, checkpoint_files
from nodeflow.zoo.settings import (
    ArchitectureSettings,
    MlpSettings,
    TrainSettings,
    misfit,
    parameters,
    places,
)

__all__ = ["Checkpoints", "Data", "Zoo", "Zoos"]

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


class Checkpoints(Section):
    """Networks that were trained elsewhere."""

    folder: Text = key("folder with the files: safetensors, or what torch.save wrote")
    pattern: Text = key(
        'which files of it, e.g. "*/model.safetensors"; all of them if it is left out', default=""
    )
    module: Text = key(
        'what makes the module that they are of, "package.module:function"; looked for in the '
        "folder of the run, then among what is installed"
    )
    data: Text | None = key(
        "items to judge on: an .npz file, or a function as for module; null for none, and then "
        "accuracies are empty",
        default=None,
    )
    item: Counts | None = key(
        "shape of an item that the module reads; that of data, or of a first linear layer, if null",
        default=None,
    )
    tokens: Annotated[Whole, Ge(0), Le(10**9)] = key(
        "number of different tokens, if items are texts", default=0
    )
    part: Text = key("which network of a checkpoint that holds several, e.g. model_ema", default="")

    @cached_property
    def files(self) -> list[Path]:
        """The checkpoints, in the order of their numbers."""
        return checkpoint_files(self.folder, self.pattern)

    @property
    def sources(self) -> list[str]:
        """Files that the user's module and data come from, as far as they are files."""
        files = [named_file(self.module)]
        if self.data is not None:
            file = is_array_file(self.data)
            files.append(Path(self.data) if file else named_file(self.data))
        return [str(path) for path in files if path is not None]

    def faults(self) -> Iterator[PydanticCustomError]:
        """What is not there."""
        try:
            files = self.files if is_path(self.folder) else []
        except CheckpointProblem as problem:
            yield fault("folder", f"is {self.folder}. {problem}")
            return
        if not files:
            yield fault("folder", f"is {self.folder}, which cannot be a folder.")
        for name in ("module", "data"):
            given = getattr(self, name)
            if given is None:
                continue
            if name == "data" and is_array_file(given):
                if not is_file(given):
                    yield fault(name, f"is {given}, which is not a file.")
                continue
            try:
                named_file(given)
            except NamedProblem as problem:
                yield fault(name, f"is {given}. {problem}")


class Zoo(Section):
    """Networks of one architecture, trained alike, here or elsewhere."""

    data: Data = key(
        f"data set: {', '.join(DATASETS)}; behind colons how it is seen: {', '.join(VIEWS)} "
        "(averaged to so many pixels), as in digits:rotated",
        default=None,
    )
    checkpoints: Checkpoints = key(
        "instead of data, hidden and training: networks that were trained elsewhere", default=None
    )
    hidden: Counts = key("widths of the hidden layers of the MLP", default=None)
    architecture: ArchitectureSettings = key("instead of hidden: another network", default=None)
    members: Annotated[Whole, Ge(3), Le(10**9)] = key(
        "networks that a flow learns from; of checkpoints all but those held out, if left out",
        default=None,
    )
    held_out: Annotated[Whole, Ge(0), Le(10**9)] = key(
        "further networks that no flow ever sees; of checkpoints the last fifth, if left out",
        default=None,
    )
    block: Size = key(
        "networks trained in one job; two at least, as barriers are measured within the first; "
        "of checkpoints all, if left out",
        default=None,
    )
    training: Annotated[TrainSettings, Keys(without=frozenset({"initializations", "keep"}))] = key(
        "how they are trained", default=None
    )

    @property
    def network(self) -> Any:
        """What the networks are, of those that are trained here."""
        return self.architecture or MlpSettings("mlp", self.hidden)

    @property
    def written_network(self) -> dict[str, Any]:
        """The same as written, for the parameters of files."""
        if self.architecture is None:
            return {"kind": "mlp", **self.dump("hidden")}
        written: dict[str, Any] = self.dump("architecture")["architecture"]
        return written

    @property
    def learned(self) -> int:
        """Networks that a flow learns from."""
        if self.members is None:
            return len(self.checkpoints.files) - self.kept_back
        return self.members

    @property
    def kept_back(self) -> int:
        """Further networks that no flow ever sees."""
        if self.held_out is not None:
            return self.held_out
        count = len(self.checkpoints.files)
        return count // 5 if self.members is None else count - self.members

    @property
    def together(self) -> int:
        """Networks in one job."""
        return self.block or max(2, self.learned + self.kept_back)

    @property
    def items(self) -> str | None:
        """What the networks are judged on: a data set, or the user's own data; None if nothing."""
        return self.data if self.checkpoints is None else self.checkpoints.data

    @property
    def form(self) -> tuple[tuple[int, ...], int]:
        """Shape of an item, and number of classes, 1 where a number is predicted."""
        return form(self.data)

    @property
    def parameters(self) -> int:
        """Numbers of one network; of one from elsewhere, the most that there may be."""
        if self.checkpoints is not None:
            return _MOST_PARAMETERS
        item, classes = self.form
        return parameters(self.network, item, classes, VOCABULARIES.get(self.data, 0))

    @property
    def reads(self) -> tuple[Any, ...]:
        """What tells whether networks are of one architecture: features, classes, settings."""
        if self.checkpoints is not None:
            return (self.checkpoints.module,)
        item, classes = self.form
        return math.prod(item), classes, self.network

    @property
    def jobs(self) -> int:
        """Blocks that the members are trained in."""
        return -(-(self.learned + self.kept_back) // self.together)

    def faults(self) -> Iterator[PydanticCustomError]:
        """Networks that cannot read the items, and too many jobs."""
        yield from either(self, "data", "checkpoints")
        yield from self._from_elsewhere() if self.checkpoints is not None else self._trained()
        if self.jobs > _MOST_JOBS:
            yield fault(
                "block",
                f"is {self.block}, which makes {self.jobs:,} jobs of this zoo; allowed are "
                f"{_MOST_JOBS:,}, so choose larger blocks.",
            )

    def _from_elsewhere(self) -> Iterator[PydanticCustomError]:
        for name in ("hidden", "architecture", "training"):
            if name in self.model_fields_set:
                yield fault(
                    name,
                    "is for networks that are trained here; leave it out beside checkpoints.",
                )
        there = len(self.checkpoints.files)
        if self.learned < 3 or self.kept_back < 0 or self.learned + self.kept_back > there:
            where = "members" if self.members is not None else "held_out"
            key_of = where if where in self.model_fields_set else "checkpoints"
            yield fault(
                key_of,
                f"asks for {self.learned} networks to learn from and {self.kept_back} held out; "
                f"there are {there} checkpoints, and three at least are learned from.",
            )

    def _trained(self) -> Iterator[PydanticCustomError]:
        for name in ("members", "held_out", "block", "training"):
            if name not in self.model_fields_set:
                yield fault(name, "is missing; networks that are trained here need it.")
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
