from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import mlp_symmetry, permute, random_permutations
from nodeflow.datasets import load_dataset
from nodeflow.flow.descent import Descent, DescentField, _Averages, _Normalize
from nodeflow.flow.descent_training import _Moved
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.lessons import Lesson, _principal_axes
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.flow.objective import nearest
from nodeflow.flow.perceptron import LossGradient
from nodeflow.flow.sample import sample
from nodeflow.flow.samples import sample_seeds
from nodeflow.flow.settings import FlowProblem, FlowSettingsProblem, SampleSettings
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.flow.training_schemas import FLOW_HISTORY
from nodeflow.judge import (
    PanelSettings,
    assess,
    closest_gauge,
    judge_panel,
    nearest_members,
    summarize,
)
from nodeflow.tables import write_table
from nodeflow.tensors import TensorProblem
from nodeflow.zoo.paths import training_paths
from nodeflow.zoo.perceptrons import classifier, mlp
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import (
    TrainSettings,
    initial_parameters,
    train_block,
    train_block_after,
)

ARCHITECTURE = mlp([5, 7, 6, 3])


def field_of(seed: int = 0, evaluations: int = 4) -> DescentField:
    """A field with random probes."""
    generator = torch.Generator().manual_seed(seed)
    field = DescentField(ARCHITECTURE, evaluations, 9, 5, 3)
    with torch.no_grad():
        for parameter in (field.items, field.targets):
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        field.log_rate.copy_(torch.randn(field.log_rate.shape, generator=generator) - 2)
        field.noise.copy_(torch.rand(field.noise.shape, generator=generator))
    return field.eval()


def networks(count: int, first: int = 0) -> dict[str, Tensor]:
    generators = [torch.Generator().manual_seed(first + k) for k in range(count)]
    return ARCHITECTURE.initialize(generators)


def flow_of(field: DescentField) -> Descent:
    settings = DescentSettings(evaluations=field.evaluations, probes=9)
    return Descent(settings, ARCHITECTURE.shapes, ("he_uniform", "torch"), field)


def rows_of(flow: Descent, seeds: np.ndarray) -> np.ndarray:
    return flow.rows(seeds, SampleSettings("euler", flow.settings.evaluations))[1]


def test_a_descent_is_adam_on_the_probes() -> None:
    """An independent loop: torch's own Adam, one network at a time, the same rate at every step."""
    field = field_of(1, evaluations=5).double()
    with torch.no_grad():
        field.log_rate.fill_(float(np.log(0.3)))
        field.log_floor.fill_(float(np.log(1e-9)))
        field.decays.copy_(torch.logit(torch.tensor([0.9, 0.99], dtype=torch.float64)))
    start = {name: tensor.double() for name, tensor in networks(3).items()}
    found = field(start)
    for k in range(3):
        one = {name: tensor[k : k + 1].clone().requires_grad_() for name, tensor in start.items()}
        adam = torch.optim.Adam(list(one.values()), lr=0.3 / 5, betas=(0.9, 0.99), eps=1e-9)
        for step in range(5):
            logits = ARCHITECTURE.forward(one, field.items[step].detach())[0]
            target = field.targets[step].detach().softmax(dim=1)
            adam.zero_grad()
            torch.nn.functional.cross_entropy(logits, target).backward()  # type: ignore[no-untyped-call]
            adam.step()
        for name, tensor in found.items():
            assert torch.allclose(tensor[k], one[name][0], rtol=0, atol=2e-4)


