"""Bands cover as they say where truth is planted; flags follow their definition, node by node."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nodeflow.graphs.graph import Graph, build_graph, from_matrix
from nodeflow.neural_ode.seen import Seen, TrustProblem, flags
from nodeflow.neural_ode.trust import Calibration, bands, calibrate

Floats = NDArray[np.float64]

STAR = build_graph(4, [(0, 1), (0, 2), (0, 3)])
EVERYWHERE = ((-np.inf, np.inf),)


def covered(truth: Floats, predictions: Floats, calibration: Calibration | None = None) -> Floats:
    found = bands(predictions, calibration=calibration)
    inside: Floats = ((found.low <= truth) & (truth <= found.high)).mean(axis=(1, 2))
    return inside


@pytest.mark.parametrize("count", [2, 3, 5, 9])
def test_bands_cover_a_truth_that_is_drawn_as_the_models_were(count: int) -> None:
    random = np.random.default_rng(count)
    shape = (100, 200)
    middle, scale = random.normal(size=shape), random.lognormal(size=shape)
    predictions = middle + scale * random.normal(size=(count, *shape))
    truth = middle + scale * random.normal(size=shape)
    error = np.sqrt(0.25 / truth.size)
    np.testing.assert_allclose(covered(truth, predictions), [0.5, 0.9], atol=4 * error)


def planted(random: np.random.Generator, runs: int) -> list[tuple[Floats, Floats]]:
    """Runs whose models share an error that differs from run to run and is not in their spread."""
    found = []
    for _ in range(runs):
        truth = random.normal(size=(9, 20))
        common = 2 * random.normal() + random.normal(size=truth.shape)
        found.append((truth, truth + common + 0.5 * random.normal(size=(3, *truth.shape))))
    return found


def test_calibrated_bands_cover_further_runs_of_models_that_share_an_error() -> None:
    random = np.random.default_rng(1)
    known, further = planted(random, 300), planted(random, 1000)
    calibration = calibrate([x for _, x in known], [y for y, _ in known])
    plain = np.mean([covered(y, x) for y, x in further], axis=0)
    found = np.mean([covered(y, x, calibration) for y, x in further], axis=0)
    assert (plain < [0.4, 0.8]).all()
    np.testing.assert_allclose(found, [0.5, 0.9], atol=0.05)


def test_few_runs_are_calibrated_on_the_safe_side() -> None:
    random = np.random.default_rng(2)
    found = []
    for _ in range(200):
        known, further = planted(random, 10), planted(random, 5)
        calibration = calibrate([x for _, x in known], [y for y, _ in known])
        found += [covered(y, x, calibration) for y, x in further]
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(200)
    assert (mean > np.array([0.5, 0.9]) - 2 * error).all()


def test_a_run_counts_once_however_many_nodes_it_has() -> None:
    random = np.random.default_rng(3)
    known = planted(random, 20)
    wide = [(np.tile(y, 1 + 5 * (k == 0)), np.tile(x, 1 + 5 * (k == 0))) for k, (y, x) in
            enumerate(known)]  # fmt: skip
    one = calibrate([x for _, x in known], [y for y, _ in known])
    other = calibrate([x for _, x in wide], [y for y, _ in wide])
    np.testing.assert_allclose(one.stretch, other.stretch)


def test_a_calibration_of_perfect_students_changes_little() -> None:
    random = np.random.default_rng(4)
    runs = [random.normal(size=(5, 20, 20)) for _ in range(200)]
    found = calibrate([x[:4] for x in runs], [x[4] for x in runs])
    np.testing.assert_allclose(found.stretch, 1.0, atol=0.03)
    assert found.runs == 200


def test_what_is_not_observed_and_what_is_given_do_not_calibrate() -> None:
    random = np.random.default_rng(5)
    known = planted(random, 30)
    one = calibrate([x for _, x in known], [y for y, _ in known])
    holed = []
    for truth, predictions in known:
        longer = np.insert(truth, 4, np.nan, axis=0)
        longer[0] = 1e9  # the given time, which is passed over
        holed.append((longer, np.insert(predictions, 4, 0.0, axis=1)))
    other = calibrate([x for _, x in holed], [y for y, _ in holed])
    np.testing.assert_allclose(one.stretch, other.stretch)


def test_without_two_models_or_runs_nothing_is_calibrated() -> None:
    for runs in ([], [np.zeros((1, 3, 2))], [np.full((4, 3, 2), np.nan)]):
        found = calibrate(runs, [np.ones((3, 2)) for _ in runs])
        assert found == Calibration((0.5, 0.9), (1.0, 1.0), 0)


def test_models_that_fail_are_left_out_and_said() -> None:
    random = np.random.default_rng(6)
    predictions = random.normal(size=(5, 4, 3))
    predictions[1, 2:] = np.nan
    predictions[3, 3, 2] = np.inf
    found, rest = bands(predictions), bands(predictions[[0, 2, 4]])
    assert (found.failed, found.left, found.enough) == ((1, 3), 3, True)
    for name in ("mean", "median", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name), getattr(rest, name))


@pytest.mark.parametrize("left", [0, 1])
def test_fewer_than_two_models_have_no_bands(left: int) -> None:
    predictions = np.full((3, 4, 2), np.nan)
    predictions[:left] = 1.0
    found = bands(predictions)
    assert np.isnan(found.low).all() and np.isnan(found.high).all() and not found.enough
    np.testing.assert_array_equal(found.mean, np.full((4, 2), 1.0 if left else np.nan))


def test_bands_lie_inside_each_other_around_the_mean() -> None:
    found = bands(np.random.default_rng(7).normal(size=(4, 6, 5)), (0.1, 0.5, 0.99))
    assert (np.diff(found.low, axis=0) < 0).all() and (np.diff(found.high, axis=0) > 0).all()
    np.testing.assert_allclose((found.low + found.high) / 2, found.mean[None].repeat(3, 0))


def inside(state: float, intervals: tuple[tuple[float, float], ...]) -> bool:
    return any(low <= state <= high for low, high in intervals)


def test_what_was_seen_are_the_states_of_training_and_what_lies_closely_between() -> None:
    random = np.random.default_rng(8)
    states = np.where(random.random((50, 4)) < 0.5, random.random((50, 4)), 3 + random.random())
    seen = Seen.of(states, STAR, trim=0.0, margin=0.02)
    assert len(seen.f) > 1 and all(inside(x, seen.f) for x in states.ravel())
    known = np.sort(states, axis=None)
    for low, high in itertools.pairwise(known):
        assert inside((low + high) / 2, seen.f) == (high - low <= 0.04 * np.ptp(states))


def test_single_extreme_states_are_not_seen() -> None:
    states = np.random.default_rng(9).random((500, 4))
    clean = Seen.of(states, STAR)
    states[17, 2], states[40, 1] = 1e6, -1e6
    dirty = Seen.of(states, STAR)
    np.testing.assert_allclose(np.array(dirty.f), np.array(clean.f), atol=0.01)


def test_each_function_has_seen_the_nodes_that_it_is_learned_from() -> None:
    graph = build_graph(4, [(0, 1), (1, 2)], directed=True)  # 3 is alone
    states = np.array([[0.0, 1.0, 2.0, 3.0], [0.5, 1.5, 2.5, np.nan]])
    seen = Seen.of(states, graph, trim=0.0, margin=0.0)
    assert [x for x in (0.0, 1.0, 2.0, 3.0) if inside(x, seen.f)] == [0.0, 1.0, 2.0, 3.0]
    assert [x for x in (0.0, 1.0, 2.0, 3.0) if inside(x, seen.h_ego)] == [1.0, 2.0]
    assert [x for x in (0.0, 1.0, 2.0, 3.0) if inside(x, seen.h_alt)] == [0.0, 1.0]
    alone = Seen.of(states, build_graph(4, []), trim=0.0)
    assert alone.f and alone.h_ego == alone.h_alt == ()


pairs = st.lists(st.floats(-10, 10), min_size=2, max_size=8, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)


@given(some=pairs, others=pairs, state=st.floats(-11, 11))
@settings(max_examples=200, deadline=None)
def test_an_ensemble_has_seen_what_all_its_models_have(
    some: tuple[tuple[float, float], ...], others: tuple[tuple[float, float], ...], state: float
) -> None:
    shared = Seen.shared([Seen(some, some, ()), Seen(others, EVERYWHERE, some)])
    assert inside(state, shared.f) == (inside(state, some) and inside(state, others))
    assert shared.h_ego == some and shared.h_alt == ()


def test_what_is_known_of_trust_goes_through_json() -> None:
    seen = Seen.of(np.random.default_rng(10).random((5, 4)), STAR)
    assert Seen.from_dict(json.loads(json.dumps(seen.to_dict()))) == seen
    calibration = Calibration((0.5, 0.9), (1.5, 2.0), 12)
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


def by_hand(states: Floats, seen: Seen, matrix: Floats, margin: float) -> NDArray[np.bool_]:
    """The definition of `flags`, in words."""

    def beyond(state: float, intervals: tuple[tuple[float, float], ...]) -> float:
        if inside(state, intervals):
            return 0.0
        return min(abs(state - x) for x in sum(intervals, ())) / (
            intervals[-1][1] - intervals[0][0]
        )

    times, n = states.shape
    found = np.zeros((times, n), dtype=bool)
    for t in range(times):
        for i in range(n):
            mean, total = 0.0, 0.0
            for j in np.flatnonzero(matrix[i]):
                farthest = max(beyond(x, seen.h_alt) for x in states[: t + 1, j])
                mean, total = mean + abs(matrix[i, j]) * farthest, total + abs(matrix[i, j])
            found[t, i] = (
                (t > 0 and found[t - 1, i])
                or beyond(states[t, i], seen.f) > margin
                or (total > 0 and beyond(states[t, i], seen.h_ego) > margin)
                or mean > margin * total
            )
    return found


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("number", range(4))
def test_flags_follow_their_definition(number: int, margin: float) -> None:
    random = np.random.default_rng(number)
    matrix = random.normal(size=(12, 12)) * (random.random((12, 12)) < 0.2)
    np.fill_diagonal(matrix, 0.0)
    seen = Seen(((0.0, 0.5), (0.7, 0.97)), ((0.05, 0.99),), ((0.1, 0.95),))
    states = 0.4 + np.cumsum(0.05 * random.normal(size=(20, 12)), axis=0)
    found = flags(states, seen, from_matrix(matrix), margin=margin)
    expected = by_hand(states, seen, matrix, margin)
    np.testing.assert_array_equal(found, expected)
    assert 0 < found.mean() < 1
    several = flags(np.stack([states, states[::-1]]), seen, from_matrix(matrix), margin=margin)
    np.testing.assert_array_equal(several[0], expected)


def test_a_hub_that_left_is_flagged_for_good_and_takes_its_leaves_along() -> None:
    seen = Seen(((0.0, 1.0),), ((0.0, 1.0),), ((0.0, 1.0),))
    states = np.full((5, 4), 0.5)
    states[2, 0] = 1.1
    np.testing.assert_array_equal(flags(states, seen, STAR).T, [[0, 0, 1, 1, 1]] * 4)
    states = np.full((5, 4), 0.5)
    states[2, 1] = 1.05  # a leaf, one of the hub's three neighbours: 0.05 / 3 is less than 0.02
    expected = np.zeros((5, 4), dtype=bool)
    expected[2:, 1] = True
    np.testing.assert_array_equal(flags(states, seen, STAR), expected)
    states[2, 1] = 1.07
    expected[2:, 0] = True
    np.testing.assert_array_equal(flags(states, seen, STAR), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_or_was_never_learned_is_flagged(value: float) -> None:
    seen = Seen(((0.0, 1.0),), ((0.0, 1.0),), ((0.0, 1.0),))
    states = np.full((2, 4), 0.5)
    states[1, 1] = value
    np.testing.assert_array_equal(flags(states, seen, STAR)[1], [True, True, False, False])
    alone = Seen.of(states[:1], build_graph(4, []))
    assert flags(states[:1], alone, STAR).all()
    assert not flags(states[:1], alone, build_graph(4, [])).any()


@pytest.mark.parametrize(("shift", "unit"), [(0.0, 1e-6), (300.0, 1.0), (-2.0, 1e5)])
def test_units_of_states_change_no_flag(shift: float, unit: float) -> None:
    random = np.random.default_rng(11)
    training, states = random.random((40, 4)), 2 * random.random((30, 4))
    usual = flags(states, Seen.of(training, STAR), STAR)
    other = flags(shift + unit * states, Seen.of(shift + unit * training, STAR), STAR)
    np.testing.assert_array_equal(usual, other)
    assert usual.any()


def test_training_states_of_the_whole_range_raise_no_flags() -> None:
    states = np.random.default_rng(12).random((200, 4))
    assert not flags(states, Seen.of(states, STAR, trim=0.0), STAR).any()


def wrong_calls(graph: Graph) -> list[tuple[str, object]]:
    seen = Seen.of(np.zeros((2, 4)), graph)
    calibration = Calibration((0.5,), (1.0,), 3)
    return [
        ("last axis", lambda: Seen.of(np.zeros((4, 3)), graph)),
        ("No model", lambda: Seen.shared([])),
        ("Seen.to_dict", lambda: Seen.from_dict({"f": 1})),
        ("Calibration.to_dict", lambda: Calibration.from_dict({})),
        ("one row a time", lambda: flags(np.zeros(4), seen, graph)),
        ("not for 0.9", lambda: bands(np.zeros((2, 3, 4)), calibration=calibration)),
        ("rising probabilities", lambda: bands(np.zeros((2, 3, 4)), (0.9, 0.5))),
        ("rising probabilities", lambda: bands(np.zeros((2, 3, 4)), (50, 90))),
        ("models, times, nodes", lambda: bands(np.zeros((3, 4)))),
        ("one each", lambda: calibrate([np.zeros((2, 3, 4))], [])),
        ("need true states", lambda: calibrate([np.zeros((2, 3, 4))], [np.zeros((4, 3))])),
    ]


@pytest.mark.parametrize("number", range(11))
def test_what_does_not_fit_is_refused_in_one_sentence(number: int) -> None:
    words, call = wrong_calls(STAR)[number]
    with pytest.raises(TrustProblem, match=words) as caught:
        call()  # type: ignore[operator]
    assert "\n" not in str(caught.value)
