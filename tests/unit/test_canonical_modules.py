"""Symmetries of users' modules: groups by kind, and aligned weights in the module itself."""

import copy
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nodeflow.canonical.align import (
    CanonicalSettings,
    UnmatchedWarning,
    align_block,
    canonicalize,
)
from nodeflow.canonical.derive import check_symmetry, derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import SymmetryProblem, permute, random_permutations
from nodeflow.canonical.universe import align_universe
from nodeflow.seeds import torch_generator
from nodeflow.tensors import TensorProblem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.ties import TieProblem
from nodeflow.zoo.torch_modules import from_module


class Net(nn.Module):
    """A module written as a function of its parts."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor], **parts: Any) -> None:
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def tied(module: nn.Module, *pairs: tuple[str, str]) -> nn.Module:
    """The module with the second weight of each pair the same as the first."""
    for one, other in pairs:
        module.get_submodule(other).weight = module.get_submodule(one).weight
    return module


def between(activation: nn.Module | Callable[[Tensor], Tensor], read: int = 12) -> nn.Module:
    """Twelve units, a function of them, and what reads them."""
    return Net(
        lambda m, x: m.b(m.f(m.a(x))),
        a=nn.Linear(4, 12), b=nn.Linear(read, 3), f=activation,
    )  # fmt: skip


def of_image(forward: Callable[[Any, Tensor], Tensor], read: int = 12, **parts: Any) -> nn.Module:
    """Twelve channels of an image, a function of them, and what reads them."""
    return Net(
        lambda m, x: m.z(forward(m, m.a(x))),
        a=nn.Conv2d(2, 12, 3, padding=1), z=nn.Linear(read, 3), **parts,
    )  # fmt: skip


def norm(kind: type[Any], *given: Any, **named: Any) -> nn.Module:
    """A normalization without a counter of batches, its statistics and gains not the first ones."""
    module: nn.Module = kind(*given, **named)
    if hasattr(module, "num_batches_tracked"):
        module.register_buffer("num_batches_tracked", None)
    return module


ELEMENTWISE: dict[str, Any] = {
    **{
        f"{kind.__name__} {given}": kind(**given)
        for kind in (nn.ReLU, nn.ELU, nn.SELU, nn.CELU, nn.LeakyReLU, nn.ReLU6, nn.SiLU, nn.Mish,
                     nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh)
        for given in ({}, {"inplace": True})
    },
    **{
        kind.__name__: kind()
        for kind in (nn.Softplus, nn.PReLU, nn.Sigmoid, nn.Tanh, nn.Softsign, nn.Tanhshrink,
                     nn.LogSigmoid, nn.Softshrink, nn.Hardshrink, nn.Dropout, nn.AlphaDropout,
                     nn.Identity, nn.RReLU, nn.GELU)
    },
    "GELU tanh": nn.GELU("tanh"),
    "Threshold": nn.Threshold(0.1, 0.5, inplace=True),
    "PReLU of each unit": nn.PReLU(12),
    "Softmax": nn.Softmax(1),
    "Softmin": nn.Softmin(1),
    "LogSoftmax": nn.LogSoftmax(1),
    "clamp": lambda x: x.clamp(-0.5, 1),
    "abs": torch.abs,
    "pow": lambda x: x**2 + x.square(),
    "exp": lambda x: (-x).exp() / (1 + (-x).exp()),
    "swish": lambda x: x * torch.sigmoid(x),
    "in place": lambda x: x.mul_(2).add_(1).relu_(),
    "a part in place": lambda x: functional.relu_(x.view(-1, 12)) + x,
    "where": lambda x: torch.where(x > 0, x, 0.1 * x),
    "maximum": lambda x: torch.maximum(x, 0.3 * x),
    "squeeze": lambda x: x[:, None, :, None].relu().squeeze(3).squeeze(1),
    "normalize": lambda x: functional.normalize(x, dim=1),
    "minus the mean": lambda x: x - x.mean(1, keepdim=True),
    "scaled by its norm": lambda x: x / (1 + x.norm(dim=1, keepdim=True)),
}  # fmt: skip
"""Functions of units that do not care for their order: one group of twelve."""

IMAGES: dict[str, tuple[nn.Module, list[int]]] = {
    "mean": (of_image(lambda m, h: h.relu().mean((2, 3))), [12]),
    "amax": (of_image(lambda m, h: h.amax((2, 3))), [12]),
    "max_pool": (
        of_image(lambda m, h: functional.max_pool2d(h, 2).flatten(1), 12 * 9), [12]
    ),
    "adaptive": (
        of_image(lambda m, h: functional.adaptive_max_pool2d(h, 1).flatten(1)), [12]
    ),
    "pad and upsample": (
        of_image(
            lambda m, h: functional.interpolate(functional.pad(h, (1, 1)), scale_factor=2)
            .relu().permute(0, 2, 3, 1).mean((1, 2))
        ), [12],
    ),
    "bilinear": (
        of_image(
            lambda m, h: functional.interpolate(h, scale_factor=2, mode="bilinear").amax((2, 3))
        ), [12],
    ),
    "ConvTranspose": (
        of_image(
            lambda m, h: m.t(h.relu()).relu().mean((2, 3)), 8, t=nn.ConvTranspose2d(12, 8, 3)
        ), [8, 12],
    ),
    "depthwise": (
        of_image(
            lambda m, h: m.d(h.relu()).relu().mean((2, 3)), d=nn.Conv2d(12, 12, 3, groups=12)
        ), [12],
    ),
    "depthwise, two filters each": (
        of_image(
            lambda m, h: m.d(h.relu()).relu().mean((2, 3)), 24, d=nn.Conv2d(12, 24, 3, groups=12)
        ), [12],
    ),
    "grouped": (
        of_image(
            lambda m, h: m.d(h.relu()).relu().mean((2, 3)), 16, d=nn.Conv2d(12, 16, 3, groups=2)
        ), [6, 8],
    ),
    "grouped, transposed": (
        of_image(
            lambda m, h: m.d(h.relu()).relu().mean((2, 3)), 16,
            d=nn.ConvTranspose2d(12, 16, 3, groups=2),
        ), [6, 8],
    ),
    "squeeze and excitation": (
        of_image(
            lambda m, h: (
                h.relu() * torch.sigmoid(m.up(m.down(h.mean((2, 3))).relu()))[:, :, None, None]
            ).mean((2, 3)),
            down=nn.Linear(12, 5), up=nn.Linear(5, 12),
        ), [5, 12],
    ),
    "GroupNorm": (
        of_image(lambda m, h: m.n(h).relu().mean((2, 3)), n=nn.GroupNorm(3, 12)), [12]
    ),
    "InstanceNorm": (
        of_image(
            lambda m, h: m.n(h).relu().mean((2, 3)), n=nn.InstanceNorm2d(12, affine=True)
        ), [12],
    ),
    "BatchNorm": (
        of_image(lambda m, h: m.n(h).relu().mean((2, 3)), n=norm(nn.BatchNorm2d, 12)), [12]
    ),
    "Dropout2d": (of_image(lambda m, h: nn.Dropout2d().eval()(h).mean((2, 3))), [12]),
}  # fmt: skip


class Gated(nn.Module):
    """A gated unit of two layers, as in language models."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.gate, self.b = nn.Linear(4, 12), nn.Linear(4, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.b(functional.silu(self.gate(x)) * self.a(x))
        return out


