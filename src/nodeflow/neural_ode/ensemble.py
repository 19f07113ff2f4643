"""Ensembles of neural ODEs of one network's observed series: forecasts with bands and flags.

Members differ in their initial weights and in what they learn from: each sees the runs as often as
a bootstrap draws them or, where there are few, blocks of time of the runs (Künsch 1989, Ann. Stat.
17, 1217). Runs that a member did not see are forecast by it, and bands are made as wide as it takes
to cover what was observed there.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nodeflow.data.gaps import as_arrays, observed_part
from nodeflow.data.limits import limits, receives, same_strength
from nodeflow.data.series import Run, Series
from nodeflow.data.series_files import SeriesProblem
from nodeflow.dynamics.given import checked_start, increasing
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.field import exact_fields, model_fields
from nodeflow.neural_ode.layout import ModelProblem
from nodeflow.neural_ode.load import absolute_tolerance
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.seen import Seen, flags
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    RecipeProblem,
    Settings,
    recipe_settings,
)
from nodeflow.neural_ode.splines import smooth
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.trust import LEVELS, Bands, Calibration, bands, calibrate
from nodeflow.problems import repeated
from nodeflow.seeds import numpy_generator
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Ensemble", "data_facts", "sorted_runs", "train_ensemble"]


_UNITS = 8
"""Runs, or blocks of time of them, that a bootstrap draws from at least."""

_ENOUGH_RUNS = 5
"""From so many runs on whole runs are drawn."""

_CALIBRATING = 9
"""Forecasts that it takes to calibrate bands of 90 %: with fewer, bands are only made wider."""

_STRAY = 10.0
"""Times the median error of the members from which one is no good."""

_WHY = ("outliers", "constant series")
"""Topics of notes that may say why a training failed."""

_MOST_STEPS = 10_000
"""Of the integration of a member's forecast: one that needs more has left all that was learned."""

_POINTS = 64
"""States at which functions are shown, unless others are asked for."""

