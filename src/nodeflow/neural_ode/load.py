"""A trained neural ODE as an object: give it a graph and initial states, get a trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nodeflow.dynamics.given import checked_start
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.layout import ModelProblem
from nodeflow.neural_ode.store import Models, read_models
from nodeflow.tables import read_parameters
from nodeflow.threads import one_thread_if_small

__all__ = ["NeuralODE", "absolute_tolerance", "load"]

_SMALL = 1 / 32
"""Extent of states below which the usual absolute tolerance is too coarse for them."""


@dataclass(frozen=True)
class NeuralODE:
    """One trained neural ODE; made by `load`.

    Attributes:
        models: the file's models.
        replicate: which of them this is.
        made: what it was made with: system, training cell, recipe …
    """

    models: Models
    replicate: int
    made: Mapping[str, Any]

    @cached_property
    def field(self) -> Field:
        """The vector field, as the functions of `nodeflow.dynamics` take it."""
        seen = self.models.seen[self.replicate]
        return as_field(
            self.models.parameters,
            self.replicate,
            table=(seen[0], seen[1]),
            trained=True,
            activation=self.models.activation,
        )

    @property
    def seen(self) -> tuple[float, float]:
        """Smallest and largest state in the training data; beyond them it extrapolates."""
        low, high = self.models.seen[self.replicate]
        return float(low), float(high)

    @one_thread_if_small
    def predict(
        self,
        graph: nx.Graph[Any] | Graph,
        initial: ArrayLike | Mapping[Any, float] | pd.Series,
        times: ArrayLike,
        *,
        rtol: float = 1e-6,
        atol: float | None = None,
        max_steps: int = 100_000,
    ) -> pd.DataFrame:
        """Integrate it on any graph, of any size; its weights and directions are used.

        Args:
            graph: a networkx graph, or one of nodeflow's.
            initial: a state for each node: a mapping or pandas Series by node, or an array in the
                graph's order of nodes.
            times: increasing; the first belongs to the initial states.
            rtol: relative tolerance.
            atol: absolute tolerance; by default 1e-6, or less if states are in so large a unit that
                those seen in training lie within 1/32.
            max_steps: limit of steps.

        Returns:
            States, a row a time and a column a node.

        Raises:
            GraphProblem: a graph with self-loops, parallel edges or weights that are no numbers.
            ModelProblem: initial states that are not finite, or of other nodes than the graph's, or
                an integration that fails: on large heterogeneous graphs a model may leave what it
                has learned and explode.
        """
        inner, start = checked_start(graph, initial, ModelProblem)
        if atol is None:
            atol = absolute_tolerance(*self.seen)
        simulation = simulate(
            self.field, inner.adjacency(), start[None], times, rtol=rtol, atol=atol,
            max_steps=max_steps,
        )  # fmt: skip
        if simulation.reason[0]:
            raise ModelProblem(f"The neural ODE cannot be integrated here: {simulation.reason[0]}.")
        index = pd.Index(np.asarray(times, dtype=np.float64), name="time")
        return pd.DataFrame(simulation.states[0], index=index, columns=inner.labels)


def absolute_tolerance(low: float, high: float) -> float:
    """Of the integrator, for a model that learned from states in this range."""
    return 1e-6 * (high - low if high - low < _SMALL else 1.0)


@one_thread_if_small
def load(path: str | Path, replicate: int = 0) -> NeuralODE:
    """A trained neural ODE from its file, `results/neural_ode/models/…/….safetensors`.

    Args:
        path: the file.
        replicate: which of the models in it.

    Raises:
        FileProblem: the file is missing, damaged, or no file of neural ODEs.
        ModelProblem: there is no such replicate, or its training failed.
    """
    models = read_models(path)
    if not 0 <= replicate < len(models):
        raise ModelProblem(f"{path} holds models 0 … {len(models) - 1}, not {replicate}.")
    if not models.ok[replicate]:
        raise ModelProblem(f"{path}: the training of model {replicate} failed; take another one.")
    return NeuralODE(models, replicate, read_parameters(path))
