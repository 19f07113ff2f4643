"""Stacks of networks as files, read as a whole or a few networks at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open

from nodeflow.stack import (
    ABOUT,
    MEMBER,
    NAMES,
    PARAMETERS,
    STATISTICS,
    Known,
    Stack,
    as_array,
    cuts_of,
    rows_of,
)
from nodeflow.tables import (
    FileProblem,
    Kind,
    open_tensors,
    opened_parameters,
    write_tensors,
    writing_tensors,
)

if TYPE_CHECKING:
    from torch import Tensor  # which many a job with stacks of arrays takes no time to load

    from nodeflow.tensors import Shapes

__all__ = [
    "Stored",
    "from_arrays",
    "open_stacks",
    "read_about",
    "read_stack",
    "to_arrays",
    "write_stack",
    "writing_stack",
]

_MAPPED = 2**22
"""How many values of files are read by columns before the files are opened anew."""


def to_arrays(stack: Stack[Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A stack as a file holds it: its arrays, networks as float32, and what says their order."""
    arrays = {
        f"{part}.{name}": np.asarray(as_array(x), dtype=np.float32)
        for part, tensors in ((PARAMETERS, stack.parameters), (STATISTICS, stack.statistics))
        for name, x in tensors.items()
    }
    arrays |= {f"{ABOUT}.{name}": np.asarray(x) for name, x in stack.about.items()}
    return arrays, _names(list(stack.parameters), list(stack.statistics), list(stack.about))


def from_arrays(arrays: Mapping[str, np.ndarray], said: Mapping[str, Any]) -> Stack[np.ndarray]:
    """The stack of which a file holds these arrays, and says these parameters."""
    parameters, statistics, about = (
        {name: arrays[f"{part}.{name}"] for name in said[NAMES][part]}
        for part in (PARAMETERS, STATISTICS, ABOUT)
    )
    return Stack(parameters, statistics, about)


def _names(parameters: list[str], statistics: list[str], about: list[str]) -> dict[str, Any]:
    return {NAMES: {PARAMETERS: parameters, STATISTICS: statistics, ABOUT: about}}


def write_stack(
    path: str | Path, stack: Stack[Any], kind: Kind, parameters: Mapping[str, Any]
) -> None:
    """Write a stack as one safetensors file, its networks as float32.

    Args:
        path: final name.
        stack: its tensors may be on any device and of any floating type.
        kind: of the file.
        parameters: what the stack was made with; checked on read.
    """
    arrays, names = to_arrays(stack)
    write_tensors(path, arrays, kind, {**parameters, **names})