class Fused(nn.Module):
    """Attention with queries, keys and values from one layer, in the order that `read` gives."""

    def __init__(self, read: Callable[[Tensor], Any], norm: nn.Module | None = None) -> None:
        super().__init__()
        self.embed, self.qkv = nn.Linear(4, 12), nn.Linear(12, 36)
        self.out, self.head = nn.Linear(12, 12), nn.Linear(12, 3)
        self.norm, self.read = norm or nn.LayerNorm(12), read

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        query, key, value = self.read(self.qkv(self.norm(h)))  # (B, heads, tokens, rows)
        y = functional.scaled_dot_product_attention(query, key, value)
        h = h + self.out(y.transpose(1, 2).flatten(2))
        out: Tensor = self.head(h.mean(1))
        return out


class Attention(nn.Module):
    """Torch's own attention."""

    def __init__(self, masked: bool = False) -> None:
        super().__init__()
        self.embed, self.norm, self.head = nn.Linear(4, 12), nn.LayerNorm(12), nn.Linear(12, 3)
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.masked = masked

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        future = nn.Transformer.generate_square_subsequent_mask(5, dtype=x.dtype).to(x.device)
        mask = future if self.masked else None
        h = self.norm(h + self.attention(h, h, h, need_weights=False, attn_mask=mask)[0])
        out: Tensor = self.head(h.mean(1))
        return out


