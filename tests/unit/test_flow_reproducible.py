"""Every stored network is made again from its seed alone; those that fail are kept and counted."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.datasets import load_dataset
from nodeflow.flow.codec import flatten
from nodeflow.flow.files import fit_from_files, sample_to_file
from nodeflow.flow.fit import Origin
from nodeflow.flow.sample import SampleSettings, sample_codes, sample_rows
from nodeflow.flow.settings import settings_of
from nodeflow.flow.store import read_flow, read_samples, stream_samples, write_flow
from nodeflow.flow.train import Flow
from nodeflow.zoo.architectures import classifier
from nodeflow.zoo.store import Block, read_columns, write_block
from nodeflow.zoo.train import TrainSettings, train_block

IRIS, TRAINING, LEARNED = load_dataset("iris"), TrainSettings(epochs=2, batch_size=16), 8
ARCHITECTURE = classifier(IRIS, [6])

SMALL = {"hidden": 16}
METHODS: dict[str, tuple[str, dict[str, Any], SampleSettings]] = {
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


@pytest.mark.parametrize("name", METHODS)
def test_a_stored_network_is_made_again_from_its_seed_alone(
    zoo: Path, tmp_path: Path, name: str
) -> None:
    method, changes, how = METHODS[name]
    origin = Origin("z", ARCHITECTURE, IRIS, TRAINING)
    settings = settings_of(method, changes)
    flow, _ = fit_from_files([zoo], LEARNED, [{"zoo": "z"}], settings, origin, 1, (name,))
    write_flow(tmp_path / "flow", flow, {})
    sample_to_file(tmp_path / "many", flow, 9, how, ([zoo], LEARNED), 1, (name,), {})
    stored = read_samples(tmp_path / "many")
    assert stored.ok.all() and len(set(stored.seeds)) == 9
    again, seed = read_flow(tmp_path / "flow"), stored.seeds[[6]]
    if name == "span":
        assert isinstance(again, Flow)
        codes = sample_codes(again, seed, how)
        columns = partial(read_columns, [zoo], below=LEARNED)
        stream_samples(tmp_path / "one", again, columns, codes, seed, {})
        one = flatten(read_samples(tmp_path / "one").parameters, ARCHITECTURE.shapes)
        exact = False  # decoding is a product over all samples at once, which rounds by their count
    else:
        _, one = sample_rows(again, seed, how)
        exact = True
    row = flatten(stored.parameters, ARCHITECTURE.shapes)[6]
    assert (one[0] == row).all() if exact else np.allclose(one[0], row, rtol=0, atol=1e-6)
