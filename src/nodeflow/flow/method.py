"""What a flow method is: one class that learns zoos, and one that generates what was learned.

`nodeflow.flow.methods` holds all of them, one module each. Importing this module loads no torch:
the configuration reads of every method what its settings are while Snakemake parses its rules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeflow.flow.settings import INTEGRATORS, FlowProblem, SampleSettings
from nodeflow.settings.fields import merged

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from torch import Tensor

    from nodeflow.datasets import Dataset
    from nodeflow.stack import Networks, Stack
    from nodeflow.tensors import Shapes
    from nodeflow.zoo.architecture import Architecture
    from nodeflow.zoo.train import TrainSettings

__all__ = ["Condition", "Fitting", "Generator", "LearnedZoo", "Method", "Origin", "Written"]


@dataclass(frozen=True)
class Origin:
    """How the members of a zoo came to be; some methods learn from that too.

    Attributes:
        zoo: its name, a label of the members' random streams.
        architecture: of the members.
        dataset: what they were trained on; flows use its training items, judges its test items;
            None if nobody has it.
        training: how; None if they were trained elsewhere.
    """

    zoo: str
    architecture: Architecture
    dataset: Dataset | None
    training: TrainSettings | None


@dataclass(frozen=True)
class LearnedZoo:
    """A zoo that a flow learns.

    Attributes:
        training: members to learn from, in memory (a `Stack`) or in files.
        held_out: members whose loss is recorded and that nothing is learned from; None, or none of
            them, if there are none.
        origin: how they came to be; None is enough for methods over codes.
    """

    training: Networks
    held_out: Networks | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class Fitting:
    """How a flow is fitted to zoos.

    Attributes:
        settings: what `Method.changed` gave.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from (root_seed, "flow", *labels).
        device: where to train.
    """

    settings: Any
    root_seed: int
    labels: Sequence[str | float]
    device: torch.device | str = "cpu"


@dataclass(frozen=True)
class Written:
    """A trained model as its file holds it.

    Attributes:
        settings: how it was trained.
        shapes: name → shape of one network's tensors, in the order of a flat row.
        labels: names of the zoos that it learned, if they are several.
        tensors: what `Generator.tensors` gave.
        about: what `Generator.about` gave, among other parameters of the file.
    """

    settings: Any
    shapes: Shapes
    labels: tuple[str, ...]
    tensors: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Condition:
    """What a flow over several zoos is asked for.

    Guidance without a classifier (Ho & Salimans 2022, arXiv:2207.12598), for velocities: one field
    learns with and without labels, and samples follow v(x, t) + w (v(x, t | label) − v(x, t)). So
    w = 0 ignores the label, w = 1 follows it, and larger ones exaggerate it. A diffusion is guided
    likewise, by the noise that it predicts, and a descent by its moves.

    Attributes:
        label: name of a zoo that it learned.
        guidance: w, at least 0.
    """

    label: str
    guidance: float = 1.0

    def __post_init__(self) -> None:
        if not self.guidance >= 0:
            raise FlowProblem(f"guidance is {self.guidance}; it must be at least 0.")


class Generator(ABC):
    """A trained generative model of network weights; each method has its own.

    Attributes:
        settings: how it was trained; its `method` is the name of the method.
        shapes: name → shape of one network's tensors, in the order of a flat row.
        labels: names of the zoos that it learned, if they are several.
    """

    settings: Any
    shapes: Shapes
    labels: tuple[str, ...]

    def sample(
        self,
        seeds: np.ndarray,
        how: SampleSettings,
        condition: Condition | None = None,
        device: torch.device | str = "cpu",
    ) -> Stack[Tensor]:
        """Networks of these seeds (M,), each whatever else is asked for.

        Args:
            seeds: see `nodeflow.flow.sample_seeds`.
            how: solver and steps.
            condition: what is asked for of a model of several zoos.
            device: where to compute.

        Raises:
            FlowProblem: a model of several zoos without a condition that it has learned, or any
                other with one; a solver or steps that are none of this method's; networks that
                cannot be decoded without the files of their zoo.
        """
        import numpy as np

        from nodeflow.flow.codec import unflatten
        from nodeflow.stack import Stack

        self.check(condition)
        codes, rows = self.rows(seeds, how, condition, device)
        ok = np.isfinite(codes).all(axis=1) & np.isfinite(rows).all(axis=1)
        # An infinite code can be lost in decoding, and its sample must not pass for a network.
        rows[~ok] = np.nan
        return Stack(unflatten(rows, self.shapes), about={"seed": seeds, "code": codes, "ok": ok})

    def check(self, condition: Condition | None) -> None:
        """Find out whether a condition is one that was learned; see `sample`."""
        if condition is None and not self.labels:
            return
        if condition is None or condition.label not in self.labels:
            asked = "no label" if condition is None else f"the label {condition.label}"
            known = ", ".join(self.labels) or "none"
            raise FlowProblem(f"a flow was asked for {asked}; it has learned {known}.")

    @abstractmethod
    def rows(
        self,
        seeds: np.ndarray,
        how: SampleSettings,
        condition: Condition | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Codes (M, k) and flat networks (M, D) of seeds (M,), float32; k is 0 without codes."""

    @property
    def streamed(self) -> bool:
        """Whether its networks cannot be made but into a file, with those that it learned from."""
        return False

    def stream(
        self,
        path: str | Path,
        seeds: np.ndarray,
        how: SampleSettings,
        members: Networks,
        made: Mapping[str, Any],
        device: torch.device | str = "cpu",
    ) -> None:
        """Write networks of these seeds into a file as `write_samples` does; see `sample`.

        Args:
            path: final name.
            seeds: (M,).
            how: solver and steps.
            members: those that were learned from.
            made: what the samples are made with.
            device: where to compute.

        Raises:
            FlowProblem: the model is not `streamed`.
        """
        raise FlowProblem(f"a flow of method {self.settings.method} is sampled in memory.")

    @abstractmethod
    def tensors(self) -> dict[str, np.ndarray]:
        """All that was learned, for a file."""

    def about(self) -> dict[str, Any]:
        """What `Method.read` has to know besides tensors, settings, shapes and labels, as JSON."""
        return {}