"""What a file holds in place of networks where members are functions themselves."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Neural ODEs of the same data; made by `train_ensemble` or `nodeflow.load_ensemble`.

    Attributes:
        models: the R members; those whose training failed take no part. Networks, or the functions
            themselves where they were drawn from a posterior (`nodeflow.priors`).
        seen: which states training covered.
        calibration: how wide bands have to be.
        noise: standard deviation of the observations around smooth curves, in the user's unit.
        strength: what every node received, Σ_j A_ij, if that was the same for all; else None. Then
            a constant in h_alt cannot be told from f, and other strengths are not to be trusted.
        made: recipe and its settings, seed, and what the training data were.
        notes: sentences on what the data cannot say.
    """

    models: Models | Curves
    seen: Seen
    calibration: Calibration
    noise: float
    strength: float | None
    made: Mapping[str, Any]
    notes: tuple[str, ...]

    @cached_property
    def fields(self) -> list[Field]:
        """The vector fields of the members whose training did not fail."""
        if isinstance(self.models, Curves):
            return self.models.fields
        return [x for x in model_fields(self.models) if x is not None]

    def _exact_fields(self) -> list[Field]:
        """The same without tables."""
        if isinstance(self.models, Curves):
            return self.models.fields
        return [x for x in exact_fields(self.models) if x is not None]

    @one_thread_if_small
    def predict(
        self,
        graph: nx.Graph[Any] | Graph,
        initial: ArrayLike | Mapping[Any, float] | pd.Series,
        times: ArrayLike,
        *,
        levels: Sequence[float] = LEVELS,
    ) -> pd.DataFrame:
        """Forecast on any network, of any size; its weights and directions are used.

        Args:
            graph: a networkx graph, or one of nodeflow's.
            initial: a state for each node: a mapping or pandas Series by node, or an array in the
                graph's order of nodes.
            times: increasing, in the unit of the training data; the first belongs to the initial
                states.
            levels: probabilities of the bands, as calibrated.

        Returns:
            A row for each time and node: time, node (its name), mean, and for each level p in per
            cent lower_p and upper_p, between which a further observation lies with this
            probability; trusted is False from where a forecast rests on extrapolation (see
            `nodeflow.neural_ode.trust.flags`) or too few members could be integrated.

        Raises:
            GraphProblem: a graph with self-loops, parallel edges or weights that are no numbers.
            ModelProblem: initial states that are not finite, or of other nodes than the graph's,
                times that do not increase, or no member can be integrated.
        """
        inner, start = checked_start(graph, initial, ModelProblem)
        when = increasing(times, "Times", ModelProblem)
        forecast = self._bands(inner, start, when, levels)
        trusted = ~flags(forecast.mean, self.seen, inner) & forecast.enough
        if self.strength is not None:
            trusted &= receives(inner, self.strength)
        table = {
            "time": np.repeat(when, inner.n),
            "node": list(inner.labels) * len(when),
            **_columns(forecast),
            "trusted": trusted.ravel(),
        }
        return pd.DataFrame(table)

    def _bands(self, graph: Graph, start: Floats, times: Floats, levels: Sequence[float]) -> Bands:
        states, reasons = _forecasts(self.fields, self.models, graph, start, times)
        forecast = bands(states, levels, calibration=self.calibration, noise=self.noise)
        if not forecast.left:
            raise ModelProblem(f"No member of the ensemble can be integrated here: {reasons[0]}.")
        return forecast

    def functions(self, states: ArrayLike | None = None) -> pd.DataFrame:
        """The learned functions with bands over the members.

        h_ego and h_alt are known up to a common factor, c h_ego and h_alt / c being the same. Here
        both have the same root mean square over the states that training covered, and h_alt has a
        positive mean there.

        Args:
            states: where; by default 64 states from the smallest to the largest one covered.

        Returns:
            A row for each function (f, h_ego, h_alt, and product: h_ego h_alt) and state: function,
            state, mean, lower_50, upper_50, lower_90, upper_90, seen (whether training covered it).
        """
        covered = np.array(self.seen.f)
        grid = np.linspace(covered.min(), covered.max(), _POINTS)
        at = grid if states is None else np.asarray(states, dtype=np.float64).ravel()
        values = []
        for field in self._exact_fields():
            ego, alter = (np.sqrt(np.square(x(grid)).mean()) for x in (field.h_ego, field.h_alt))
            scale = math.sqrt(alter / ego) if ego > 0 and alter > 0 else 1.0
            scale = -scale if field.h_alt(grid).mean() < 0 else scale
            f, h_ego, h_alt = field.f(at), scale * field.h_ego(at), field.h_alt(at) / scale
            values.append([f, h_ego, h_alt, h_ego * h_alt])
        learned = bands(np.array(values))
        inside = ((at[:, None] >= covered[:, 0]) & (at[:, None] <= covered[:, 1])).any(axis=1)
        names = ("f", "h_ego", "h_alt", "product")
        table = {
            "function": np.repeat(names, len(at)),
            "state": np.tile(at, len(names)),
            **_columns(learned),
            "seen": np.tile(inside, len(names)),
        }
        return pd.DataFrame(table)


def _columns(shown: Bands) -> dict[str, Floats]:
    """The mean and the edges of each band, as columns of a table."""
    columns = {"mean": shown.mean.ravel()}
    for level, low, high in zip(shown.levels, shown.low, shown.high, strict=True):
        columns[f"lower_{100 * level:g}"] = low.ravel()
        columns[f"upper_{100 * level:g}"] = high.ravel()
    return columns


def _forecasts(
    fields: Sequence[Field], models: Models | Curves, graph: Graph, start: Floats, times: Floats
) -> tuple[Floats, list[str]]:
    """What each member predicts, (R, T, n), and why those that cannot be integrated cannot."""
    atol = absolute_tolerance(*models.seen[0])
    matrix = graph.adjacency()
    simulations = [
        simulate(x, matrix, start[None], times, atol=atol, max_steps=_MOST_STEPS) for x in fields
    ]
    reasons = [x.reason[0] for x in simulations if x.reason[0]]
    return np.stack([x.states[0] for x in simulations]), reasons


