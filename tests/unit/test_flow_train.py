from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nodeflow.flow.codec import PcaCodec, RawCodec
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import LearnedZoo
from nodeflow.flow.methods import METHODS, settings_of
from nodeflow.flow.sample import Flow, sample
from nodeflow.flow.samples import sample_seeds
from nodeflow.flow.settings import (
    FlowProblem,
    FlowSettings,
    FlowSettingsProblem,
    SampleSettings,
)
from nodeflow.flow.train import _batches, _pairs, flow_matching_loss, train_velocity
from nodeflow.stack import Stack
from nodeflow.zoo.store import Block

PAPER_SMALL = {"velocity": {"hidden": 64, "time_features": 16, "dropout": 0.0}, "source_std": 1.0}
SMALL = {"velocity": {"hidden": 48, "blocks": 1}, "learning_rate": 3e-3, "ema": 0.98}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(codes: Tensor, settings: FlowSettings, count: int, seed: int = 0) -> np.ndarray:
    """Codes sampled from a flow that was trained on codes."""
    velocity, _ = train_velocity(codes, settings, generator(seed))
    size = codes.shape[1]
    codec = RawCodec(np.zeros(size), np.ones(size))
    flow = Flow(settings, {"w": (size,)}, codec, velocity)
    return flow.codes(sample_seeds(count, seed, ("x",)), SampleSettings("heun", 20))


class Affine(nn.Module):
    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return 2 * x + t[:, None]


def test_the_loss_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    x0, x1, noise = rng.normal(size=(3, 6, 4))
    t = rng.uniform(size=6)
    total = 0.0
    for b, k in itertools.product(range(6), range(4)):
        x = (1 - t[b]) * x0[b, k] + t[b] * x1[b, k] + noise[b, k]
        total += (2 * x + t[b] - (x1[b, k] - x0[b, k])) ** 2
    found = flow_matching_loss(Affine(), *(torch.tensor(a) for a in (x0, x1, t, noise)))
    assert float(found) == pytest.approx(total / 24, rel=1e-12)


def test_method_paper_has_the_published_settings() -> None:
    paper = METHODS["paper"].settings
    assert (paper.source_std, paper.path_noise, paper.batch, paper.steps) == (0.01, 0.001, 8, 30000)
    assert (paper.learning_rate, paper.weight_decay, paper.betas) == (5e-4, 1e-5, (0.9, 0.95))
    assert (paper.final_learning_rate, paper.ema) == (1e-6, 0)
    assert paper.velocity.kind == "paper" and paper.velocity.dropout == 0.1


def test_settings_from_a_configuration() -> None:
    found = settings_of("paper", {"steps": 10, "velocity": {"hidden": 16}, "betas": [0.8, 0.9]})
    assert (found.steps, found.velocity.hidden, found.velocity.kind) == (10, 16, "paper")
    assert found.betas == (0.8, 0.9) and found.codec == METHODS["paper"].settings.codec
    assert settings_of(found.method, found.as_dict()) == found
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("magic", {}, "allowed are codes, ddpm, descent, paper"),
        ("paper", {"hiden": 3}, "hiden is no setting"),
        ("paper", {"velocity": {"widht": 3}}, "velocity.widht is no setting"),
        ("codes", {"source_std": 0}, "source_std is 0; allowed: a number > 0"),
        ("codes", {"batch": 0}, "batch is 0; allowed: a whole number ≥ 1"),
    ]
    for method, changes, text in wrong:
        with pytest.raises(FlowSettingsProblem, match=text):
            settings_of(method, changes)


def test_a_pass_uses_every_member_at_most_once() -> None:
    batches = list(itertools.islice(_batches(100, 8, generator()), 24))
    for start in (0, 12):
        seen = torch.cat(batches[start : start + 12]).tolist()
        assert len(set(seen)) == 96
    assert not torch.equal(torch.cat(batches[:12]), torch.cat(batches[12:]))
    few = next(_batches(3, 8, generator())).tolist()
    assert len(few) == 8 and max(few.count(v) for v in range(3)) == 3


def test_the_source_is_fresh() -> None:
    codes = torch.randn(10, 3, generator=generator(9))
    pairs = list(itertools.islice(_pairs(codes, None, settings_of("paper"), generator()), 40))
    sources = torch.cat([x0 for x0, _, _ in pairs])
    assert len(torch.unique(sources, dim=0)) == 40 * 8
    assert float(sources.std()) == pytest.approx(0.01, rel=0.4)
    assert len(torch.unique(torch.cat([x1 for _, x1, _ in pairs]), dim=0)) == 10


@pytest.mark.parametrize(
    "settings",
    [
        settings_of("paper", PAPER_SMALL | {"steps": 600, "batch": 128, "learning_rate": 3e-3}),
        settings_of("codes", SMALL | {"steps": 300, "batch": 128}),
    ],
    ids=["paper", "codes"],
)  # fmt: skip
def test_a_gaussian_is_recovered(settings: FlowSettings) -> None:
    mean = torch.tensor([1.0, -0.5])
    root = torch.tensor([[1.2, 0.0], [0.8, 0.5]])
    noise = torch.randn(4000, 2, generator=generator(1))
    whitened, _ = torch.linalg.qr(noise - noise.mean(dim=0))
    codes = mean + math.sqrt(3999) * whitened @ root.T
    found = drawn(codes, settings, 1000)
    covariance = (root @ root.T).numpy()
    assert np.cov(codes.T) == pytest.approx(covariance, abs=1e-4)
    assert np.abs(found.mean(axis=0) - mean.numpy()).max() < 0.15
    assert np.abs(np.cov(found.T) - covariance).max() < 0.25


