"""Tensors of users' networks: in any order, of any type, and what is none of an architecture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nodeflow.canonical import (
    CanonicalSettings,
    MatchSettings,
    Symmetry,
    align_block,
    align_universe,
    balance,
    canonicalize,
    derive_symmetry,
    distances,
    loss_barrier,
    match,
    permute,
)
from nodeflow.datasets import Dataset
from nodeflow.flow import (
    DescentSettings,
    LearnedZoo,
    Origin,
    SampleSettings,
    fit_flow,
    flatten,
    sample,
    settings_of,
)
from nodeflow.flow.lessons import Lesson, fit_lessons
from nodeflow.judge import PanelSettings, assess, closest_gauge, judge_panel, nearest_members
from nodeflow.judge.novelty import Gallery, NoveltyProblem
from nodeflow.problems import Problem
from nodeflow.stack import Stack, StackProblem
from nodeflow.tensors import TensorProblem, arrange
from nodeflow.zoo import (
    Block,
    TrainSettings,
    evaluate,
    from_module,
    predict,
    predict_labels,
)
from nodeflow.zoo.predict import ItemProblem, StatisticsProblem

Networks = Mapping[str, Tensor]

ARCHITECTURE = from_module(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), (4,))
SYMMETRY = derive_symmetry(ARCHITECTURE)
MEMBERS = 12
NETWORKS = {
    name: torch.from_numpy(np.random.default_rng(i).normal(size=(MEMBERS, *shape))).float()
    for i, (name, shape) in enumerate(ARCHITECTURE.shapes.items())
}
X = np.random.default_rng(10).normal(size=(30, 4)).astype(np.float32)
Y = np.random.default_rng(11).integers(0, 3, 30)
FLOW = settings_of("codes", {"steps": 4, "batch": 4})
DESCENT = DescentSettings(evaluations=2, probes=4, steps=2, batch=4, fresh=4, items=8)
PANEL = PanelSettings(noise_scales=(0.1,), soup=4, controls=4, candidates=2)
MATCHING = MatchSettings()
ORIGIN = Origin("z", ARCHITECTURE, Dataset("x", X, Y, X, Y, X, Y, 3), TrainSettings())


def one(networks: Networks, member: int = 0) -> dict[str, Tensor]:
    return {name: tensor[member] for name, tensor in networks.items()}


def block(networks: Networks) -> Stack[Tensor]:
    return Block(np.arange(MEMBERS), dict(networks))


def drawn(networks: Networks) -> Stack[Tensor]:
    return Stack(dict(networks), about={"seed": np.arange(MEMBERS)})


def panel(training: Networks, held_out: Networks, generated: Networks) -> pd.DataFrame:
    gauge = closest_gauge(SYMMETRY, MATCHING)
    sets = block(training), block(held_out), drawn(generated)
    return judge_panel(ARCHITECTURE, *sets, X, Y, PANEL, 1, ("test",), align=gauge)


def flow_of(members: Networks, held_out: Networks) -> list[Any]:
    flow, history = fit_flow(
        LearnedZoo(block(members), block(held_out), ORIGIN), FLOW, 1, ("test",)
    )
    return [sample(flow, 3, SampleSettings("heun", 2), 1, ("test",)).parameters, history]


def descent_of(members: Networks, initial: Networks) -> pd.DataFrame:
    lesson = Lesson(ARCHITECTURE, (members, initial), (X, Y), DESCENT)
    return fit_lessons({"": lesson}, DESCENT, ("he_uniform",), 1, ("test",))[1]


def conditional_of(members: Networks, others: Networks) -> pd.DataFrame:
    sets = block(members), block(others)
    zoos = {"a": LearnedZoo(*sets, ORIGIN), "b": LearnedZoo(*sets[::-1], ORIGIN)}
    return fit_flow(zoos, FLOW, 1, ("test",))[1]


USES: dict[str, Callable[[Networks, Networks], Any]] = {
    "predict": lambda a, _: predict(ARCHITECTURE, a, X),
    "labels": lambda a, _: predict_labels(ARCHITECTURE, a, X),
    "evaluate": lambda a, _: evaluate(ARCHITECTURE, a, X, Y),
    "assess": lambda a, _: assess(ARCHITECTURE, a, X, Y).loss,
    "align": lambda a, b: vars(align_block(a, one(b), SYMMETRY, MATCHING)),
    "canonicalize": lambda a, b: vars(
        canonicalize(a, one(b), SYMMETRY, CanonicalSettings(balance=True))
    ),
    "match": lambda a, b: vars(match(a, one(b), SYMMETRY, MATCHING)),
    "universe": lambda a, _: vars(align_universe(a, SYMMETRY, MATCHING)),
    "balance": lambda a, _: vars(balance(a, SYMMETRY)),
    "distances": lambda a, _: distances(a, one(NETWORKS)),
    "barrier": lambda a, b: loss_barrier(ARCHITECTURE, a, b, X, Y, 3),
    "codec": lambda a, _: flatten(a, ARCHITECTURE.shapes),
    "flow": flow_of,
    "descent": descent_of,
    "conditional": conditional_of,
    "panel of members": lambda a, b: panel(a, NETWORKS, b),
    "panel of held-out": lambda a, b: panel(NETWORKS, a, b),
}


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal, to the last bit and whatever the order of their names."""
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, pd.DataFrame):
        return a.equals(b)
    if isinstance(a, Mapping):
        return set(a) == set(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b, equal_nan=True))


