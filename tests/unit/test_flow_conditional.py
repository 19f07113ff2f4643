"""Conditional flows: what guidance is at its limits, planted truth, files, and the judge."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import mlp_symmetry
from nodeflow.datasets import load_dataset
from nodeflow.flow.codec import flatten
from nodeflow.flow.files import sample_to_file
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import Condition, LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import Flow, sample
from nodeflow.flow.samples import read_samples
from nodeflow.flow.settings import FlowProblem, FlowSettings, FlowSettingsProblem, SampleSettings
from nodeflow.flow.solvers import guided
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.flow.velocity import VelocitySettings, build_velocity
from nodeflow.flow.zoos import open_zoos
from nodeflow.judge import (
    PanelSettings,
    closest_gauge,
    judge_conditional,
    summarize_conditional,
)
from nodeflow.judge.schemas import CONDITIONAL, CONDITIONAL_SUMMARY
from nodeflow.stack import Stack
from nodeflow.tables import write_table
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.store import Block, write_block
from nodeflow.zoo.train import TrainSettings, train_block

SHAPES = {"b": (1,), "w": (2,)}
CENTRES = {"left": -3.0, "right": 3.0}
HOW = SampleSettings("heun", 12)


@pytest.mark.parametrize("kind", ["paper", "residual"])
def test_guidance_is_affine_and_exact_at_both_ends(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    means, variances = torch.randn(3, 5, generator=generator), torch.ones(3, 5)
    settings = VelocitySettings(kind, hidden=16, time_features=8)
    velocity = build_velocity(settings, means, variances, 1.0, 0.0, generator).eval()
    torch.nn.init.normal_(velocity.last.weight, generator=generator)  # type: ignore[union-attr, arg-type]
    x, t = torch.randn(7, 5, generator=generator), torch.rand(7, generator=generator)
    label = torch.tensor([0, 1, 0, 1, 1, 0, 0])

    def field(guidance: float) -> Tensor:
        return guided(velocity, label, 2, guidance)(x, t)

    without, labelled = velocity(x, t, torch.full((7,), 2)), velocity(x, t, label)
    assert torch.equal(field(0), without) and torch.equal(field(1), labelled)
    assert not torch.allclose(without, labelled)
    for w in (0.3, 1.7, 4.0):
        assert torch.allclose(field(w), without + w * (labelled - without), atol=1e-5)
    near_end = guided(velocity, label, 2, 1 + 1e-7)(x, t)
    assert torch.allclose(near_end, labelled, atol=1e-5), "no jump where one evaluation suffices"


def planted() -> dict[str, LearnedZoo]:
    """Two zoos of three numbers: clusters of standard deviation 0.2 about ∓3."""
    rng = np.random.default_rng(1)
    zoos = {}
    for name, centre in CENTRES.items():
        rows = torch.from_numpy(rng.normal(centre, 0.2, (40, 3))).float()
        block = Block(np.arange(40), {"w": rows[:, :2], "b": rows[:, 2:]})
        zoos[name] = LearnedZoo(*block.split(30))
    return zoos


def settings_of_test(method: str = "codes") -> FlowSettings:
    """A field that knows nothing of the clusters before it is trained."""
    velocity = {"kind": "paper", "hidden": 64, "time_features": 16}
    settings: FlowSettings = settings_of(
        method,
        {"steps": 500, "learning_rate": 3e-3, "label_dropout": 0.2, "ema": 0.98,
         "codec": {"kind": "raw", "rank": None, "standardize": "global"}, "velocity": velocity},
    )  # fmt: skip
    return settings


@pytest.fixture(scope="module")
def fitted() -> Flow:
    flow, history = fit_flow(planted(), settings_of_test(), 1, ("test",))
    assert isinstance(flow, Flow)
    assert history["held_out_loss"].iloc[-1] < history["held_out_loss"].iloc[0]
    return flow


def centres(flow: Flow, label: str, guidance: float) -> np.ndarray:
    drawn = sample(flow, 128, HOW, 1, ("x",), condition=Condition(label, guidance))
    means: np.ndarray = flatten(drawn.parameters, SHAPES).mean(axis=1)
    return means


def test_planted_clusters_are_found_by_their_label(fitted: Flow) -> None:
    for label, centre in CENTRES.items():
        found = centres(fitted, label, 1.0)
        assert abs(found.mean() - centre) < 0.3
        assert (np.sign(found) == np.sign(centre)).mean() > 0.98
    without = centres(fitted, "left", 0.0)
    assert (without == centres(fitted, "right", 0.0)).all(), "guidance 0 knows no label"
    assert 0.3 < (without > 0).mean() < 0.7
    assert np.median(np.abs(np.abs(without) - 3)) < 0.5


def test_a_conditional_sample_is_that_of_its_seed_alone(fitted: Flow, tmp_path: Path) -> None:
    write_flow(tmp_path / "flow", fitted, {"flow": "c"})
    again = read_flow(tmp_path / "flow", {"flow": "c"})
    assert isinstance(again, Flow) and again.labels == ("left", "right")
    conditions = [Condition(label, w) for label in CENTRES for w in (1.0, 2.0)]
    sample_to_file(tmp_path / "s", again, 5, HOW, 1, ("x",), {"made": "so"}, conditions=conditions)
    stored = read_samples(tmp_path / "s", {"made": "so"}).parts(5)
    assert (stored[0].seeds == stored[1].seeds).all(), "guidance alone makes the difference"
    assert not set(stored[0].seeds) & set(stored[2].seeds)
    for condition, part in zip(conditions, stored, strict=True):
        rows = flatten(part.parameters, SHAPES)
        _, one = fitted.rows(part.seeds[[3]], HOW, condition)
        assert (one[0] == rows[3]).all()


def test_what_a_flow_has_not_learned_is_refused(fitted: Flow) -> None:
    for condition, words in ((Condition("up"), "left, right"), (None, "no label")):
        with pytest.raises(FlowProblem, match=words):
            sample(fitted, 2, HOW, 1, ("x",), condition=condition)
    with pytest.raises(FlowProblem, match="at least 0"):
        Condition("left", -1.0)
    with pytest.raises(FlowSettingsProblem, match="label_dropout"):
        settings_of("codes", {"label_dropout": 1.0})
    few = LearnedZoo(planted()["left"].training.select([0]))
    with pytest.raises(FlowProblem, match=r"two members .* left \(1\), right \(30\)"):
        fit_flow({**planted(), "left": few}, settings_of_test(), 1, ("x",))


def test_the_judge_tells_what_each_label_does(tmp_path: Path) -> None:
    """Members of the zoos pass for generated ones: half of them under the wrong label."""
    views = {"plain": load_dataset("iris"), "inverted": load_dataset("iris:inverted")}
    architecture = classifier(views["plain"], [8])
    paths, origins = [], []
    for name, data in views.items():
        training = TrainSettings(10, 16, 3e-3)
        block = train_block(architecture, data, range(8), training, 1, name)
        origins.append(Origin(name, architecture, data, training))
        paths.append(tmp_path / name)
        write_block(paths[-1], Block(block.members, block.parameters), {"zoo": name})
    zoos = open_zoos(paths, [[{"zoo": name}] for name in views], [6, 6], origins)
    unseen = {name: zoo.held_out for name, zoo in zoos.items() if zoo.held_out is not None}
    assert [len(networks) for networks in unseen.values()] == [2, 2]
    other = unseen["inverted"].take([0, 1]).parameters
    other["layer0.bias"][1, 0] = torch.inf
    about = {"seed": np.array([5, 6])}
    generated = {
        Condition("plain", 1.0): Stack(zoos["plain"].training.take([0, 1]).parameters, about=about),
        Condition("plain", 2.0): Stack(other, about=about | {"ok": np.array([True, False])}),
    }
    align = closest_gauge(mlp_symmetry(architecture.shapes), MatchSettings())
    table = judge_conditional(
        architecture, zoos, generated, align, PanelSettings(candidates=3, controls=2)
    )
    write_table(tmp_path / "t", table, CONDITIONAL, {})
    assert len(table) == 2 * 2 + 2 * 2 and list(table["status"]).count("failed") == 1
    copies, wrong = table[table["guidance"] == 1], table[table["guidance"] == 2].iloc[0]
    assert (copies["ratio"] < 1e-6).all() and (copies["max_iou"] == 1).all()
    assert (copies["accuracy"] > copies["elsewhere"]).all()
    assert wrong["elsewhere"] > wrong["accuracy"] + 0.2
    failed = table[table["status"] == "failed"]
    assert failed[["accuracy", "loss", "ratio"]].isna().all(axis=None)
    assert failed["reason"].item() == "parameters are not finite"
    assert failed["nearest_index"].item() == -1
    summary = summarize_conditional(table, 1, ("x",), resamples=200)
    write_table(tmp_path / "summary", summary, CONDITIONAL_SUMMARY, {})
    found = summary[summary["set"] == "generated"].set_index("guidance")
    assert found["n"].tolist() == [2, 1] and found["failed"].tolist() == [0, 1]
    assert found["right"].tolist() == [1, 0] and found["replica_share"].tolist()[0] == 1
    assert found.loc[1, "accuracy"] == pytest.approx(copies["accuracy"].mean())
    assert found.loc[2, "accuracy"] == pytest.approx(wrong["accuracy"])
    assert (found["accuracy_low"] <= found["accuracy"]).all()
    members = summary[summary["set"] == "held-out"]
    assert (members["nearest_relative"] == 1).all() and members["nearest_p"].isna().all()
    assert found["nearest_relative"][1.0] < 1e-5 and found["nearest_p"].notna().all()