@pytest.mark.parametrize("method", ["paper", "codes"])
def test_a_tiny_zoo_is_memorised_with_the_right_frequencies(method: str) -> None:
    points = torch.tensor([[2.0, 0.0, 1.0], [-1.0, 1.5, 0.0]])
    codes = points[[0, 0, 1]]
    changes = (PAPER_SMALL if method == "paper" else SMALL) | {"steps": 800, "batch": 96}
    settings = settings_of(method, changes | {"learning_rate": 3e-3})
    found = drawn(codes, settings, 600)
    distance = np.linalg.norm(found[:, None] - points.numpy(), axis=2)
    near = distance < 0.4
    assert near.any(axis=1).mean() > 0.93
    share = near[:, 0].sum() / near.sum()
    assert abs(share - 2 / 3) < 4 * math.sqrt(2 / 9 / 600) + 0.03


def test_training_depends_on_its_seed_and_not_on_what_is_watched() -> None:
    codes = torch.randn(20, 4, generator=generator(1))
    settings = settings_of("paper", PAPER_SMALL | {"steps": 30, "velocity": {"hidden": 8}})
    before = torch.random.get_rng_state()
    state = train_velocity(codes, settings, generator())[0].state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    same, history = train_velocity(codes, settings, generator(), held_out=codes[:7] + 1)
    assert all(torch.equal(value, state[name]) for name, value in same.state_dict().items())
    other = train_velocity(codes, settings, generator(1))[0].state_dict()
    assert not torch.equal(other["last.weight"], state["last.weight"])
    assert history["step"].tolist() == list(range(1, 31))
    assert np.isfinite(history.to_numpy()).all()
    _, unwatched = train_velocity(codes, settings, generator())
    assert unwatched["held_out_loss"].isna().all()
    assert (unwatched["train_loss"] == history["train_loss"]).all()


def test_the_gap_between_held_out_and_training_loss_shows_memorisation() -> None:
    codes = torch.randn(42, 6, generator=generator(1))
    settings = settings_of("codes", SMALL | {"steps": 800})
    _, history = train_velocity(codes[:12], settings, generator(), held_out=codes[12:])
    first, last = history.iloc[0], history.iloc[-1]
    assert last["train_loss"] < 0.75 * first["train_loss"]
    assert last["held_out_loss"] > first["held_out_loss"]
    assert last["loss"] == pytest.approx(last["train_loss"], rel=0.25)


def test_the_moving_average_is_between_the_weights() -> None:
    codes = torch.randn(20, 4, generator=generator(1))
    base = {"steps": 40, "velocity": {"hidden": 8}}
    last = train_velocity(codes, settings_of("codes", base | {"ema": 0.0}), generator())[0]
    mean = train_velocity(codes, settings_of("codes", base | {"ema": 0.9}), generator())[0]
    # The same steps were taken: the average lags behind the weights on their way from zero.
    lengths = [float(v.get_parameter("last.weight").detach().norm()) for v in (mean, last)]
    assert 0 < lengths[0] < lengths[1]


def test_a_flow_is_fitted_on_members_only() -> None:
    def block(count: int, seed: int) -> Stack[torch.Tensor]:
        first = torch.randn(count, 2, 3, generator=generator(seed))
        return Block(np.arange(count), {"a": first, "b": torch.randn(count, 4)})

    members, held_out = block(12, 1), block(5, 2)
    settings = settings_of("codes", {"steps": 5, "velocity": {"hidden": 8}})
    flow, history = fit_flow(LearnedZoo(members, held_out), settings, 1, ("x",))
    alone, _ = fit_flow(LearnedZoo(members), settings, 1, ("x",))
    other, _ = fit_flow(LearnedZoo(members), settings, 1, ("y",))
    assert isinstance(flow, Flow) and isinstance(flow.codec, PcaCodec)
    assert flow.codec.size == 10
    samples = [
        sample(f, 4, SampleSettings(), 1, ("x",)).about["code"] for f in (flow, alone, other)
    ]
    assert (samples[0] == samples[1]).all() and (samples[0] != samples[2]).any()
    assert len(history) == 5
    members.parameters["a"][3] = torch.nan
    with pytest.raises(Exception, match="finite"):
        fit_flow(LearnedZoo(members), settings, 1, ("x",))
    with pytest.raises(FlowProblem, match="finite"):
        train_velocity(torch.full((3, 2), torch.nan), settings, generator())


def test_labels_stay_with_their_codes_and_are_withheld_at_the_asked_rate() -> None:
    codes, classes = torch.arange(90.0)[:, None], torch.arange(90) % 3
    settings = settings_of("codes", {"label_dropout": 0.25, "batch": 30})
    pairs = list(itertools.islice(_pairs(codes, classes, settings, generator()), 60))
    found = torch.cat([x1 for _, x1, _ in pairs]).flatten().long() % 3
    label = torch.cat([label for _, _, label in pairs if label is not None])
    withheld = label == 3
    assert torch.equal(label[~withheld], found[~withheld])
    assert float(withheld.float().mean()) == pytest.approx(0.25, abs=0.05)
    for k in range(3):
        assert float(withheld[found == k].float().mean()) == pytest.approx(0.25, abs=0.08)
