"""Descents of networks that are modules: convolutions and normalization, attention, texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nodeflow.datasets import Dataset
from nodeflow.flow.descent import Descent, DescentField
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.lessons import DescentProblem, Lesson
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.flow.sample import sample
from nodeflow.flow.samples import sample_seeds
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.judge import assess
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build
from nodeflow.zoo.predict import with_statistics
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.store import Block
from nodeflow.zoo.torch_modules import from_module
from nodeflow.zoo.train import TrainSettings, train_block

IMAGE, TEXT, CLASSES = (1, 4, 4), (5,), 3
KINDS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "small_cnn": ({"kind": "small_cnn", "widths": [4, 6], "hidden": 8}, IMAGE),
    "resnet": ({"kind": "resnet", "widths": [4, 8], "blocks": [1, 1]}, IMAGE),
    "vit": (
        {"kind": "vit", "patch": 2, "width": 8, "depth": 1, "heads": 2, "hidden": 8}, IMAGE,
    ),
    "text": (
        {"kind": "text", "vocabulary": 12, "width": 8, "depth": 1, "heads": 2, "hidden": 8}, TEXT,
    ),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    settings, item = KINDS[request.param]
    return build(settings, item, CLASSES)


def items_of(architecture: Architecture, count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if architecture.tokens:
        return torch.randint(architecture.tokens, (count, *architecture.item), generator=generator)
    return torch.randn(count, int(np.prod(architecture.item)), generator=generator)


def networks(architecture: Architecture, count: int, first: int = 0) -> dict[str, Tensor]:
    generators = [torch.Generator().manual_seed(first + k) for k in range(count)]
    return architecture.initialize(generators)


def alone(architecture: Architecture, network: dict[str, Tensor], x: Tensor) -> Tensor:
    """Logits of one network in training, by torch alone."""
    assert architecture.module is not None
    statistics = {n: t[0] for n, t in architecture.fresh_statistics(1).items()}
    module = architecture.module.train()
    tensors = {**network, **{n: t.to(x.dtype) for n, t in statistics.items()}}
    shaped = x.reshape(len(x), *architecture.item)
    logits: Tensor = functional_call(module, tensors, (shaped,))
    module.eval()
    return logits


def field_of(architecture: Architecture, probes: int = 16, evaluations: int = 3) -> DescentField:
    field = DescentField(
        architecture, evaluations, probes, int(np.prod(architecture.item)), CLASSES
    )
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        field.items.copy_(torch.randn(field.items.shape, generator=generator))
        field.targets.copy_(torch.randn(field.targets.shape, generator=generator))
        field.log_rate.fill_(-2)
        field.noise.fill_(0.3)
        if field.tokens is not None:
            drawn = torch.randint(architecture.tokens, field.tokens.shape, generator=generator)
            field.tokens.copy_(drawn)
    return field.eval()


def test_networks_see_the_same_items_as_each_does_alone_in_training(
    architecture: Architecture,
) -> None:
    stack, x = networks(architecture, 3), items_of(architecture, 7)
    found = architecture.forward_together(stack, x)
    for k in range(3):
        one = {name: tensor[k] for name, tensor in stack.items()}
        assert torch.allclose(found[k], alone(architecture, one, x), atol=1e-5)


def test_what_is_read_is_a_mixture_of_a_networks_own_vectors() -> None:
    settings, item = KINDS["text"]
    architecture = build(settings, item, CLASSES)
    stack, x = networks(architecture, 2), items_of(architecture, 4)
    tokens = torch.stack([x, items_of(architecture, 4, 1)], dim=-1)
    certain = torch.tensor([1.0, 0.0]).expand(tokens.shape)
    plain = architecture.forward_together(stack, x)
    assert torch.allclose(architecture.forward_together(stack, tokens, certain), plain, atol=1e-6)
    # A mixture is a token of its own whose vector is the mean: the 13th of a larger vocabulary.
    shares = torch.tensor([0.25, 0.75]).expand(tokens.shape)
    found = architecture.forward_together(stack, tokens, shares)
    larger = build({**settings, "vocabulary": 12 + x.numel()}, item, CLASSES)
    mixed = {
        name: torch.cat([t, (t[:, tokens] * shares[..., None]).sum(-2).flatten(1, 2)], dim=1)
        if name == "words.weight"
        else t
        for name, t in stack.items()
    }
    own = 12 + torch.arange(x.numel()).view(x.shape)
    assert torch.allclose(found, larger.forward_together(mixed, own), atol=1e-5)


def test_tokens_that_no_embedding_reads_cannot_be_mixed() -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(12, 4), nn.Linear(20, 3)

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.head(self.words(x + 0).flatten(1))
            return logits

    architecture = from_module(Shifted(), TEXT, tokens=12)
    tokens = items_of(architecture, 4)[..., None].expand(4, 5, 2)
    with pytest.raises(ArchitectureProblem, match="none can be mixed"):
        architecture.forward_together(networks(architecture, 2), tokens, torch.ones(4, 5, 2) / 2)


def test_a_descent_is_adam_on_the_probes_in_training(architecture: Architecture) -> None:
    """Torch's own Adam and modules, one network at a time; statistics are those of the probes."""
    if architecture.tokens:
        pytest.skip("torch's modules read no mixtures")
    field = field_of(architecture).double()
    with torch.no_grad():
        field.log_rate.fill_(float(np.log(0.3)))
        field.log_floor.fill_(float(np.log(1e-9)))
        field.decays.copy_(torch.logit(torch.tensor([0.9, 0.99], dtype=torch.float64)))
    start = {name: tensor.double() for name, tensor in networks(architecture, 2).items()}
    found = field(start)
    for k in range(2):
        one = {name: tensor[k].clone().requires_grad_() for name, tensor in start.items()}
        adam = torch.optim.Adam(list(one.values()), lr=0.1, betas=(0.9, 0.99), eps=1e-9)
        for step in range(3):
            logits = alone(architecture, one, field.items[step].detach())
            adam.zero_grad()
            target = field.targets[step].detach().softmax(dim=1)
            nn.functional.cross_entropy(logits, target).backward()  # type: ignore[no-untyped-call]
            adam.step()
        for name, tensor in found.items():
            # Where a gradient is rounding alone (a bias before a normalization), Adam's sign is.
            if float(one[name].detach().sub(start[name][k]).abs().max()) > 0:
                near = torch.isclose(tensor[k], one[name], rtol=0, atol=2e-3).double().mean()
                assert near > 0.95 or "convolutions" in name