def test_the_gradients_of_a_move_are_those_of_its_formula() -> None:
    generator = torch.Generator().manual_seed(1)
    mean, square, gradient = torch.randn(3, 2, 12, generator=generator).double()
    a, b, q = torch.tensor([0.6, 0.8, 1.7]).double()
    p, f = torch.tensor([[0.3], [0.02]]).double() * (1 + torch.rand(2, 12, generator=generator))
    given = (mean, square.square(), gradient, a, b, p, q, f)
    arguments = [t.detach().requires_grad_() for t in given]
    assert torch.autograd.gradcheck(_Normalize.apply, arguments)
    found = _Normalize.apply(*arguments)  # type: ignore[no-untyped-call]
    new_mean = a * mean + (1 - a) * gradient
    new_square = b * arguments[1] + (1 - b) * gradient**2
    wanted = new_mean, new_square, p * new_mean / (q * new_square + f).sqrt()
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [[], [4], [4, 3, 5]])
def test_gradients_of_perceptrons_and_theirs_are_those_of_autograd(
    activation: str, hidden: list[int]
) -> None:
    widths = [6, *hidden, 3]
    architecture, generator = mlp(widths, activation), torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).double().requires_grad_()

    rows, x, labels, weights = (
        drawn(4, architecture.parameters),
        drawn(5, 6),
        drawn(5, 3),
        drawn(4, 5),
    )
    way = drawn(*rows.shape).detach()
    sizes = [int(np.prod(shape)) for shape in architecture.shapes.values()]
    parts = zip(architecture.shapes.items(), torch.split(rows, sizes, dim=1), strict=True)
    networks = {name: part.view(4, *shape) for (name, shape), part in parts}
    losses = -(labels.softmax(1) * architecture.forward(networks, x).log_softmax(2)).sum(2)
    for given in (weights, None):
        loss = (losses if given is None else given * losses).mean(1).sum()
        [wanted] = torch.autograd.grad(loss, rows, create_graph=True)
        found = LossGradient.apply(rows, x, labels.softmax(1), given, widths, activation)  # type: ignore[no-untyped-call]
        assert torch.allclose(found, wanted, rtol=0, atol=1e-12)
        inputs = [rows, x, labels, *([] if given is None else [given])]
        for one, other in zip(
            torch.autograd.grad(found, inputs, way, retain_graph=True),
            torch.autograd.grad(wanted, inputs, way, materialize_grads=True, retain_graph=True),
            strict=True,
        ):
            assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_a_descent_in_training_is_the_one_that_is_sampled() -> None:
    field, start = field_of().double(), {n: t.double() for n, t in networks(4).items()}
    sampled, trained = field(start), field.train()(start)
    for name, tensor in sampled.items():
        assert torch.allclose(trained[name], tensor, rtol=0, atol=1e-9)


def flat(networks: dict[str, Tensor]) -> Tensor:
    return torch.cat([tensor.flatten(1) for tensor in networks.values()], dim=1)


def test_principal_axes_are_those_of_the_covariance() -> None:
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)) @ torch.rand(4, 5)
    axes = _principal_axes(x)
    assert torch.allclose(axes.T @ axes, torch.cov(x.T), atol=1e-5)
    products = axes @ axes.T
    assert torch.allclose(products, products.diag().diag_embed(), atol=1e-5)


def test_items_move_along_their_axes() -> None:
    """The items' change is that of coordinates along the axes that a plain torch Adam changes."""
    field, generator = field_of(), torch.Generator().manual_seed(1)
    field.axes = torch.randn(5, 5, generator=generator)
    first, wanted = field.items.detach().clone(), torch.randn(5, generator=generator)
    along = torch.zeros_like(first, requires_grad=True)
    moved = _Moved(field)
    adams = torch.optim.Adam([moved.along], lr=0.1), torch.optim.Adam([along], lr=0.1)
    for _ in range(3):
        field.items.grad, along.grad = None, None
        (field.items - wanted).square().sum().backward()  # type: ignore[no-untyped-call]
        moved.turn_gradient()
        (first + along @ field.axes - wanted).square().sum().backward()  # type: ignore[no-untyped-call]
        for adam in adams:
            adam.step()
        moved.move()
    assert torch.allclose(field.items, first + along @ field.axes, atol=1e-5)
    assert not torch.allclose(field.items, first, atol=1e-2)


def test_the_nearest_of_members_is_another_one() -> None:
    rows = torch.tensor([[0.0], [1.0], [3.0]])
    itself = torch.full((3,), torch.inf).diag_embed()
    assert nearest(rows, rows).flatten().tolist() == [0, 0, 0]
    assert nearest(rows, rows, itself).flatten().tolist() == [1, 1, 2]


def test_copies_of_members_are_too_near() -> None:
    generator = torch.Generator().manual_seed(1)
    members, fresh = networks(64), networks(16, first=100)
    x = torch.randn(40, 5, generator=generator)
    y = torch.randint(3, (40,), generator=generator)

    def alike(found: dict[str, Tensor], near_fit: float) -> float:
        settings = DescentSettings(near_fit=near_fit)
        data = x.numpy(), y.numpy()
        objective = Lesson(ARCHITECTURE, (members, networks(64)), data, settings)._objective
        return float(objective.alike(found, members, torch.arange(64), x, y))

    copies = {name: tensor[1:17] for name, tensor in members.items()}
    of_copies, of_fresh = (alike(found, 1.0) - alike(found, 0.0) for found in (copies, fresh))
    assert of_copies > 0.05 and abs(of_fresh) < of_copies / 4


