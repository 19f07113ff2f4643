"""Every stored network is made again from its seed alone; those that fail are kept and counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.datasets import load_dataset
from nodeflow.flow.codec import flatten
from nodeflow.flow.files import sample_to_file
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import Origin
from nodeflow.flow.methods import METHODS, settings_of
from nodeflow.flow.samples import read_samples
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.flow.zoos import open_zoos
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.store import Block, write_block
from nodeflow.zoo.train import TrainSettings, train_block

IRIS, TRAINING, LEARNED = load_dataset("iris"), TrainSettings(epochs=2, batch_size=16), 8
ARCHITECTURE = classifier(IRIS, [6])

SMALL = {"hidden": 16}
WAYS: dict[str, tuple[str, dict[str, Any], SampleSettings]] = {
    "paper": ("paper", {"steps": 20, "velocity": SMALL}, SampleSettings("rk4", 5)),
    "codes": ("codes", {"steps": 20, "batch": 8, "velocity": SMALL}, SampleSettings("heun", 4)),
    "ddpm": ("ddpm", {"steps": 20, "batch": 8, "velocity": SMALL}, SampleSettings("ddpm", 1000)),
    "span": (
        "codes",
        {"steps": 20, "batch": 8, "velocity": SMALL, "codec": {"kind": "span"}},
        SampleSettings("euler", 6),
    ),
    "descent": (
        "descent",
        {"steps": 3, "items": 16, "evaluations": 4, "probes": 5},
        SampleSettings("euler", 4),
    ),
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zoo") / "block"
    block = train_block(ARCHITECTURE, IRIS, range(10), TRAINING, 1, "z")
    write_block(path, Block(block.members, block.parameters), {"zoo": "z"})
    return path


def test_all_methods_are_tried() -> None:
    assert {method for method, *_ in WAYS.values()} == set(METHODS)


@pytest.mark.parametrize("name", WAYS)
def test_a_stored_network_is_made_again_from_its_seed_alone(
    zoo: Path, tmp_path: Path, name: str
) -> None:
    method, changes, how = WAYS[name]
    origin = Origin("z", ARCHITECTURE, IRIS, TRAINING)
    settings = settings_of(method, changes)
    learned = open_zoos([zoo], [[{"zoo": "z"}]], [LEARNED], [origin])["z"]
    flow, _ = fit_flow(learned, settings, 1, (name,))
    write_flow(tmp_path / "flow", flow, {})
    members = learned.training if METHODS[method].streams(settings) else None
    sample_to_file(tmp_path / "many", flow, 9, how, 1, (name,), {}, members=members)
    stored = read_samples(tmp_path / "many")
    assert stored.ok.all() and len(set(stored.seeds)) == 9
    again, seed = read_flow(tmp_path / "flow"), stored.seeds[[6]]
    if members is not None:
        sample_to_file(tmp_path / "fewer", again, 7, how, 1, (name,), {}, members=members)
        one = flatten(read_samples(tmp_path / "fewer").parameters, ARCHITECTURE.shapes)[[6]]
        exact = False  # decoding is a product over all samples at once, which rounds by their count
    else:
        one = flatten(again.sample(seed, how).parameters, ARCHITECTURE.shapes)
        exact = True
    row = flatten(stored.parameters, ARCHITECTURE.shapes)[6]
    assert (one[0] == row).all() if exact else np.allclose(one[0], row, rtol=0, atol=1e-6)
