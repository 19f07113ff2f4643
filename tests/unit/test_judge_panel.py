from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import Tensor

from nodeflow.flow.codec import flatten
from nodeflow.judge.panel import JudgeProblem, PanelSettings, judge_panel
from nodeflow.judge.schemas import JUDGE_PANEL, JUDGE_SUMMARY
from nodeflow.judge.summary import mean_interval, summarize
from nodeflow.stack import Stack, StackProblem
from nodeflow.tables import read_table, write_table
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.store import Block

ARCHITECTURE = mlp([4, 6, 3])
SIZE = ARCHITECTURE.parameters
SETTINGS = PanelSettings(noise_scales=(0.1, 0.5), soup=4, controls=12)


def networks(count: int, seed: int) -> dict[str, Tensor]:
    generators = [torch.Generator().manual_seed(1000 * seed + k) for k in range(count)]
    stacked = ARCHITECTURE.initialize(generators)
    noise = torch.Generator().manual_seed(seed)
    return {
        name: tensor + 0.1 * torch.randn(tensor.shape, generator=noise)
        for name, tensor in stacked.items()
    }


TRAINING = Block(np.arange(10, 40), networks(30, 1))
HELD_OUT = Block(np.arange(40, 60), networks(20, 2))
X = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 80)


def samples_of(parameters: dict[str, Tensor]) -> Stack[Tensor]:
    rows = flatten(parameters, ARCHITECTURE.shapes)
    facts = {"seed": np.arange(len(rows)) + 7, "ok": np.isfinite(rows).all(axis=1)}
    return Stack(parameters, about=facts)


def panel_of(parameters: dict[str, Tensor], **change: object) -> pd.DataFrame:
    arguments = {"held_out": HELD_OUT, "settings": SETTINGS, "align": None} | change
    return judge_panel(
        ARCHITECTURE, TRAINING, samples=samples_of(parameters), x=X, y=Y, root_seed=1,
        labels=("test",), **arguments,  # type: ignore[arg-type]
    )  # fmt: skip


def summary_of(panel: pd.DataFrame) -> pd.DataFrame:
    return summarize(panel, 1, ("test",), 500).set_index("set")


def copies(noise: float) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {
        name: tensor + noise * torch.randn(tensor.shape, generator=generator)
        for name, tensor in TRAINING.parameters.items()
    }


@pytest.fixture(scope="module")
def independent() -> pd.DataFrame:
    return panel_of(networks(25, 3))


def test_the_panel_has_every_set_and_a_row_for_each_network(independent: pd.DataFrame) -> None:
    assert independent.groupby("set", sort=False).size().to_dict() == {
        "zoo": 12, "held-out": 12, "generated": 25, "noise 0.1": 12, "noise 0.5": 12,
        "noise matched": 12, "pair mean": 12, "soup": 12, "gaussian": 12,
    }  # fmt: skip
    assert list(independent.columns) == list(JUDGE_PANEL.columns)
    generated = independent[independent["set"] == "generated"]
    assert generated["seed"].tolist() == list(range(7, 32))
    assert independent[independent["set"] == "zoo"]["index"].tolist() == list(range(10, 22))
    assert independent["nearest_index"].between(10, 39).all()


def test_planted_replicas_are_called_replicas_and_independent_networks_are_not(
    independent: pd.DataFrame,
) -> None:
    fresh = summary_of(independent).loc["generated"]
    assert fresh["replica_share"] == 0
    assert fresh["nearest_p"] > 0.01 and fresh["max_iou_p"] > 0.01
    assert 0.9 < fresh["nearest_relative"] < 1.1 and 0.85 < fresh["rms_ratio"] < 1.15
    panel = panel_of(copies(0.005))
    found = summary_of(panel).loc["generated"]
    assert found["replica_share"] == 1 and found["distinct"] == 30
    assert found["nearest_p"] < 1e-6 and found["max_iou_p"] < 1e-3
    assert found["nearest_relative"] < 0.1 and found["max_iou"] > 0.8
    generated = panel[panel["set"] == "generated"]
    assert (generated["nearest_index"].to_numpy() == TRAINING.members).all()


def test_the_zoo_is_compared_with_all_others_but_itself(independent: pd.DataFrame) -> None:
    zoo = independent[independent["set"] == "zoo"]
    rows = flatten(TRAINING.parameters, ARCHITECTURE.shapes)
    for k in (0, 11):
        distance = np.linalg.norm(np.delete(rows, k, axis=0) - rows[k], axis=1)
        assert zoo["nearest"].iloc[k] == pytest.approx(distance.min(), rel=1e-5)
        assert zoo["second"].iloc[k] == pytest.approx(np.sort(distance)[1], rel=1e-5)
    assert (zoo["max_iou"] < 1).all()


def test_matched_noise_is_as_far_from_the_members_as_the_generated_networks() -> None:
    for noise in (0.01, 0.1):
        panel = panel_of(copies(noise), settings=PanelSettings((0.1,), 4, 200))
        medians = panel.groupby("set")["nearest"].median()
        assert medians["noise matched"] == pytest.approx(medians["generated"], rel=0.05)


def test_a_collapsed_generator_is_seen() -> None:
    one = {
        name: tensor[:1].expand(25, *tensor.shape[1:]) for name, tensor in networks(1, 3).items()
    }
    found = summary_of(panel_of(one)).loc["generated"]
    assert found["distinct"] == 1 and found["rms_ratio"] == pytest.approx(0, abs=1e-6)
    assert found["accuracy_low"] == found["accuracy"] == found["accuracy_high"]
    assert found["ensemble_accuracy"] == pytest.approx(found["accuracy"])


