from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from nodeflow.canonical.align import (
    AlignProblem,
    CanonicalSettings,
    align_block,
    canonicalize,
    distances,
)
from nodeflow.canonical.barrier import loss_barrier
from nodeflow.canonical.heights import barrier_heights
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.scaling import balance
from nodeflow.canonical.schemas import ALIGNMENT
from nodeflow.canonical.symmetry import mlp_symmetry, permute, random_permutations
from nodeflow.canonical.universe import align_universe, centre_of_files
from nodeflow.datasets import Dataset, load_dataset
from nodeflow.seeds import torch_generator
from nodeflow.stack import Stack
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.store import write_block
from nodeflow.zoo.train import TrainSettings, train_block

ARCHITECTURE = mlp([64, 32, 32, 10])
SYMMETRY = mlp_symmetry(ARCHITECTURE.shapes)
PLAIN = MatchSettings()


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def zoo(digits: Dataset) -> Stack[Tensor]:
    return train_block(ARCHITECTURE, digits, range(24), TrainSettings(epochs=10), 1, "test")


def shuffled(parameters: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    members = len(parameters["layer0.bias"])
    generators = [torch_generator(seed, "shuffle", k) for k in range(members)]
    return permute(parameters, SYMMETRY, random_permutations(SYMMETRY, generators))


def test_alignment_moves_weights_closer_and_leaves_functions_and_reference(
    zoo: Stack[Tensor], digits: Dataset
) -> None:
    reference = zoo.only(0)
    kept = {name: tensor.clone() for name, tensor in reference.items()}
    aligned = align_block(zoo.parameters, reference, SYMMETRY, PLAIN, zoo.members)
    x = torch.from_numpy(digits.test_x)
    before = ARCHITECTURE.forward(zoo.parameters, x)
    after = ARCHITECTURE.forward(aligned.parameters, x)
    assert (before - after).abs().max() <= 1e-5 * before.abs().max()
    double = {name: tensor.double() for name, tensor in zoo.parameters.items()}
    exact = align_block(double, reference, SYMMETRY, PLAIN)
    difference = ARCHITECTURE.forward(exact.parameters, x.double()) - ARCHITECTURE.forward(
        double, x.double()
    )
    assert difference.abs().max() <= 1e-10 * before.abs().max()
    for name in kept:
        assert torch.equal(reference[name], kept[name])
        assert torch.equal(aligned.parameters[name][0], kept[name])
    report = aligned.report
    assert list(report) == list(ALIGNMENT.columns) and list(report["member"]) == list(range(24))
    assert report["distance_after"][0] == 0 and (report["status"] == "ok").all()
    rest = report[1:]
    assert (rest["distance_after"] < rest["distance_before"]).all()
    # |a - b|² = |a|² + |b|² - 2 ⟨a, b⟩, and a permutation keeps both norms.
    gain = rest["objective_after"] - rest["objective_before"]
    closer = rest["distance_before"] ** 2 - rest["distance_after"] ** 2
    assert np.allclose(closer, 2 * gain, rtol=1e-6)
    again = permute(zoo.parameters, SYMMETRY, aligned.permutations)
    assert all(torch.equal(again[name], aligned.parameters[name]) for name in again)


def test_real_networks_have_one_canonical_form(zoo: Stack[Tensor]) -> None:
    reference = zoo.only(3)
    form = align_block(zoo.parameters, reference, SYMMETRY, PLAIN).parameters
    for other in (shuffled(zoo.parameters, 1), form):
        again = align_block(other, reference, SYMMETRY, PLAIN).parameters
        assert all(torch.equal(again[name], form[name]) for name in form)


def test_distances_are_those_of_the_flattened_vectors(zoo: Stack[Tensor]) -> None:
    flat = torch.cat([t.flatten(1) for t in zoo.parameters.values()], 1).double()
    expected = torch.cdist(flat, flat[5:6]).squeeze(1).numpy()
    assert np.allclose(distances(zoo.parameters, zoo.only(5)), expected, rtol=1e-7, atol=1e-6)


def test_a_network_that_is_not_finite_is_a_row_and_the_others_survive(
    zoo: Stack[Tensor],
) -> None:
    broken = {name: tensor.clone() for name, tensor in zoo.parameters.items()}
    broken["layer1.weight"][4, 0, 0] = torch.nan
    whole = align_block(zoo.parameters, zoo.only(0), SYMMETRY, PLAIN)
    aligned = align_block(broken, zoo.only(0), SYMMETRY, PLAIN)
    row = aligned.report.loc[4]
    assert row["status"] == "failed" and row["reason"] and np.isnan(row["distance_after"])
    assert aligned.report.drop(4).equals(whole.report.drop(4))
    others = torch.arange(24) != 4
    for name, tensor in aligned.parameters.items():
        assert torch.equal(tensor[others], whole.parameters[name][others])
        assert torch.equal(tensor[4].nan_to_num(), broken[name][4].nan_to_num())
    nothing = align_block({n: t[4:5] for n, t in broken.items()}, zoo.only(0), SYMMETRY, PLAIN)
    assert list(nothing.report["status"]) == ["failed"]
    with pytest.raises(AlignProblem, match="another member as reference"):
        align_block(zoo.parameters, {n: t[4] for n, t in broken.items()}, SYMMETRY, PLAIN)
    with pytest.raises(AlignProblem, match="3 numbers of members are given for 24 networks"):
        align_block(zoo.parameters, zoo.only(0), SYMMETRY, PLAIN, np.arange(3))


def test_matching_lowers_the_loss_barrier_between_trained_networks(
    zoo: Stack[Tensor], digits: Dataset
) -> None:
    def heights(second: dict[str, Tensor]) -> dict[str, np.ndarray]:
        first = {name: one.expand_as(second[name]) for name, one in zoo.only(0).items()}
        path = loss_barrier(ARCHITECTURE, first, second, digits.test_x, digits.test_y, 11)
        table = barrier_heights(path)
        return {name: table[name].to_numpy() for name in ("loss_barrier", "accuracy_barrier")}

    others = {name: tensor[1:] for name, tensor in zoo.parameters.items()}
    before = heights(others)
    after = heights(align_block(others, zoo.only(0), SYMMETRY, PLAIN).parameters)
    for kind in before:
        gain = before[kind] - after[kind]
        assert gain.mean() > 10 * gain.std(ddof=1) / np.sqrt(len(gain))
        assert after[kind].mean() < 0.6 * before[kind].mean()


def test_a_common_centre_brings_all_pairs_closer_than_one_reference(
    zoo: Stack[Tensor],
) -> None:
    def pair_similarity(parameters: dict[str, Tensor]) -> float:
        flat = torch.cat([t.double().flatten(1) for t in parameters.values()], 1)
        gram = flat @ flat.T
        return float((gram.sum() - gram.trace()) / (len(gram) * (len(gram) - 1)))

    universe = align_universe(zoo.parameters, SYMMETRY, PLAIN)
    assert (np.diff(universe.history) >= -1e-9).all()
    assert universe.history[-1] == pytest.approx(pair_similarity(universe.parameters), rel=1e-9)
    single = align_block(zoo.parameters, zoo.only(0), SYMMETRY, PLAIN)
    assert universe.history[0] == pytest.approx(pair_similarity(single.parameters), rel=1e-9)
    assert universe.history[-1] > 1.1 * universe.history[0]
    assert list(universe.report) == list(ALIGNMENT.columns)
    moved = universe.report[universe.report["member"] > 0]
    assert (moved["distance_after"] < moved["distance_before"]).all()
    for name, tensor in universe.parameters.items():
        assert torch.allclose(universe.centre[name], tensor.double().mean(0))
    again = permute(zoo.parameters, SYMMETRY, universe.permutations)
    assert all(torch.equal(again[name], universe.parameters[name]) for name in again)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_centre_found_block_by_block_is_the_same_and_all_members_can_be_matched_to_it(
    zoo: Stack[Tensor], tmp_path: Path, scaled: bool
) -> None:
    paths = [tmp_path / f"{name}.safetensors" for name in "ab"]
    for path, members in zip(paths, (range(10), range(10, 24)), strict=True):
        write_block(path, zoo.take(members), {"zoo": "z"})
    settings = CanonicalSettings(PLAIN, balance=scaled, reference="universe")
    stored = centre_of_files(paths, [{"zoo": "z"}] * 2, 20, SYMMETRY, settings)
    given = balance(zoo.parameters, SYMMETRY).parameters if scaled else zoo.parameters
    learned = {name: tensor[:20] for name, tensor in given.items()}
    universe = align_universe(learned, SYMMETRY, PLAIN)
    for name, tensor in universe.centre.items():
        assert torch.allclose(stored.only(0)[name], tensor, rtol=1e-12, atol=1e-12)
    assert stored.about["pairs_universe"][0] == pytest.approx(universe.history[-1], rel=1e-12)
    aligned = canonicalize(zoo.parameters, stored.only(0), SYMMETRY, settings)
    rest = {name: tensor[:20] for name, tensor in aligned.parameters.items()}
    flat = torch.cat([t.double().flatten(1) for t in rest.values()], 1)
    gram = flat @ flat.T
    pairs = float((gram.sum() - gram.trace()) / (20 * 19))
    assert pairs > universe.history[0] + 0.8 * (universe.history[-1] - universe.history[0])
    assert (aligned.report["objective_after"] >= aligned.report["objective_before"]).all()
    with pytest.raises(AlignProblem, match="two or more"):
        centre_of_files(paths, [{"zoo": "z"}] * 2, 1, SYMMETRY, settings)
    with pytest.raises(AlignProblem, match='reference is "middle"; allowed: first, universe'):
        CanonicalSettings(reference="middle")


def test_a_common_centre_finds_planted_permutations(zoo: Stack[Tensor]) -> None:
    copies = {name: t[:1].repeat(12, *[1] * (t.ndim - 1)) for name, t in zoo.parameters.items()}
    noisy = {
        name: tensor + 0.05 * torch.randn(tensor.shape, generator=torch_generator(0, name))
        for name, tensor in copies.items()
    }
    mixed = shuffled(noisy, 2)
    universe = align_universe(mixed, SYMMETRY, PLAIN, first=7)
    straight = align_universe(noisy, SYMMETRY, PLAIN, first=7)
    assert universe.history[-1] == pytest.approx(straight.history[-1], rel=1e-12)
    # All are where the first one is: undoing its order gives the networks before they were mixed.
    back = align_block(universe.parameters, {n: t[7] for n, t in noisy.items()}, SYMMETRY, PLAIN)
    assert all(torch.equal(back.parameters[name], noisy[name]) for name in noisy)
    with pytest.raises(AlignProblem, match="two or more"):
        align_universe({n: t[:1] for n, t in noisy.items()}, SYMMETRY, PLAIN)


def test_the_loss_of_a_linear_model_has_no_barrier_and_ends_are_exact(digits: Dataset) -> None:
    linear = mlp([64, 10])
    start = linear.initialize([torch_generator(k, "test") for k in range(6)])
    a = {name: tensor[:3] * 4 for name, tensor in start.items()}
    b = {name: tensor[3:] * 4 for name, tensor in start.items()}
    path = loss_barrier(linear, a, b, digits.test_x, digits.test_y, points=7)
    assert path["pair"].tolist() == sorted([0, 1, 2] * 7) and len(path) == 21
    assert np.allclose(path["lambda"].to_numpy().reshape(3, 7), np.linspace(0, 1, 7))
    # Cross-entropy is convex in logits, and logits are linear in the parameters.
    assert (barrier_heights(path)["loss_barrier"] < 1e-6).all()
    logits = torch.from_numpy(digits.test_x) @ b["layer0.weight"][1].T
    expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(digits.test_y))
    last = path[(path["pair"] == 1) & (path["lambda"] == 1)]
    assert last["loss"].item() == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(ValueError, match="at least 2"):
        loss_barrier(linear, a, b, digits.test_x, digits.test_y, points=1)


def test_barrier_heights_are_the_excess_over_the_line() -> None:
    path = pd.DataFrame(
        {
            "pair": [0] * 3 + [1] * 3,
            "lambda": [0.0, 0.5, 1.0] * 2,
            "loss": [1.0, 5.0, 3.0, 2.0, 0.5, 2.0],
            "accuracy": [0.9, 0.4, 0.7, 0.5, 0.5, 0.5],
            "recalibrated_loss": [1.0, 2.5, 3.0, 2.0, 2.5, 2.0],
            "recalibrated_accuracy": [0.9, 0.9, 0.7, 0.5, 0.5, 0.5],
        }
    )
    found = barrier_heights(path)
    assert found["loss_barrier"].tolist() == [3.0, 0.0]
    assert np.allclose(found["accuracy_barrier"], [0.4, 0.0])
    assert found["recalibrated_loss_barrier"].tolist() == [0.5, 0.5]
    assert np.allclose(found["recalibrated_accuracy_barrier"], [0.0, 0.0])
