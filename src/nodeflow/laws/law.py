"""A law: three formulas with their uncertainty, what else fits, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nodeflow.dynamics.given import checked_start, increasing
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.laws.bands import DIFFER, FLAGS, Mixture, flag, mixture
from nodeflow.laws.data import LawProblem, covariates_of
from nodeflow.laws.equations import expression, functions_read, functions_said, latex, rounded, text
from nodeflow.laws.form import FUNCTIONS, Form, Term, field_of
from nodeflow.laws.formulas import atom_of
from nodeflow.laws.symbolic import available
from nodeflow.neural_ode.trust import LEVELS, checked_levels
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    import networkx as nx
    import sympy

__all__ = ["VERSION", "Law"]

Array = NDArray[np.float64]

VERSION = 2
"""Of the dictionaries and files of laws."""

EXACT = 1e-5
"""States are taken to be no more exact than this, relative to their root mean square: errors of the
integration that made them, or of single precision, are not noise, and no law should explain them.
"""

DECIDED = 0.9
"""Weight from which a law counts as told from the others."""

EXCESS = 1.05
"""Root mean squared residual, in units of the noise, up to which a law explains the data."""

CHECKED = 1.2
"""The same on trajectories that had no part in choosing the law."""


@dataclass(frozen=True, eq=False)
class Law:
    """dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j), as formulas.

    Only the product of h_ego and h_alt matters. The gauge: the first term of h_alt has the
    coefficient 1, and h_ego carries the strength of the interaction. Terms stand in the order of
    `form`: atoms with parameters inside, then powers of x, then a constant.

    Attributes:
        form: which terms the functions have.
        parameters: (P,) their numbers, in the order of `form.slots`.
        covariance: (P, P) of the parameters.
        noise: standard deviation of what the law leaves of the observations.
        seen: smallest and largest state observed; beyond them the law extrapolates.
        weight: probability of this law among itself and the alternatives, by description length.
            Where no law explains the data, all weights together are one half: the other half is
            that of laws that were not found.
        length: its description length in nats, up to a constant that they share.
        excess: root mean squared residual of the law of the shortest description, in units of the
            noise that was found in the data without any law: above 1.05, no law of the families
            that were searched explains the data.
        lasting: correlation between what that law leaves at one time and at the next, in units of
            what independent noise would leave of it by chance (four standard errors, and .01 at
            least): above 1, the law misses something, however little.
        check: root mean squared residual on trajectories that had no part in choosing the form, in
            units of the noise: about 1 for a law that holds; NaN where none could be held out.
        alternatives: other laws that the data do not exclude, by falling weight.
    """

    form: Form
    parameters: Array
    covariance: Array
    noise: float
    seen: tuple[float, float]
    weight: float = 1.0
    length: float = 0.0
    excess: float = 1.0
    lasting: float = 0.0
    check: float = float("nan")
    alternatives: tuple[Law, ...] = ()

    @cached_property
    def field(self) -> Field:
        """The vector field, as the functions of `nodeflow.dynamics` take it.

        Raises:
            LawProblem: it depends on covariates of the nodes: see `field_on`.
        """
        self._check_covariates({})
        return field_of(self.form, self.parameters)

    def field_on(self, graph: Graph, covariates: Mapping[str, Any]) -> Field:
        """The vector field on one graph, with the covariates of its nodes.

        Args:
            graph: the graph.
            covariates: by name, a number for each node: an array in the order of the nodes, or a
                mapping or pandas Series by node.

        Raises:
            LawProblem: a covariate is missing or does not fit.
        """
        checked = covariates_of(graph, covariates)
        self._check_covariates(checked)
        return field_of(self.form, self.parameters, checked)

    def _check_covariates(self, given: Mapping[str, Any]) -> None:
        for name in self.form.covariates:
            if name not in given:
                raise LawProblem(
                    f"The law depends on the covariate {name!r} of the nodes; give its values, as "
                    "covariates of predict, spread or field_on."
                )

    @property
    def undetermined(self) -> bool:
        """Whether the data do not decide on this law.

        Its weight among the alternatives is below 0.9, or it does not explain them (`explains`).
        """
        return self.weight < DECIDED or not self.explains

    @property
    def explains(self) -> bool:
        """Whether the law leaves no more than noise of the data, and of trajectories held out.

        Nor anything that lasts from one time to the next, as independent noise does not.
        """
        return self.excess <= EXCESS and self.lasting <= 1.0 and not self.check > CHECKED

    @property
    def hint(self) -> str:
        """What can be done where the law does not explain the data; empty where it does."""
        if self.explains:
            return ""
        if available():
            return (
                "Neither a law of the families that are searched nor a formula of symbolic "
                "regression explains the data; do not use the law beyond the states seen."
            )
        return (
            "No law of the families that are searched explains the data; install "
            "nodeflow[symbolic] to search beyond them by symbolic regression."
        )

    @property
    def f(self) -> sympy.Expr:
        """Self-dynamics, of the symbol x."""
        return expression(self.form, self.parameters, "f")

    @property
    def h_ego(self) -> sympy.Expr:
        """How the state of the node itself scales the interaction, of the symbol x."""
        return expression(self.form, self.parameters, "h_ego")

    @property
    def h_alt(self) -> sympy.Expr:
        """What a neighbour contributes, of the symbol x."""
        return expression(self.form, self.parameters, "h_alt")

    @property
    def errors(self) -> Array:
        """Standard errors of the parameters, (P,); the form is taken for granted."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def table(self) -> pd.DataFrame:
        """One row a parameter: function, atom (after its covariate), name, value, error."""
        rows = []
        for slot, value, error in zip(self.form.slots, self.parameters, self.errors, strict=True):
            term: Term = getattr(self.form, slot.function)[slot.term]
            inner = atom_of(term.atom).inner
            name = "coefficient" if slot.inner is None else inner[slot.inner].name
            what = f"{term.by} {term.atom}".strip()
            rows.append((slot.function, what, name, float(value), float(error)))
        return pd.DataFrame(rows, columns=["function", "atom", "parameter", "value", "error"])

    def latex(self) -> str:
        """The equation in LaTeX, rounded to what the standard errors leave."""
        return latex(self.form, rounded(self.parameters, self.errors))

    def __str__(self) -> str:
        values = rounded(self.parameters, self.errors)
        own, ego, alt = (text(self.form, values, name) for name in FUNCTIONS)
        return f"f = {own};  h_ego = {ego};  h_alt = {alt}" if self.form.h_ego else f"dx/dt = {own}"

    @one_thread_if_small
    def predict(
        self,
        graph: nx.Graph[Any] | Graph,
        initial: ArrayLike | Mapping[Any, float] | pd.Series,
        times: ArrayLike,
        *,
        covariates: Mapping[str, Any] | None = None,
        rtol: float = 1e-8,
        atol: float | None = None,
        max_steps: int = 100_000,
    ) -> pd.DataFrame:
        """Integrate the law on any graph, of any size; its weights and directions are used.

        Args:
            graph: a networkx graph, or one of nodeflow's.
            initial: a state for each node: a mapping or pandas Series by node, or an array in the
                graph's order of nodes.
            times: increasing; the first belongs to the initial states.
            covariates: of the nodes, as of `field_on`, where the law has any.
            rtol: relative tolerance.
            atol: absolute tolerance; by default `rtol` times the largest state seen.
            max_steps: limit of steps.

        Returns:
            States, a row a time and a column a node.

        Raises:
            GraphProblem: a graph with self-loops, parallel edges or weights that are no numbers.
            LawProblem: initial states that do not fit the graph, or an integration that fails.
        """
        inner, start, when = _given(graph, initial, times)
        tolerance = self._tolerance(rtol, atol, max_steps)
        states = self._states(inner, covariates or {}, start, when, tolerance)
        if isinstance(states, str):
            raise LawProblem(f"The law cannot be integrated here: {states}.")
        return _frame(states, when, inner)

    @one_thread_if_small
    def spread(
        self,
        graph: nx.Graph[Any] | Graph,
        initial: ArrayLike | Mapping[Any, float] | pd.Series,
        times: ArrayLike,
        *,
        covariates: Mapping[str, Any] | None = None,
        rtol: float = 1e-6,
        atol: float | None = None,
        max_steps: int = 100_000,
    ) -> pd.DataFrame:
        """How far the laws that the data do not exclude lie apart: weighted standard deviation.

        Arguments are those of `predict`. Where an alternative cannot be integrated, the spread is
        infinite from then on.

        Returns:
            Standard deviations, a row a time and a column a node; 0 where there is no alternative.
        """
        inner, start, when = _given(graph, initial, times)
        laws = (self, *self.alternatives)
        weights = np.array([law.weight for law in laws])
        predictions = []
        for law in laws:
            tolerance = law._tolerance(rtol, atol, max_steps)
            states = law._states(inner, covariates or {}, start, when, tolerance)
            predictions.append(
                np.full((len(when), inner.n), np.inf) if isinstance(states, str) else states
            )
        stack = np.stack(predictions)
        share = (weights / weights.sum())[:, None, None]
        with np.errstate(invalid="ignore"):
            mean = (share * stack).sum(0)
            spread = np.sqrt((share * np.square(stack - mean)).sum(0))
        return _frame(np.where(np.isfinite(spread), spread, np.inf), when, inner)

    @one_thread_if_small
    def forecast(
        self,
        graph: nx.Graph[Any] | Graph,
        initial: ArrayLike | Mapping[Any, float] | pd.Series,
        times: ArrayLike,
        *,
        levels: Sequence[float] = LEVELS,
        covariates: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Forecast with bands and flags, in the columns that those of an `Ensemble` have.

        Bands hold what the data leave open: the alternatives with their weights, parameters with
        their standard errors, and noise. They take the families of `nodeflow.laws` for granted.

        Args:
            graph: a networkx graph, or one of nodeflow's.
            initial: a state for each node: a mapping or pandas Series by node, or an array in the
                graph's order of nodes.
            times: increasing; the first belongs to the initial states.
            levels: probabilities of the bands.
            covariates: of the nodes, as of `field_on`, where the law has any.

        Returns:
            A row for each time and node: time, node (its name), mean, and for each level p in per
            cent lower_p and upper_p, between which a further observation lies with this
            probability; infinite where a law that may be the true one cannot be integrated. flag
            is one of "inside", "outside, laws agree" and "outside, laws differ", from the time on
            from which it holds (`nodeflow.laws.bands.flag`); trusted is False for the last.

        Raises:
            GraphProblem: a graph with self-loops, parallel edges or weights that are no numbers.
            LawProblem: initial states that do not fit the graph, or an integration that fails.
            TrustProblem: a level that is no probability.
        """
        inner, start, when = _given(graph, initial, times)
        wanted = checked_levels(levels)
        mixed = self.mixture(inner, start, when, covariates=covariates)
        flagged = flag(self, mixed, inner)
        table = {
            "time": np.repeat(when, inner.n),
            "node": list(inner.labels) * len(when),
            "mean": mixed.mean.ravel(),
        }
        for level in wanted:
            low, high = mixed.band(level, self.noise)
            table[f"lower_{100 * level:g}"] = low.ravel()
            table[f"upper_{100 * level:g}"] = high.ravel()
        table["flag"] = np.array(FLAGS)[flagged.ravel()]
        table["trusted"] = (flagged != DIFFER).ravel()
        return pd.DataFrame(table)

    def mixture(
        self,
        graph: Graph,
        start: Array,
        when: Array,
        *,
        covariates: Mapping[str, Any] | None = None,
    ) -> Mixture:
        """What this law, its alternatives and their parameters within their errors predict.

        Args:
            graph: of n nodes.
            start: (n,) initial states.
            when: (T,) increasing times.
            covariates: of the nodes, as of `field_on`.

        Raises:
            LawProblem: the law itself cannot be integrated, or a covariate is missing or does not
                fit.
        """
        known = covariates_of(graph, covariates or {})
        for law in (self, *self.alternatives):
            law._check_covariates(known)
        tolerance = self._tolerance(1e-6, None, 10_000)
        return mixture(self, graph.adjacency(), start, when, known, tolerance)

    def _states(
        self,
        graph: Graph,
        covariates: Mapping[str, Any],
        start: Array,
        when: Array,
        tolerance: Tolerance,
    ) -> Array | str:
        """States (T, n), or why there are none."""
        field = self.field_on(graph, covariates)
        simulated = simulate(field, graph.adjacency(), start[None], when, **asdict(tolerance))
        return simulated.reason[0] or simulated.states[0]

    def _tolerance(self, rtol: float, atol: float | None, max_steps: int) -> Tolerance:
        """By default the absolute one is the relative one of the largest state seen."""
        largest = max(abs(self.seen[0]), abs(self.seen[1]))
        return Tolerance(rtol, rtol * largest if atol is None else atol, max_steps)

    def to_dict(self) -> dict[str, Any]:
        """Everything, in numbers, texts, lists and dictionaries, as JSON has them."""
        return {
            "schema": "law",
            "version": VERSION,
            "functions": functions_said(self.form, self.parameters),
            "covariance": self.covariance.tolist(),
            "noise": self.noise,
            "seen": list(self.seen),
            "weight": self.weight,
            "length": self.length,
            "excess": self.excess,
            "lasting": self.lasting,
            "check": None if np.isnan(self.check) else self.check,
            "alternatives": [law.to_dict() for law in self.alternatives],
        }

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Law:
        """The inverse of `to_dict`.

        Raises:
            LawProblem: this is no law, or one of another version.
        """
        if not isinstance(said, Mapping) or said.get("schema") != "law":
            raise LawProblem("This is no law; give what Law.to_dict returned.")
        if said.get("version") != VERSION:
            raise LawProblem(
                f"This law has version {said.get('version')}, and version {VERSION} is read here; "
                "discover it anew."
            )
        try:
            return cls._read(said)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise LawProblem(
                f"A law is damaged ({type(error).__name__}: {error}); discover it anew."
            ) from error

    @classmethod
    def _read(cls, said: Mapping[str, Any]) -> Law:
        form, parameters = functions_read(said["functions"])
        count = len(form.slots)
        low, high = said["seen"]
        return cls(
            form=form,
            parameters=parameters,
            covariance=np.array(said["covariance"], dtype=np.float64).reshape(count, count),
            noise=float(said["noise"]),
            seen=(float(low), float(high)),
            weight=float(said["weight"]),
            length=float(said["length"]),
            excess=float(said["excess"]),
            lasting=float(said["lasting"]),
            check=float("nan") if said["check"] is None else float(said["check"]),
            alternatives=tuple(cls.from_dict(x) for x in said["alternatives"]),
        )

    def with_alternatives(self, laws: tuple[Law, ...]) -> Law:
        """This law beside others."""
        return replace(self, alternatives=laws)


def _given(
    graph: nx.Graph[Any] | Graph, initial: Any, times: ArrayLike
) -> tuple[Graph, Array, Array]:
    inner, start = checked_start(graph, initial, LawProblem)
    return inner, start, increasing(times, "Times", LawProblem)


def _frame(states: Array, when: Array, graph: Graph) -> pd.DataFrame:
    return pd.DataFrame(states, pd.Index(when, name="time"), list(graph.labels))
