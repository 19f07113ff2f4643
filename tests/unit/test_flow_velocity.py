from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nodeflow.flow.velocity import (
    SeededDropout,
    VelocityProblem,
    VelocitySettings,
    build_velocity,
    draw_dropout_from,
    gaussian_velocity,
)


def build(size: int, settings: VelocitySettings, seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    mean, variance = torch.zeros(size), torch.ones(size)
    return build_velocity(settings, mean, variance, 1.0, 0.0, generator)


@pytest.mark.parametrize(
    ("size", "hidden", "time", "count"),
    [(131, 128, 4, "51551"), (26506, 64, 64, "3.43M"), (26506, 512, 64, "27.47M"),
     (118282, 64, 64, "15.27M"), (99, 1024, 128, "1.41M"), (99, 384, 64, "0.26M")],
)  # fmt: skip
def test_the_papers_network_has_the_published_sizes(
    size: int, hidden: int, time: int, count: str
) -> None:
    velocity = build(size, VelocitySettings("paper", hidden, time, 0.1))
    found = sum(p.numel() for p in velocity.parameters())
    assert count in (str(found), f"{found / 1e6:.2f}M")


def test_the_papers_network_computes_what_the_paper_says() -> None:
    velocity = build(5, VelocitySettings("paper", 8, 4, 0.1)).eval()
    with torch.no_grad():
        for parameter in velocity.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
    w = [p.detach().double().numpy() for p in velocity.parameters()]

    def gelu(a: np.ndarray) -> np.ndarray:
        import scipy.special

        out: np.ndarray = a * (1 + scipy.special.erf(a / np.sqrt(2))) / 2
        return out

    def norm(a: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
        centred = a - a.mean(axis=1, keepdims=True)
        variance = (centred**2).mean(axis=1, keepdims=True)
        out: np.ndarray = centred / np.sqrt(variance + 1e-5) * scale + shift
        return out

    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(6, 5)), rng.uniform(size=6)
    time = gelu(t[:, None] @ w[0].T + w[1]) @ w[2].T + w[3]
    h = np.concatenate([x, time], axis=1)
    for i in range(4, 16, 4):
        h = gelu(norm(h @ w[i].T + w[i + 1], w[i + 2], w[i + 3]))
    expected = h @ w[16].T + w[17]
    found = velocity(torch.tensor(x).float(), torch.tensor(t).float()).detach().numpy()
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_an_untrained_paper_field_is_zero_and_a_residual_one_gaussian() -> None:
    x, t = torch.randn(7, 9, generator=torch.Generator().manual_seed(1)), torch.linspace(0, 1, 7)
    assert (build(9, VelocitySettings("paper", 16, 4))(x, t) == 0).all()
    mean, variance = torch.linspace(-1, 1, 9), torch.linspace(0.1, 2, 9)
    settings = VelocitySettings("residual", 16, 4, blocks=2)
    velocity = build_velocity(settings, mean, variance, 0.5, 0.1, torch.Generator())
    expected, _ = gaussian_velocity(x, t[:, None], mean, variance, 0.5, 0.1)
    assert torch.equal(velocity(x, t), expected)


def test_the_gaussian_velocity_is_the_regression_of_displacement_on_position() -> None:
    rng = np.random.default_rng(5)
    mean, variance, s, sigma = 0.7, 2.5, 0.6, 0.3
    x0, x1 = s * rng.normal(size=400_000), mean + np.sqrt(variance) * rng.normal(size=400_000)
    for t in (0.0, 0.2, 0.7, 1.0):
        xt = (1 - t) * x0 + t * x1 + sigma * rng.normal(size=400_000)
        slope, intercept = np.polyfit(xt, x1 - x0, 1)
        grid = torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64)
        found, deviation = gaussian_velocity(
            grid, torch.tensor(t), torch.tensor([mean]), torch.tensor([variance]), s, sigma
        )
        assert found[:, 0].numpy() == pytest.approx(
            intercept + slope * grid[:, 0].numpy(), abs=0.03
        )
        assert float(deviation) == pytest.approx(xt.std(), rel=0.01)


def test_initial_weights_are_pytorchs_default_distribution_from_the_given_generator() -> None:
    before = torch.random.get_rng_state()
    settings = VelocitySettings("paper", 256, 64)
    first, again, other = build(300, settings), build(300, settings), build(300, settings, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    weight = first.get_parameter("body.0.weight")
    assert torch.equal(weight, again.get_parameter("body.0.weight"))
    assert not torch.equal(weight, other.get_parameter("body.0.weight"))
    bound = 1 / np.sqrt(364)
    reference = nn.Linear(364, 256).weight
    assert float(weight.abs().max()) == pytest.approx(bound, rel=1e-3)
    assert float(weight.std()) == pytest.approx(float(reference.std()), rel=0.02)


def test_dropout_follows_its_generator_and_keeps_the_mean() -> None:
    layer = SeededDropout(0.4)
    with pytest.raises(RuntimeError):
        layer(torch.ones(3))
    draw_dropout_from(layer, torch.Generator().manual_seed(2))
    before = torch.random.get_rng_state()
    out = layer(torch.ones(200_000))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert float((out == 0).double().mean()) == pytest.approx(0.4, abs=0.01)
    assert float(out.mean()) == pytest.approx(1, abs=0.01)
    draw_dropout_from(layer, torch.Generator().manual_seed(2))
    assert torch.equal(layer(torch.ones(200_000)), out)
    assert torch.equal(layer.eval()(torch.ones(5)), torch.ones(5))


def test_a_coordinate_without_variance_has_a_finite_velocity() -> None:
    settings = VelocitySettings("residual", 8, 4)
    variance = torch.tensor([1.0, 0.0])
    velocity = build_velocity(settings, torch.zeros(2), variance, 1.0, 0.0, torch.Generator())
    assert torch.isfinite(velocity(torch.ones(2, 2), torch.tensor([0.0, 1.0]))).all()


def test_settings_refuse_nonsense() -> None:
    for change in [{"kind": "big"}, {"hidden": 1}, {"dropout": 1.0}, {"blocks": 0}]:
        with pytest.raises(VelocityProblem):
            VelocitySettings(**change)  # type: ignore[arg-type]
    with pytest.raises(VelocityProblem, match="even"):
        build(3, VelocitySettings("residual", 8, 5))