def test_a_descent_in_training_is_the_one_that_is_sampled(architecture: Architecture) -> None:
    field = field_of(architecture).double()
    start = {n: t.double() for n, t in networks(architecture, 3).items()}
    sampled, trained = field(start), field.train()(start)
    for name, tensor in sampled.items():
        assert torch.allclose(trained[name], tensor, rtol=0, atol=1e-9)


def test_a_sample_is_that_of_its_seed_alone(architecture: Architecture) -> None:
    field = field_of(architecture, probes=10)
    settings = DescentSettings(evaluations=3, probes=10)
    flow = Descent(settings, architecture.shapes, ("he_uniform",), field)
    seeds, how = sample_seeds(6, 1, ("x",)), SampleSettings("euler", 3)
    rows = flow.rows(seeds, how)[1]
    assert np.isfinite(rows).all() and len(np.unique(rows.sum(axis=1))) == 6
    assert (flow.rows(seeds[4:], how)[1] == rows[4:]).all()
    assert (flow.rows(seeds[[5, 1]], how)[1] == rows[[5, 1]]).all()


def zoo_of(architecture: Architecture) -> LearnedZoo:
    """Networks that were trained to tell three kinds of items apart."""
    y = np.arange(240) % 3
    x = items_of(architecture, 240).numpy()
    if architecture.tokens:
        x[:, 1:3] = 4 * y[:, None] + x[:, 1:3] % 3  # each class has words of its own
    else:
        x = (x + 2 * np.eye(3)[y].repeat(5, axis=1) @ np.eye(15, 16)).astype(np.float32)
    parts = slice(0, 160), slice(160, 192), slice(192, 240)
    named: dict[str, Any] = {
        f"{name}_{axis}": array[part]
        for name, part in zip(("train", "validation", "test"), parts, strict=True)
        for axis, array in (("x", x), ("y", y))
    }
    dataset = Dataset("planted", **named, classes=3)
    training = TrainSettings(epochs=8, batch_size=16, learning_rate=1e-2)
    block = train_block(architecture, dataset, range(24), training, 1, "planted")
    whole = Block(block.members, block.parameters)
    return LearnedZoo(*whole.split(18), Origin("planted", architecture, dataset, training))


def test_fresh_initializations_become_networks_that_work(
    architecture: Architecture, tmp_path: Path
) -> None:
    zoo = zoo_of(architecture)
    assert zoo.origin is not None and zoo.origin.dataset is not None and zoo.held_out is not None
    data = zoo.origin.dataset
    settings = DescentSettings(
        evaluations=6,
        probes=16,
        following=4,
        steps=12,
        batch=4,
        fresh=4,
        others=8,
        items=48,
        power_fit=1.0,
    )
    flow, history = fit_flow(zoo, settings, 1, ("test",))
    assert isinstance(flow, Descent)
    assert np.isfinite(history["held_out_loss"]).all()
    write_flow(tmp_path / "flow.safetensors", flow, {"flow": "x"})
    again = read_flow(tmp_path / "flow.safetensors", {"flow": "x"})
    how = SampleSettings("euler", 6)
    found = sample(again, 12, how, 1, ("test",))
    assert found.ok.all() and (found.seeds == sample_seeds(12, 1, ("test",))).all()
    same = sample(flow, 12, how, 1, ("test",))
    for name, tensor in found.parameters.items():
        assert torch.equal(same.parameters[name], tensor)
    start = architecture.initialize(
        [torch.Generator().manual_seed(int(seed)) for seed in found.seeds]
    )
    accuracy = {}
    for name, tensors in (("found", found.parameters), ("start", start)):
        whole = with_statistics(architecture, tensors, data.train_x)
        judged = assess(architecture, whole, data.test_x, data.test_y)
        assert judged.ok.all()
        accuracy[name] = judged.accuracy.mean()
    # More than chance moves the difference of two means of so many answers.
    error = (2 * 0.25 / (12 * len(data.test_y))) ** 0.5
    assert accuracy["found"] > accuracy["start"] + 4 * error


def test_axes_of_texts_are_refused() -> None:
    settings, item = KINDS["text"]
    architecture = build(settings, item, CLASSES)
    pairs = networks(architecture, 3), networks(architecture, 3, 9)
    data = items_of(architecture, 6).numpy(), np.arange(6) % 3
    with pytest.raises(DescentProblem, match=r"axes_learning_rate is 0\.1; .* no axes"):
        Lesson(architecture, pairs, data, DescentSettings(axes_learning_rate=0.1))