@one_thread_if_small
def train_ensemble(
    graph: nx.Graph[Any] | Graph,
    series: Series | Sequence[Run],
    *,
    members: int = 8,
    seed: int = 1,
    recipe: str = "gauss_newton",
    settings: Mapping[str, Any] | None = None,
) -> Ensemble:
    """Train neural ODEs on observed series of a network.

    Runs may have times of their own, and uneven ones; gaps are filled as `data.fill_gaps` does, and
    nodes without a series are left out. The order of the runs has no influence.

    Args:
        graph: the network; its weights and directions are used.
        series: from `data.read_series`, or its runs.
        members: how many, at least 2.
        seed: all random numbers follow from it.
        recipe: one of `nodeflow.neural_ode.settings.RECIPES`.
        settings: changes to the recipe's defaults.

    Raises:
        SeriesProblem: the series do not fit the network, or have too many gaps.
        RecipeProblem: unknown recipe or setting, or series that the recipe cannot learn from.
        ModelProblem: fewer than two members, or the training of all but one fails.

    Warns:
        UserWarning: each of the ensemble's `notes`.
    """
    from nodeflow.neural_ode.train import train_stack  # loads torch, which predictions do without

    if members < 2:
        raise ModelProblem(f"members = {members}; an ensemble has at least two.")
    whole = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    series = sorted_runs(whole, series)
    part, trajectories = observed_part(series, whole)
    [data] = observed([part], trajectories)
    runs = len(trajectories)
    chosen = recipe_settings(recipe, _defaults(recipe, runs) | dict(settings or {}))
    _check_times(series, trajectories, recipe, chosen)
    weights = _bootstrap(data, members, seed)
    models, history = train_stack(
        [data] * members,
        chosen,
        [("ensemble", member) for member in range(members)],
        seed,
        label="train the ensemble",
        weights=list(weights),
    )
    models = _without_strays(models)
    known = list(limits(whole, series))
    if models.ok.sum() < 2:
        reason = history["status"].iloc[-1]
        cures = [note.text for note in known if note.topic in _WHY]
        raise ModelProblem(
            f"The training of {(~models.ok).sum()} of {members} members failed ({reason}); "
            + (cures[0] if cures else "give more or longer runs, or another recipe.")
        )
    noise = _noise(data)
    notes = tuple(note.text for note in known)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=3)  # past the decorator
    return Ensemble(
        models,
        Seen.of(np.concatenate([x.states for x in trajectories]), part),
        _calibrated(models, part, data, weights, noise),
        noise,
        same_strength(part),
        {
            "recipe": recipe,
            "settings": asdict(chosen),
            "seed": seed,
            **data_facts(part, data),
        },
        notes,
    )


def _check_times(
    series: Series, trajectories: Sequence[Trajectory], recipe: str, settings: Settings
) -> None:
    for run, trajectory in zip(series.runs, trajectories, strict=True):
        count, fewest = len(trajectory.times), settings.fewest_times
        if count < fewest:
            raise RecipeProblem(
                f"Run {run.name} has {count} times between which all nodes have been observed, and "
                f"the recipe {recipe} needs at least {fewest}; observe more, leave the run out, or "
                'take the recipe "paper" or a prior (nodeflow.priors), which need 2.'
            )


def _without_strays(models: Models) -> Models:
    """Members whose error on training data is many times that of most have failed, too."""
    typical = float(np.median(models.error[models.ok])) if models.ok.any() else math.nan
    ok = models.ok & ~(models.error > _STRAY * typical)
    return replace(models, about=models.about | {"ok": ok})