@pytest.mark.parametrize("use", USES)
@settings(max_examples=4, deadline=None)
@given(order=st.permutations(list(NETWORKS)), other=st.permutations(list(NETWORKS)))
def test_the_order_of_tensors_changes_nothing(use: str, order: list[str], other: list[str]) -> None:
    shifted = {name: NETWORKS[name].roll(1, 0) for name in NETWORKS}
    expected = USES[use](NETWORKS, shifted)
    found = USES[use](
        {name: NETWORKS[name] for name in order}, {name: shifted[name] for name in other}
    )
    assert same(found, expected)


def test_copies_of_members_in_the_order_of_files_are_found_to_be_copies() -> None:
    # As safetensors lists them: by name.
    by_name = {name: NETWORKS[name] for name in sorted(NETWORKS)}
    assert list(by_name) != list(NETWORKS)
    table = panel(NETWORKS, NETWORKS, by_name).query("set == 'generated'")
    assert (table["nearest"] < 1e-6).all() and (table["ratio"] < 1 / 3).all()
    assert table["nearest_index"].tolist() == list(range(MEMBERS))
    near = Gallery(block(NETWORKS), None, 2).nearest(block(by_name))
    assert near.index.tolist() == list(range(MEMBERS)) and (near.nearest < 1e-6).all()
    rows = [flatten(x, ARCHITECTURE.shapes) for x in (by_name, NETWORKS)]
    assert nearest_members(rows[0], rows[1]).index.tolist() == list(range(MEMBERS))


