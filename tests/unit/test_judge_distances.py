"""Networks of all sets at the same distances: planted directions, copies, and what has none."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import permute, random_permutations
from nodeflow.figures.flow import draw_distances
from nodeflow.figures.style import drawing, save
from nodeflow.flow.codec import flatten
from nodeflow.flow.methods import looks
from nodeflow.judge import DistanceSettings, closest_gauge, judge_distances
from nodeflow.judge.panel import JudgeProblem, PanelSettings
from nodeflow.judge.schemas import DISTANCES
from nodeflow.stack import Stack
from nodeflow.tables import read_table, write_table
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.predict import predict
from nodeflow.zoo.store import Block

ARCHITECTURE = mlp([5, 7, 3])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5)).astype(np.float32)
SETTINGS = PanelSettings(noise_scales=(0.05,), soup=3)
FACTORS = DistanceSettings(factors=(1.0, 2.0, 6.0), networks=12)


def initial(count: int, seed: int) -> dict[str, Tensor]:
    return ARCHITECTURE.initialize(
        [torch.Generator().manual_seed(1000 * seed + k) for k in range(count)]
    )


TEACHER = initial(1, 99)
Y = predict(ARCHITECTURE, TEACHER, X)[0].argmax(1).numpy()


def near_teacher(count: int, seed: int, noise: float = 0.05) -> dict[str, Tensor]:
    """Networks that work: the teacher with noise."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: x + noise * torch.randn(count, *x.shape[1:], generator=generator)
        for name, x in TEACHER.items()
    }


TRAINING = Block(np.arange(20), near_teacher(20, 1))
HELD_OUT = Block(np.arange(20, 35), near_teacher(15, 2))


def judged(generated: dict[str, Tensor], **change: object) -> pd.DataFrame:
    arguments: dict[str, Any] = {
        "held_out": HELD_OUT, "x": X, "y": Y, "settings": SETTINGS, "distances": FACTORS,
    } | change  # fmt: skip
    training = arguments.pop("training", TRAINING)
    table = judge_distances(
        ARCHITECTURE, training, samples=Stack(generated), root_seed=3, labels=("a", 1),
        **arguments,
    )  # fmt: skip
    return table


