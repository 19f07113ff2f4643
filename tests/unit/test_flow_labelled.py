"""Conditional descents: what guidance is, what labels share, files, and networks that work."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from nodeflow.datasets import Dataset, load_dataset
from nodeflow.flow.codec import flatten
from nodeflow.flow.descent import Descent, DescentField
from nodeflow.flow.files import sample_to_file
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import Condition, LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.flow.sample import sample
from nodeflow.flow.samples import read_samples, sample_seeds
from nodeflow.flow.settings import FlowProblem, FlowSettingsProblem, SampleSettings
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.judge import assess
from nodeflow.tensors import TensorProblem
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import TrainSettings, train_block
from tests.unit.test_flow_descent import ARCHITECTURE, field_of

TASKS = {"plain": "iris", "inverted": "iris:inverted"}


def planted(evaluations: int = 4) -> Descent:
    """Fields with random probes, one for none and one for each of two labels."""
    fields = [field_of(seed, evaluations) for seed in range(3)]
    settings = DescentSettings(evaluations=evaluations, probes=9)
    labelled = dict(zip(TASKS, fields[1:], strict=True))
    return Descent(settings, ARCHITECTURE.shapes, ("he_uniform", "torch"), fields[0], labelled)


def rows(flow: Descent, seeds: np.ndarray, label: str = "", guidance: float = 1.0) -> np.ndarray:
    """Flat networks of a descent, under a condition if there is a label."""
    how = SampleSettings("euler", flow.settings.evaluations)
    return flow.rows(seeds, how, Condition(label, guidance) if label else None)[1]


def test_guidance_is_that_of_velocities_and_exact_at_both_ends() -> None:
    flow, seeds = planted(), sample_seeds(5, 1, ("x",))
    alone = [dataclasses.replace(flow, field=f, labelled={}) for f in flow.labelled.values()]
    without = rows(dataclasses.replace(flow, labelled={}), seeds)
    for label, own in zip(TASKS, alone, strict=True):
        assert (rows(flow, seeds, label, 0.0) == without).all()
        assert (rows(flow, seeds, label, 1.0) == rows(own, seeds)).all()
        near = rows(flow, seeds, label, 1 + 1e-6)
        assert np.allclose(near, rows(own, seeds), atol=1e-3)
    one = planted(evaluations=1)
    ends = [rows(one, seeds, "plain", w).astype(float) for w in (0.0, 1.0)]
    for w in (0.3, 2.5):
        found = rows(one, seeds, "plain", w)
        assert np.allclose(found, ends[0] + w * (ends[1] - ends[0]), atol=1e-5)


def test_guidance_is_an_independent_loop_of_two_descents() -> None:
    """Two fields on one path, each with its own averages: restarted from scratch at every step."""
    flow, w = planted(evaluations=3), 1.7
    fields = [flow.field.double(), flow.labelled["plain"].double()]
    start = {
        name: tensor.double()
        for name, tensor in ARCHITECTURE.initialize([torch.Generator().manual_seed(3)]).items()
    }
    noise = torch.randn(1, 3, 9, generator=torch.Generator().manual_seed(4)).double()
    path = [start]
    for step in range(3):
        ends = []
        for field in fields:
            mean, square = ({n: torch.zeros_like(t) for n, t in start.items()} for _ in range(2))
            first, second = field.decays.sigmoid().tolist()
            for k, here in enumerate(path):
                flat = torch.cat([t.flatten(1) for t in here.values()], dim=1)
                found = field._gradient(
                    flat.detach().requires_grad_(),
                    field._probes()[k],
                    1 + field.noise[k] * noise[:, k],
                )
                for name, gradient in field._named(found).items():
                    mean[name] = first * mean[name] + (1 - first) * gradient
                    square[name] = second * square[name] + (1 - second) * gradient**2
            ends.append(
                [
                    field.log_rate[step, i].exp() / 3 * (mean[n] / (1 - first ** (step + 1)))
                    / (square[n] / (1 - second ** (step + 1)) + field.log_floor[step, i].exp() ** 2)
                    ** 0.5
                    for i, n in enumerate(start)
                ]
            )  # fmt: skip
        path.append(
            {n: path[-1][n] - a - w * (b - a) for n, a, b in zip(start, *ends, strict=True)}
        )
    found = flow.labelled["plain"](start, noise, flow.field, w)
    for name, tensor in path[-1].items():
        assert torch.allclose(found[name], tensor, rtol=0, atol=1e-12)


def test_a_sample_is_that_of_its_seed_label_and_guidance(tmp_path: Path) -> None:
    flow = planted()
    write_flow(tmp_path / "flow", flow, {"flow": "c"})
    again = read_flow(tmp_path / "flow", {"flow": "c"})
    assert isinstance(again, Descent) and again.labels == ("plain", "inverted")
    how = SampleSettings("euler", 4)
    conditions = [Condition(label, w) for label in TASKS for w in (0.0, 1.0, 2.0)]
    sample_to_file(tmp_path / "s", again, 5, how, 1, ("x",), {"made": "so"}, conditions=conditions)
    stored = read_samples(tmp_path / "s", {"made": "so"}).parts(5)
    assert (stored[0].seeds == stored[2].seeds).all(), "guidance alone makes the difference"
    for condition, part in zip(conditions, stored, strict=True):
        stacked = flatten(part.parameters, ARCHITECTURE.shapes)
        _, one = flow.rows(part.seeds[[3]], how, condition)
        assert (one[0] == stacked[3]).all()
    assert len({flatten(part.parameters, ARCHITECTURE.shapes).tobytes() for part in stored}) == 6


def test_what_a_descent_has_not_learned_is_refused() -> None:
    flow, how = planted(), SampleSettings("euler", 4)
    for condition, words in ((Condition("up"), "plain, inverted"), (None, "no label")):
        with pytest.raises(FlowProblem, match=words):
            sample(flow, 2, how, 1, ("x",), condition=condition)
    with pytest.raises(FlowProblem, match="learned none"):
        sample(
            dataclasses.replace(flow, labelled={}), 2, how, 1, ("x",), condition=Condition("plain")
        )
    with pytest.raises(FlowSettingsProblem, match="label_dropout"):
        DescentSettings(label_dropout=1.0)


def zoos_of(members: int, epochs: int) -> dict[str, LearnedZoo]:
    zoos = {}
    for name, data in TASKS.items():
        dataset, training = load_dataset(data), TrainSettings(epochs, 16)
        architecture = classifier(dataset, [16])
        block = train_block(architecture, dataset, range(members), training, 1, name)
        parts = Block(block.members, block.parameters).split(members - 4)
        zoos[name] = LearnedZoo(*parts, Origin(name, architecture, dataset, training))
    return zoos


def origin_of(zoo: LearnedZoo) -> Origin:
    assert zoo.origin is not None
    return zoo.origin


def data_of(zoo: LearnedZoo) -> Dataset:
    """The data set of a zoo that has one."""
    data = origin_of(zoo).dataset
    assert data is not None
    return data


def test_a_step_changes_the_descent_of_its_label_alone() -> None:
    zoos = zoos_of(8, 1)
    settings = DescentSettings(
        evaluations=2, probes=5, steps=6, batch=2, fresh=2, items=8, label_dropout=0.0
    )
    found, history = fit_flow(zoos, settings, 1, ("x",))
    again, _ = fit_flow(zoos, settings, 1, ("x",))
    half = dataclasses.replace(settings, label_dropout=0.5)
    withheld, _ = fit_flow(zoos, half, 1, ("x",))
    assert isinstance(found, Descent) and isinstance(again, Descent)
    assert isinstance(withheld, Descent) and history.notna().all(axis=None)
    seeds = np.arange(3)
    for label in TASKS:
        assert (rows(found, seeds, label) == rows(again, seeds, label)).all()
    x = torch.cat([torch.as_tensor(data_of(zoo).train_x) for zoo in zoos.values()])

    def are_items(field: DescentField) -> bool:
        probes = field.items.detach().flatten(0, 1)
        return bool((torch.cdist(probes, x).min(dim=1).values < 1e-6).all())

    assert are_items(found.field), "with no label withheld, the field without one stays"
    assert not are_items(withheld.field)
    assert not any(are_items(field) for field in found.labelled.values())


def test_zoos_that_do_not_fit_are_refused() -> None:
    zoos = zoos_of(8, 1)
    settings = DescentSettings(evaluations=2, probes=5, steps=1, batch=2, fresh=2, items=8)
    with pytest.raises(FlowProblem, match="no zoos"):
        fit_flow({}, settings, 1, ("x",))
    with pytest.raises(FlowProblem, match="give each zoo its origin"):
        fit_flow(dataclasses.replace(zoos["plain"], origin=None), settings, 1, ("x",))
    dataset, training = load_dataset("iris"), TrainSettings(1)
    other = train_block(classifier(dataset, [8]), dataset, range(4), training, 1, "x")
    wrong = LearnedZoo(*other.split(3), origin_of(zoos["inverted"]))
    for either in (settings, settings_of("codes", {"steps": 1})):
        with pytest.raises(TensorProblem, match=r"layer0\.weight of the members of inverted"):
            fit_flow({**zoos, "inverted": wrong}, either, 1, ("x",))
    started = dataclasses.replace(training, initializations=("torch",))
    moved = dataclasses.replace(origin_of(zoos["inverted"]), training=started)
    elsewhere = dataclasses.replace(zoos["inverted"], origin=moved)
    with pytest.raises(FlowProblem, match=r"start alike.*he_uniform.*torch"):
        fit_flow({**zoos, "inverted": elsewhere}, settings, 1, ("x",))


@pytest.mark.slow
def test_networks_of_each_label_work() -> None:
    zoos = zoos_of(44, 30)
    settings = DescentSettings(evaluations=6, probes=12, steps=400, items=64, label_dropout=0.25)
    flow, history = fit_flow(zoos, settings, 1, ("test",))
    assert history["held_out_loss"].iloc[-1] < history["held_out_loss"].iloc[0]
    for label, other in (("plain", "inverted"), ("inverted", "plain")):
        found = sample(flow, 60, SampleSettings("euler", 6), 1, ("t",), condition=Condition(label))
        data, wrong = (data_of(zoos[name]) for name in (label, other))
        architecture = origin_of(zoos[label]).architecture
        members = zoos[label].training.take(range(40)).parameters
        own, elsewhere, wanted = (
            assess(architecture, tensors, d.train_x, d.train_y).accuracy.mean()
            for tensors, d in (
                (found.parameters, data), (found.parameters, wrong), (members, data)
            )
        )  # fmt: skip
        assert own > wanted - 0.05 and own > elsewhere + 0.2