def test_the_order_of_hidden_units_passes_through() -> None:
    symmetry = mlp_symmetry(ARCHITECTURE.shapes)
    field, start = field_of().double(), {n: t.double() for n, t in networks(4).items()}
    orders = random_permutations(symmetry, [torch.Generator().manual_seed(k) for k in range(4)])
    there = field(permute(start, symmetry, orders))
    wanted = permute(field(start), symmetry, orders)
    for name, tensor in wanted.items():
        assert torch.allclose(there[name], tensor, rtol=0, atol=1e-9)


def test_without_strength_there_is_no_noise() -> None:
    field, start = field_of(), networks(3)
    noise = field.draw(3, torch.Generator().manual_seed(1))
    assert noise.shape == (3, 4, 9)
    plain, noisy = field(start), field(start, noise)
    with torch.no_grad():
        field.noise.zero_()
    silent = field(start, noise)
    for name, tensor in plain.items():
        assert torch.equal(silent[name], tensor) and not torch.equal(noisy[name], tensor)


def test_noise_is_that_of_minibatches_of_probes() -> None:
    """The gradient has the right mean, and the covariance of B of the P probes with replacement."""
    field, (count, probes, batch) = field_of().double(), (4000, 9, 3)
    start = {name: tensor.double() for name, tensor in networks(1).items()}
    many = {name: t.expand(count, *t.shape[1:]).clone() for name, t in start.items()}
    generator = torch.Generator().manual_seed(2)
    weights = 1 + (probes / batch) ** 0.5 * torch.randn(count, probes, generator=generator).double()
    flat = torch.cat([t.flatten(1) for t in many.values()], dim=1).requires_grad_()
    found = field._named(field._gradient(flat, field._probes()[0], weights))["layer0.weight"]
    each = []
    for p in range(probes):
        only = torch.zeros(1, probes, dtype=torch.float64)
        only[0, p] = probes  # a loss is the mean over probes
        one = flat[:1].detach().requires_grad_()
        moved = field._named(field._gradient(one, field._probes()[0], only))
        each.append(moved["layer0.weight"].flatten())
    per_probe, drawn = torch.stack(each), found.flatten(1)
    error = (drawn.mean(0) - per_probe.mean(0)).norm() / drawn.std(0).norm()
    assert error < 3 / count**0.5
    second = per_probe.T @ per_probe / probes / batch
    assert torch.allclose(drawn.T.cov(), second, rtol=0, atol=0.1 * float(second.diag().max()))


def test_networks_that_start_alike_end_apart_by_their_noise_alone() -> None:
    field, start = field_of(), networks(1)
    twice = {name: torch.cat([tensor, tensor]) for name, tensor in start.items()}
    noise = field.draw(1, torch.Generator().manual_seed(1))
    same, other = (field(twice, torch.cat([noise, second])) for second in (noise, noise.flip(1)))
    for name in start:
        assert torch.equal(same[name][0], same[name][1])
        assert not torch.equal(other[name][0], other[name][1])


def test_a_sample_is_that_of_its_seed_alone() -> None:
    flow = flow_of(field_of())
    seeds = sample_seeds(70, 1, ("x",))
    rows = rows_of(flow, seeds)
    assert np.isfinite(rows).all() and len(np.unique(rows[:, 0])) == 70
    assert (rows_of(flow, seeds[66:]) == rows[66:]).all()
    assert (rows_of(flow, seeds[[69, 3]]) == rows[[69, 3]]).all()


def test_other_steps_than_those_learned_are_refused() -> None:
    flow = flow_of(field_of())
    codes, rows = flow.rows(np.arange(2), SampleSettings("euler", 4))
    assert codes.shape == (2, 0) and rows.shape == (2, ARCHITECTURE.parameters)
    for other in (SampleSettings("euler", 5), SampleSettings("heun", 4)):
        with pytest.raises(FlowProblem, match="4 evaluations"):
            flow.rows(np.arange(2), other)


def test_settings_of_a_descent() -> None:
    found = settings_of("descent", {"steps": 7}, capacity=5)
    assert isinstance(found, DescentSettings) and (found.steps, found.probes) == (7, 5)
    assert settings_of("descent", found.as_dict()) == found
    for changes, words in (
        ({"steps": 0}, "steps is 0; allowed: a whole number ≥ 1"),
        ({"weight_fit": -1.0}, "weight_fit is -1.0; allowed: a number ≥ 0"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"near_fit": -1.0}, "near_fit is -1.0"),
        ({"fresh": 1}, "fresh is 1; allowed: a whole number ≥ 2"),
        ({"others": 1}, "others is 1"),
        ({"source_std": 1.0}, "source_std is no setting"),
    ):
        with pytest.raises(FlowSettingsProblem, match=words):
            settings_of("descent", changes)


