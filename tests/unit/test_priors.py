"""Planted systems whose coefficients the prior has not seen, from two to ten frames."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nodeflow
from nodeflow import data, dynamics, graphs, grid, neural_ode, priors, tables
from nodeflow.neural_ode.curves import Curves, beyond
from nodeflow.neural_ode.estimate import Estimate
from nodeflow.neural_ode.observations import observed
from nodeflow.priors.files import PRIOR
from nodeflow.priors.gaussian import continued
from nodeflow.priors.pieces import Functions
from nodeflow.priors.posterior import Search

MM = {"R": (0.5, 2.0), "B": (0.5, 2.0), "h": (1.0, 3.0)}
UNSEEN = {"R": 0.87, "B": 1.43, "h": 2.3}
Arrays = tuple[graphs.Graph, np.ndarray, np.ndarray]


def member(index: int) -> Estimate:
    rng = np.random.default_rng(index)
    values = {name: rng.uniform(*pair) for name, pair in MM.items()}
    on, times, states = frames("MM", values, 32, 40, index, runs=6, role="prior")
    runs = [dynamics.Trajectory(0, k, times, x, "ok", "") for k, x in enumerate(states)]
    return priors.estimate_member(on, runs, knots=16)


def frames(
    system: str,
    values: dict[str, float],
    nodes: int,
    count: int,
    index: int,
    *,
    runs: int = 1,
    role: str = "test",
) -> Arrays:
    cell = grid.Cell(N=nodes, beta=1.1, gamma=3.0)
    [on] = graphs.sample_cell(cell, mean_degree=10, role=role, graphs=1, first=index, root_seed=3)
    start = np.random.default_rng(100 + index).uniform(0, 0.5, (runs, nodes))
    times = np.linspace(0, 1, count)
    field = dynamics.field(system, values)
    return on, times, dynamics.simulate(field, on.adjacency(), start, times).states


@pytest.fixture(scope="module")
def members() -> list[Estimate]:
    return [member(index) for index in range(40)]


@pytest.fixture(scope="module")
def prior(members: list[Estimate]) -> priors.Prior:
    return priors.fit_prior(members)


def learned(
    prior: priors.Prior, system: str, count: int, noise: float, index: int = 0
) -> tuple[neural_ode.Ensemble, Arrays, float]:
    values = UNSEEN if system == "MM" else {}
    on, times, [states] = frames(system, values, 64, count, index)
    size = float(np.sqrt(np.square(states).mean()))
    seen = states + noise * size * np.random.default_rng(index).normal(size=states.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = prior.learn(on, [data.Run("a", times, seen)])
    return found, (on, times, seen), size


def forecast(prior: priors.Prior, ensemble: neural_ode.Ensemble, index: int) -> dict[str, float]:
    """Errors on a graph of 256 nodes, relative to the states, and how much bands cover."""
    on, times, [truth] = frames("MM", UNSEEN, 256, 17, 50 + index)
    table = ensemble.predict(on, truth[0], times)
    mean, low, high = (
        table[name].to_numpy().reshape(truth.shape) for name in ("mean", "lower_90", "upper_90")
    )
    noisy = truth + ensemble.noise * np.random.default_rng(index).normal(size=truth.shape)
    return {
        "error": relative(mean, truth),
        "prior": relative(integrated(Curves(prior.states, prior.mean[None]), on, truth), truth),
        "covered": float(((low <= noisy) & (noisy <= high))[1:].mean()),
        "trusted": float(table["trusted"].mean()),
    }


def integrated(curves: Curves, on: graphs.Graph, truth: np.ndarray) -> np.ndarray:
    times = np.linspace(0, 1, len(truth))
    states: np.ndarray = dynamics.simulate(
        curves.fields[0], on.adjacency(), truth[:1], times
    ).states[0]
    return states


def relative(states: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(states - truth)[1:].mean() / truth[1:].mean())


@pytest.mark.parametrize(
    ("count", "noise", "bound"),
    [(2, 0.0, 0.005), (5, 0.0, 0.003), (2, 0.01, 0.05), (10, 0.01, 0.02), (10, 0.05, 0.05)],
)
def test_unseen_coefficients_are_found_from_few_frames(
    prior: priors.Prior, count: int, noise: float, bound: float
) -> None:
    found = []
    for index in range(2):
        ensemble, _, size = learned(prior, "MM", count, noise, index)
        found.append(forecast(prior, ensemble, index))
        assert ensemble.made["alarm"] == []
        if noise:
            assert ensemble.noise == pytest.approx(noise * size, rel=0.2)
        else:
            assert ensemble.noise < 0.002 * size
    assert np.mean([x["error"] for x in found]) < bound
    assert all(x["error"] < x["prior"] / 30 for x in found)
    assert np.mean([x["covered"] for x in found]) > 0.85
    assert all(x["trusted"] > 0.99 for x in found)


def test_the_prior_helps_where_frames_alone_say_little(prior: priors.Prior) -> None:
    gains = []
    for noise in (0.0, 0.01):
        for index in (1, 2):
            ensemble, (on, times, seen), _ = learned(prior, "MM", 10, noise, index)
            run = dynamics.Trajectory(0, 0, times, seen, "ok", "")
            alone = continued(priors.estimate_member(on, [run], knots=16), prior.states)
            large, _, [truth] = frames("MM", UNSEEN, 256, 17, 50 + index)
            error = relative(integrated(Curves(prior.states, alone[None]), large, truth), truth)
            gains.append(error / forecast(prior, ensemble, index)["error"])
    assert np.median(gains) > 5


@pytest.mark.parametrize(("system", "count"), [("BD", 5), ("SIS", 2)])
def test_another_family_raises_the_alarm(prior: priors.Prior, system: str, count: int) -> None:
    ensemble, (on, times, states), _ = learned(prior, system, count, 0.01)
    [alarm] = ensemble.made["alarm"]
    assert "No function of the prior explains the frames" in alarm
    assert alarm in ensemble.notes
    assert not ensemble.predict(on, states[0], times)["trusted"].any()
    with pytest.warns(UserWarning, match="No function of the prior"):
        prior.learn(on, [data.Run("a", times, states)])


def test_the_right_family_is_never_alarming(prior: priors.Prior) -> None:
    chances = [learned(prior, "MM", 5, 0.02, index)[0].made["misfit"] for index in range(8)]
    assert min(chances) > 1e-3


def test_names_and_order_of_nodes_do_not_matter(prior: priors.Prior) -> None:
    ensemble, (on, times, seen), _ = learned(prior, "MM", 5, 0.01)
    order = np.random.default_rng(0).permutation(on.n)
    matrix = on.adjacency().toarray()[np.ix_(order, order)]
    names = [f"node {k}" for k in order]
    other = prior.learn(graphs.from_matrix(matrix, names), [data.Run("b", times, seen[:, order])])
    assert isinstance(other.models, Curves) and isinstance(ensemble.models, Curves)
    np.testing.assert_allclose(other.models.values, ensemble.models.values, rtol=1e-3, atol=1e-3)
    assert other.noise == pytest.approx(ensemble.noise, rel=1e-5)


def test_uneven_times_gaps_and_several_runs_are_taken(prior: priors.Prior) -> None:
    on, times, states = frames("MM", UNSEEN, 64, 33, 4, runs=2)
    first, second = states[0][[0, 3, 19, 32]], states[1][[0, 10, 11]]
    first[1, 5] = np.nan
    runs = [
        data.Run("a", times[[0, 3, 19, 32]] + 7, first),
        data.Run("b", times[[0, 10, 11]], second),
    ]
    ensemble = prior.learn(on, runs, members=5)
    assert len(ensemble.models) == 5
    assert forecast(prior, ensemble, 0)["error"] < 0.05


def test_files_give_the_same_forecasts(prior: priors.Prior, tmp_path: Path) -> None:
    ensemble, (on, times, seen), _ = learned(prior, "MM", 5, 0.01)
    priors.save_prior(tmp_path / "prior.safetensors", prior)
    again = priors.load_prior(tmp_path / "prior.safetensors").learn(
        on, [data.Run("a", times, seen)]
    )
    assert isinstance(again.models, Curves) and isinstance(ensemble.models, Curves)
    np.testing.assert_array_equal(again.models.values, ensemble.models.values)
    neural_ode.save_ensemble(tmp_path / "mine.safetensors", ensemble)
    back = nodeflow.load_ensemble(tmp_path / "mine.safetensors")
    start = np.maximum(seen[0], 0)
    assert back.predict(on, start, times).equals(ensemble.predict(on, start, times))
    assert back.functions().equals(ensemble.functions())


def test_files_of_something_else_are_refused(prior: priors.Prior, tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    with pytest.raises(tables.FileProblem, match="prior"):
        priors.load_prior(path)
    facts = {"kept": 1, "error": 0.1, "seen": [0.0, 1.0], "made": {}}
    broken = {
        "states": prior.states,
        "mean": prior.mean,
        "modes": prior.modes[:3],
        "metric": prior.metric,
    }
    for tensors in (broken, {"states": prior.states}):
        tables.write_tensors(path, tensors, PRIOR, facts)
        with pytest.raises(tables.FileProblem, match="does not hold a whole prior"):
            priors.load_prior(path)


def test_the_gauge_of_members_has_no_influence(
    members: list[Estimate], prior: priors.Prior
) -> None:
    rng = np.random.default_rng(1)
    turned = []
    for x in members:
        scale = rng.choice([-1, 1]) * rng.lognormal()
        factors = np.array([1.0, scale, 1 / scale])
        root = x.root / np.repeat(factors, len(x.points))[:, None]
        turned.append(replace(x, values=x.values * factors[:, None], root=root))
    other = priors.fit_prior(turned)
    np.testing.assert_allclose(other.mean, prior.mean, rtol=1e-4, atol=1e-6)
    assert other.error == pytest.approx(prior.error, rel=1e-3)
    low, high = prior.made["shared"]
    window = np.linspace(low, high, 20)
    h_ego = Curves(prior.states, prior.mean[None]).fields[0].h_ego(window)
    assert np.sqrt(np.square(h_ego).mean()) == pytest.approx(1, rel=0.02)


def test_members_teach_each_other_how_functions_go_on(prior: priors.Prior) -> None:
    """The mean of all members, most of which saw no hub, is that of the coefficients."""
    at = np.square(np.linspace(0.5, 0.9, 9) * np.sqrt(prior.states[-1]))
    field = Curves(prior.states, prior.mean[None]).fields[0]
    coefficients = [np.random.default_rng(index) for index in range(40)]
    drawn = [{name: rng.uniform(*pair) for name, pair in MM.items()} for rng in coefficients]
    truth = np.mean([dynamics.field("MM", x).f(at) for x in drawn], axis=0)
    np.testing.assert_allclose(field.f(at), truth, rtol=0.05)


def test_modes_are_ordered_by_the_errors_that_they_cause(members: list[Estimate]) -> None:
    few, many = priors.fit_prior(members[:20]), priors.fit_prior(members)
    for x in (few, many):
        assert 3 <= x.kept <= 24
        assert 0 < x.error <= 3e-4 or x.kept == 24
        assert x.error < 0.01


def test_derivatives_are_those_of_the_trajectories(prior: priors.Prior) -> None:
    _, (on, times, seen), _ = learned(prior, "MM", 3, 0.0)
    run = dynamics.Trajectory(0, 0, times, seen, "ok", "")
    problem = Search.of(prior, observed([on], [run])[0])
    codes, start = np.full(prior.kept, 0.1), np.maximum(seen[0], 0.05)
    point = problem._at(codes, (start,))
    assert point is not None
    [(by_code, by_start, left)] = point.parts
    for which, column in ((0, by_code[:, 0]), (2, by_code[:, 2])):
        moved = problem._at(codes + 1e-5 * np.eye(prior.kept)[which], (start,))
        assert moved is not None
        np.testing.assert_allclose((left - moved.parts[0][2]) / 1e-5, column, rtol=1e-2, atol=1e-4)
    moved = problem._at(codes, (start + 1e-6 * np.eye(on.n)[5],))
    assert moved is not None
    np.testing.assert_allclose((left - moved.parts[0][2]) / 1e-6, by_start[:, 5], atol=1e-3)


def test_pieces_are_the_functions_of_the_prior_and_lines_beyond(prior: priors.Prior) -> None:
    functions, codes = Functions.of(prior), np.linspace(-1, 1, prior.kept)
    pieces = functions.pieces(codes)
    field = prior.at(codes[None]).fields[0]
    inside = np.linspace(0.1, 0.99, 40) * prior.states[-1]
    values, slopes = functions.at(pieces, inside)
    for k, (value, slope) in enumerate(((field.f, field.df), (field.h_alt, field.dh_alt))):
        np.testing.assert_allclose(values[:, 2 * k], value(inside), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(slopes[:, 2 * k], slope(inside), rtol=1e-8, atol=1e-10)
    end = prior.states[-1]
    beyond_end = end * np.array([1.0, 1.5, 2.0])
    values, slopes = functions.at(pieces, beyond_end)
    np.testing.assert_allclose(values[1:] - values[0], np.outer([0.5, 1.0], end * slopes[0]))
    values, _ = functions.at(pieces, np.array([np.nan, -1.0, 0.0]))
    assert np.isnan(values[0]).all()
    np.testing.assert_array_equal(values[1], values[2])


def test_curves_are_cubic_inside_and_power_laws_beyond() -> None:
    states = np.square(np.linspace(0, 2, 30))
    values = np.stack([-(states**1.5), 1 - states, np.sqrt(states)])
    field = Curves(states, values[None]).fields[0]
    inside, outside = np.linspace(0.1, 3.9, 50), np.linspace(5, 20, 5)
    np.testing.assert_allclose(field.f(inside), -(inside**1.5), atol=1e-10)
    np.testing.assert_allclose(field.df(inside), -1.5 * np.sqrt(inside), rtol=1e-6)
    np.testing.assert_allclose(field.f(outside), -(outside**1.5), rtol=1e-10)
    np.testing.assert_allclose(field.df(outside), -1.5 * np.sqrt(outside), rtol=1e-10)
    np.testing.assert_allclose(field.h_alt(outside), np.sqrt(outside), rtol=1e-10)
    assert field.h_alt(np.array([-1.0]))[0] == field.h_alt(np.zeros(1))[0]
    assert np.isnan(field.f(np.array([np.nan]))).all()
    line = beyond(states[:12], (states - 0.4)[:12])
    assert not line.power
    assert line.rate == pytest.approx(1)


@pytest.mark.parametrize(
    ("function", "power"),
    [
        (lambda x: 1 - x, False),  # ends at a state
        (lambda x: x - 1, False),
        (lambda x: x**-2.0, True),
        (lambda x: 1 / (1 + 9 * x**2), True),
        (lambda x: 1 - 0.01 * x, True),  # all but constant
        (lambda x: -(x**1.5), True),
        (lambda x: x / (1 + x), True),
    ],
)
def test_only_what_falls_to_zero_as_a_line_does_goes_on_as_one(
    function: Callable[[np.ndarray], np.ndarray], power: bool
) -> None:
    states = np.square(np.linspace(0.1, 0.9, 40))
    noisy = function(states) * (1 + np.random.default_rng(1).normal(0, 1e-3, 40))
    for values in (function(states), noisy):
        found = beyond(states, values)
        assert found.power == power
        further = np.array([1.2])
        np.testing.assert_allclose(found.at(further), function(further), rtol=0.3, atol=0.03)


def test_what_cannot_be_learned_is_refused_in_a_sentence(
    prior: priors.Prior, members: list[Estimate]
) -> None:
    on, times, [states] = frames("MM", UNSEEN, 64, 3, 0)
    for run, sentence in (
        (data.Run("a", times[:1], states[:1]), "Run a has a single time"),
        (data.Run("a", times, states - 5), "the prior is of states from 0"),
        (data.Run("a", times, 1e4 * states), "give both in the same unit"),
        (data.Run("a", times, 1e-4 * states), "give both in the same unit"),
        (data.Run("a", times, 0 * states + 1), "nothing to learn"),
    ):
        with pytest.raises(priors.PriorProblem, match=sentence):
            prior.learn(on, [run])
    infinite = states.copy()
    infinite[1, 3] = np.inf
    with pytest.raises(data.SeriesProblem, match=r"an infinite state at time .* of node 3"):
        prior.learn(on, [data.Run("a", times, infinite)])
    with pytest.raises(data.SeriesProblem, match="a list of its runs, not a Run"):
        prior.learn(on, data.Run("a", times, states))  # type: ignore[arg-type]
    smaller, *_ = frames("MM", UNSEEN, 32, 3, 1)
    with pytest.raises(data.SeriesProblem, match="64"):
        prior.learn(smaller, [data.Run("a", times, states)])
    named = graphs.from_matrix(on.adjacency(), [f"city {k}" for k in range(64)])
    for elsewhere in (smaller, named):
        with pytest.raises(data.SeriesProblem, match="give the network that read_series was given"):
            prior.learn(on, data.Series(elsewhere.labels, (data.Run("a", times, states),)))
    with pytest.raises(priors.PriorProblem, match="3 members are too few"):
        priors.fit_prior(members[:3])
    far = replace(members[0], points=members[0].points + 100)
    with pytest.raises(priors.PriorProblem, match="no state that all members have seen"):
        priors.fit_prior([*members, far])
    for ranges, sentence in (
        ({"R": (2.0, 1.0)}, "The range of R is from 2.0 to 1.0"),
        ({"R": 1.0}, "The range of R is from 1.0; give two numbers"),
        ({"h": (-1.0, 3.0)}, "At the lower ends of the ranges, h = -1: "),
    ):
        with pytest.raises(priors.PriorProblem, match=sentence):
            priors.prior_of_system("MM", ranges)  # type: ignore[arg-type]
    ranges = {"R": (1.0, 2.0)}
    for given, sentence in (
        ({"initial": (2.0, 5.0)}, "from 0 to 1, between which states of SIS are"),
        ({"knots": 1}, "knots = 1; give a whole number, at least 8"),
        ({"members": 9}, "members = 9; give a whole number, at least 10"),
        ({"horizon": 0.0}, "horizon = 0.0; give a duration"),
    ):
        with pytest.raises(priors.PriorProblem, match=sentence):
            priors.prior_of_system("SIS", ranges, **given)
    with pytest.raises(dynamics.SystemProblem, match="no parameter 'Q'"):
        priors.prior_of_system("MM", {"Q": (1.0, 2.0)})


@pytest.mark.parametrize(("scale", "duration", "told"), [(1.0, 60.0, "last 60"), (0.05, 1.0, "")])
def test_frames_in_other_units_raise_the_alarm_and_nothing_is_trusted(
    prior: priors.Prior, scale: float, duration: float, told: str
) -> None:
    on, times, [states] = frames("MM", UNSEEN, 64, 2, 0)
    longer = replace(prior, made={**prior.made, "horizon": 1.0})
    with pytest.warns(UserWarning, match=told or "No function of the prior explains"):
        found = longer.learn(on, [data.Run("a", times * duration / times[-1], scale * states)])
    alone = graphs.from_matrix(np.zeros((3, 3)))
    for graph in (on, alone):
        table = found.predict(graph, np.full(graph.n, scale * 0.2), times)
        assert not table["trusted"].any()


def test_files_keep_the_order_of_ranges(tmp_path: Path) -> None:
    ranges = {"R": (0.5, 2.0), "B": (0.5, 2.0)}
    made = priors.prior_of_system("SIS", ranges, members=10, seed=3, nodes=16)
    priors.save_prior(tmp_path / "of.prior", made)
    read = priors.load_prior(tmp_path / "of.prior").made["ranges"]
    again = priors.prior_of_system(
        "SIS", {name: tuple(pair) for name, pair in read.items()}, members=10, seed=3, nodes=16
    )
    assert np.array_equal(again.mean, made.mean)
    with pytest.raises(tables.FileProblem, match="is a folder"):
        priors.save_prior(tmp_path, made)
    (tmp_path / "edges.csv").write_text("a,b\n")
    with pytest.raises(tables.FileProblem, match=r"that nodeflow.priors.save_prior has written"):
        priors.load_prior(tmp_path / "edges.csv")


def test_a_family_is_simulated_from_its_ranges() -> None:
    made = priors.prior_of_system("SIS", {"R": (0.5, 2.0)}, members=10, nodes=32, knots=24, seed=4)
    again = priors.prior_of_system("SIS", {"R": (0.5, 2.0)}, members=10, nodes=32, knots=24, seed=4)
    np.testing.assert_array_equal(made.mean, again.mean)
    assert made.made["ranges"] == {"R": [0.5, 2.0]}
    at = np.linspace(0.1, 0.8, 5)
    field = Curves(made.states, made.mean[None]).fields[0]
    ego = field.h_ego(at)
    np.testing.assert_allclose(ego / ego[0], (1 - at) / (1 - at[0]), atol=0.03)
