"""Checkpoints as training loops leave them become a zoo; what is none of it is left out."""

import argparse
import json
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nodeflow import flow, zoo
from nodeflow.flow.settings import FlowProblem
from nodeflow.zoo.exports import completed, write_checkpoints
from nodeflow.zoo.files import CheckpointProblem, checkpoint_files
from nodeflow.zoo.imports import RelatedWarning
from nodeflow.zoo.settings import ArchitectureProblem

State = dict[str, Tensor]
ITEM = (1, 6, 6)


class Basic(nn.Module):
    """A basic block as torchvision writes it."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.downsample(x)
        return self.relu(out)  # type: ignore[no-any-return]


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(Basic(1, 4, 1), Basic(4, 6, 2))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.layer1(x)), 1))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Packed projections, and a readout that shares the embedding's matrix."""

    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 7, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("mask", torch.ones(5))

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x) * self.mask[:, None]
        h = self.norm(h + self.attention(h, h, h, need_weights=False)[0])
        return self.head(h.mean(1))  # type: ignore[no-any-return]


def trained(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network that has seen some items, without any training."""
    torch.manual_seed(seed)
    net = make()
    if not any(isinstance(part, nn.Embedding) for part in net.modules()):
        net(torch.randn(16, *ITEM))
    return net.eval()


NETS = [trained(ResNet, seed) for seed in range(5)]
STATES: list[State] = [net.state_dict() for net in NETS]


def with_prefix(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": x for name, x in state.items()}


def other(state: State) -> State:
    """Another network of the same architecture."""
    return {n: x + 0.1 if x.is_floating_point() else x for n, x in state.items()}


def flat(state: State) -> State:
    return {name: x for name, x in state.items() if "num_batches" not in name}


FORMS: dict[str, Callable[[State], Any]] = {
    "plain": lambda s: s,
    "DataParallel": lambda s: with_prefix("module.", s),
    "compiled": lambda s: with_prefix("_orig_mod.", s),
    "Lightning": lambda s: {
        "epoch": 3,
        "global_step": 90,
        "pytorch-lightning_version": "2.5",
        "state_dict": {**with_prefix("model.", s), "metric.total": torch.tensor(3.0)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []}],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 0.1},
    },
    "Lightning, compiled": lambda s: {"state_dict": with_prefix("net._orig_mod.", s)},
    "accelerate": lambda s: {"model_state_dict": s, "optimizer_state_dict": {"state": {}}},
    "train and resume": lambda s: {
        "model": s,
        "optimizer": {"state": {0: {"step": 1}}},
        "epoch": 9,
    },
    "averaged": lambda s: {"n_averaged": torch.tensor(4), **with_prefix("module.", s)},
    "FSDP": lambda s: {
        n.replace("layer1.", "layer1._fsdp_wrapped_module."): x for n, x in s.items()
    },
    "one part parallel": lambda s: {
        n.replace("layer1.", "layer1.module."): x for n, x in s.items()
    },
    "with its copy": lambda s: {"model": s, "model_ema": {n: x.clone() for n, x in s.items()}},
    "with numbers": lambda s: {**s, "epoch": 5, "accuracy": 0.93, "note": "best"},
    "half": lambda s: {n: x.half() if x.is_floating_point() else x for n, x in s.items()},
    "bfloat16": lambda s: {n: x.bfloat16() if x.is_floating_point() else x for n, x in s.items()},
    "double": lambda s: {n: x.double() if x.is_floating_point() else x for n, x in s.items()},
    "without counters": flat,
    "by name": lambda s: OrderedDict(sorted(s.items(), reverse=True)),
    "to be trained": lambda s: {
        n: x.clone().requires_grad_(x.is_floating_point()) for n, x in s.items()
    },
    "several deep": lambda s: {"run": {"best": {"net": with_prefix("backbone.", s)}}},
}


@pytest.mark.parametrize("form", FORMS)
def test_networks_are_found_in_every_form_and_go_back_into_their_module(
    form: str, tmp_path: Path
) -> None:
    for place, state in enumerate(STATES):
        torch.save(FORMS[form](state), tmp_path / f"run_{place}.pt")
    found = zoo.import_checkpoints(tmp_path, ResNet, ITEM)
    assert found.report["status"].tolist() == ["ok"] * len(STATES)
    x = torch.randn(6, *ITEM)
    said = zoo.predict(found.architecture, found.members.tensors, x.numpy())
    tolerance = {"half": 1e-2, "bfloat16": 1e-1}.get(form, 1e-5)
    for place, net in enumerate(NETS):
        with torch.no_grad():
            torch.testing.assert_close(said[place], net(x), atol=tolerance, rtol=tolerance)
        again = ResNet().eval()
        state = found.state_dict({n: t[place] for n, t in found.members.tensors.items()})
        again.load_state_dict(state, strict=True)
        assert {state[name].dtype for name in found.architecture.shapes} == {
            {"half": torch.float16, "bfloat16": torch.bfloat16, "double": torch.float64}.get(
                form, torch.float32
            )
        }


def test_files_of_all_kinds_make_one_zoo_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    save_file(STATES[0], tmp_path / "net_1.safetensors")
    torch.save(STATES[1], tmp_path / "net_2.pth", _use_new_zipfile_serialization=False)
    torch.save(STATES[2], tmp_path / "net_10.bin")
    torch.save({"state_dict": STATES[3]}, tmp_path / "net_11.ckpt")
    parts = [dict(list(STATES[4].items())[k::2]) for k in (0, 1)]
    names = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    for name, part in zip(names, parts, strict=True):
        save_file(part, tmp_path / name)
    weights = {n: name for name, part in zip(names, parts, strict=True) for n in part}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    (tmp_path / "log.txt").write_text("epoch 1")
    found = zoo.import_checkpoints(tmp_path, ResNet(), ITEM)
    assert found.report["status"].tolist() == ["left out"] * 2 + ["ok"] * 4
    assert found.report["reason"].str.contains("one of several parts").tolist()[:2] == [True] * 2
    for place, state in enumerate(STATES[:4]):
        np.testing.assert_array_equal(
            found.members.parameters["fc.weight"][place], state["fc.weight"]
        )
    whole = zoo.import_checkpoints(tmp_path, ResNet, ITEM, pattern="*.index.json")
    torch.testing.assert_close(whole.members.parameters["fc.bias"][0], STATES[4]["fc.bias"])


def test_packed_attention_tied_weights_tokens_and_buffers_go_there_and_back() -> None:
    nets = [trained(Attention, seed) for seed in range(4)]
    states: list[Any] = [net.state_dict() for net in nets]
    states[1] = {n: x for n, x in states[1].items() if n != "head.weight"}  # as safetensors keep it
    states[2] = {n: x for n, x in states[2].items() if n != "embed.weight"}
    found = zoo.import_checkpoints(states, Attention, (5,), tokens=7)
    assert found.report["status"].tolist() == ["ok"] * 4
    x = torch.randint(7, (6, 5))
    model = flow.fit_checkpoints(found, settings={"steps": 3, "batch": 4}, seed=1)
    said = zoo.predict(found.architecture, model.aligned.tensors, x.numpy())
    with torch.no_grad():
        for place, net in enumerate(nets):
            torch.testing.assert_close(said[place], net(x), atol=1e-5, rtol=1e-5)
    again = Attention()
    again.load_state_dict(model.sample(1)[0], strict=True)
    assert torch.equal(again.head.weight, again.embed.weight)


SLIPS: dict[str, tuple[Callable[[State], Any], str]] = {
    "not finite": (
        lambda s: {**s, "fc.bias": s["fc.bias"] * torch.nan},
        r"tensor fc.bias of .*bad.pt holds values that are not finite",
    ),
    "another width": (
        lambda s: {**s, "fc.weight": torch.zeros(4, 6)},
        r"tensor fc.weight of .*bad.pt has shape \(4, 6\), and ResNet has \(3, 6\)",
    ),
    "transposed": (
        lambda s: {**s, "fc.weight": s["fc.weight"].T.contiguous()},
        r"\(6, 3\), transposed, and ResNet has \(3, 6\)",
    ),
    "incomplete": (
        lambda s: {n: x for n, x in s.items() if n != "layer1.1.bn2.weight"},
        r"layer1.1.bn2.weight is missing from .*bad.pt",
    ),
    "without statistics": (
        lambda s: {n: x for n, x in s.items() if "running" not in n},
        r"running_mean \(a buffer of batch normalization\) is missing",
    ),
    "more layers": (lambda s: {**s, "extra.weight": torch.ones(2)}, r"extra.weight of .*bad.pt"),
    "another architecture": (
        lambda s: nn.Linear(3, 3).state_dict(),
        r"bad.pt holds no network of ResNet, whose first tensor is layer1.0.conv1.weight; it holds",
    ),
    "an optimizer": (
        lambda s: {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
        r"holds no network",
    ),
    "two networks": (
        lambda s: {"model": s, "model_ema": other(s)},
        r'several networks, at model and model_ema; say which with part, e.g. part: "model_ema"',
    ),
    "a student and a teacher": (
        lambda s: {
            "state_dict": {**with_prefix("student.", s), **with_prefix("teacher.", other(s))}
        },
        r"at state_dict/student. and state_dict/teacher.",
    ),
    "the same network": (lambda s: STATES[0], r"bad.pt is the same network as .*good_0.pt"),
    "a list": (lambda s: list(s.values()), r"bad.pt holds list; save the state dictionary"),
    "a whole module": (lambda s: ResNet(), r"without running code of its own .*ResNet"),
    "a numpy scalar": (
        lambda s: {"state_dict": s, "best": np.float64(0.9)},
        r"running code of its own \(numpy.*save the tensors alone",
    ),
    "a namespace": (
        lambda s: {"state_dict": s, "args": argparse.Namespace(lr=0.1)},
        r"running code of its own \(argparse.Namespace\)",
    ),
    "integers": (
        lambda s: {**s, "fc.bias": torch.zeros(3, dtype=torch.int8)},
        r"fc.bias .* holds int8",
    ),
    "nothing": (lambda s: {}, r"it holds nothing"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_what_is_no_network_is_left_out_with_the_reason(slip: str, tmp_path: Path) -> None:
    change, words = SLIPS[slip]
    for place, state in enumerate(STATES[:3]):
        torch.save(state, tmp_path / f"good_{place}.pt")
    torch.save(change(STATES[3]), tmp_path / "zz_bad.pt")
    found = zoo.import_checkpoints(tmp_path, ResNet, ITEM)
    assert found.members.members.tolist() == [0, 1, 2]
    assert found.report["status"].tolist() == ["ok"] * 3 + ["left out"]
    reason = found.report["reason"].iloc[-1]
    assert found.report["reason"].tolist()[:3] == [""] * 3
    assert "\n" not in reason and reason.endswith(".")
    assert re.search(words, reason), reason


FILES: dict[str, tuple[str, bytes, str]] = {
    "cut": ("bad.pt", b"PK\x03\x04 and no more", "damaged, cut, or no file that torch.save wrote"),
    "empty": ("bad.pt", b"", "damaged, cut, or no file that torch.save wrote"),
    "a text": ("bad.pth", b"hello", "damaged, cut, or no file that torch.save wrote"),
    "no safetensors": ("bad.safetensors", b"hello world, no header", "no whole safetensors file"),
    "a pointer": ("bad.safetensors", b"version https://git-lfs and so on", "git lfs pull"),
    "an index": ("bad.index.json", b"{}", "no index of the parts"),
    "another ending": ("bad.npz", b"", "ends in none of"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_be_read_is_left_out(kind: str, tmp_path: Path) -> None:
    name, content, words = FILES[kind]
    torch.save(STATES[0], tmp_path / "good.pt")
    (tmp_path / name).write_bytes(content)
    found = zoo.import_checkpoints([tmp_path / "good.pt", tmp_path / name], ResNet, ITEM)
    assert len(found.members) == 1
    assert words in found.report["reason"].iloc[1]
    assert name in found.report["reason"].iloc[1]
    with pytest.raises(CheckpointProblem, match=r"none of the 1 checkpoints .*the first: "):
        zoo.import_checkpoints([tmp_path / name], ResNet, ITEM)


@pytest.mark.parametrize("part", ["model_ema", "swa/avg/ema."])
def test_one_of_several_networks_is_taken_by_name(part: str) -> None:
    given = [
        {"model": s, "model_ema": other(s), "swa": {"avg": with_prefix("ema.", other(other(s)))}}
        for s in STATES[:3]
    ]
    found = zoo.import_checkpoints(given, ResNet, ITEM, part=part)
    wanted = other(STATES[0]) if part == "model_ema" else other(other(STATES[0]))
    torch.testing.assert_close(found.members.parameters["fc.bias"][0], wanted["fc.bias"])
    with pytest.raises(CheckpointProblem, match="no network at none; it has some at model, "):
        zoo.import_checkpoints(given, ResNet, ITEM, part="none")


def test_epochs_of_one_run_are_told_from_independent_runs() -> None:
    def epochs(seed: int) -> list[State]:
        generator = torch.Generator().manual_seed(seed)
        steps = [torch.randn(64, 64, generator=generator) for _ in range(8)]
        return [
            {"weight": 8 * steps[0] + torch.stack(steps[1 : k + 2]).sum(0), "bias": torch.ones(64)}
            for k in range(6)
        ]

    module = nn.Linear(64, 64)
    with pytest.warns(RelatedWarning, match="12 of 12 networks .* keep one of each run"):
        zoo.import_checkpoints([*epochs(0), *epochs(1)], module)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = zoo.import_checkpoints([epochs(k)[-1] for k in range(12)], module)
    assert (found.report["nearest"] > 0.9).all()


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointProblem, match="is no folder"):
        checkpoint_files(tmp_path / "no")
    with pytest.raises(CheckpointProblem, match="holds no file that ends in"):
        checkpoint_files(tmp_path)
    (tmp_path / "a").mkdir()
    torch.save(STATES[0], tmp_path / "a/last.pt")
    with pytest.raises(CheckpointProblem, match=r"further down, as a/last.pt"):
        checkpoint_files(tmp_path)
    with pytest.raises(CheckpointProblem, match=r'no file in .* is like "\*.pth"'):
        checkpoint_files(tmp_path, "*.pth")
    assert checkpoint_files(tmp_path, "**/*.pt") == [tmp_path / "a/last.pt"]
    no_list: list[Any] = [[], STATES[0]]
    for given in no_list:
        with pytest.raises(CheckpointProblem):
            zoo.import_checkpoints(given, ResNet, ITEM)


def test_the_shape_of_items_is_asked_for_where_it_cannot_be_told() -> None:
    with pytest.raises(ArchitectureProblem, match="give item"):
        zoo.import_checkpoints(STATES, ResNet)
    linear = [nn.Linear(4, 2).state_dict() for _ in range(3)]
    assert zoo.import_checkpoints(linear, lambda: nn.Linear(4, 2)).architecture.item == (4,)


def test_samples_are_files_that_the_module_loads(tmp_path: Path) -> None:
    states = [FORMS["half"](state) for state in STATES]
    found = zoo.import_checkpoints(states, ResNet, ITEM)
    model = flow.fit_checkpoints(found, settings={"steps": 3, "batch": 4}, seed=1)
    x = np.random.default_rng(0).normal(size=(40, 36)).astype(np.float32)
    drawn = found.members.take([0, 1, 2])
    networks, statistics = completed(found.architecture, drawn, x, model.aligned)
    assert statistics == "recalibrated"
    networks["fc.bias"][1, 0] = 1e6  # too large for half precision
    paths = write_checkpoints(
        tmp_path / "new", found.architecture, networks, [7, 8, 9], found.dtypes, {"flow": "mine"}
    )
    assert [path.name for path in paths] == ["sample_0000.safetensors", "sample_0002.safetensors"]
    state = load_file(paths[1])
    module = ResNet().half()
    module.load_state_dict(state, strict=True)
    assert {str(t.dtype) for t in state.values()} == {"torch.float16", "torch.int64"}
    assert list(state) == list(STATES[0]) or set(state) == set(STATES[0])
    with safe_open(paths[1], "pt") as file:
        about = json.loads(file.metadata()["nodeflow"])
    assert about["seed"] == 9
    assert about["made_with"] == {"flow": "mine"}
    # Without items the statistics are those of the first member, in the order of its units.
    _, statistics = completed(found.architecture, drawn, None, model.aligned)
    assert statistics == "reference"


def test_a_list_of_state_dictionaries_becomes_new_networks_from_the_seed_alone() -> None:
    members = zoo.import_checkpoints(STATES, ResNet, ITEM)
    model = flow.fit_checkpoints(members, settings={"steps": 3, "batch": 4}, seed=1)
    first, again = model.sample(3, seed=2), model.sample(2, seed=2)
    for state, same in zip(first, again, strict=False):
        ResNet().load_state_dict(state, strict=True)
        assert all(torch.equal(state[name], same[name]) for name in state)
    with pytest.raises(FlowProblem, match="the initialization that it started from"):
        flow.fit_checkpoints(members, "descent")