def test_a_file_holds_the_whole_flow(tmp_path: Path) -> None:
    flow, seeds = flow_of(field_of(3)), np.arange(5)
    write_flow(tmp_path / "flow.safetensors", flow, {"flow": "x"})
    again = read_flow(tmp_path / "flow.safetensors", {"flow": "x"})
    assert isinstance(again, Descent) and again.initializations == flow.initializations
    assert (rows_of(again, seeds) == rows_of(flow, seeds)).all()


def test_members_that_are_not_finite_are_refused() -> None:
    broken = networks(3)
    broken["layer0.bias"][1] = torch.nan
    x, y = np.zeros((4, 5), dtype=np.float32), np.array([0, 1, 2, 0])
    with pytest.raises(TensorProblem, match=r"layer0.bias of the members .* not finite .* 1;"):
        Lesson(ARCHITECTURE, (broken, networks(3)), (x, y), DescentSettings())


@pytest.fixture(scope="module")
def iris() -> LearnedZoo:
    dataset, training = load_dataset("iris"), TrainSettings(epochs=30, batch_size=16)
    architecture = classifier(dataset, [16])
    block = train_block(architecture, dataset, range(60), training, 1, "iris")
    whole = Block(block.members, block.parameters)
    return LearnedZoo(*whole.split(40), Origin("iris", architecture, dataset, training))


@pytest.fixture(scope="module")
def fitted(iris: LearnedZoo) -> tuple[Descent, pd.DataFrame]:
    settings = DescentSettings(evaluations=6, probes=12, steps=100, batch=8, items=64)
    flow, history = fit_flow(iris, settings, 1, ("test",))
    assert isinstance(flow, Descent)
    return flow, history


def test_what_members_start_from_is_known(iris: LearnedZoo) -> None:
    assert iris.origin is not None and iris.origin.dataset is not None
    dataset = iris.origin.dataset
    still = TrainSettings(epochs=1, learning_rate=1e-12, initializations=("torch", "he_uniform"))
    architecture = classifier(dataset, [16])
    block = train_block(architecture, dataset, [3, 8], still, 5, "name")
    found = initial_parameters(architecture, [3, 8], still, 5, "name")
    for name, tensor in found.items():
        assert torch.allclose(tensor, block.parameters[name], rtol=0, atol=1e-9)


def test_fresh_initializations_become_new_networks_that_work(
    iris: LearnedZoo, fitted: tuple[Descent, pd.DataFrame], tmp_path: Path
) -> None:
    (flow, history), origin = fitted, iris.origin
    assert origin is not None and origin.dataset is not None and iris.held_out is not None
    training, held_out = (x.take(range(len(x))) for x in (iris.training, iris.held_out))
    assert history["held_out_loss"].iloc[-1] < 0.75 * history["held_out_loss"].iloc[0]
    write_table(tmp_path / "history.parquet", history, FLOW_HISTORY, {})
    architecture, data = classifier(origin.dataset, [16]), origin.dataset
    found = sample(flow, 60, SampleSettings("euler", 6), 1, ("test",))
    assert found.ok.all()
    start = architecture.initialize(
        [torch.Generator().manual_seed(int(seed)) for seed in found.seeds]
    )
    accuracy = {
        name: assess(architecture, tensors, data.train_x, data.train_y).accuracy.mean()
        for name, tensors in (
            ("start", start), ("found", found.parameters), ("held", held_out.parameters)
        )
    }  # fmt: skip
    assert accuracy["start"] < accuracy["held"] - 0.2
    assert accuracy["found"] > accuracy["held"] - 0.05
    rows, members = (
        np.concatenate([t.flatten(1).numpy() for t in tensors.values()], axis=1)
        for tensors in (found.parameters, training.parameters)
    )
    near = nearest_members(rows, members)
    assert (near.ratio > 0.5).all()


def test_the_same_seed_gives_the_same_flow(
    iris: LearnedZoo, fitted: tuple[Descent, pd.DataFrame]
) -> None:
    again, history = fit_flow(iris, fitted[0].settings, 1, ("test",))
    assert isinstance(again, Descent)
    assert (rows_of(again, np.arange(3)) == rows_of(fitted[0], np.arange(3))).all()
    pd.testing.assert_frame_equal(history, fitted[1])