@contextmanager
def writing_stack(
    path: str | Path,
    count: int,
    shapes: Shapes,
    about: Mapping[str, np.ndarray],
    kind: Kind,
    parameters: Mapping[str, Any],
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Parameters (K, *shape) and facts on disk that the body fills; see `write_stack`.

    Args:
        path: final name; appears only when the body has succeeded.
        count: how many networks, K.
        shapes: of each parameter of one network.
        about: what is known of each, which the body may still change.
        kind: of the file.
        parameters: what the stack is made with.
    """
    facts = {**about, MEMBER: np.arange(count)}
    types = {"f": "F32", "i": "I64", "b": "BOOL"}
    forms = {f"{PARAMETERS}.{name}": ("F32", (count, *shape)) for name, shape in shapes.items()}
    forms |= {f"{ABOUT}.{name}": (types[x.dtype.kind], x.shape) for name, x in facts.items()}
    names = _names(list(shapes), [], list(facts))
    with writing_tensors(path, forms, kind, {**parameters, **names}) as arrays:
        for name, x in facts.items():
            arrays[f"{ABOUT}.{name}"][:] = x
        yield (
            {name: arrays[f"{PARAMETERS}.{name}"] for name in shapes},
            {name: arrays[f"{ABOUT}.{name}"] for name in facts},
        )


def read_stack(
    path: str | Path, kind: Kind, parameters: Mapping[str, Any] | None = None
) -> Stack[np.ndarray]:
    """Read and check a stack.

    Args:
        path: the file.
        kind: of the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    with open_tensors(path, kind, parameters) as file:
        arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        return from_arrays(arrays, opened_parameters(file))


def read_about(
    path: str | Path, kind: Kind, parameters: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """What is known of each network of a stack, without the networks; see `read_stack`."""
    with open_tensors(path, kind, parameters) as file:
        return _read_about(file, opened_parameters(file)[NAMES])


def _read_about(file: Any, names: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    return {name: file.get_tensor(f"{ABOUT}.{name}") for name in names[ABOUT]}


@dataclass(frozen=True)
class Stored(Known):
    """K networks of one architecture in files, read when they are asked for.

    Attributes:
        paths: the files.
        where: for each network its file and its place there, int64 of shape (K, 2).
        shapes: shape of each parameter of one network.
        statistics: names of its running statistics.
        about: see `Stack`.
    """

    paths: tuple[Path, ...]
    where: np.ndarray
    shapes: Mapping[str, tuple[int, ...]]
    statistics: tuple[str, ...]
    about: Mapping[str, np.ndarray]

    def select(self, places: Sequence[int] | np.ndarray) -> Stored:
        """See `Networks`."""
        rows = np.asarray(places, dtype=np.int64)
        about = {name: values[rows] for name, values in self.about.items()}
        return replace(self, where=self.where[rows], about=about)

    def split(self, number: int) -> tuple[Stored, Stored]:
        """The members with numbers below `number`, and the others."""
        below = self.members < number
        return self.select(np.flatnonzero(below)), self.select(np.flatnonzero(~below))

    def parts(self, count: int) -> list[Stored]:
        """These networks, `count` at a time."""
        return [self.select(rows) for rows in rows_of(len(self), count)]

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Stored:
        """See `Networks`."""
        from nodeflow.tensors import check_shapes

        check_shapes(self.shapes, shapes, what)
        return replace(self, shapes={name: self.shapes[name] for name in shapes})

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Tensor]:
        """See `Networks`."""
        import torch

        chosen = self.select(places)
        # Networks that lie one after the other are read at once.
        breaks = np.any(np.diff(chosen.where, axis=0) != (0, 1), axis=1)
        runs = np.split(np.arange(len(chosen)), np.flatnonzero(breaks) + 1)
        tensors: dict[str, dict[str, Tensor]] = {PARAMETERS: {}, STATISTICS: {}}
        for file in dict.fromkeys(chosen.where[:, 0].tolist() or [0]):
            with safe_open(self.paths[file], framework="numpy") as opened:
                for part, names in ((PARAMETERS, self.shapes), (STATISTICS, self.statistics)):
                    for name in names:
                        stored = opened.get_slice(f"{part}.{name}")
                        if name not in tensors[part]:
                            shape = stored.get_shape()[1:]
                            tensors[part][name] = torch.empty(len(chosen), *shape)
                        for run in runs:
                            if len(run) > 0 and chosen.where[run[0], 0] == file:
                                first = int(chosen.where[run[0], 1])
                                rows = torch.from_numpy(stored[first : first + len(run)])
                                tensors[part][name][run[0] : run[0] + len(run)] = rows
        return Stack(tensors[PARAMETERS], tensors[STATISTICS], dict(chosen.about))

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        files = {int(file): self.where[:, 0] == file for file in np.unique(self.where[:, 0])}
        for name, shape in self.shapes.items():
            cuts = list(cuts_of(shape, size))
            together = max(1, _MAPPED // (len(self) * size or 1))
            for first in range(0, len(cuts), together):
                yield from self._cut(name, cuts[first : first + together], files)

    def _cut(
        self, name: str, cuts: Sequence[slice], files: Mapping[int, np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Cuts of one tensor; what is mapped of a file stays in memory until it is closed."""
        each = math.prod(self.shapes[name][1:])
        with ExitStack() as stack:
            slices = {}
            for file in files:
                opened = stack.enter_context(safe_open(self.paths[file], framework="numpy"))
                slices[file] = opened.get_slice(f"{PARAMETERS}.{name}")
            for cut in cuts:
                rows = np.empty((len(self), (cut.stop - cut.start) * each), np.float32)
                for file, here in files.items():
                    part = slices[file][:, cut]
                    rows[here] = part.reshape(len(part), -1)[self.where[here, 1]]
                yield rows


def open_stacks(
    paths: Sequence[str | Path], kind: Kind, made: Sequence[Mapping[str, Any]] | None = None
) -> Stored:
    """Open several files of one zoo as one stack, in the order of their members.

    Args:
        paths: its files.
        kind: of the files.
        made: what each of them was made with, where given.

    Raises:
        FileProblem: see `read_stack`; also when two files hold the same member or networks of other
            shapes.
    """
    where, about, kinds = [], [], []
    expected = made if made is not None else [None] * len(paths)
    for i, (path, parameters) in enumerate(zip(paths, expected, strict=True)):
        with open_tensors(path, kind, parameters) as file:
            names = opened_parameters(file)[NAMES]
            about.append(_read_about(file, names))
            shapes = {
                n: tuple(file.get_slice(f"{PARAMETERS}.{n}").get_shape()[1:])
                for n in names[PARAMETERS]
            }
            kinds.append((shapes, tuple(names[STATISTICS])))
        count = len(about[-1][MEMBER])
        where.append(np.stack([np.full(count, i), np.arange(count)], axis=1))
        if kinds[-1] != kinds[0]:
            raise FileProblem(
                f"{path} and {paths[0]} hold networks of different architectures; "
                "read blocks of one zoo at a time."
            )
    known = {name: np.concatenate([part[name] for part in about]) for name in about[0]}
    numbers = known[MEMBER]
    if len(np.unique(numbers)) < len(numbers):
        raise FileProblem(
            f"Two of {', '.join(map(str, paths))} hold the same member; name each block once."
        )
    stored = Stored(tuple(map(Path, paths)), np.concatenate(where), *kinds[0], known)
    return stored.select(np.argsort(numbers))