class Basic(nn.Module):
    """A basic block as torchvision writes it."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = norm(nn.BatchNorm2d, after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = norm(nn.BatchNorm2d, after)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), norm(nn.BatchNorm2d, after)
            )
            if stride > 1 or before != after
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        last: Tensor = self.relu(out)
        return last


def resnet18() -> nn.Module:
    """Torchvision's ResNet-18 with fewer channels."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 7, 2, 3, bias=False), norm(nn.BatchNorm2d, 4), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        Basic(4, 4), Basic(4, 4), Basic(4, 6, 2), Basic(6, 6),
        Basic(6, 8, 2), Basic(8, 8), Basic(8, 10, 2), Basic(10, 10),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(10, 3),
    )  # fmt: skip


def heads_of(x: Tensor) -> Tensor:
    return x.reshape(*x.shape[:2], 3, 4).transpose(1, 2)


OTHERS: dict[str, tuple[nn.Module, tuple[int, ...], list[int]]] = {
    "GLU": (between(nn.GLU(), 6), (4,), [6]),
    "chunk, gated": (
        between(lambda x: x.chunk(2, 1)[0] * functional.silu(x.chunk(2, 1)[1]), 6), (4,), [6]
    ),
    "split and cat": (
        between(lambda x: torch.cat([p.tanh() for p in torch.split(x, 4, 1)], 1)), (4,), [4]
    ),
    "slices": (between(lambda x: x[:, :6].relu() * x[:, 6:], 6), (4,), [6]),
    "gate": (Gated(), (4,), [12]),
    "repeat": (between(lambda x: x.relu().repeat(1, 2), 24), (4,), [12]),
    "a temperature": (
        Net(
            lambda m, x: m.b(m.a(x).relu() * m.t.exp()), a=nn.Linear(4, 12), b=nn.Linear(12, 3),
            t=nn.Parameter(torch.tensor(0.0)),
        ), (4,), [12],
    ),
    "stack": (between(lambda x: torch.stack([x.relu(), x.tanh()], 2).amax(2)), (4,), [12]),
    "two branches side by side": (
        Net(
            lambda m, x: m.c(torch.cat([m.a(x).relu(), m.b(x).tanh()], 1)),
            a=nn.Linear(4, 6), b=nn.Linear(4, 6), c=nn.Linear(12, 3),
        ), (4,), [6],
    ),
    "BatchNorm1d": (between(norm(nn.BatchNorm1d, 12)), (4,), [12]),
    "RMSNorm": (between(nn.RMSNorm(12)), (4,), [12]),
    "weight_norm": (
        nn.Sequential(
            nn.utils.parametrizations.weight_norm(nn.Linear(4, 12)), nn.ReLU(), nn.Linear(12, 3)
        ), (4,), [12],
    ),
    "Conv1d": (
        nn.Sequential(
            nn.Conv1d(2, 8, 3), nn.Mish(), nn.MaxPool1d(2), nn.Conv1d(8, 5, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(15, 3),
        ), (2, 8), [5, 8],
    ),
    "Conv3d": (
        nn.Sequential(
            nn.Conv3d(1, 8, 3), nn.ReLU(True), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
            nn.Linear(8, 3),
        ), (1, 4, 4, 4), [8],
    ),
    "matrices without layers": (
        Net(
            lambda m, x: torch.addmm(m.c, torch.einsum("bi,ij->bj", x, m.a).relu(), m.b),
            a=nn.Parameter(torch.randn(4, 12)), b=nn.Parameter(torch.randn(12, 3)),
            c=nn.Parameter(torch.randn(3)),
        ), (4,), [12],
    ),
    "MultiheadAttention": (Attention(), (5, 4), [12, 12]),
    "MultiheadAttention, masked": (Attention(True), (5, 4), [12, 12]),
    "TransformerEncoderLayer": (
        nn.Sequential(
            nn.Linear(4, 12),
            nn.TransformerEncoderLayer(12, 3, 16, batch_first=True, norm_first=True),
            nn.Flatten(), nn.Linear(60, 3),
        ), (5, 4), [12, 12, 16],
    ),
    "fused, split": (Fused(lambda x: map(heads_of, torch.split(x, 12, 2))), (5, 4), [12, 12]),
    "fused, reshaped": (
        Fused(lambda x: x.reshape(*x.shape[:2], 3, 3, 4).permute(2, 0, 3, 1, 4).unbind(0)),
        (5, 4), [12, 12],
    ),
    "fused, heads first": (
        Fused(lambda x: x.view(*x.shape[:2], 3, 12).transpose(1, 2).chunk(3, 3)),
        (5, 4), [3, 12],
    ),
    "resnet18": (resnet18(), (2, 16, 16), [4, 4, 4, 6, 6, 6, 8, 8, 8, 10, 10, 10]),
    "GRU": (Net(lambda m, x: m.b(m.a(x)[0][:, -1]), a=nn.GRU(4, 8, batch_first=True),
                b=nn.Linear(8, 3)), (5, 4), []),
}  # fmt: skip

TIED: dict[str, tuple[nn.Module, tuple[int, ...], list[int]]] = {
    "two inputs": (
        tied(
            Net(
                lambda m, x: m.c(torch.cat([m.a(x).relu(), m.b(-x).relu()], 1)),
                a=nn.Linear(4, 12), b=nn.Linear(4, 12), c=nn.Linear(24, 3),
            ), ("a", "b"),
        ), (4,), [12],
    ),
    "autoencoder": (
        Net(
            lambda m, x: functional.linear(m.b(torch.tanh(m.a(x))).tanh(), m.b.weight.t()).relu()
            @ m.a.weight,
            a=nn.Linear(4, 12), b=nn.Linear(12, 5),
        ), (4,), [5, 12],
    ),
    "a square matrix in series": (
        tied(
            Net(
                lambda m, x: m.d(m.c(m.b(m.a(x).relu()).relu()).relu()),
                a=nn.Linear(4, 12), b=nn.Linear(12, 12), c=nn.Linear(12, 12, bias=False),
                d=nn.Linear(12, 3),
            ), ("b", "c"),
        ), (4,), [],
    ),
    "recurrent": (
        Net(
            lambda m, x: m.out(m.up(m.cell(x, m.cell(x, x.new_zeros(len(x), 12)))).relu()),
            cell=Net(lambda m, x: x), up=nn.Linear(12, 7), out=nn.Linear(7, 3),
        ), (4,), [7],
    ),
    "one submodule twice": (
        Net(
            lambda m, x: m.c(m.b(m.a(x).relu()).relu() + m.b(m.a(-x).relu()).relu()),
            a=nn.Linear(4, 12), b=nn.Linear(12, 6), c=nn.Linear(6, 3),
        ), (4,), [6, 12],
    ),
    "convolutions": (
        tied(
            Net(
                lambda m, x: m.c(torch.relu(m.a(x) + m.b(x.flip(2))).amax((2, 3))),
                a=nn.Conv2d(2, 12, 3), b=nn.Conv2d(2, 12, 3), c=nn.Linear(12, 3),
            ), ("a", "b"),
        ), (2, 6, 6), [12],
    ),
}  # fmt: skip


class Cell(nn.Module):
    """A plain recurrent cell."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.again = nn.Linear(4, 12), nn.Linear(12, 12)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.into(x) + self.again(h))


TIED["recurrent"][0].cell = Cell()


class Language(nn.Module):
    """Tokens through a layer with a residual sum; the readout is the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 12), nn.Linear(12, 9, bias=False)
        self.head.weight = self.words.weight
        self.up, self.down, self.norm = nn.Linear(12, 7), nn.Linear(7, 12), nn.LayerNorm(12)

    def forward(self, x: Tensor) -> Tensor:
        h = self.words(x)
        h = h + self.down(functional.gelu(self.up(self.norm(h))))
        out: Tensor = self.head(h.mean(1))
        return out


