import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from nodeflow.datasets import load_dataset
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architecture import INITIALIZATIONS
from nodeflow.zoo.architectures import build
from nodeflow.zoo.perceptrons import classifier, mlp
from nodeflow.zoo.settings import ArchitectureProblem


@pytest.mark.parametrize(
    ("widths", "parameters"),
    [
        ([4, 16, 3], 131),
        ([64, 32, 32, 10], 3_466),
        ([784, 32, 32, 10], 26_506),
        ([784, 128, 128, 10], 118_282),
    ],
)
def test_published_parameter_counts(widths: list[int], parameters: int) -> None:
    assert mlp(widths).parameters == parameters


def module(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("widths", [[5, 3], [4, 16, 3], [7, 6, 5, 4]])
def test_forward_agrees_with_torch_modules(widths: list[int]) -> None:
    architecture = mlp(widths)
    generators = [torch_generator(3, "test", k) for k in range(4)]
    parameters = architecture.initialize(generators)
    for name in parameters:
        if name.endswith("bias"):
            parameters[name].normal_(generator=generators[0])
    x = torch.randn(9, widths[0], generator=generators[1])
    logits = architecture.forward(parameters, x)
    assert logits.shape == (4, 9, widths[-1])
    own = architecture.forward(parameters, x.repeat(4, 1, 1) + torch.arange(4.0)[:, None, None])
    network = module(widths)
    for k in range(4):
        for (_, target), source in zip(
            network.named_parameters(), parameters.values(), strict=True
        ):
            assert target.shape == source.shape[1:]
            target.data.copy_(source[k])
        assert torch.allclose(logits[k], network(x), atol=1e-5)
        assert torch.allclose(own[k], network(x + k), atol=1e-5)


def test_a_network_starts_alike_whatever_it_starts_with() -> None:
    architecture = mlp([6, 5, 4])

    def start(*seeds: int) -> dict[str, torch.Tensor]:
        return architecture.initialize([torch_generator(s, "test") for s in seeds])

    together, alone = start(1, 2, 3), start(2)
    for name in architecture.shapes:
        assert torch.equal(together[name][1], alone[name][0])
    assert not torch.equal(together["layer0.weight"][0], together["layer0.weight"][1])


@pytest.mark.parametrize("name", list(INITIALIZATIONS))
def test_initializations_have_their_range_and_variance(name: str) -> None:
    fan_in, fan_out = 300, 500
    architecture = mlp([fan_in, fan_out, 10])
    parameters = architecture.initialize([torch_generator(0, "test")], [name])
    weight = parameters["layer0.weight"][0]
    bound = {
        "he_uniform": math.sqrt(6 / fan_in),
        "xavier_uniform": math.sqrt(6 / (fan_in + fan_out)),
        "torch": 1 / math.sqrt(fan_in),
        "normal": 0.02 * math.sqrt(3),
        "uniform": 0.1,
    }[name]
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    if name != "normal":
        assert bound * 0.999 < weight.abs().max() <= bound
    assert not parameters["layer0.bias"].any() and not parameters["layer1.bias"].any()


def test_initializations_are_those_of_torch() -> None:
    def ours(name: str) -> torch.Tensor:
        start = mlp([30, 40]).initialize([torch_generator(1, "test")], [name])
        return start["layer0.weight"][0]

    def rng() -> torch.Generator:
        return torch_generator(1, "test")

    w = torch.empty(40, 30)
    he = nn.init.kaiming_uniform_(w, nonlinearity="relu", generator=rng()).clone()
    assert torch.allclose(ours("he_uniform"), he, rtol=1e-6)
    xavier = nn.init.xavier_uniform_(w, generator=rng()).clone()
    assert torch.allclose(ours("xavier_uniform"), xavier, rtol=1e-6)
    default = nn.init.kaiming_uniform_(w, a=math.sqrt(5), generator=rng()).clone()
    assert torch.allclose(ours("torch"), default, rtol=1e-6)


def test_classifier_fits_its_data() -> None:
    assert classifier(load_dataset("digits"), [32, 32]).shapes == mlp([64, 32, 32, 10]).shapes
    assert classifier(load_dataset("iris"), [16]).parameters == 131
    for widths in ([5, 3], [7, 6, 5, 4]):
        found = build(**mlp(widths, "tanh").recipe)
        assert found.shapes == mlp(widths).shapes and found.name == mlp(widths).name
        assert found.activation == "tanh"
    assert np.array_equal(list(mlp([2, 3]).shapes), ["layer0.weight", "layer0.bias"])


def test_what_is_no_architecture_is_one_line() -> None:
    for widths in ([3], [4, 0, 2], []):
        with pytest.raises(ArchitectureProblem, match="make no MLP"):
            mlp(widths)
    with pytest.raises(ArchitectureProblem, match="he_uniform, xavier_uniform"):
        mlp([2, 2]).initialize([torch_generator(0, "test")], ["he"])
