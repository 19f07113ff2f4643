"""Every settings object of the library that an accepted configuration leads to."""

from collections.abc import Iterator
from typing import Any

import torch

from nodeflow.bridge.evaluate import TestSettings
from nodeflow.bridge.functional import FunctionSettings
from nodeflow.bridge.sets import ControlSettings
from nodeflow.bridge.zoo import DataSettings
from nodeflow.canonical import CanonicalSettings, MatchSettings
from nodeflow.config import Config
from nodeflow.config.zoo import Zoo
from nodeflow.datasets import VOCABULARIES
from nodeflow.dynamics.integrate import check_settings
from nodeflow.dynamics.systems import field
from nodeflow.flow import DescentSettings, FlowSettings, SampleSettings, settings_of
from nodeflow.flow.lessons import DescentProblem
from nodeflow.judge import PanelSettings, TransferSettings
from nodeflow.neural_ode.settings import GaussNewtonSettings, recipe_settings, snapshot_steps
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
    yield from _bridge(config)


def _match(config: Config) -> MatchSettings:
    return MatchSettings(**config.canonical.dump("matching")["matching"])


def _dynamics(config: Config) -> Iterator[Any]:
    dynamics = config.dynamics
    check_settings(dynamics.rtol, dynamics.atol, dynamics.max_steps)
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
        for width in flow.widths:
            settings = settings_of(flow.method, flow.dump("settings")["settings"], width)

            yield settings
            if isinstance(settings, DescentSettings):
                _descends(settings, how, learned)
                assert flow.weights == ("raw",)
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
            if architecture.statistics or architecture.tokens:
                raise DescentProblem(architecture.name)


def _encodes(settings: FlowSettings, zoos: list[Zoo]) -> None:
    """What `scale_of` asks of a rank."""
    members = sum(zoo.members for zoo in zoos)
    assert (settings.codec.rank or 1) <= min(members - 1, zoos[0].parameters)


def _bridge(config: Config) -> Iterator[Any]:
    bridge, dynamics = config.bridge, config.dynamics
    flow = settings_of("codes", bridge.dump("flow")["flow"])
    yield flow
    yield SampleSettings(**bridge.dump("sampling")["sampling"])
    training = bridge.dump("training")["training"]
    yield FunctionSettings(**bridge.dump("functions")["functions"], scale=training["scale"])
    yield DataSettings(
        size=config.graphs.training.size,
        mean_degree=config.graphs.mean_degree,
        trajectories=bridge.data.trajectories,
        times=bridge.data.times,
        **{name: getattr(dynamics, name) for name in ("initial", "horizon", "rtol", "atol")},
        max_steps=dynamics.max_steps,
    )
    for name in bridge.use:
        zoo, tests = bridge.zoos[name], bridge.zoos[name].tests
        settings = recipe_settings("gauss_newton", training)
        assert isinstance(settings, GaussNewtonSettings)
        assert bridge.data.times >= settings.fewest_times
        yield settings
        yield TestSettings(
            **{
                key: getattr(tests, key)
                for key in (
                    "models", "controls", "ensembles", "unobserved", "fixed_points", "horizon",
                    "detail_size",
                )
            }
        )  # fmt: skip
        check_settings(dynamics.rtol, dynamics.atol, dynamics.max_steps)
        yield ControlSettings(config.judge.noise_scales, config.judge.soup, config.judge.controls)
        assert zoo.learned >= max(3, config.judge.soup)
        assert max(tests.ensembles) <= tests.models
        for share in tests.unobserved:
            assert round(share * tests.detail_size) < tests.detail_size