def _of_runs(runs: Sequence[Run], graph: Graph) -> Series:
    if not (isinstance(runs, Sequence) and all(isinstance(run, Run) for run in runs)):
        raise SeriesProblem(
            f"Series are what data.read_series returns, or a list of its runs, not a "
            f"{type(runs).__name__}."
        )
    return Series(graph.labels, tuple(as_arrays(run, graph.labels) for run in runs))


def sorted_runs(graph: Graph, series: Series | Sequence[Run]) -> Series:
    """Series on a network, the runs by their names.

    Raises:
        SeriesProblem: no series, or two runs have one name.
    """
    series = series if isinstance(series, Series) else _of_runs(series, graph)
    twice = repeated(run.name for run in series.runs)
    if twice:
        raise SeriesProblem(f"Two runs are called {twice[0]!r}; give each a name of its own.")
    return Series(series.nodes, tuple(sorted(series.runs, key=lambda run: str(run.name))))


def _defaults(recipe: str, runs: int) -> dict[str, Any]:
    """What differs from the defaults of a recipe: all runs are used."""
    return {"trajectories": runs} if recipe == "gauss_newton" else {}


def _bootstrap(data: Observations, members: int, seed: int) -> NDArray[np.float64]:
    """How often each member counts each block of time of each run, (members, M, B)."""
    runs = sum(len(states) for _, states in data.groups)
    fewest = min(len(times) for times, _ in data.groups)
    blocks = 1 if runs >= _ENOUGH_RUNS else min(math.ceil(_UNITS / runs), fewest // 2)
    units = runs * max(blocks, 1)
    counts = []
    for member in range(members):
        generator = numpy_generator(seed, "bootstrap", member)
        counts.append(generator.multinomial(units, np.full(units, 1 / units)))
    return np.reshape(counts, (members, runs, -1)).astype(np.float64)


def _noise(data: Observations) -> float:
    """Standard deviation of all observations around smooth curves."""
    squares, count = 0.0, 0
    for times, states in data.groups:
        if len(times) >= GaussNewtonSettings.fewest_times:
            squares += smooth(times, states, times[:1]).noise ** 2 * states.size
            count += states.size
    return math.sqrt(squares / count) if count else 0.0


def _calibrated(
    models: Models, graph: Graph, data: Observations, weights: Floats, noise: float
) -> Calibration:
    """From forecasts of runs, or blocks of time, by the members that did not learn from them."""
    predictions, truths = [], []
    fields = {r: x for r, x in enumerate(model_fields(models)) if x is not None}
    run = 0
    for times, states in data.groups:
        block_of = np.arange(len(times)) * weights.shape[2] // len(times)
        for observed_states in states.astype(np.float64):
            for block in range(weights.shape[2]):
                others = [fields[r] for r in fields if not weights[r, run, block]]
                now = block_of == block
                if len(others) > 1 and now.sum() > 1:
                    truth = observed_states[now]
                    forecast, _ = _forecasts(others, models, graph, truth[0], times[now])
                    predictions.append(forecast)
                    truths.append(truth)
            run += 1
    calibration = calibrate(predictions, truths, noise=noise)
    if calibration.runs >= _CALIBRATING:
        return calibration
    # Of short blocks of few runs alone it would not be known that bands may be narrower.
    stretch = tuple(max(factor, 1.0) for factor in calibration.stretch)
    return replace(calibration, stretch=stretch)


def data_facts(graph: Graph, data: Observations) -> dict[str, Any]:
    """What an ensemble was trained on: network, runs and states."""
    low, high = data.range
    received = np.asarray(graph.adjacency().sum(axis=1))
    return {
        "nodes": graph.n,
        "edges": len(graph.edges),
        "directed": graph.directed,
        "weighted": graph.weights is not None,
        "received": [float(received.min()), float(received.max())],
        "runs": sum(len(states) for _, states in data.groups),
        "times": sum(len(times) * len(states) for times, states in data.groups),
        "duration": max(float(times[-1]) for times, _ in data.groups),
        "states": [low, high],
    }
