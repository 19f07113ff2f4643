from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nodeflow.flow.codec import RawCodec
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import LearnedZoo
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import Flow, sample
from nodeflow.flow.samples import read_samples, sample_seeds, write_samples
from nodeflow.flow.settings import FlowProblem, SampleSettings
from nodeflow.flow.solvers import EVALUATIONS, integrate
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.flow.training_schemas import FLOW_HISTORY
from nodeflow.flow.velocity import gaussian_velocity
from nodeflow.tables import FileProblem, read_table, write_table
from nodeflow.zoo.store import Block

MEAN = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
VARIANCE = torch.tensor([0.3, 4.0, 1.5], dtype=torch.float64)
SOURCE = 0.8
SHAPES = {"b": (4,), "w": (4, 3)}


def exact(x: Tensor, t: Tensor) -> Tensor:
    return gaussian_velocity(x, t[:, None], MEAN, VARIANCE, SOURCE, 0.0)[0]


@pytest.fixture(scope="module")
def fitted() -> tuple[Flow, pd.DataFrame]:
    generator = torch.Generator().manual_seed(3)
    members = {name: torch.randn(30, *shape, generator=generator) for name, shape in SHAPES.items()}
    changes = {"steps": 40, "learning_rate": 1e-2, "velocity": {"hidden": 40, "blocks": 2}}
    zoo = LearnedZoo(Block(np.arange(30), members))
    flow, history = fit_flow(zoo, settings_of("codes", changes), 1, ("test",))
    assert isinstance(flow, Flow)
    return flow, history


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_a_solver_has_its_order_and_cost_on_the_exact_gaussian_flow(
    solver: str, order: int
) -> None:
    x0 = SOURCE * torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).double()
    end = MEAN + x0 * VARIANCE.sqrt() / SOURCE
    calls = []

    def counted(x: Tensor, t: Tensor) -> Tensor:
        calls.append(t)
        return exact(x, t)

    steps = np.array([64, 128, 256, 512])
    errors = [float((integrate(counted, x0, solver, int(n)) - end).abs().max()) for n in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(-order, abs=0.15)
    assert len(calls) == EVALUATIONS[solver] * steps.sum()


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_sample_does_not_depend_on_its_group(
    fitted: tuple[Flow, pd.DataFrame], data: st.DataObject
) -> None:
    flow, how = fitted[0], SampleSettings("heun", 3)
    seeds = sample_seeds(70, 1, ("x",))
    whole = flow.codes(seeds, how)
    chosen = data.draw(st.lists(st.integers(0, 69), min_size=1, max_size=70, unique=True))
    assert (flow.codes(seeds[chosen], how) == whole[chosen]).all()


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_one_seed_gives_one_sample(fitted: tuple[Flow, pd.DataFrame], solver: str) -> None:
    flow, how = fitted[0], SampleSettings(solver, 4)
    samples = sample(flow, 5, how, 1, ("x",))
    assert (sample(flow, 3, how, 1, ("x",)).about["code"] == samples.about["code"][:3]).all()
    assert (flow.codes(samples.seeds[[4]], how)[0] == samples.about["code"][4]).all()
    assert len(set(samples.seeds)) == 5 and samples.ok.all()
    other = sample(flow, 5, how, 1, ("y",))
    assert not set(other.seeds) & set(samples.seeds)
    assert (other.about["code"] != samples.about["code"]).any()


def test_solvers_agree_when_steps_are_small(fitted: tuple[Flow, pd.DataFrame]) -> None:
    seeds = sample_seeds(3, 1, ("x",))
    fine = fitted[0].codes(seeds, SampleSettings("rk4", 160))
    for solver, steps in (("rk4", 40), ("heun", 200)):
        other = fitted[0].codes(seeds, SampleSettings(solver, steps))
        assert np.abs(fine - other).max() < 2e-3 * np.abs(fine).max()


class _Breaks(nn.Module):
    """Leaves [-1, 1] towards infinity on the right and to NaN on the left."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        first = x[:, :1]
        out = torch.where(first > 1, torch.inf, torch.where(first < -1, torch.nan, 0.0))
        return out.expand_as(x)


def test_samples_that_are_not_finite_are_kept_and_marked() -> None:
    settings = settings_of("codes", {"steps": 1})
    flow = Flow(settings, {"w": (2,)}, RawCodec(np.zeros(2), np.ones(2)), _Breaks())
    samples = sample(flow, 200, SampleSettings("euler", 2), 1, ("x",))
    noise = np.stack(
        [torch.randn(2, generator=torch.Generator().manual_seed(int(s))) for s in samples.seeds]
    )
    fine = np.abs(noise[:, 0]) <= 1
    assert 0 < fine.sum() < 200
    assert (samples.ok == fine).all()
    assert samples.parameters["w"].shape == (200, 2)
    assert (samples.parameters["w"].numpy()[fine] == noise[fine]).all()
    assert torch.isnan(samples.parameters["w"][~torch.from_numpy(fine)]).all()


def test_files_give_back_flow_samples_and_history(
    fitted: tuple[Flow, pd.DataFrame], tmp_path: Path
) -> None:
    flow, history = fitted
    how = SampleSettings("rk4", 4)
    write_flow(tmp_path / "flow.safetensors", flow, {"zoo": "digits"})
    again = read_flow(tmp_path / "flow.safetensors", {"zoo": "digits"})
    assert again.settings == flow.settings and dict(again.shapes) == dict(flow.shapes)
    first, second = sample(flow, 6, how, 1, ("x",)), sample(again, 6, how, 1, ("x",))
    assert (first.about["code"] == second.about["code"]).all()
    write_samples(tmp_path / "samples.safetensors", first, {"flow": "a"})
    stored = read_samples(tmp_path / "samples.safetensors", {"flow": "a"})
    assert list(stored.parameters) == list(SHAPES)
    assert all(torch.equal(stored.parameters[n], first.parameters[n]) for n in SHAPES)
    assert (stored.seeds == first.seeds).all() and (stored.ok == first.ok).all()
    write_table(tmp_path / "history.parquet", history, FLOW_HISTORY, {})
    pd.testing.assert_frame_equal(read_table(tmp_path / "history.parquet", FLOW_HISTORY), history)
    with pytest.raises(FileProblem, match="zoo = iris"):
        read_flow(tmp_path / "flow.safetensors", {"zoo": "iris"})
    with pytest.raises(FileProblem, match="expected flow"):
        read_flow(tmp_path / "samples.safetensors")


def test_the_same_flow_is_the_same_bytes(fitted: tuple[Flow, pd.DataFrame], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_flow(tmp_path / name, fitted[0], {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_settings_refuse_nonsense() -> None:
    with pytest.raises(FlowProblem, match="euler, heun, rk4, ddpm"):
        SampleSettings("rk5", 3)
    with pytest.raises(FlowProblem, match="steps is 0; allowed: a whole number ≥ 1"):
        SampleSettings("rk4", 0)
