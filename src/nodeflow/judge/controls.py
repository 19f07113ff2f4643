"""Controls made from a zoo's members without any learning: what a generator has to beat.

Each network depends on its own seed alone, so any one of them can be made again. All are made a few
parameters at a time, of the same few parameters of all members: a zoo need not be in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from nodeflow.flow.codec import Shapes, unflatten
from nodeflow.seeds import derive_seed
from nodeflow.stack import Networks, Stack

__all__ = [
    "Control",
    "Mix",
    "draw_control",
    "gaussian_draws",
    "lines",
    "means",
    "noisy_copies",
    "per_tensor_deviation",
]

Parts = Iterable[np.ndarray]
"""Arrays (K, c) of c parameters of all members, one after another, in the order of a flat row."""

Mix = Callable[[Parts, np.ndarray, np.ndarray], Iterator[np.ndarray]]
"""(members, places (M,) of networks in their control, their seeds) → arrays (M, c), float64."""


@dataclass(frozen=True)
class Control:
    """Networks that are made of a zoo's members when they are asked for; see `Networks`.

    Attributes:
        zoo: what they are made of.
        mix: how.
        members: places of the networks in the control, int64 of shape (M,).
        seeds: (M,), one for each of them.
    """

    zoo: Networks
    mix: Mix
    members: np.ndarray
    seeds: np.ndarray

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each parameter of one network."""
        return self.zoo.shapes

    def __len__(self) -> int:
        return len(self.members)

    def arranged(self, shapes: Shapes, what: str = "the networks") -> Control:
        """See `Networks`."""
        return replace(self, zoo=self.zoo.arranged(shapes, what))

    def select(self, places: Sequence[int] | np.ndarray) -> Control:
        """See `Networks`."""
        rows = np.asarray(places, dtype=np.int64)
        return replace(self, members=self.members[rows], seeds=self.seeds[rows])

    def take(self, places: Sequence[int] | np.ndarray) -> Stack[Tensor]:
        """See `Networks`."""
        chosen = self.select(places)
        rows = np.concatenate(list(chosen.columns()), axis=1)
        return Stack(
            unflatten(rows, self.shapes), about={"member": chosen.members, "seed": chosen.seeds}
        )

    def columns(self, size: int = 2**16) -> Iterator[np.ndarray]:
        """See `Networks`."""
        for part in self.mix(self.zoo.columns(size), self.members, self.seeds):
            yield part.astype(np.float32)


def draw_control(
    zoo: Networks,
    name: str,
    mix: Mix,
    count: int,
    root_seed: int,
    labels: tuple[str | float, ...],
) -> Control:
    """The first networks of a control.

    Args:
        zoo: what they are made of.
        name: of the control.
        mix: how they are made.
        count: of them.
        root_seed: the run's root seed.
        labels: what names the judgement; seeds follow from (root_seed, *labels, name).
    """
    places = np.arange(count)
    seeds = [derive_seed(root_seed, "control", *labels, name, int(i)) for i in places]
    return Control(zoo, mix, places, np.array(seeds))


def per_tensor_deviation(members: Parts, shapes: Shapes) -> np.ndarray:
    """Standard deviation of each tensor's entries over a zoo, (D,) in the order of a flat row.

    Args:
        members: cut where tensors end.
        shapes: of one network.
    """
    parts, deviations = iter(members), []
    for shape in shapes.values():
        size, done, shift = math.prod(shape), 0, None
        count, total, squares = 0, 0.0, 0.0
        while done < size:
            part = next(parts).astype(np.float64)
            shift = part.flat[0] if shift is None else shift
            part -= shift  # equal entries have no deviation at all
            done, count = done + part.shape[1], count + part.size
            total, squares = total + part.sum(), squares + np.square(part).sum()
        variance = (squares - total**2 / count) / (count - 1)
        deviations.append(np.full(size, math.sqrt(max(0.0, variance))))
    return np.concatenate(deviations)


def noisy_copies(deviation: np.ndarray) -> Mix:
    """Members with Gaussian noise on every parameter; copy i is of member i mod K.

    Args:
        deviation: (D,) standard deviation of the noise.
    """

    def mix(members: Parts, places: np.ndarray, seeds: np.ndarray) -> Iterator[np.ndarray]:
        generators, start = [_generator(seed) for seed in seeds], 0
        for part in members:
            size = part.shape[1]
            noise = np.stack([generator.standard_normal(size) for generator in generators])
            noise *= deviation[start : start + size]
            noise += part[places % len(part)]
            yield noise
            start += size

    return mix


def means(size: int) -> Mix:
    """Means of `size` different members drawn at random, at most K: pair means, soups."""

    def mix(members: Parts, places: np.ndarray, seeds: np.ndarray) -> Iterator[np.ndarray]:
        chosen: list[np.ndarray] = []
        for part in members:
            if not chosen:
                chosen = [_generator(s).choice(len(part), size, replace=False) for s in seeds]
            yield np.stack([part[one].mean(axis=0, dtype=np.float64) for one in chosen])

    return mix


def lines(members: Parts, places: np.ndarray, seeds: np.ndarray) -> Iterator[np.ndarray]:
    """Points on the line through two different members drawn at random; see `Mix`.

    They lie beyond the first, half as far from it as it is from the second. So the first is the
    nearer one from there on, however far one goes on along the line.
    """
    pairs: list[np.ndarray] = []
    for part in members:
        if not pairs:
            pairs = [_generator(seed).choice(len(part), 2, replace=False) for seed in seeds]
        first, second = part[np.array(pairs).T].astype(np.float64)
        yield first + (first - second) / 2


def gaussian_draws(members: Parts, places: np.ndarray, seeds: np.ndarray) -> Iterator[np.ndarray]:
    """Draws from the Gaussian with the members' mean and sample covariance; see `Mix`.

    A standard Gaussian weight for each centred member, over √(K − 1), gives exactly that
    covariance: it is the Gaussian in the lossless principal coordinates, without computing them.
    """
    draws: np.ndarray | None = None
    for part in members:
        mean = part.mean(axis=0, dtype=np.float64)
        if draws is None:
            draws = np.stack([_generator(seed).standard_normal(len(part)) for seed in seeds])
        yield mean + draws @ (part - mean) / math.sqrt(len(part) - 1)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(int(seed))