def test_failed_networks_are_counted_and_change_nothing_else(independent: pd.DataFrame) -> None:
    broken = networks(25, 3)
    extra = networks(4, 8)
    extra["layer0.bias"][3, 0] = -torch.inf  # hidden by the ReLU: its logits are finite
    extra["layer0.bias"][1, 2] = torch.nan
    extra["layer1.weight"][0] = torch.inf
    extra["layer1.weight"][2] = 3e38
    both = {name: torch.cat([broken[name], extra[name]]) for name in broken}
    panel = panel_of(both)
    failed = panel[panel["status"] == "failed"]
    assert failed["index"].tolist() == [25, 26, 27, 28]
    assert failed["reason"].str.startswith("parameters").tolist() == [True, True, False, True]
    assert failed[["accuracy", "nearest", "max_iou", "ensemble_accuracy"]].isna().all(axis=None)
    row = summary_of(panel).loc["generated"]
    assert (row["n"], row["failed"]) == (25, 4)
    rest = summary_of(panel).drop(columns="failed")
    pd.testing.assert_frame_equal(rest, summary_of(independent).drop(columns="failed"))


def test_nothing_generated_is_a_result_too() -> None:
    hopeless = {name: torch.full_like(t[:4], torch.nan) for name, t in TRAINING.parameters.items()}
    panel = panel_of(hopeless)
    assert "noise matched" not in set(panel["set"])
    row = summary_of(panel).loc["generated"]
    assert (row["n"], row["failed"], row["ensemble_size"]) == (0, 4, 0)
    assert np.isnan(row["accuracy"]) and np.isnan(row["replica_share"])


def test_a_permuted_copy_is_a_copy_only_in_one_gauge() -> None:
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    permuted = dict(TRAINING.parameters)
    permuted["layer0.weight"] = permuted["layer0.weight"][:, order]
    permuted["layer0.bias"] = permuted["layer0.bias"][:, order]
    permuted["layer1.weight"] = permuted["layer1.weight"][:, :, order]

    def align(networks, one):  # type: ignore[no-untyped-def]
        """Units get the places in which their biases have the ranks of the one network's."""
        ranks = one["layer0.bias"].argsort().argsort()
        index = networks["layer0.bias"].argsort(dim=1)[:, ranks]
        return {
            "layer0.weight": networks["layer0.weight"].take_along_dim(index[:, :, None], 1),
            "layer0.bias": networks["layer0.bias"].take_along_dim(index, 1),
            "layer1.weight": networks["layer1.weight"].take_along_dim(index[:, None, :], 2),
            "layer1.bias": networks["layer1.bias"],
        }

    seen = summary_of(panel_of(permuted, align=align)).loc["generated"]
    unseen = summary_of(panel_of(permuted)).loc["generated"]
    assert seen["nearest"] == 0 and seen["replica_share"] == 1
    assert unseen["replica_share"] == 0
    assert seen["max_iou"] == unseen["max_iou"] == 1


def test_controls_do_not_depend_on_what_was_generated(independent: pd.DataFrame) -> None:
    again = panel_of(networks(5, 9), held_out=None)
    names = ["noise 0.1", "noise 0.5", "pair mean", "soup", "gaussian"]
    for name in names:
        pd.testing.assert_frame_equal(
            again[again["set"] == name].reset_index(drop=True).drop(columns="neighbour_p"),
            independent[independent["set"] == name]
            .reset_index(drop=True)
            .drop(columns="neighbour_p"),
        )
    assert summary_of(again)["nearest_p"].isna().all()


def test_a_panel_needs_enough_members() -> None:
    with pytest.raises(JudgeProblem, match="at least 31"):
        panel_of(networks(3, 3), settings=PanelSettings(soup=31))
    with pytest.raises(JudgeProblem, match=r"noise_scales\[1\] is -1.0; allowed: a number > 0"):
        PanelSettings(noise_scales=(0.1, -1.0))


def test_members_without_their_numbers_are_one_sentence() -> None:
    cases: tuple[Any, ...] = (
        (TRAINING.parameters, HELD_OUT, "the training members"),
        (TRAINING, HELD_OUT.parameters, "the held-out networks"),
    )
    samples = samples_of(networks(2, 3))
    for members, held_out, what in cases:
        with pytest.raises(StackProblem, match=f"{what} are given as dict; give a block"):
            judge_panel(ARCHITECTURE, members, held_out, samples, X, Y, SETTINGS, 1, ("test",))


def test_tables_fit_their_schemas(independent: pd.DataFrame, tmp_path: Path) -> None:
    write_table(tmp_path / "panel.parquet", independent, JUDGE_PANEL, {})
    panel = read_table(tmp_path / "panel.parquet", JUDGE_PANEL)
    pd.testing.assert_frame_equal(panel, independent)
    summary = summarize(panel, 1, ("test",))
    write_table(tmp_path / "summary.parquet", summary, JUDGE_SUMMARY, {})
    pd.testing.assert_frame_equal(read_table(tmp_path / "summary.parquet", JUDGE_SUMMARY), summary)
    assert set(JUDGE_PANEL.about) == set(JUDGE_PANEL.columns)
    assert set(JUDGE_SUMMARY.about) == set(JUDGE_SUMMARY.columns)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        values = rng.beta(8, 2, size=60)
        low, high = mean_interval(values, rng, 400)
        hits += low <= 0.8 <= high
    assert stats.binomtest(hits, 300, 0.94).pvalue > 0.01
    values = rng.normal(size=400)
    low, high = mean_interval(values, rng, 4000)
    normal = 1.96 * values.std() / 20
    assert (high - low) / 2 == pytest.approx(normal, rel=0.08)
