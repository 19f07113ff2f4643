"""All that is asked of what priors make of test systems, by the code that tests neural ODEs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, Field
from nodeflow.grid import Cell
from nodeflow.job import Progress
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import Learned, model_fields
from nodeflow.neural_ode.hidden import hide_nodes
from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.neural_ode.stability import compare_fixed_points
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.train import train_stack
from nodeflow.priors.ensembles import ensemble_rows
from nodeflow.priors.families import Family
from nodeflow.priors.fits import Frames, first_field, learned, mode, weigh
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.knowledge import OVER_CODES, OVER_WEIGHTS, Knowledge
from nodeflow.priors.networks import networks, tails_of_functions
from nodeflow.priors.rivals import by_law, fit_form, smooth_prior, without_prior
from nodeflow.priors.schemas import INSIDE
from nodeflow.priors.trials import Case, Trial
from nodeflow.threads import one_thread_if_small

__all__ = ["Asked", "Evaluation", "Generated"]

Array = NDArray[np.float64]
Rows = list[dict[str, Any]]

_SHOWN = 64
_SHOWN_STATES = 48


@dataclass(frozen=True)
class Asked:
    """How much is asked.

    Attributes:
        frames: numbers of frames.
        noise: standard deviations of their noise, over the rms state.
        compared: numbers of frames with which all families are compared.
        studied: one of `frames`, after which networks are generated and looked at in detail.
        draws: of each posterior.
        members: neural ODEs of an ensemble.
        laws: test systems of which laws are sought.
        removed: share of nodes that are not observed.
        horizon: of the search for fixed points.
    """

    frames: tuple[int, ...]
    noise: tuple[float, ...]
    compared: tuple[int, ...]
    studied: int
    draws: int
    members: int
    laws: int
    removed: float
    horizon: float

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Asked:
        """What was read from a file."""
        lists = {x: tuple(values[x]) for x in ("frames", "noise", "compared")}
        return cls(**{**values, **lists})


@dataclass
class _Made:
    """Fields with what they are, to be tested together.

    Attributes:
        facts: of each, method, frames, noise and whether it is tested on all graphs.
        fields: each; None where there is none.
        errors: of each on training data, of networks; 0 where it is a smooth function.
    """

    seen: tuple[float, float]
    facts: Rows = field(default_factory=list)
    fields: list[Field | None] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def add(
        self, method: str, made: Field | None, frames: int = 0, noise: float = 0.0,
        *, error: float = 0.0, everywhere: bool = True,
    ) -> None:  # fmt: skip
        self.facts.append(
            {"method": method, "frames": frames, "noise": noise, "everywhere": everywhere}
        )
        self.fields.append(made)
        self.errors.append(error)

    def chosen(self, keep: Sequence[int]) -> Fields:
        return Fields(
            tuple(self.fields[k] for k in keep),
            np.zeros(len(keep), dtype=np.int64),
            np.tile(self.seen, (len(keep), 1)),
            np.array([self.errors[k] for k in keep]),
        )


@dataclass(frozen=True)
class Generated:
    """Networks that were trained on a test system, or generated for it.

    Attributes:
        name: of their set in the panel.
        trial: the test system.
        models: the networks.
    """

    name: str
    trial: Trial
    models: Models


@dataclass(frozen=True)
class _Wanted:
    """Functions that networks are to compute.

    Attributes:
        name: that their initializations follow from.
        functions: each of them.
        kept: set of the panel that they belong to; None if they are not looked at there.
        noise: of the frames that the functions were learned from.
    """

    name: str
    functions: Curves
    kept: str | None
    noise: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """What test systems of one family, or strangers, are asked with.

    Attributes:
        families: by name; those that frames are compared with.
        priors: of each that has one.
        knowledge: what the zoo of the test systems' own family knows; None of strangers.
        cases: all test graphs.
        detail: those on which few frames are tested, and the rest of the questions asked.
        asked: how much.
        settings: of the recipe that makes networks.
        networks: those that were made on the way.
    """

    families: Mapping[str, Family]
    priors: Mapping[str, Prior]
    knowledge: Knowledge | None
    cases: Sequence[Case]
    detail: Case
    asked: Asked
    settings: GaussNewtonSettings
    networks: list[Generated] = field(default_factory=list)

    @one_thread_if_small
    def tables(self, some: Sequence[Trial]) -> dict[str, Rows]:
        """Rows of the tables of `PRIOR_TABLES` but "panel"."""
        found: dict[str, Rows] = defaultdict(list)
        progress = Progress(len(some), "test systems")
        for number, trial in enumerate(some, 1):
            for name, rows in _Work(self, trial).rows().items():
                facts = {"where": trial.where, "trial": trial.index}
                found[name] += [{**facts, **row} for row in rows]
            progress.update(number)
        return found


@dataclass(frozen=True)
class _Work:
    """All of one test system."""

    of: Evaluation
    trial: Trial
    truths: dict[Cell, list[Trajectory]] = field(default_factory=dict)

    def truth(self, case: Case) -> list[Trajectory]:
        """Runs of the true system, integrated once."""
        if case.cell not in self.truths:
            self.truths[case.cell] = self.trial.truth(case)
        return self.truths[case.cell]

    @property
    def asked(self) -> Asked:
        return self.of.asked

    @property
    def detail(self) -> Case:
        return self.of.detail

    def rows(self) -> dict[str, Rows]:
        trial, known = self.trial, self.of.knowledge
        new: dict[str, Rows] = defaultdict(list)
        if known is None:
            self._compare(new)
            return new
        made = _Made(known.prior.seen)
        stacks = self._zero_shot(known, made, new)
        if trial.where == INSIDE:
            stacks |= self._few_frames(known, made, new)
            self._compare(new)
        self._test(made, new)
        self._details(made, new)
        if trial.where == INSIDE:
            watched = [
                (x, self.truth(x)) for x in self.of.cases if x.cell.gamma == self.detail.cell.gamma
            ]
            new["ensembles"] = ensemble_rows(stacks, trial, watched)
        return new

    # --- zero shot -------------------------------------------------------------------------------

    def _zero_shot(
        self, known: Knowledge, made: _Made, new: dict[str, Rows]
    ) -> dict[tuple[str, int, float], Learned]:
        trial, asked = self.trial, self.asked
        inside = trial.where == INSIDE
        functions = known.zero_shot.functions(trial.values)
        made.add("generated", functions.fields[0])
        made.add("mean of the zoo", known.prior.at(np.zeros((1, known.prior.kept))).fields[0])
        [generated] = self._networks(known, [_Wanted("generated", functions, "generated")])
        made.add("network", generated.fields[0], error=known.error)
        near = known.nearest(trial.values)
        made.add("nearest member", known.field(near), error=known.error)
        label = f"{trial.where} {trial.index}"
        made.add(OVER_CODES, known.over_codes(trial.values, label))
        for name in OVER_WEIGHTS:
            sampled = known.sampled(name, trial.values, label)
            self._keep(name, sampled)
            made.add(name, model_fields(sampled)[0], error=known.error)
        [data] = observed([trial.graph], trial.runs)
        count = asked.members if inside else 1
        labels = [("prior trial", trial.family, trial.where, trial.index, k) for k in range(count)]
        trained, _ = train_stack([data] * count, self.of.settings, labels, trial.seed)
        self._keep("trained", trained)
        made.add("full data", model_fields(trained)[0], self._full(), error=float(trained.error[0]))
        draws = known.zero_shot.draws(trial.values, max(asked.draws, 2), trial.seed)
        self._show(draws, "generated", 0, 0.0, new)
        return {("trained", self._full(), 0.0): trained} if inside else {}

    def _full(self) -> int:
        how = self.trial.observing
        return how.trajectories * how.times

    def _keep(self, name: str, models: Models) -> None:
        if self.trial.where == INSIDE:
            self.of.networks.append(Generated(name, self.trial, models))

    def _networks(self, known: Knowledge, wanted: Sequence[_Wanted]) -> list[Fields]:
        """Networks that compute functions, with their tails; some are kept for the panel.

        All descend side by side.
        """
        trial, prior = self.trial, known.prior
        functions = Curves(prior.states, np.concatenate([x.functions.values for x in wanted]))
        labels = [
            (x.name, trial.family, trial.where, trial.index, k)
            for x in wanted
            for k in range(len(x.functions))
        ]
        made = networks(prior, functions, self.of.settings, labels, trial.seed, known.error)
        parts, end = [], 0
        for x in wanted:
            own = made.some(slice(end, end := end + len(x.functions)))
            if x.kept is not None:
                self._keep(x.kept, own)
            parts.append(tails_of_functions(own, x.functions, prior))
        return parts

    # --- few frames ------------------------------------------------------------------------------

    def _few_frames(
        self, known: Knowledge, made: _Made, new: dict[str, Rows]
    ) -> dict[tuple[str, int, float], Learned]:
        trial, asked, prior = self.trial, self.asked, known.prior
        smooth = smooth_prior(prior)
        wanted: list[_Wanted] = []
        for noise in asked.noise:
            for count in asked.frames:
                at: dict[str, Any] = {
                    "frames": count, "noise": noise, "everywhere": count == asked.studied,
                }  # fmt: skip
                frames = self._frames(count, noise)
                found = learned(prior, trial, frames.run, asked.draws)
                new["fits"].append(frames.row(trial.family, found))
                made.add("zoo", first_field(mode(found)), **at)
                merely = learned(smooth, trial, frames.run, asked.draws)
                made.add("smooth prior", first_field(mode(merely)), **at)
                made.add("no prior", without_prior(prior, trial.graph, frames.run), **at)
                made.add("true form", fit_form(known.family, prior, trial.graph, frames.run), **at)
                if trial.index < asked.laws and count == asked.studied:
                    made.add("law", by_law(trial.graph, frames.run), **at)
                middle = mode(found)
                if found is None or middle is None or not isinstance(found.models, Curves):
                    continue
                self._show(found.models, "zoo", count, noise, new)
                if count == asked.studied:
                    draws = Curves(prior.states, found.models.values[: asked.members])
                    wanted.append(_Wanted(f"posterior {noise}", draws, "posterior", noise))
                    wanted.append(_Wanted(f"mode {noise}", middle, None, noise))
        stacks: dict[tuple[str, int, float], Learned] = {}
        for x, fields in zip(wanted, self._networks(known, wanted) if wanted else [], strict=True):
            if x.kept is not None:
                stacks["generated", asked.studied, x.noise] = fields
            else:
                made.add(
                    "network", fields.fields[0], asked.studied, x.noise, error=known.error
                )  # fmt: skip
        return stacks

    def _frames(self, count: int, noise: float) -> Frames:
        run, graph = self.trial.frames(count, noise), self.detail.graphs[0]
        return Frames(self.trial, run, noise, graph, self.truth(self.detail)[0])

    def _compare(self, new: dict[str, Rows]) -> None:
        """The evidence of all families for the same frames."""
        for noise in self.asked.noise:
            for count in self.asked.compared:
                frames = self._frames(count, noise)
                same = [x for x in new["fits"] if (x["frames"], x["noise"]) == (count, noise)]
                for name, prior in self.of.priors.items():
                    if all(x["candidate"] != name for x in same):
                        found = learned(prior, self.trial, frames.run, self.asked.draws)
                        same.append(frames.row(name, found))
                        new["fits"].append(same[-1])
                weigh(same)

    # --- tests -----------------------------------------------------------------------------------

    def _test(self, made: _Made, new: dict[str, Rows]) -> None:
        """Errors on test graphs, by the code that tests neural ODEs."""
        for case in self.of.cases:
            here = case.cell == self.detail.cell
            keep = [k for k, x in enumerate(made.facts) if here or x["everywhere"]]
            truth = self.truth(case)
            _, runs = evaluate_models(
                made.chosen(keep), self.trial.field, case.graphs, case.nodes, truth,
                tolerance=self.trial.tolerance,
            )  # fmt: skip
            sizes = [float(np.abs(x.states).mean()) for x in truth]
            for row in runs.to_dict("records"):
                facts = {**made.facts[keep[int(row["replicate"])]]}
                facts.pop("everywhere")
                absent = made.fields[keep[int(row["replicate"])]] is None
                new["runs"].append(
                    {
                        **facts, "N": case.cell.N, "gamma": case.cell.gamma,
                        "graph": int(row["graph"]), "status": row["status"],
                        "reason": "there is none" if absent else row["reason"],
                        "mae": row["mae"], "mae_hubs": row["mae_hubs"],
                        "relative": row["mae"] / sizes[int(row["graph"])],
                    }
                )  # fmt: skip

    def _details(self, made: _Made, new: dict[str, Rows]) -> None:
        """Fixed points and unobserved nodes of the first detail graph, likewise."""
        wanted = [
            k for k, x in enumerate(made.facts) if x["everywhere"] and x["method"] in _DETAILED
        ]
        one, trial = made.chosen(wanted), self.trial
        [graph, *_], [truth, *_] = self.detail.graphs, self.truth(self.detail)
        if truth.status != "ok":
            return
        start = truth.states[0].astype(np.float64)
        cell = {"N": self.detail.cell.N, "gamma": self.detail.cell.gamma, "graph": 0}
        points = compare_fixed_points(
            one, trial.field, [graph], [start], domain=SYSTEMS[trial.family].domain,
            horizon=self.asked.horizon, tolerance=trial.tolerance,
        )  # fmt: skip
        hidden = hide_nodes(
            one, trial.field, [graph], [truth], [round(self.asked.removed * graph.n)],
            [trial.generator("hidden")], tolerance=trial.tolerance,
        )  # fmt: skip
        for name, table, columns in (
            ("fixed_points", points, ("status", "reason", "mae", "size")),
            ("hidden", hidden, ("share", "status", "reason", "mae", "mae_floor")),
        ):
            for row in table.to_dict("records"):
                facts = {**made.facts[wanted[int(row["replicate"])]]}
                facts.pop("everywhere")
                new[name].append({**facts, **cell, **{x: row.get(x, math.nan) for x in columns}})

    # --- functions -------------------------------------------------------------------------------

    def _show(
        self, functions: Curves, method: str, frames: int, noise: float, new: dict[str, Rows]
    ) -> None:
        """The functions of the first test system of a family, as fans."""
        trial = self.trial
        if trial.index or trial.where != INSIDE or frames not in (0, self.asked.studied):
            return
        prior = self.of.priors[trial.family]
        states = np.linspace(*prior.seen, _SHOWN_STATES)
        true = prior.gauged(trial.field, states)
        drawn = np.stack([prior.gauged(x, states) for x in functions.fields[:_SHOWN]])
        low, middle, high = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0)
        for k, net in enumerate(NETS):
            for i, state in enumerate(states):
                new["functions"].append(
                    {
                        "method": method, "frames": frames, "noise": noise, "function": net,
                        "state": state, "true": true[k, i], "low": low[k, i],
                        "middle": middle[k, i], "high": high[k, i],
                    }
                )  # fmt: skip


_DETAILED = ("generated", "network", "nearest member", "full data", "zoo")
"""What is looked at beyond its errors."""
