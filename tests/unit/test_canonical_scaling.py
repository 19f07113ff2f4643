import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nodeflow.canonical.scaling import balance
from nodeflow.canonical.symmetry import Symmetry, mlp_symmetry, rescale
from nodeflow.seeds import torch_generator
from nodeflow.zoo.perceptrons import mlp

ARCHITECTURE = mlp([5, 8, 6, 7, 3])
SYMMETRY = mlp_symmetry(ARCHITECTURE.shapes)
MEMBERS = 4


def networks(seed: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    generator = torch_generator(seed, "networks")
    return {
        name: torch.randn(MEMBERS, *shape, generator=generator, dtype=torch.float64).to(dtype)
        for name, shape in ARCHITECTURE.shapes.items()
    }


def scales(seed: int, symmetry: Symmetry = SYMMETRY) -> dict[str, Tensor]:
    generator = torch_generator(seed, "scales")
    return {
        group.name: torch.randn(MEMBERS, group.size, generator=generator).double().exp()
        for group in symmetry.groups
    }


def squares(parameters: dict[str, Tensor]) -> Tensor:
    return torch.stack([t.square().flatten(1).sum(1) for t in parameters.values()]).sum(0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_every_scaling_of_a_network_is_balanced_to_the_same_smallest_one(seed: int) -> None:
    parameters = networks(seed)
    balanced = balance(parameters, SYMMETRY)
    other = rescale(parameters, SYMMETRY, scales(seed))
    again, twice = balance(other, SYMMETRY), balance(balanced.parameters, SYMMETRY)
    for name, tensor in balanced.parameters.items():
        assert torch.allclose(tensor, again.parameters[name], rtol=1e-7, atol=1e-9)
        assert torch.allclose(tensor, twice.parameters[name], rtol=1e-8, atol=1e-9)
        assert tensor.dtype == parameters[name].dtype
    for trial in range(5):
        nearby = {name: s**0.05 for name, s in scales(seed + trial).items()}
        assert (squares(balanced.parameters) < squares(other)).all()
        moved = rescale(balanced.parameters, SYMMETRY, nearby)
        assert (squares(balanced.parameters) < squares(moved)).all()
    rebuilt = rescale(parameters, SYMMETRY, balanced.scales)
    assert all(torch.equal(rebuilt[name], balanced.parameters[name]) for name in rebuilt)


def test_what_makes_a_unit_weighs_as_much_as_what_reads_it() -> None:
    p = balance(networks(1), SYMMETRY).parameters
    for layer, size in enumerate((8, 6, 7)):
        made = p[f"layer{layer}.weight"].square().sum(2) + p[f"layer{layer}.bias"].square()
        read = p[f"layer{layer + 1}.weight"].square().sum(1)
        assert made.shape == (MEMBERS, size)
        assert torch.allclose(made, read, rtol=1e-8)


def test_the_function_stays() -> None:
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        parameters = networks(2, dtype)
        x = torch.randn(30, 5, generator=torch_generator(0, "x"), dtype=torch.float64).to(dtype)
        before = ARCHITECTURE.forward(parameters, x)
        after = ARCHITECTURE.forward(balance(parameters, SYMMETRY).parameters, x)
        assert ((before - after).abs() / before.abs().amax((1, 2), keepdim=True)).max() < tolerance


def test_a_unit_that_nothing_reads_or_makes_keeps_its_scale() -> None:
    parameters = networks(3)
    parameters["layer1.weight"][0, :, 2] = 0  # nothing reads unit 2 of layer 0
    parameters["layer0.weight"][1, 4] = 0  # nothing makes unit 4 of layer 0
    parameters["layer0.bias"][1, 4] = 0
    balanced = balance(parameters, SYMMETRY)
    assert balanced.scales["layer0"][0, 2] == 1 and balanced.scales["layer0"][1, 4] == 1
    assert all(tensor.isfinite().all() for tensor in balanced.parameters.values())


def test_each_network_is_balanced_as_if_alone() -> None:
    parameters = networks(4)
    together = balance(parameters, SYMMETRY)
    for member in range(MEMBERS):
        alone = balance({n: t[member : member + 1] for n, t in parameters.items()}, SYMMETRY)
        assert alone.sweeps[0] == together.sweeps[member]
        for name, tensor in alone.parameters.items():
            assert torch.equal(tensor[0], together.parameters[name][member])