def test_probes_can_be_learned_along_axes_and_by_nearness(
    iris: LearnedZoo, fitted: tuple[Descent, pd.DataFrame]
) -> None:
    settings = replace(fitted[0].settings, axes_learning_rate=0.03, near_fit=1.0, others=16)
    flow, history = fit_flow(iris, settings, 1, ("test",))
    assert isinstance(flow, Descent) and "axes" not in flow.field.state_dict()
    assert history["held_out_loss"].iloc[-1] < 0.75 * history["held_out_loss"].iloc[0]


def test_states_of_training_are_those_of_shorter_trainings(iris: LearnedZoo) -> None:
    """To the last bit, where an epoch ends; between are as many steps as there are."""
    origin = iris.origin
    assert origin is not None and origin.dataset is not None and origin.training is not None
    settings, given = replace(origin.training, epochs=4), (origin.architecture, origin.dataset)
    path = training_paths(5, *given, [3, 8], settings, 1, "iris")
    start = initial_parameters(origin.architecture, [3, 8], settings, 1, "iris")
    assert torch.equal(path[0], flat(start))
    after = train_block_after([1, 2, 3, 4], *given, [3, 8], settings, 1, "iris")
    for epochs, block in after.items():
        assert torch.equal(path[epochs], flat(dict(block.parameters)))
    many = training_paths(1001, *given, [3], settings, 1, "iris")
    assert len(many) == 1001 and len(torch.unique(many, dim=0)) < 100


def test_evaluations_that_follow_go_as_the_descent_does_from_its_own_states() -> None:
    """Along its own way each evaluation leads where the descent was next."""
    field = field_of().double()
    now = flat({name: tensor.double() for name, tensor in networks(4).items()})
    way, averages = [now], _Averages.before(now, field.decays)
    for step, probes in enumerate(field._probes()):
        networks_now = way[-1].detach().requires_grad_()
        way.append(way[-1] - field._move(networks_now, averages, step, probes, None).detach())
    path = torch.stack(way)
    assert torch.allclose(field.follow(path[:-1]), path[1:], rtol=0, atol=1e-12)
    whole = flat(field({n: t.double() for n, t in networks(4).items()}))
    assert torch.allclose(path[-1], whole, rtol=0, atol=1e-12)


def test_members_are_followed_before_their_ends_are_matched(iris: LearnedZoo) -> None:
    """Alone, following comes nearer to members that nothing was learned from than no training."""
    given = DescentSettings(evaluations=6, probes=12, steps=1, batch=8, items=64)
    ends = []
    for following in (0, 60):
        _, history = fit_flow(iris, replace(given, following=following), 1, ("test",))
        assert history["step"].tolist() == [1]
        ends.append(history["held_out_loss"].iloc[-1])
    assert ends[1] < 0.75 * ends[0]


@pytest.mark.slow
def test_on_digits_generated_networks_are_like_held_out_members() -> None:
    dataset, training = load_dataset("digits"), TrainSettings()
    architecture = classifier(dataset, [32, 32])
    block = train_block(architecture, dataset, range(500), training, 1, "digits")
    members, held_out = Block(block.members, block.parameters).split(400)
    zoo = LearnedZoo(members, held_out, Origin("digits", architecture, dataset, training))
    flow, _ = fit_flow(zoo, settings_of("descent", {"steps": 300}), 1, ("slow",))
    samples = sample(flow, 100, SampleSettings("euler", 24), 1, ("slow",))
    panel = judge_panel(
        architecture, members, held_out, samples, dataset.test_x, dataset.test_y,
        PanelSettings(noise_scales=(0.1,), controls=100), 1, ("slow",),
        align=closest_gauge(mlp_symmetry(architecture.shapes), MatchSettings()),
    )  # fmt: skip
    summary = summarize(panel, 1, ("slow",)).set_index("set").to_dict("index")
    found, wanted = summary["generated"], summary["held-out"]
    assert found["failed"] == 0 and found["replica_share"] == 0
    assert abs(found["accuracy"] - wanted["accuracy"]) < 0.01
    assert abs(found["nearest_relative"] - wanted["nearest_relative"]) < 0.02
    assert abs(found["max_iou"] - wanted["max_iou"]) < 0.05
    assert found["distinct"] > 0.85 * wanted["distinct"] and found["neighbour_p"] > 0.01
    assert summary["noise matched"]["accuracy"] < 0.5
