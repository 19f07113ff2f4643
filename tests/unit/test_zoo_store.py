from pathlib import Path

import numpy as np
import pytest
import torch

from nodeflow.seeds import torch_generator
from nodeflow.stack import Stack, StackProblem, held, pieces
from nodeflow.tables import FileProblem
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.store import (
    Block,
    open_blocks,
    read_about,
    read_block,
    read_blocks,
    write_block,
)

ARCHITECTURE = mlp([4, 3, 12, 3, 3, 3, 3, 3, 3, 3, 3, 2])  # layer10 sorts before layer2 as text


def block(*members: int) -> Stack[torch.Tensor]:
    generators = [torch_generator(m, "test") for m in members]
    numbers = np.array(members, dtype=np.int64)
    about = {"seed": 2**40 + numbers, "test_accuracy": numbers / 100}
    return Block(numbers, ARCHITECTURE.initialize(generators), about=about)


def test_a_block_comes_back_bit_for_bit_and_in_order(tmp_path: Path) -> None:
    path, made = tmp_path / "b.safetensors", block(3, 1)
    write_block(path, made, {"zoo": "test", "seed": 1})
    found = read_block(path, {"zoo": "test"})
    assert list(found.parameters) == list(ARCHITECTURE.shapes) == list(made.parameters)
    assert found.shapes == ARCHITECTURE.shapes and list(found.members) == [3, 1]
    for name, tensor in made.parameters.items():
        assert torch.equal(found.parameters[name], tensor)
    again = tmp_path / "again.safetensors"
    write_block(again, found, {"seed": 1, "zoo": "test"})
    assert again.read_bytes() == path.read_bytes()


def test_blocks_join_in_member_order_whatever_the_order_of_files(tmp_path: Path) -> None:
    groups = [(5, 4), (0, 2), (1, 3)]
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for path, group in zip(paths, groups, strict=True):
        write_block(path, block(*group), {})
    joined = read_blocks(paths)
    assert list(joined.members) == list(range(6)) and len(joined) == 6
    for other in (read_blocks(paths[::-1]), block(*range(6))):
        for name in ARCHITECTURE.shapes:
            assert torch.equal(joined.parameters[name], other.parameters[name])
        assert (joined.about["seed"] == other.about["seed"]).all()


def test_seeds_and_metrics_lie_in_the_file_and_under_its_seal(tmp_path: Path) -> None:
    path, made = tmp_path / "b.safetensors", block(3, 1)
    write_block(path, made, {"zoo": "test"})
    alone, whole = read_about(path, {"zoo": "test"}), read_block(path)
    assert list(alone) == ["member", "seed", "test_accuracy"]
    assert alone["member"].tolist() == [3, 1]
    for name, values in made.about.items():
        assert np.array_equal(alone[name], values) and alone[name].dtype == values.dtype
        assert np.array_equal(whole.about[name], values)
    again = whole.with_tensors({name: 2 * tensor for name, tensor in whole.tensors.items()})
    assert again.about == whole.about and torch.equal(
        again.parameters["layer0.bias"], 2 * made.parameters["layer0.bias"]
    )
    content = path.read_bytes()
    seed = int(made.about["seed"][0]).to_bytes(8, "little")
    assert content.count(seed) == 1
    path.write_bytes(content.replace(seed, (int(made.about["seed"][0]) + 1).to_bytes(8, "little")))
    with pytest.raises(FileProblem, match="digest"):
        read_about(path)


def test_blocks_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one, two, other = (tmp_path / f"{n}.safetensors" for n in ("one", "two", "other"))
    write_block(one, block(0, 1), {})
    write_block(two, block(1, 2), {})
    small = mlp([2, 2])
    write_block(other, Block(np.array([9]), small.initialize([torch_generator(0, "test")])), {})
    with pytest.raises(FileProblem, match="same member"):
        read_blocks([one, two])
    with pytest.raises(FileProblem, match="different architectures"):
        read_blocks([one, other])
    with pytest.raises(FileProblem, match="zoo = test"):
        read_block(one, {"zoo": "test"})


def test_a_truncated_block_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "b.safetensors"
    write_block(path, block(0, 1, 2), {})
    whole = path.read_bytes()
    for cut in (len(whole) - 1, len(whole) // 2, 5):
        path.write_bytes(whole[:cut])
        with pytest.raises(FileProblem) as problem:
            read_block(path)
        assert "\n" not in str(problem.value) and str(path) in str(problem.value)


def test_one_member_and_the_two_sides_of_a_split() -> None:
    whole = block(7, 0, 3, 12)
    assert torch.equal(whole.only(3)["layer1.weight"], whole.parameters["layer1.weight"][2])
    with pytest.raises(StackProblem, match="Member 4 is not in this block"):
        whole.only(4)
    low, high = whole.split(4)
    assert list(low.members) == [0, 3] and list(high.members) == [7, 12]
    assert torch.equal(high.only(12)["layer0.bias"], whole.only(12)["layer0.bias"])
    assert len(whole.split(0)[0]) == 0
    some = whole.take([3, 0, 3])
    assert list(some.members) == [12, 7, 12]
    assert torch.equal(some.parameters["layer0.bias"][1], whole.only(7)["layer0.bias"])


def test_a_block_without_members_can_be_stored(tmp_path: Path) -> None:
    write_block(tmp_path / "none.safetensors", block(1).split(0)[0], {})
    found = read_block(tmp_path / "none.safetensors")
    assert len(found) == 0 and found.shapes == ARCHITECTURE.shapes


def test_stored_networks_are_those_of_their_blocks(tmp_path: Path) -> None:
    groups = [(5, 4, 9), (0, 2), (1, 3)]
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for path, group in zip(paths, groups, strict=True):
        write_block(path, block(*group), {})
    stored, whole = open_blocks(paths), read_blocks(paths)
    assert stored.shapes == whole.shapes and len(stored) == 7
    for places in ([6, 0, 0, 3], [4, 5], np.array([2]), []):
        few, same = stored.take(places), whole.take(places)
        assert list(few.members) == list(same.members) == list(stored.select(places).members)
        assert all(torch.equal(few.parameters[n], same.parameters[n]) for n in ARCHITECTURE.shapes)
        assert (few.about["seed"] == same.about["seed"]).all()
    some = range(6, 2, -1)
    for a, b in zip(stored.select(some).split(5), whole.take(some).split(5), strict=True):
        assert list(a.members) == list(b.members)
        for size in (1, 7, 10_000):
            columns = [list(one.columns(size)) for one in (a, b)]
            assert all(np.array_equal(x, y) for x, y in zip(*columns, strict=True))
    assert isinstance(held(stored), Stack)


def test_how_many_networks_are_held_follows_from_their_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = block(*range(7))
    monkeypatch.setattr("nodeflow.stack._TOGETHER", 3 * ARCHITECTURE.parameters + 1)
    assert [list(some) for some in pieces(whole)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(some) for some in pieces(whole, share=2)] == [1] * 7
    assert held(whole) is whole