class Method(ABC):
    """A way to learn zoos of networks; a module of `nodeflow.flow.methods` defines each.

    Attributes:
        about: what it is, to follow its name in a sentence.
        title: what it is, in the legend of a figure.
        settings: its choices where nothing else is asked for, a dataclass with a field `method`.
        fixed: names of settings that are no keys of the configuration.
        sized_by: the setting, with dots, that the capacity of a flow is the value of.
        alignments: which members it can learn: canonicalized ones, members as trained, or either.
        starts: whether it has to be told what each member started from.
        solvers: how its networks can be sampled.
        colours: of its networks in figures: learned from aligned weights, and from raw ones.
    """

    about: str
    title: str
    settings: Any
    fixed: frozenset[str] = frozenset()
    sized_by: str = "velocity.hidden"
    alignments: tuple[str, ...] = ("aligned", "raw")
    starts: bool = False
    solvers: tuple[str, ...] = INTEGRATORS
    colours: tuple[str, str]

    def changed(self, changes: Mapping[str, Any], capacity: int | None = None) -> Any:
        """Its settings with some of them changed.

        Args:
            changes: names of settings → values; settings of settings are mappings, e.g.
                `{"steps": 10000, "velocity": {"hidden": 64}}`.
            capacity: value of the setting that `sized_by` names; None leaves it as it is.

        Raises:
            FlowSettingsProblem: no such setting, or a value that is not allowed.
        """
        values = merged(self.settings, dict(changes) | {"method": self.settings.method})
        settings = type(self.settings)(**values)
        if capacity is None:
            return settings
        outer, _, inner = self.sized_by.partition(".")
        sized = {outer: {inner: capacity} if inner else capacity}
        return type(settings)(**merged(settings, sized))

    def steps(self, settings: Any) -> int | None:
        """The only number of steps that its networks can be sampled in; None if any will do."""
        return None

    def rank(self, settings: Any) -> int | None:
        """How many directions the members have to span; None if that is all the same."""
        return None

    def unfit_for_texts(self, settings: Any) -> tuple[str, str] | None:
        """A setting with which networks that read tokens cannot be learned, and why; or none."""
        return None

    def streams(self, settings: Any) -> bool:
        """Whether it learns, and samples, without the zoo being in memory as a whole."""
        return False

    @abstractmethod
    def fit(self, zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Generator, pd.DataFrame]:
        """Learn one zoo, or several of one architecture, whose names become labels.

        Args:
            zoos: name → zoo.
            how: settings, random numbers and device.

        Returns:
            The model, on the CPU, and its history with the columns of `FLOW_HISTORY`.

        Raises:
            FlowProblem: a zoo without what this method needs.
            TensorProblem: networks of another architecture than the first zoo's, or not finite.
        """

    @abstractmethod
    def read(self, written: Written) -> Generator:
        """The model of a file."""
