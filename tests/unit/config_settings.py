"""Every settings object of the library that an accepted configuration leads to."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from nodeflow.canonical import CanonicalSettings, MatchSettings
from nodeflow.config import Config
from nodeflow.config.zoo import Zoo
from nodeflow.datasets import VOCABULARIES
from nodeflow.dynamics.integrate import check_tolerance
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.flow import DescentSettings, FlowSettings, SampleSettings, settings_of
from nodeflow.flow.lessons import DescentProblem
from nodeflow.judge import PanelSettings, TransferSettings
from nodeflow.neural_ode.settings import GaussNewtonSettings, recipe_settings, snapshot_steps
from nodeflow.priors import Asked, Family
from nodeflow.priors.families import mixed
from nodeflow.zoo import Architecture, TrainSettings, build

_SMALL = 100_000
"""Networks up to so many numbers are made, and read an item."""


def built(config: Config) -> Iterator[Any]:
    """All of them, one after another; what cannot be built raises."""
    yield from _dynamics(config)
    yield from _node(config)
    yield CanonicalSettings(
        **{**config.canonical.dump("balance", "residual", "reference"), "matching": _match(config)}
    )
    yield PanelSettings(**config.dump("judge")["judge"])
    yield TransferSettings(**config.flow.transfer.dump("epochs", "networks"))
    for zoo in config.zoo.zoos.values():
        yield TrainSettings(**zoo.dump("training")["training"])
        yield from _architecture(zoo)
    yield from _flows(config)
    yield from _priors(config)


def _match(config: Config) -> MatchSettings:
    return MatchSettings(**config.canonical.dump("matching")["matching"])


def _dynamics(config: Config) -> Iterator[Any]:
    dynamics = config.dynamics
    check_tolerance(Tolerance(dynamics.rtol, dynamics.atol, dynamics.max_steps))
    for system in dynamics.systems:
        yield field(system, dynamics.parameters_of(system))


def _node(config: Config) -> Iterator[Any]:
    node = config.neural_ode
    settings = recipe_settings(node.recipe, node.dump(node.recipe)[node.recipe])
    assert settings == node.training
    yield settings
    yield snapshot_steps(settings)
    assert config.dynamics.training.times >= settings.fewest_times


def _architecture(zoo: Zoo) -> Iterator[Architecture]:
    item, classes = zoo.form
    if zoo.parameters > _SMALL:
        return
    settings = dict(zoo.written_network)
    if zoo.data in VOCABULARIES and settings["kind"] in ("text", "bert"):
        settings["vocabulary"] = VOCABULARIES[zoo.data]
    architecture = build(settings, item, classes)
    assert architecture.parameters == zoo.parameters
    with torch.no_grad():
        start = architecture.initialize([torch.Generator().manual_seed(0)])
        statistics = architecture.fresh_statistics(1)
        items = torch.zeros(1, min(zoo.training.batch_size, 3), architecture_features(item))
        if architecture.tokens:
            items = items.long()
        logits = architecture.forward_training(start, statistics, items)
        assert logits.shape[2] == classes
    yield architecture


def architecture_features(item: tuple[int, ...]) -> int:
    """Numbers of an item."""
    count = 1
    for side in item:
        count *= side
    return count


def _flows(config: Config) -> Iterator[Any]:
    zoos = config.zoo.zoos
    for flow in config.flow.flows.values():
        learned = [zoos[name] for name in flow.learns]
        how = SampleSettings(flow.sampling.solver, flow.sampling.steps)
        for capacity in flow.capacities:
            settings = settings_of(flow.method, flow.dump("settings")["settings"], capacity)

            yield settings
            if isinstance(settings, DescentSettings):
                _descends(settings, how, learned)
                assert flow.alignment == ("raw",)
                continue
            assert (settings.process == "diffusion") == (how.solver == "ddpm")
            _encodes(settings, learned)
            assert settings.codec.kind != "span" or len(learned) == 1
    for way in config.flow.solvers.samplings:
        yield SampleSettings(way.solver, way.steps)
    for name in (name for name in config.flow.use if config.flow.flows[name].zoo):
        assert zoos[config.flow.flows[name].zoo].members >= max(3, config.judge.soup)


def _descends(settings: DescentSettings, how: SampleSettings, zoos: list[Zoo]) -> None:
    """What `Descent.rows` and `Lesson` ask of a descent."""
    assert (how.solver, how.steps) == ("euler", settings.evaluations)
    for zoo in zoos:
        for architecture in _architecture(zoo):
            if architecture.tokens and settings.axes_learning_rate:
                raise DescentProblem(architecture.name)


def _encodes(settings: FlowSettings, zoos: list[Zoo]) -> None:
    """What `scale_of` asks of a rank."""
    members = sum(zoo.members for zoo in zoos)
    assert (settings.codec.rank or 1) <= min(members - 1, zoos[0].parameters)


def _priors(config: Config) -> Iterator[Any]:
    priors, tests = config.priors, config.priors.tests
    yield settings_of("codes", priors.dump("flow")["flow"])
    yield SampleSettings(**priors.dump("sampling")["sampling"])
    training = GaussNewtonSettings(**priors.dump("training")["training"])
    assert priors.data.times >= training.fewest_times
    yield training
    families = {name: Family(name, x) for name, x in priors.families.items()}  # type: ignore[arg-type]
    yield from families.values()
    for stranger in priors.strangers.values():
        yield mixed(families, stranger.dump(), np.random.default_rng(0))
    yield Asked.of(
        tests.dump(
            "frames", "noise", "compared", "studied", "draws", "members", "laws", "removed",
            "horizon",
        )
    )  # fmt: skip
    assert round(tests.removed * tests.detail_size) < tests.detail_size
    assert tests.members <= tests.draws