EVERY: dict[str, tuple[nn.Module, tuple[int, ...], list[int]]] = {
    **{name: (between(f), (4,), [12]) for name, f in ELEMENTWISE.items()},
    **{name: (module, (2, 6, 6), groups) for name, (module, groups) in IMAGES.items()},
    **OTHERS,
    **TIED,
    "language model": (Language(), (5,), [7, 12]),
}


def architecture_of(name: str) -> tuple[nn.Module, Architecture]:
    module, item, _ = EVERY[name]
    module = copy.deepcopy(module).double().eval()
    return module, from_module(module, item, name, 9 if name == "language model" else 0)


def networks(module: nn.Module, count: int) -> dict[str, Tensor]:
    """State dictionaries of the module with random values, stacked: every name, shared or not."""
    states = []
    for k in range(count):
        one = copy.deepcopy(module)
        generator = torch_generator(7, "network", k)
        with torch.no_grad():
            for tensor in (*one.parameters(), *one.buffers()):
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
            for statistic, tensor in one.named_buffers():
                if statistic.endswith("running_var"):
                    tensor.abs_().add_(0.5)
        states.append(one.state_dict())
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def items_of(architecture: Architecture) -> Tensor:
    generator = torch_generator(8, "items")
    if architecture.tokens:
        return torch.randint(architecture.tokens, (6, *architecture.item), generator=generator)
    return torch.randn(6, *architecture.item, generator=generator, dtype=torch.float64)


