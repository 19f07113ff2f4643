"""Networks that were trained elsewhere are taken as torch saves them, and given back so."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nodeflow import zoo
from nodeflow.tensors import TensorProblem

ITEM = (3, 4, 4)


def network(seed: int) -> nn.Sequential:
    """With running statistics and a counter."""
    torch.manual_seed(seed)
    made = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3)
    )
    made[1].running_mean.uniform_(-1, 1)  # type: ignore[operator]
    return made.eval()


NETWORKS = [network(seed) for seed in range(4)]
ARCHITECTURE = zoo.from_module(network(9), item=ITEM)
STATES: list[dict[str, Tensor]] = [net.state_dict() for net in NETWORKS]

FORMS: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "as they are": lambda state: state,
    "by name": lambda state: dict(sorted(state.items(), reverse=True)),
    "DataParallel": lambda state: {f"module.{name}": x for name, x in state.items()},
    "compiled": lambda state: {f"_orig_mod.{name}": x for name, x in state.items()},
    "a part of a larger module": lambda state: {
        **{f"net.{name}": x for name, x in state.items()},
        "loss.weight": torch.ones(3),
    },
    "both": lambda state: {f"module._orig_mod.{name}": x for name, x in state.items()},
    "checkpoint": lambda state: {"epoch": 3, "state_dict": OrderedDict(state)},
    "nested": lambda state: {"model": {"state_dict": {f"model.{n}": x for n, x in state.items()}}},
    "numpy": lambda state: {name: x.numpy() for name, x in state.items()},
    "double": lambda state: {
        n: x.double() if x.is_floating_point() else x for n, x in state.items()
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_computes_what_the_networks_do(form: str) -> None:
    block = zoo.from_state_dicts(ARCHITECTURE, [FORMS[form](state) for state in STATES])
    x = torch.randn(6, *ITEM)
    found = zoo.predict(ARCHITECTURE, {**block.parameters, **block.statistics}, x.numpy())
    with torch.no_grad():
        for row, net in zip(found, NETWORKS, strict=True):
            np.testing.assert_allclose(row, net(x).numpy(), atol=1e-5)


def test_they_go_back_into_their_module() -> None:
    block = zoo.from_state_dicts(ARCHITECTURE, STATES)
    for place, net in enumerate(NETWORKS):
        one = {n: x[place] for n, x in {**block.parameters, **block.statistics}.items()}
        again = network(7)
        again.load_state_dict(ARCHITECTURE.state_dict(one), strict=False)
        x = torch.randn(2, *ITEM)
        torch.testing.assert_close(again(x), net(x))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {n: x for n, x in s.items() if n != "4.bias"}, ["4.bias is missing from state"]),
        (lambda s: {**s, "5.weight": torch.zeros(2)}, ["5.weight of state dictionary 2"]),
        (lambda s: {**s, "0.weight": torch.zeros(5, 2, 3, 3)}, ["0.weight of state dictionary 2"]),
        (lambda s: [1, 2], ["state dictionary 2 is list"]),
        (
            lambda s: {n: x for n, x in s.items() if "running" not in n},
            ["running_mean", "number 2"],
        ),
    ],
)
def test_one_that_does_not_fit_is_named_with_its_tensor(change: Any, words: list[str]) -> None:
    with pytest.raises(TensorProblem) as problem:
        zoo.from_state_dicts(ARCHITECTURE, [*STATES[:2], change(STATES[2]), STATES[3]])
    for word in words:
        assert word in str(problem.value)
    no_list: list[Any] = [[], STATES[0]]
    for states in no_list:
        with pytest.raises(TensorProblem, match="a list of at least one"):
            zoo.from_state_dicts(ARCHITECTURE, states)
