"""Zoos over coefficients and what is made of them: planted truth, limits, what is refused."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nodeflow import dynamics, grid, priors
from nodeflow.canonical import MatchSettings
from nodeflow.data.series import Run
from nodeflow.flow import FlowSettings, SampleSettings, VelocitySettings
from nodeflow.graphs import node_table, sample_cell
from nodeflow.neural_ode import GaussNewtonSettings
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.field import model_fields
from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.model import evaluate_net
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.train import train_stack
from nodeflow.priors.claims import _Claim, _median
from nodeflow.priors.conditional import fit_conditional
from nodeflow.priors.families import draws, mixed
from nodeflow.priors.networks import facts_of
from nodeflow.priors.panel import _Judge
from nodeflow.priors.rivals import fit_form, without_prior
from nodeflow.priors.zoo import with_ridge

FAMILY = priors.Family("SIS", {"B": (0.5, 2.0), "R": (0.6, 2.4)})
OBSERVING = priors.Observing(
    nodes=24, beta=1.1, gamma=3.0, mean_degree=6.0, trajectories=4, times=16,
    initial=(0.0, 0.5), horizon=1.0,
)  # fmt: skip
SETTINGS = GaussNewtonSettings(hidden=(8,), steps=60, warmup=60, knots=12)
TOLERANCE = dynamics.Tolerance(1e-7, 1e-7, 500)


@pytest.fixture(scope="module")
def zoo() -> priors.FamilyZoo:
    return priors.train_zoo(FAMILY, 24, OBSERVING, SETTINGS, seed=3)


@pytest.fixture(scope="module")
def knowledge(zoo: priors.FamilyZoo) -> priors.Knowledge:
    flow = FlowSettings(steps=30, velocity=VelocitySettings(hidden=16, blocks=1))
    prior = priors.fit_prior(zoo.members())
    return priors.Knowledge(FAMILY, prior, zoo, MatchSettings(), flow, SampleSettings(steps=4), 3)


def functions_of(parameters: Mapping[str, np.ndarray], states: np.ndarray) -> np.ndarray:
    """f, h_ego and h_alt of R networks at K states, (R, 3, K)."""
    exact = {name: torch.from_numpy(x).double() for name, x in parameters.items()}
    count = len(next(iter(exact.values())))
    x = torch.from_numpy(states).double().expand(count, -1).contiguous()
    return torch.stack([evaluate_net(exact, net, x) for net in NETS], 1).numpy()


def trial(index: int = 0) -> priors.Trial:
    return list(priors.trials("SIS", FAMILY, {"inside": index + 1}, OBSERVING, TOLERANCE, 3))[index]


def off(curves: Curves, values: dict[str, float], prior: priors.Prior) -> float:
    """Trajectory error, relative to the states, that an error of functions amounts to."""
    true = prior.gauged(dynamics.field("SIS", values), prior.states)
    error = (prior.gauged(curves.fields[0], prior.states) - true).ravel()
    return float(np.sqrt(error @ prior.metric @ error))


def test_unseen_coefficients_give_the_functions_of_their_system(
    knowledge: priors.Knowledge,
) -> None:
    values = {"B": 1.31, "R": 1.77}
    found = off(knowledge.zero_shot.functions(values), values, knowledge.prior)
    mean = Curves(knowledge.prior.states, knowledge.prior.mean[None])
    assert found < 0.05
    assert found < off(mean, values, knowledge.prior) / 5


def test_a_regression_finds_planted_polynomials_and_knows_how_well(
    knowledge: priors.Knowledge,
) -> None:
    rng = np.random.default_rng(0)
    coefficients = np.column_stack([rng.uniform(0.5, 2, 40), rng.uniform(0.6, 2.4, 40)])
    x, y = ((coefficients - [1.25, 1.5]) / [0.75, 0.9]).T
    prior = replace(knowledge.prior, kept=2)
    codes = np.column_stack([1 + x - 2 * x * y, y**2 - 0.5 * x])
    exact = np.full_like(codes, 1e-9)
    found = priors.fit_zero_shot(FAMILY, prior, coefficients, codes, exact)
    mean, deviation = found.predicted({"B": 1.25 + 0.75 * 0.3, "R": 1.5 - 0.9 * 0.4})
    assert mean == pytest.approx([1 + 0.3 + 2 * 0.12, 0.16 - 0.15], abs=1e-2)
    assert (deviation < 0.05).all()
    outside, wider = found.predicted({"B": 2.4, "R": 1.5})
    assert (wider >= deviation).all() and np.isfinite(outside).all()


def test_coefficients_of_another_family_are_refused_and_far_ones_warned_of(
    knowledge: priors.Knowledge,
) -> None:
    with pytest.raises(priors.PriorProblem, match=r"Coefficients F, R are not .*SIS: give B, R"):
        knowledge.zero_shot.functions({"F": 1.0, "R": 1.0})
    with pytest.warns(UserWarning, match=r"R = 4 is outside .* 0.6 to 2.4 .* by 0.89 times its"):
        knowledge.zero_shot.functions({"B": 1.0, "R": 4.0})
    unusable: list[Any] = [np.nan, np.inf, "2"]
    for value in unusable:
        with pytest.raises(priors.PriorProblem, match=r"R = .* is no finite number"):
            knowledge.zero_shot.functions({"B": 1.0, "R": value})
    one, other = {"B": 1.0, "R": 2.0}, {"R": 2.0, "B": 1.0}
    of_one, of_other = (knowledge.zero_shot.draws(x, 2, 1).values for x in (one, other))
    assert np.array_equal(of_one, of_other)
    zoo = (knowledge.zero_shot.codes, knowledge.zero_shot.variances)
    with pytest.raises(priors.PriorProblem, match=r"those of .* members and of B, R"):
        priors.fit_zero_shot(knowledge.family, knowledge.prior, np.ones((3, 2)), *zoo)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        knowledge.zero_shot.functions({"B": 1.0, "R": 2.6})
    with pytest.raises(priors.PriorProblem, match="the lower first"):
        priors.Family("SIS", {"B": (2.0, 1.0)})


def test_networks_compute_the_functions_that_they_were_given(knowledge: priors.Knowledge) -> None:
    prior = knowledge.prior
    draws = prior.at(np.random.default_rng(1).standard_normal((3, prior.kept)) * 0.5)
    settings = replace(SETTINGS, hidden=(16, 16), steps=120)
    made = priors.networks(prior, draws, settings, [("t", k) for k in range(3)], 1, 1e-3)
    apart = functions_of(made.parameters, prior.states) - draws.values
    squares = np.einsum("ri,ij,rj->r", apart.reshape(3, -1), prior.metric, apart.reshape(3, -1))
    assert (np.sqrt(squares) < 3e-2).all()
    again = priors.networks(prior, Curves(draws.states, draws.values[1:2]), settings,
                            [("t", 1)], 1, 1e-3)  # fmt: skip
    for name, tensor in again.parameters.items():
        np.testing.assert_allclose(tensor[0], made.parameters[name][1], rtol=2e-2, atol=2e-3)
    one, other = (made.parameters["f.0.weight"][k] for k in (0, 1))
    assert np.abs(one - other).max() > 0.01, "each begins somewhere else"


def test_a_ridge_is_that_of_estimates_and_known_estimates_train_the_same_networks() -> None:
    [draw] = draws(FAMILY, 1, OBSERVING, 3)
    single = [replace(x, states=x.states.astype(np.float32)) for x in draw.runs]
    [data] = observed([draw.graph], single)
    plain, pulled = (
        estimates(data.groups, data.adjacency, knots=12, steps=40, ridge=ridge)[0]
        for ridge in (0.0, SETTINGS.ridge)
    )
    found = with_ridge(plain, SETTINGS.ridge)
    np.testing.assert_allclose(
        found.root @ found.root.T, pulled.root @ pulled.root.T, rtol=1e-6, atol=1e-12
    )
    one, _ = train_stack([data], SETTINGS, [("a",)], 1)
    same, _ = train_stack([data], SETTINGS, [("a",)], 1, estimated=[pulled])
    for name, tensor in one.parameters.items():
        np.testing.assert_array_equal(tensor, same.parameters[name])


def test_members_of_one_start_begin_alike_and_files_hold_all(
    zoo: priors.FamilyZoo, tmp_path: Path
) -> None:
    spread = {
        name: float(getattr(zoo, name).parameters["f.0.weight"].std(axis=0).mean())
        for name in ("models", "shared")
    }
    assert spread["shared"] < spread["models"]
    priors.write_zoo(tmp_path / "zoo.safetensors", zoo, {"seed": 3})
    again = priors.read_zoo(tmp_path / "zoo.safetensors", {"seed": 3})
    np.testing.assert_array_equal(again.coefficients, zoo.coefficients)
    np.testing.assert_array_equal(again.roots, zoo.roots)
    for name, tensor in zoo.shared.parameters.items():
        np.testing.assert_array_equal(again.shared.parameters[name], tensor)


def test_codes_count_as_much_as_members_know_them(knowledge: priors.Knowledge) -> None:
    rng = np.random.default_rng(1)
    coefficients = np.column_stack([rng.uniform(0.5, 2, 40), rng.uniform(0.6, 2.4, 40)])
    x, y = ((coefficients - [1.25, 1.5]) / [0.75, 0.9]).T
    codes, wild = np.column_stack([x, y]), np.arange(40) % 4 == 0
    codes[wild] += rng.normal(0, 3, (10, 2))
    prior = replace(knowledge.prior, kept=2)
    off = {}
    for name, unknown in (("told", 0.99), ("not told", 1e-9)):
        variances = np.where(wild, unknown, 1e-9)[:, None].repeat(2, axis=1)
        found = priors.fit_zero_shot(FAMILY, prior, coefficients, codes, variances)
        mean, _ = found.predicted({"B": 1.25 + 0.75 * 0.3, "R": 1.5 - 0.9 * 0.4})
        off[name] = float(np.abs(mean - [0.3, -0.4]).max())
    assert off["told"] < 0.1 < off["not told"]


def test_a_network_that_errs_far_more_than_others_is_no_good_but_its_data_speak(
    zoo: priors.FamilyZoo,
) -> None:
    error = zoo.models.error.copy()
    member = int(np.flatnonzero(zoo.good)[0])
    error[member] *= 1000
    spoiled = replace(zoo, models=replace(zoo.models, about={**zoo.models.about, "error": error}))
    assert not spoiled.good[member]
    for one, other in zip(zoo.members(), spoiled.members(), strict=True):
        np.testing.assert_array_equal(one.values, other.values)


def test_the_true_form_is_found_from_three_frames(knowledge: priors.Knowledge) -> None:
    system = trial()
    found = fit_form(FAMILY, knowledge.prior, system.graph, system.frames(3, 0.0))
    assert found is not None
    x = np.linspace(0.0, 1.0, 20)
    for one, other in zip(found.values(x), system.field.values(x), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_frames_too_few_for_no_prior_give_nothing(knowledge: priors.Knowledge) -> None:
    system = trial()
    run = system.frames(3, 0.0)
    assert without_prior(knowledge.prior, system.graph, run) is None
    assert without_prior(knowledge.prior, system.graph, system.frames(20, 0.0)) is not None


def test_a_smooth_prior_has_the_mean_and_the_sizes_of_the_other(
    knowledge: priors.Knowledge,
) -> None:
    prior, smooth = knowledge.prior, priors.smooth_prior(knowledge.prior)
    np.testing.assert_array_equal(smooth.mean, prior.mean)
    one, other = (np.square(x.modes).sum(axis=0) for x in (prior, smooth))
    np.testing.assert_allclose(other, one, rtol=1e-3)
    assert smooth.kept >= prior.kept


def test_a_flow_learns_what_depends_on_its_condition() -> None:
    rng = np.random.default_rng(0)
    place = rng.uniform(-1, 1, (200, 1))
    rows = np.column_stack([2 * place[:, 0], -place[:, 0]]) + 0.05 * rng.standard_normal((200, 2))
    settings = FlowSettings(steps=1500, velocity=VelocitySettings(hidden=64, blocks=1))
    flow = fit_conditional(rows, place, settings, 1, "test")
    for at in (-0.8, 0.0, 0.7):
        drawn = [flow.sample(np.array([at]), seed, SampleSettings()) for seed in range(40)]
        assert np.mean(drawn, axis=0) == pytest.approx([2 * at, -at], abs=0.15)
    same = flow.sample(np.array([0.7]), 3, SampleSettings())
    np.testing.assert_array_equal(same, flow.sample(np.array([0.7]), 3, SampleSettings()))


def test_mixtures_have_the_functions_that_they_name() -> None:
    families = {"SIS": FAMILY, "MM": priors.Family("MM", {"h": (1.0, 3.0)})}
    terms = {"f": "SIS", "h_ego": "SIS", "h_alt": "MM"}
    values, found = mixed(families, terms, np.random.default_rng(0))
    x = np.linspace(0.1, 1, 5)
    np.testing.assert_allclose(found.h_ego(x), 1 - x)
    hill = values["MM h"]
    np.testing.assert_allclose(found.h_alt(x), x**hill / (1 + x**hill))
    assert set(values) == {"SIS B", "SIS R", "MM h"}


def test_outside_means_one_coefficient_just_beyond_its_range() -> None:
    for index in range(20):
        values = FAMILY.outside(np.random.default_rng(index), 0.1, 0.3)
        places = np.abs(FAMILY.scaled(values))
        assert (places > 1).sum() == 1
        assert 1.2 - 1e-9 <= places.max() <= 1.6 + 1e-9 and min(values.values()) > 0


def test_frames_repeat_and_noise_has_the_size_asked_for() -> None:
    clean, again, noisy = (trial().frames(30, noise) for noise in (0.0, 0.0, 0.05))
    np.testing.assert_array_equal(clean.states, again.states)
    size = float(np.sqrt(np.square(clean.states).mean()))
    assert np.std(noisy.states - clean.states) == pytest.approx(0.05 * size, rel=0.1)
    assert isinstance(clean, Run) and len(clean.times) == 30


def test_a_copy_is_a_replica_in_weights_and_in_functions_whatever_the_order_of_its_units(
    knowledge: priors.Knowledge,
) -> None:
    models, member = knowledge.zoo.models, int(knowledge.good[2])
    order = np.random.default_rng(0).permutation(8)
    copy = {name: x[member : member + 1].copy() for name, x in models.parameters.items()}
    for name in ("f.0.weight", "f.0.bias"):
        copy[name] = copy[name][:, order]
    copy["f.1.weight"] = copy["f.1.weight"][:, :, order]
    seen = float(models.seen[0, 0]), float(models.seen[0, 1])
    copied = replace(models, parameters=copy, about=facts_of(seen, 1e-3, np.array([True])))
    system = trial()
    judge = _Judge(knowledge, system.graph, system.runs[0].states[-1].astype(np.float64))
    [row] = judge.models("copy", copied, system.field, 0)
    assert row["ratio"] < 1e-3 and row["function_ratio"] < 1e-3
    ordinary = pd.DataFrame(judge.zoo())
    assert (ordinary["ratio"] > 1 / 3).mean() > 0.8


def test_everything_is_asked_of_a_test_system(knowledge: priors.Knowledge) -> None:
    cell = grid.Cell(N=40, beta=1.1, gamma=3.0)
    graphs = sample_cell(cell, mean_degree=6, role="test", graphs=1, root_seed=1)
    case = priors.Case(cell, graphs, node_table(graphs))
    asked = priors.Asked((2, 8), (0.0,), (8,), 8, 6, 2, 0, 0.1, 5.0)
    other = replace(knowledge.prior, mean=1.5 * knowledge.prior.mean)
    evaluation = priors.Evaluation(
        {"SIS": FAMILY}, {"SIS": knowledge.prior, "other": other}, knowledge, [case], case, asked,
        SETTINGS,
    )  # fmt: skip
    tables = evaluation.tables([trial()])
    runs = pd.DataFrame(tables["runs"])
    errors = runs.groupby(["method", "frames"])["relative"].median()
    assert errors["zoo", 8] < errors["mean of the zoo", 0] / 3
    assert errors["true form", 8] < 0.01
    fits = pd.DataFrame(tables["fits"])
    compared = fits[fits["frames"] == 8].set_index("candidate")
    assert compared["weight"].sum() == pytest.approx(1.0)
    assert compared["weight"].idxmax() == "SIS"
    assert fits.loc[fits["frames"] == 2, "weight"].isna().all()
    assert {x.name for x in evaluation.networks} >= {"generated", "trained", "posterior"}


def test_a_claim_is_judged_by_its_interval() -> None:
    rows = pd.DataFrame({"trial": np.repeat(np.arange(20), 2), "x": np.linspace(1.0, 1.2, 40)})
    for bound, wanted, verdict in (
        (2.0, "at most", "confirmed"),
        (0.5, "at most", "contradicted"),
        (1.1, "at most", "open"),
        (0.5, "at least", "confirmed"),
    ):
        row = _Claim("c", "s", _median("x"), rows, wanted, bound).judged("SIS", 1)
        assert row["verdict"] == verdict
        assert row["systems"] == 20 and row["low"] <= row["value"] <= row["high"]
    failed = rows.assign(x=np.inf)
    row = _Claim("c", "s", _median("x"), failed, "at most", 1.0).judged("SIS", 1)
    assert row["verdict"] == "contradicted"
    unknown = rows.assign(x=rows["x"].mask(rows["trial"] == 3))
    row = _Claim("c", "s", _median("x"), unknown, "at most", 2.0).judged("SIS", 1)
    assert row["verdict"] == "open" and np.isnan([row["value"], row["low"], row["high"]]).all()


def test_networks_go_on_beyond_the_zoo_as_their_functions_do(knowledge: priors.Knowledge) -> None:
    prior = knowledge.prior
    settings = replace(SETTINGS, hidden=(16, 16), steps=20)
    curves = knowledge.zero_shot.functions({"B": 1.0, "R": 1.5})
    made = priors.networks(prior, curves, settings, [("far",)], 1, 1e-3)
    [tailed] = priors.tails_of_functions(made, curves, prior).fields
    [bare], [function] = model_fields(made), curves.fields
    assert tailed is not None and bare is not None
    near = np.linspace(prior.seen[0], 0.4 * prior.seen[1], 9)
    np.testing.assert_allclose(tailed.f(near), bare.f(near), rtol=1e-4, atol=1e-4)
    far = prior.seen[1] * np.array([8.0, 64.0])
    np.testing.assert_allclose(tailed.f(far), function.f(far), rtol=1e-4, atol=1e-4)
    # The two parts of the interaction share a factor that means nothing.
    np.testing.assert_allclose(
        tailed.h_ego(far) * tailed.h_alt(far), function.h_ego(far) * function.h_alt(far),
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip


def test_members_say_what_their_data_do(zoo: priors.FamilyZoo) -> None:
    """Networks were trained to compute it, where the data tell."""
    members = zoo.members()
    assert len(members) == len(zoo.models) and all(isinstance(x, Estimate) for x in members)
    for member in np.flatnonzero(zoo.good):
        x = members[member]
        own = {name: y[member : member + 1] for name, y in zoo.models.parameters.items()}
        apart = (functions_of(own, x.points)[0] - x.values).ravel()
        error = float(np.linalg.norm(x.root.T @ apart))
        assert error < 3 * zoo.models.error[member] + 0.01 * x.size