def said(module: nn.Module, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """What the user's module says with the weights of each network, all names loaded."""
    out = []
    for k in range(len(next(iter(tensors.values())))):
        state = module.state_dict()
        assert set(state) == set(tensors)
        state.update({name: tensor[k] for name, tensor in tensors.items()})
        module.load_state_dict(state, strict=True)
        with torch.no_grad():
            out.append(module(x.clone()))
    return torch.stack(out)


@pytest.mark.parametrize("name", EVERY)
def test_weights_moved_or_aligned_compute_the_same_in_the_users_module(name: str) -> None:
    module, architecture = architecture_of(name)
    assert architecture.parameters == sum(p.numel() for p in module.parameters())
    symmetry = derive_symmetry(architecture)
    assert sorted(g.size for g in symmetry.groups) == EVERY[name][2], symmetry.frozen
    zoo, x = networks(module, 3), items_of(architecture)
    before = said(module, zoo, x)
    assert before.isfinite().all() and before.std() > 0
    generators = [torch_generator(9, "order", k) for k in range(3)]
    moved = permute(zoo, symmetry, random_permutations(symmetry, generators))
    changed = {n for n, tensor in moved.items() if not torch.equal(tensor, zoo[n])}
    assert bool(changed) == bool(symmetry.groups)
    tolerance = 1e-10 * before.abs().max()
    assert (said(module, moved, x) - before).abs().max() <= tolerance
    reference = {n: tensor[0] for n, tensor in zoo.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedWarning)
        for scaled in (False, True):
            settings = CanonicalSettings(balance=scaled)
            aligned = canonicalize(moved, reference, symmetry, settings)
            assert set(aligned.parameters) == set(zoo)
            assert (said(module, aligned.parameters, x) - before).abs().max() <= tolerance
    if symmetry.groups:
        assert set(aligned.report["status"]) == {"ok"}


@pytest.mark.parametrize("name", ["two inputs", "language model", "convolutions"])
def test_a_shared_tensor_is_one_under_all_its_names(name: str) -> None:
    module, architecture = architecture_of(name)
    (alias, first), *_ = architecture.aliases.items()
    assert first in architecture.shapes and alias not in architecture.shapes
    assert set(module.state_dict()) == {*architecture.shapes, *architecture.aliases}
    symmetry, zoo = derive_symmetry(architecture), networks(module, 4)
    once = {n: tensor for n, tensor in zoo.items() if n in architecture.shapes}
    for given in (zoo, once):
        reference = {n: tensor[0] for n, tensor in given.items()}
        aligned = align_block(given, reference, symmetry, MatchSettings())
        together = align_universe(given, symmetry, MatchSettings())
        for found in (aligned.parameters, together.parameters):
            assert list(found) == list(given) or set(found) == set(given)
            assert all(torch.equal(found[n], found[architecture.aliases.get(n, n)]) for n in given)
        network = {n: tensor[1] for n, tensor in aligned.parameters.items()}
        module.load_state_dict(architecture.state_dict(network), strict=True)
    half = {n: t for n, t in zoo.items() if n != first}
    assert torch.equal(symmetry.once(half)[first], zoo[first])
    with pytest.raises(TieProblem, match=f"{alias} and {first} are one tensor"):
        align_block({**zoo, alias: zoo[alias] + 1}, reference, symmetry, MatchSettings())


def test_where_nothing_can_be_matched_a_warning_and_the_report_say_why() -> None:
    module, architecture = architecture_of("GRU")
    symmetry = derive_symmetry(architecture)
    zoo = networks(module, 3)
    reference = {n: tensor[0] for n, tensor in zoo.items()}
    with pytest.warns(UnmatchedWarning, match=r"no group of units .*aten\.gru.* is not known"):
        report = align_block(zoo, reference, symmetry, MatchSettings()).report
    assert set(report["status"]) == {"unmatched"}
    assert report["reason"].str.contains("gru").all()
    assert (report["distance_before"] == report["distance_after"]).all()
    with pytest.warns(UnmatchedWarning):
        report = align_universe(zoo, symmetry, MatchSettings()).report
    assert set(report["status"]) == {"unmatched"}


@pytest.mark.parametrize(
    ("name", "tensor", "reason"),
    [
        ("GRU", "a.weight_hh_l0, axis 0", "gru"),
        ("a square matrix in series", "b.weight, axis 1", "two axes of one tensor"),
        ("recurrent", "cell.again.weight, axis 0", "two axes of one tensor"),
        ("fused, heads first", "qkv.weight, axis 0", "several classes"),
        ("fused, split", "qkv.bias, axis 0", "3 parts move alike"),
        ("grouped", "d.weight, axis 0", "2 parts move alike"),
    ],
)
def test_what_is_left_in_place_is_listed_with_its_reason(
    name: str, tensor: str, reason: str
) -> None:
    frozen = derive_symmetry(architecture_of(name)[1]).frozen
    assert any(line.startswith(f"{tensor}: ") and reason in line for line in frozen), frozen


@pytest.mark.parametrize("name", ["MultiheadAttention", "fused, split", "fused, reshaped"])
def test_packed_attention_is_matched_by_heads(name: str) -> None:
    symmetry = derive_symmetry(architecture_of(name)[1])
    (group,) = (g for g in symmetry.groups if g.heads > 1)
    assert (group.heads, group.size) == (3, 12)
    assert {place.before for place in group.places if "bias" in place.tensor} == {3}


def test_group_normalization_keeps_its_groups_together() -> None:
    (group,) = derive_symmetry(architecture_of("GroupNorm")[1]).groups
    assert (group.heads, group.scalable) == (3, True)
    assert {p.tensor for p in group.places if p.power != 0} == {"n.weight", "n.bias", "z.weight"}


def test_the_gain_of_each_unit_moves_and_a_common_one_stays() -> None:
    for name, moves in (("PReLU of each unit", True), ("PReLU", False)):
        (group,) = derive_symmetry(architecture_of(name)[1]).groups
        assert any(place.tensor == "f.weight" for place in group.places) == moves
        assert group.scalable and not group.odd


class Masked(nn.Module):
    """Causal attention with its mask among the buffers, and the readout the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 8)
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)
        self.readout = nn.Linear(8, 9, bias=False)
        self.readout.weight = self.words.weight
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(5, 5, dtype=torch.bool).tril())
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.words(x)
        q, k, v = (part.view(len(x), 5, 2, 4).transpose(1, 2) for part in self.qkv(h).split(8, 2))
        scores = (self.scale * q @ k.transpose(2, 3)).masked_fill(~self.mask, -torch.inf)
        made = (scores.softmax(3) @ v).transpose(1, 2).reshape(len(x), 5, 8)
        out: Tensor = self.readout((h + self.out(made))[:, -1])
        return out


def test_buffers_that_all_networks_share_pass_through_alignment() -> None:
    torch.manual_seed(3)
    modules = [Masked().eval() for _ in range(3)]
    states = [module.state_dict() for module in modules]
    zoo = {name: torch.stack([state[name] for state in states]) for name in sorted(states[0])}
    architecture = from_module(Masked(), (5,), tokens=9)
    symmetry = derive_symmetry(architecture)
    assert [group.size for group in symmetry.groups] == [8, 8]
    reference = {name: tensor[0] for name, tensor in zoo.items()}
    aligned = align_block(zoo, reference, symmetry, MatchSettings())
    together = align_universe(zoo, symmetry, MatchSettings())
    x = torch.randint(9, (6, 5), generator=torch_generator(8, "items"))
    module = Masked().eval()
    for k, given in enumerate(modules):
        arranged = architecture.arrange(aligned.parameters)
        for network in (
            {name: tensor[k] for name, tensor in aligned.parameters.items()},
            {name: tensor[k] for name, tensor in together.parameters.items()},
            architecture.state_dict({name: tensor[k] for name, tensor in arranged.items()}),
        ):
            module.load_state_dict(network, strict=True)
            assert torch.equal(module.mask, given.mask)
            with torch.no_grad():
                torch.testing.assert_close(module(x), given(x), rtol=1e-4, atol=1e-4)
    other = {**zoo, "mask": ~zoo["mask"]}
    with pytest.raises(TensorProblem, match="buffer mask of the networks is not the one"):
        align_block(other, reference, symmetry, MatchSettings())


def in_single(m: Any, x: Tensor) -> Tensor:
    """A normalization in single precision, whatever its items are in."""
    h = m.a(x)
    scale = h.float().square().mean(1, keepdim=True).add(1e-6).rsqrt().to(h.dtype)
    out: Tensor = m.b((h * scale).relu())
    return out


def with_zeros(m: Any, x: Tensor) -> Tensor:
    """Units beside a sum that starts on the CPU, in single precision."""
    out: Tensor = m.b(m.a(x + torch.zeros(len(x), 4)).relu())
    return out


@pytest.mark.parametrize("forward", [in_single, with_zeros])
def test_modules_that_say_where_and_in_which_precision_they_compute_are_matched(
    forward: Callable[[Any, Tensor], Tensor],
) -> None:
    module = Net(forward, a=nn.Linear(4, 12), b=nn.Linear(12, 3)).eval()
    symmetry = derive_symmetry(from_module(module, (4,)))
    assert [group.size for group in symmetry.groups] == [12]
    zoo = networks(module, 3)
    x = torch.randn(6, 4, generator=torch_generator(8, "items"))
    before = said(module, zoo, x)
    reference = {name: tensor[0] for name, tensor in zoo.items()}
    aligned = align_block(zoo, reference, symmetry, MatchSettings())
    torch.testing.assert_close(said(module, aligned.parameters, x), before, rtol=1e-5, atol=1e-5)


def test_a_wrong_symmetry_of_a_module_in_single_precision_does_not_pass() -> None:
    module = Net(in_single, a=nn.Linear(4, 12), b=nn.Linear(12, 3))
    architecture = from_module(module, (4,))
    symmetry = derive_symmetry(architecture)
    (group,) = symmetry.groups
    powers = [replace(place, power=1 - 2 * place.axis) for place in group.places]
    scalable = replace(symmetry, groups=(replace(group, places=tuple(powers), scalable=True),))
    half = replace(symmetry, groups=(replace(group, places=group.places[:-1]),))
    for wrong in (scalable, half):
        with pytest.raises(SymmetryProblem, match="changes outputs"):
            check_symmetry(architecture, wrong)


def test_modules_whose_symmetry_cannot_be_checked_are_one_sentence() -> None:
    parts = {"a": nn.Linear(4, 12), "b": nn.Linear(12, 3)}
    noisy = Net(lambda m, x: m.b(functional.dropout(m.a(x))), **parts)
    with pytest.raises(SymmetryProblem, match="something else each time"):
        derive_symmetry(from_module(noisy, (4,)))
    with pytest.raises(ArchitectureProblem, match=r"cannot read items of shape \(5,\)"):
        derive_symmetry(from_module(between(nn.ReLU()), (5,)))


def test_symmetries_of_several_modules_can_be_derived_at_once_in_threads() -> None:
    def derived(width: int) -> list[int]:
        module = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
        return [group.size for group in derive_symmetry(from_module(module, (4,))).groups]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(derived, range(5, 13))) == [[width] for width in range(5, 13)]
