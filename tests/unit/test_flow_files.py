"""Flows over networks of any architecture, and over zoos that are not in memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from nodeflow.canonical import derive_symmetry, permute, random_permutations
from nodeflow.canonical.matching import MatchSettings
from nodeflow.datasets import load_dataset
from nodeflow.flow.codec import CodecProblem, CodecSettings, SpanCodec, fit_codec, flatten
from nodeflow.flow.files import sample_to_file
from nodeflow.flow.fit import fit_flow
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import Flow, sample
from nodeflow.flow.samples import read_samples
from nodeflow.flow.schemas import FLOW_SPECTRA
from nodeflow.flow.settings import FlowProblem, SampleSettings
from nodeflow.flow.spectra import read_spectra
from nodeflow.flow.store import read_flow, write_flow
from nodeflow.flow.zoos import open_zoos
from nodeflow.judge import PanelSettings, TransferSettings, closest_gauge, judge_panel, transfer
from nodeflow.seeds import torch_generator
from nodeflow.tables import FileProblem, read_table, write_table
from nodeflow.zoo import build, evaluate, recalibrated
from nodeflow.zoo.store import Block, read_blocks, write_block
from nodeflow.zoo.train import TrainSettings, train_block

DIGITS = load_dataset("digits")
ARCHITECTURE = build({"kind": "resnet", "widths": [2, 4], "blocks": [1, 1]}, (1, 8, 8), 10)
TRAINING = TrainSettings(epochs=2, batch_size=64, learning_rate=1e-2)
MEMBERS = 8
SOLVER = SampleSettings("heun", 4)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("zoo")
    block = train_block(ARCHITECTURE, DIGITS.first(256), range(10), TRAINING, 1, "z")
    whole = Block(block.members, block.parameters, block.statistics)
    paths = [folder / f"{name}.safetensors" for name in ("b0", "b1", "b2")]
    for path, members in zip(paths, ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9]), strict=True):
        write_block(path, whole.take(members), {"zoo": "z"})
    return paths


def learned(zoo: list[Path]) -> LearnedZoo:
    origin = Origin("z", ARCHITECTURE, DIGITS, TRAINING)
    return open_zoos(zoo, [[{"zoo": "z"}] * len(zoo)], [MEMBERS], [origin])["z"]


def fitted(zoo: list[Path], kind: str, rank: int | None = None) -> Flow:
    changes = {"steps": 30, "batch": 4, "velocity": {"hidden": 8, "blocks": 1}}
    settings = settings_of("codes", {**changes, "codec": {"kind": kind, "rank": rank}})
    flow, history = fit_flow(learned(zoo), settings, 1, ("t",))
    assert isinstance(flow, Flow) and history["held_out_loss"].notna().all()
    return flow


def drawn_to(path: Path, flow: Flow, zoo: list[Path], count: int = 5) -> Path:
    members = learned(zoo).training
    sample_to_file(path, flow, count, SOLVER, 1, ("t",), {"made": "so"}, members=members)
    return path


@pytest.mark.parametrize("rank", [None, 3])
def test_a_streamed_flow_is_the_one_of_the_zoo_in_memory(
    zoo: list[Path], tmp_path: Path, rank: int | None
) -> None:
    inside, streamed = fitted(zoo, "pca", rank), fitted(zoo, "span", rank)
    assert isinstance(streamed.codec, SpanCodec) and inside.codec.size == streamed.codec.size
    assert np.allclose(inside.codec.spectrum, streamed.codec.spectrum, rtol=1e-9)  # type: ignore[union-attr]
    assert streamed.codec.kept == pytest.approx(inside.codec.kept)  # type: ignore[union-attr]
    # Directions may differ in sign, and so may what is learned: encode by one, decode by the other.
    write_flow(tmp_path / "f", streamed, {"zoo": "z"})
    again = read_flow(tmp_path / "f", {"zoo": "z"})
    assert isinstance(again, Flow)
    found = read_samples(drawn_to(tmp_path / "s", again, zoo), {"made": "so"})
    rows = flatten(found.parameters, ARCHITECTURE.shapes)
    assert np.allclose(inside.codec.decode(inside.codec.encode(rows)), rows, atol=1e-5)  # type: ignore[union-attr]
    back = np.abs(inside.codec.encode(rows))  # type: ignore[union-attr]
    assert np.allclose(back, np.abs(found.about["code"]), atol=1e-4) and found.ok.all()
    assert rows.dtype == np.float32 and len(set(found.seeds)) == 5
    fewer = read_samples(drawn_to(tmp_path / "two", again, zoo, 2))
    assert all(torch.equal(t[:2], fewer.parameters[n]) for n, t in found.parameters.items())
    first = (tmp_path / "s").read_bytes()
    assert drawn_to(tmp_path / "s", streamed, zoo).read_bytes() == first
    with pytest.raises(FlowProblem, match="sample_to_file"):
        again.sample(found.seeds, SOLVER)


def test_failed_samples_and_damage_of_a_streamed_file_are_seen(
    zoo: list[Path], tmp_path: Path
) -> None:
    flow = fitted(zoo, "span")
    assert isinstance(flow.codec, SpanCodec)
    scale = flow.codec.scale.copy()
    scale[0] = 1e60  # too long for float32
    broken = replace(flow, codec=replace(flow.codec, scale=scale))
    path = drawn_to(tmp_path / "s", broken, zoo)
    found = read_samples(path)
    rows = flatten(found.parameters, ARCHITECTURE.shapes)
    assert not found.ok.any() and not np.isfinite(rows).all(axis=1).any()
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    with pytest.raises(FileProblem, match="damaged content"):
        read_samples(path)


def test_a_zoo_in_memory_is_not_streamed_by_its_codec_alone(zoo: list[Path]) -> None:
    origin = Origin("z", ARCHITECTURE, DIGITS, TRAINING)
    with pytest.raises(FileProblem, match="zoo = y"):
        open_zoos(zoo, [[{"zoo": "y"}] * len(zoo)], [MEMBERS], [origin])
    with pytest.raises(CodecProblem, match="fit_flow"):
        fit_codec(np.zeros((3, 4)), CodecSettings("span"))
    settings = settings_of("codes", {"steps": 1, "codec": {"kind": "span"}})
    with pytest.raises(FlowProblem, match="pca or raw"):
        fit_flow({"a": learned(zoo), "b": learned(zoo)}, settings, 1, ("t",))


def test_generated_networks_with_batch_normalization_are_judged_by_each_strategy(
    zoo: list[Path],
) -> None:
    flow = fitted(zoo, "pca")
    training, held_out = read_blocks(zoo).split(MEMBERS)
    samples = sample(flow, 6, SOLVER, 1, ("t",))
    settings = PanelSettings(
        (0.1,), 3, 5, 2, statistics=("recalibrated", "reference", "none"), calibration=200
    )
    panel = judge_panel(
        ARCHITECTURE, training, held_out, samples, DIGITS.test_x, DIGITS.test_y, settings, 1,
        ("t",),
        align=closest_gauge(derive_symmetry(ARCHITECTURE), MatchSettings()),
        calibration=DIGITS.train_x,
    )  # fmt: skip
    sets = panel.groupby("set")["accuracy"]
    assert {"generated", "generated (reference)", "generated (none)"} <= set(sets.groups)
    # By hand: parameters as sampled, statistics measured on the same training items.
    whole = {
        **samples.parameters,
        **recalibrated(ARCHITECTURE, samples.parameters, DIGITS.train_x[:200]),
    }
    _, accuracy = evaluate(ARCHITECTURE, whole, DIGITS.test_x, DIGITS.test_y)
    assert np.allclose(sets.get_group("generated"), accuracy)
    first = {n: t[:1].expand(6, *t.shape[1:]) for n, t in training.statistics.items()}
    _, accuracy = evaluate(
        ARCHITECTURE, {**samples.parameters, **first}, DIGITS.test_x, DIGITS.test_y
    )
    assert np.allclose(sets.get_group("generated (reference)"), accuracy)
    fresh = ARCHITECTURE.fresh_statistics(6)
    _, accuracy = evaluate(
        ARCHITECTURE, {**samples.parameters, **fresh}, DIGITS.test_x, DIGITS.test_y
    )
    assert np.allclose(sets.get_group("generated (none)"), accuracy)
    # Trained members keep what they were trained with where nothing is measured anew.
    own = judge_panel(
        ARCHITECTURE, training, held_out, samples, DIGITS.test_x, DIGITS.test_y,
        replace(settings, statistics=("none",)), 1, ("t",), calibration=DIGITS.train_x,
    )  # fmt: skip
    _, accuracy = evaluate(ARCHITECTURE, training.tensors, DIGITS.test_x, DIGITS.test_y)
    assert np.allclose(own[own["set"] == "zoo"]["accuracy"], accuracy[:5])
    assert "generated (reference)" not in set(own["set"])


def test_transfer_trains_with_batch_normalization(zoo: list[Path]) -> None:
    block = read_blocks(zoo).take([0, 1])
    table = transfer(
        ARCHITECTURE, {"with": block, "without": Block(block.members, block.parameters)},
        {"same": DIGITS.first(500)}, TransferSettings((0, 1), 2, learning_rate=1e-2), 1, ("t",),
        calibration=DIGITS.train_x,
    )  # fmt: skip
    mean = table.groupby(["set", "epochs"])["accuracy"].mean()
    assert mean["without", 0] > mean["with", 0] - 0.1 and mean["with", 1] > mean["with", 0]


def test_a_transformer_in_another_order_of_heads_and_units_is_a_copy() -> None:
    vit = build(
        {"kind": "vit", "patch": 4, "width": 8, "depth": 1, "heads": 2, "hidden": 8}, (1, 8, 8), 10
    )
    symmetry = derive_symmetry(vit)
    generators = [torch_generator(3, "vit", k) for k in range(6)]
    training = Block(np.arange(6), vit.initialize(generators))
    settings = settings_of("codes", {"steps": 5, "batch": 4})
    flow, _ = fit_flow(LearnedZoo(training), settings, 1, ("v",))
    moved = permute(training.parameters, symmetry, random_permutations(symmetry, generators))
    samples = replace(sample(flow, 6, SOLVER, 1, ("v",)), parameters=moved)
    panel = judge_panel(
        vit, training, None, samples, DIGITS.test_x[:50], DIGITS.test_y[:50],
        PanelSettings((0.1,), 3, 4, 2), 1, ("v",), align=closest_gauge(symmetry, MatchSettings()),
    ).set_index("set")  # fmt: skip
    generated, members = panel.loc[["generated"]], panel.loc[["zoo"]]
    assert (generated["nearest"] < 1e-5).all()
    assert generated["nearest_index"].tolist() == list(range(6))
    assert (members["ratio"] > 0.5).all()


def test_spectra_of_flows_are_those_of_scikit_learn_with_what_codes_keep(
    zoo: list[Path], tmp_path: Path
) -> None:
    paths, ranks = [], {"a": ("pca", 3), "b": ("span", None), "c": ("raw", None)}
    for name, (kind, rank) in ranks.items():
        made = {
            "flow": name,
            "data": "digits",
            "method": "codes",
            "alignment": "raw",
            "capacity": 8,
        }
        paths.append(tmp_path / name / "raw" / "capacity~8" / "flow.safetensors")
        paths[-1].parent.mkdir(parents=True)
        write_flow(paths[-1], fitted(zoo, kind, rank), made)
    table = read_spectra(paths)
    write_table(tmp_path / "spectra.parquet", table, FLOW_SPECTRA, {})
    members, _ = read_blocks(zoo, [{"zoo": "z"}] * 3).split(MEMBERS)
    rows = flatten(members.parameters, ARCHITECTURE.shapes)
    expected = PCA().fit(rows.astype(np.float64))
    for name, coded in (("a", 3), ("b", MEMBERS - 1)):
        one = table[table["flow"] == name]
        assert list(one["component"]) == list(range(1, MEMBERS)) and one["coded"].sum() == coded
        assert np.allclose(one["variance"], expected.explained_variance_[:-1], rtol=1e-8)
        share = expected.explained_variance_ratio_[:coded].sum()
        assert np.isclose(one.loc[one["coded"], "kept"].iloc[-1], share, rtol=1e-8)
    assert not (table["flow"] == "c").any(), "it has no components"
    write_table(tmp_path / "none.parquet", read_spectra(paths[2:]), FLOW_SPECTRA, {})
    assert len(read_table(tmp_path / "none.parquet", FLOW_SPECTRA)) == 0
    paths[0].rename(paths[1])
    with pytest.raises(FileProblem, match="flow"):
        read_spectra(paths[1:])
