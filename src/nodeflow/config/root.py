"""The whole configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge
from pydantic_core import PydanticCustomError

from nodeflow.config.canonical import Canonical
from nodeflow.config.dynamics import Dynamics
from nodeflow.config.flow import Flows
from nodeflow.config.graphs import Graphs
from nodeflow.config.laws import Laws
from nodeflow.config.neural_ode import NeuralODE
from nodeflow.config.own import Own, OwnName
from nodeflow.config.priors import Priors
from nodeflow.config.section import Section, key
from nodeflow.config.zoo import Zoos
from nodeflow.judge.settings import PanelSettings
from nodeflow.laws.settings import FEWEST_TIMES
from nodeflow.settings.fields import Flag, Keys, OneOf, Whole, fault

__all__ = ["Config"]


class Config(Section):
    """Configuration of nodeflow; config/config.yaml holds the defaults, overlays change some."""

    seed: Annotated[Whole, Ge(0)] = key(
        "root seed; every job derives its own from it and from its labels"
    )
    device: Annotated[str, OneOf(("auto", "cpu", "cuda", "mps"))] = key(
        "where torch computes; auto takes a GPU where there is one"
    )
    check_disk: Flag = key(
        "whether a run that needs more room than the disk has ends before its first job"
    )
    graphs: Graphs
    dynamics: Dynamics
    neural_ode: NeuralODE
    laws: Laws
    zoo: Zoos
    canonical: Canonical
    flow: Flows
    judge: Annotated[PanelSettings, Keys()]
    priors: Priors
    own: dict[OwnName, Own]

    def faults(self) -> Iterator[PydanticCustomError]:
        """What sections do not fit each other."""
        sizes = [
            *self.graphs.sizes,
            self.graphs.training.size,
            self.neural_ode.structure.size,
            *self.priors.tests.sizes,
            self.priors.graph.size,
        ]
        if self.graphs.mean_degree >= min(sizes) - 1:
            yield fault(
                "graphs.mean_degree",
                f"is {self.graphs.dump()['mean_degree']}; it must be < {min(sizes) - 1}, the "
                "number of possible neighbours in the smallest graph.",
            )
        if self.neural_ode.detail.size not in self.graphs.sizes:
            yield fault(
                "neural_ode.detail.size",
                f"is {self.neural_ode.detail.size}; it must be one of graphs.sizes.",
            )
        for where, observed, recipe, training in (
            (
                "dynamics.training",
                self.dynamics.training,
                self.neural_ode.recipe,
                self.neural_ode.training,
            ),
            ("priors.data", self.priors.data, "gauss_newton", self.priors.training),
        ):
            if observed.times < training.fewest_times:
                yield fault(
                    f"{where}.times",
                    f"is {observed.times}; the recipe {recipe} needs at least "
                    f"{training.fewest_times}.",
                )
        for cell in self.laws.cells:
            if cell not in self.neural_ode.cells:
                yield fault(
                    "laws.cells", f"holds {cell.dump()}; it must be one of neural_ode.cells."
                )
        most = self.dynamics.training.times
        if self.laws.cells and most < FEWEST_TIMES:
            yield fault(
                "dynamics.training.times",
                f"is {most}; laws need at least {FEWEST_TIMES}, or leave them out (laws.cells: "
                "[]).",
            )
        yield from self.flow.misfits(self.zoo.zoos, self.zoo.wanted, self.judge.soup)
