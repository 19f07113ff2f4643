"""The optimizers are torch's, without its compiler."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nodeflow.optimizers import Adagrad, Adam, Optimizer, cosine

Ours = Callable[[list[Tensor]], Optimizer]
Theirs = Callable[[list[Tensor]], torch.optim.Optimizer]

PAIRS: list[tuple[Ours, Theirs]] = [
    (Adam, lambda x: torch.optim.Adam(x, fused=True)),
    (
        lambda x: Adam(x, betas=(0.8, 0.9), weight_decay=0.1),
        lambda x: torch.optim.Adam(x, betas=(0.8, 0.9), weight_decay=0.1, fused=True),
    ),
    (
        lambda x: Adam(x, weight_decay=0.1, decoupled=True),
        lambda x: torch.optim.AdamW(x, weight_decay=0.1, fused=True),
    ),
    (
        lambda x: Adagrad(x, first=0.1),
        lambda x: torch.optim.Adagrad(x, initial_accumulator_value=0.1),
    ),
]


def leaves() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((3, 4), (4,), (2, 2))
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def loss(parameters: list[Tensor], step: int) -> Tensor:
    """The last parameter has a gradient in every other step only."""
    used = parameters if step % 2 else parameters[:-1]
    return torch.stack([((x - step) ** 2).sum() for x in used]).sum()


def go(parameters: list[Tensor], optimizer: Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        loss(parameters, step).backward()  # type: ignore[no-untyped-call]
        optimizer.step(cosine(step, 10, 0.1, 0.01))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_step_has_the_bits_of_torch_optim(ours: Ours, theirs: Theirs) -> None:
    own, other = leaves(), leaves()
    go(own, ours(own), range(10))
    reference = theirs(other)
    for step in range(10):
        reference.param_groups[0]["lr"] = cosine(step, 10, 0.1, 0.01)
        reference.zero_grad()
        loss(other, step).backward()  # type: ignore[no-untyped-call]
        reference.step()
    assert all(torch.equal(a, b) for a, b in zip(own, other, strict=True))


@pytest.mark.parametrize("make", [ours for ours, _ in PAIRS])
def test_a_restored_optimizer_goes_on_with_the_same_bits(make: Ours) -> None:
    through, halves = leaves(), leaves()
    go(through, make(through), range(10))
    first = make(halves)
    go(halves, first, range(5))
    second = make(halves)
    second.restore({name: tensor.clone() for name, tensor in first.state().items()})
    go(halves, second, range(5, 10))
    assert all(torch.equal(a, b) for a, b in zip(through, halves, strict=True))


def test_cosine_falls_from_the_first_rate_to_the_last() -> None:
    rates = [cosine(k, 8, 1.0, 0.2) for k in range(9)]
    assert rates[0] == 1.0 and rates[4] == pytest.approx(0.6) and rates[8] == pytest.approx(0.2)
    assert rates == sorted(rates, reverse=True)


def test_training_loads_no_compiler() -> None:
    """Loading it takes longer than many a training."""
    code = (
        "import sys\n"
        "from nodeflow.datasets import load_dataset\n"
        "from nodeflow.zoo import TrainSettings, build, train_block\n"
        "network = build({'kind': 'mlp', 'hidden': [4]}, (4,), 3)\n"
        "train_block(network, load_dataset('iris'), [0, 1], TrainSettings(epochs=1), 1, 'iris')\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