SAME_VALUES: dict[str, Callable[[Networks], Mapping[str, Any]]] = {
    "an ordered dictionary": lambda x: OrderedDict(reversed(list(x.items()))),
    "arrays": lambda x: {n: t.numpy() for n, t in x.items()},
    "read-only arrays of other bytes": lambda x: {
        n: np.frombuffer(t.numpy().astype(">f4").tobytes(), ">f4").reshape(t.shape)
        for n, t in x.items()
    },
    "with gradients": lambda x: {n: t.clone().requires_grad_() for n, t in x.items()},
    "with a graph": lambda x: {n: t.clone().requires_grad_() * 1 for n, t in x.items()},
    "not contiguous": lambda x: {n: t.mT.contiguous().mT for n, t in x.items()},
    "one of double precision": lambda x: {**x, "0.bias": x["0.bias"].double()},
    "with a counter": lambda x: {**x, "1.num_batches_tracked": torch.zeros(MEMBERS).long()},
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("how", SAME_VALUES)
def test_the_same_values_in_another_form_are_taken_and_left_as_they_are(use: str, how: str) -> None:
    if use == "distances" and how == "with a counter":
        pytest.skip("distances are between what is given")
    given_networks = SAME_VALUES[how](NETWORKS)
    before = {name: np.array(as_array(x)) for name, x in given_networks.items()}
    result = USES[use](given_networks, NETWORKS)
    if isinstance(result, dict) and "1.num_batches_tracked" in result.get("parameters", {}):
        # Aligned networks have all names that were given, so that a module loads them strictly.
        del result["parameters"]["1.num_batches_tracked"]
    if "double" not in how:
        assert same(result, USES[use](NETWORKS, NETWORKS))
    assert no_graph(result)
    for name, x in given_networks.items():
        assert np.array_equal(before[name], as_array(x)), name


def as_array(x: Any) -> np.ndarray:
    return np.asarray(x.detach() if isinstance(x, Tensor) else x)


def no_graph(result: Any) -> bool:
    if isinstance(result, Tensor):
        return not result.requires_grad
    parts = result.values() if isinstance(result, Mapping) else result
    return not isinstance(result, (Mapping, list, tuple)) or all(map(no_graph, parts))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_are_those_values_in_single_or_double(
    use: str, dtype: torch.dtype
) -> None:
    rounded = {name: tensor.to(dtype) for name, tensor in NETWORKS.items()}
    result = USES[use](rounded, rounded)
    if dtype != torch.float64:
        exact = {name: tensor.float() for name, tensor in rounded.items()}
        assert same(result, USES[use](exact, exact))


WRONG: dict[str, tuple[Mapping[str, Any], str]] = {
    "missing": ({n: t for n, t in NETWORKS.items() if n != "2.bias"}, r"2\.bias is missing"),
    "foreign": ({**NETWORKS, "4.weight": torch.zeros(MEMBERS, 2)}, r"4\.weight"),
    "width": ({**NETWORKS, "0.weight": torch.zeros(MEMBERS, 9, 4)}, r"0\.weight .*\(9, 4\)"),
    "number": ({**NETWORKS, "2.bias": torch.zeros(MEMBERS - 1, 3)}, r"2\.bias"),
    "integers": ({**NETWORKS, "0.bias": torch.zeros(MEMBERS, 8).int()}, r"0\.bias .* int32"),
    "no tensor": ({**NETWORKS, "0.bias": [0.0] * 8}, r"0\.bias .* list"),
    "sparse": ({**NETWORKS, "2.bias": torch.zeros(MEMBERS, 3).to_sparse()}, r"2\.bias .* sparse"),
    "meta": (
        {**NETWORKS, "2.bias": torch.zeros(MEMBERS, 3, device="meta")},
        r"2\.bias .* without values",
    ),
    "one network": (one(NETWORKS), r"0\.weight .*(8, 4)"),
    "prefix": ({f"module.{n}": t for n, t in NETWORKS.items()}, r"0\.weight"),
    "compiled": ({f"_orig_mod.{n}": t for n, t in NETWORKS.items()}, r"0\.weight"),
    "statistics": (
        {**NETWORKS, "1.running_mean": torch.zeros(MEMBERS, 8)},
        r"1\.running_mean",
    ),
    "empty": ({}, r"0\.weight is missing|0\.weight"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("what", WRONG)
def test_networks_of_another_architecture_are_one_sentence_that_names_the_tensor(
    use: str, what: str
) -> None:
    if what == "statistics" and use in ("codec", "flow", "conditional", "distances"):
        pytest.skip("running statistics are left out where only parameters are asked for")
    networks, message = WRONG[what]
    with pytest.raises(Problem, match=message) as found:
        if use in ("distances",) and what in ("missing", "foreign", "width", "number"):
            distances(networks, one(NETWORKS))
        else:
            USES[use](networks, NETWORKS)
    assert "\n" not in str(found.value)


def test_prefixes_of_wrappers_are_named_with_the_cure() -> None:
    for prefix, maker in (("module.", "nn.DataParallel"), ("_orig_mod.", "torch.compile")):
        prefixed = {f"{prefix}{name}": tensor for name, tensor in NETWORKS.items()}
        with pytest.raises(TensorProblem, match=rf'{maker} gives; take "{prefix}" off'):
            predict(ARCHITECTURE, prefixed, X)


@pytest.mark.parametrize("use", ["universe", "match", "flow", "descent", "conditional"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_members_that_are_not_finite_are_named(use: str, value: float) -> None:
    broken = {name: tensor.clone() for name, tensor in NETWORKS.items()}
    broken["2.bias"][3, 1] = value
    with pytest.raises(Problem, match=r"2\.bias"):
        USES[use](broken, NETWORKS)
    with pytest.raises(TensorProblem, match=r"2\.bias of the members .* 1 of 12 .* places 3;"):
        panel(broken, NETWORKS, NETWORKS)


def test_flat_rows_that_cannot_be_compared_are_one_sentence() -> None:
    rows = flatten(NETWORKS, ARCHITECTURE.shapes)
    broken = rows.copy()
    broken[5, 0] = np.nan
    for wrong, message in (
        ((rows[:, :-1], rows), "one architecture"),
        ((broken, rows), "number 5"),
        ((rows, broken), "number 5"),
        ((rows, rows[:1]), "two nearest"),
        ((NETWORKS, rows), "flatten"),
        ((rows[0], rows), "flatten"),
    ):
        with pytest.raises(NoveltyProblem, match=message):
            nearest_members(*wrong)


def test_items_of_their_own_shape_are_read_and_others_are_one_sentence() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    architecture = from_module(module, (1, 4, 4))
    networks = {name: x.detach()[None] for name, x in module.named_parameters()}
    x = np.random.default_rng(0).normal(size=(5, 1, 4, 4)).astype(np.float32)
    logits = predict(architecture, networks, x)
    assert torch.equal(logits, predict(architecture, networks, x.reshape(5, 16)))
    assert torch.allclose(logits[0], module(torch.from_numpy(x)), atol=1e-5)
    for wrong, message in (
        (x.reshape(5, 4, 4), r"\(5, 4, 4\)"),
        (x.reshape(5, 1, 16)[..., :15], r"\(n, 16\) or \(n, 1, 4, 4\)"),
        (x[:0], "at least one item"),
        (np.where(np.arange(5)[:, None, None, None] == 2, np.nan, x), "place 2"),
        (np.full((5, 16), "a"), "array of numbers"),
    ):
        with pytest.raises(ItemProblem, match=message):
            predict(architecture, networks, wrong)


@pytest.mark.parametrize("judge", [evaluate, assess])
def test_labels_that_are_no_classes_are_one_sentence(judge: Callable[..., Any]) -> None:
    for wrong, message in (
        (np.where(np.arange(30) == 4, 3, Y), "label 3 of item 4 .* 0 to 2"),
        (np.where(np.arange(30) == 4, -1, Y), "label -1 of item 4"),
        (Y[:-1], r"\(29,\) for 30 items"),
        (np.eye(3)[Y], r"\(30, 3\)"),
        (Y.astype(np.float64), "float64"),
        (Y.astype(str), "array of numbers"),
    ):
        with pytest.raises(ItemProblem, match=message):
            judge(ARCHITECTURE, NETWORKS, X, wrong)
    expected = judge(ARCHITECTURE, NETWORKS, X, Y)
    for kind in (Y.tolist(), torch.from_numpy(Y).int(), Y.astype(np.uint8), pd.Series(Y)):
        found = judge(ARCHITECTURE, NETWORKS, X, kind)
        assert same(*(x if isinstance(x, tuple) else vars(x) for x in (found, expected)))


def test_a_block_takes_state_dictionaries_as_they_are() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    architecture = from_module(module, (4,))
    states = [{n: t.clone() + k for n, t in module.state_dict().items()} for k in range(3)]
    stacked = {name: torch.stack([state[name] for state in states]) for name in states[0]}
    made = Block(np.arange(3), stacked)
    assert list(made.parameters) == list(architecture.shapes)
    assert list(made.statistics) == list(architecture.statistics)
    logits = predict(architecture, stacked, X)
    assert torch.equal(predict(architecture, made.tensors, X), logits)
    module.load_state_dict(states[2])
    assert torch.allclose(module.eval()(torch.from_numpy(X)), logits[2], atol=1e-4, rtol=1e-4)
    with pytest.raises(StatisticsProblem, match=r"1\.running_mean"):
        predict(architecture, made.parameters, X)
    with pytest.raises(StackProblem, match=r"0\.weight .* 4 members"):
        Block(np.arange(4), stacked)


def test_a_symmetry_that_does_not_fit_is_one_sentence() -> None:
    by_hand = Symmetry(SYMMETRY.groups)
    found = align_block(NETWORKS, one(NETWORKS), by_hand, MATCHING)
    expected = align_block(NETWORKS, one(NETWORKS), SYMMETRY, MATCHING)
    assert same(vars(found), vars(expected))
    wide = {**NETWORKS, "0.weight": torch.zeros(MEMBERS, 9, 4)}
    with pytest.raises(Problem, match=r"8 units along axis 0 of 0\.weight"):
        align_block(wide, one(wide), by_hand, MATCHING)
    with pytest.raises(Problem, match=r"8 units along axis 0 of 0\.weight"):
        permute(wide, by_hand, {"0": torch.arange(8).repeat(MEMBERS, 1)})


def test_what_is_arranged_shares_memory_and_keeps_values() -> None:
    shapes = dict(reversed(list(ARCHITECTURE.shapes.items())))
    found = arrange(NETWORKS, shapes)
    assert list(found) == list(shapes)
    for name, tensor in found.items():
        assert tensor.data_ptr() == NETWORKS[name].data_ptr()