def of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of a set by factor, 0 for networks as they were made."""
    return table[table["set"] == name].assign(factor=lambda t: t["factor"].fillna(0)).set_index(
        "factor"
    )  # fmt: skip


def scaled(by: float) -> dict[str, Tensor]:
    """Members whose last layer is larger: they say the same of every item, more surely."""
    last = ("layer1.weight", "layer1.bias")
    return {n: x[:12] * (by if n in last else 1.0) for n, x in TRAINING.parameters.items()}


def test_a_direction_that_changes_no_decision_is_novel_and_performant_at_every_distance() -> None:
    table = judged(scaled(1.01))
    found, noise = of(table, "generated"), of(table, "noise")
    assert found["novel_share"][0] == 0 and found["distance"][0] < 0.2
    assert found["distance"][[1, 2, 6]].to_numpy() == pytest.approx([1, 2, 6], rel=0.05)
    assert (found["both_share"][[1, 2, 6]] >= 0.9).all()
    assert np.ptp(found["accuracy"]) < 1e-12, "a larger last layer decides alike"
    assert noise["accuracy"][6] < found["accuracy"][6] - 0.1
    assert list(table.columns) == list(DISTANCES.columns)


def test_copies_with_noise_are_no_better_than_noise_at_its_distance() -> None:
    generator = torch.Generator().manual_seed(8)
    copies = {
        name: x[:12] + 0.002 * torch.randn(x[:12].shape, generator=generator)
        for name, x in TRAINING.parameters.items()
    }
    table = judged(copies)
    found, noise = of(table, "generated"), of(table, "noise")
    assert found["performant_share"][0] >= 0.8 and found["both_share"][0] == 0
    for factor in (2, 6):
        low, high = noise["accuracy_low"][factor], noise["accuracy_high"][factor]
        assert low - 0.1 < found["accuracy"][factor] < high + 0.1


def test_networks_lie_on_the_ray_from_their_nearest_member() -> None:
    table = judged(near_teacher(12, 5))
    line = of(table, "line")
    assert line["distance"].to_numpy() == pytest.approx([1, 2, 6], rel=1e-5)
    members = flatten(TRAINING.parameters, ARCHITECTURE.shapes).astype(float)
    held_out = flatten(HELD_OUT.parameters, ARCHITECTURE.shapes).astype(float)[:12]
    apart = np.linalg.norm(members[:, None] - members[None], axis=2) + np.diag(np.full(20, np.inf))
    unit = np.median(apart[:12].min(axis=1))
    for factor in (1, 2, 6):
        distances = []
        for row in held_out:
            first = members[np.linalg.norm(members - row, axis=1).argmin()]
            way = (row - first) / np.linalg.norm(row - first)
            moved = first + factor * unit * way
            distances.append(np.linalg.norm(members - moved, axis=1).min() / unit)
        assert of(table, "held-out")["distance"][factor] == pytest.approx(
            np.median(distances), rel=1e-4
        )


def test_a_permuted_copy_is_a_copy_in_the_closest_gauge() -> None:
    symmetry = derive_symmetry(ARCHITECTURE)
    orders = random_permutations(symmetry, [torch.Generator().manual_seed(k) for k in range(12)])
    copies = {name: x[:12] * 1.0001 for name, x in TRAINING.parameters.items()}
    permuted = permute(copies, symmetry, orders)
    align = closest_gauge(symmetry, MatchSettings())
    found = of(judged(permuted, align=align), "generated")
    assert found["distance"][0] < 0.01 and found["novel_share"][0] == 0
    assert found["distance"][[1, 2, 6]].to_numpy() == pytest.approx([1, 2, 6], rel=0.05)
    same = of(judged(copies, align=align), "generated")
    assert found["accuracy"].to_numpy() == pytest.approx(same["accuracy"].to_numpy(), abs=0.01)


def test_what_has_no_direction_or_is_not_finite_has_failed_and_changes_nothing_else() -> None:
    good = near_teacher(10, 6)
    more = {name: torch.cat([x, TRAINING.parameters[name][:2]]) for name, x in good.items()}
    more["layer0.bias"][11, 0] = math.nan
    table, alone = judged(more), judged(good)
    found, rest = of(table, "generated"), of(alone, "generated")
    assert found["failed"].to_dict() == {0: 1, 1: 2, 2: 2, 6: 2}
    assert found["n"][1] == 10 == rest["n"][1]
    columns = ["distance", "accuracy", "novel_share", "performant_share"]
    pd.testing.assert_frame_equal(found.loc[[1, 2, 6], columns], rest.loc[[1, 2, 6], columns])
    hopeless = {name: torch.full_like(x, math.nan) for name, x in good.items()}
    none = of(judged(hopeless), "generated")
    assert (none["n"] == 0).all() and none["both_share"].isna().all()


def test_members_that_are_all_copies_have_no_unit_of_distance() -> None:
    one = {name: x[:1].expand(6, *x.shape[1:]) for name, x in TRAINING.parameters.items()}
    with pytest.raises(JudgeProblem, match="leave copies out"):
        judged(near_teacher(4, 6), training=Block(np.arange(6), one))


def test_the_judgement_follows_from_its_seed_and_is_drawn(tmp_path: Path) -> None:
    table = judged(near_teacher(12, 5))
    pd.testing.assert_frame_equal(table, judged(near_teacher(12, 5)))
    without = judged(near_teacher(12, 5), held_out=None)
    assert "held-out" not in set(without["set"])
    write_table(tmp_path / "d.parquet", table, DISTANCES, {})
    known: dict[str, Any] = {
        "flow": "f",
        "data": "d",
        "method": "paper",
        "alignment": "raw",
        "capacity": 8,
    }
    drawn = read_table(tmp_path / "d.parquet", DISTANCES).assign(**known)
    with drawing():
        figure = draw_distances(pd.concat([drawn, drawn.assign(capacity=16)]), looks(["paper"]))
        legend = figure.axes[1].get_legend()
        assert legend is not None
        labels = [text.get_text() for text in legend.get_texts()]
        save(figure, tmp_path / "d.png", tmp_path / "d.pdf")
    assert labels[:4] == ["held-out", "noise", "line", "soup"] and len(labels) == 6
