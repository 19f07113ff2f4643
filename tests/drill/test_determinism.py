"""Results depend neither on the number of cores nor on the size of blocks."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.workflow.conftest import Checkout, copy_checkout

from .conftest import files_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cores", ["1", "8"])
def test_results_are_the_same_on_any_number_of_cores(
    finished: Checkout, fresh: Checkout, cores: str
) -> None:
    """The finished run was made on two."""
    fresh.smoke("--cores", cores)
    assert files_of(fresh) == files_of(finished)


def members(checkout: Checkout, weights: str) -> dict[int, dict[str, np.ndarray]]:
    """Every network of the zoo by its number."""
    found = {}
    for path in (checkout.folder / f"results/zoo/iris/{weights}").glob("*.safetensors"):
        tensors = load_file(path)
        for place, member in enumerate(tensors["about.member"]):
            found[int(member)] = {name: tensor[place] for name, tensor in tensors.items()}
    return found


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Checkout]]:
    """The zoo of the smoke run in blocks of several sizes."""
    runs = {}
    for size in (2, 7, 50):
        checkout = copy_checkout(tmp_path_factory.mktemp("blocks") / str(size))
        (checkout.folder / "blocks.yaml").write_text(f"zoo: {{zoos: {{iris: {{block: {size}}}}}}}")
        checkout.snakemake(
            "results/tables/zoo_members.parquet", "results/tables/zoo_alignment.parquet",
            "--cores", "2", "--configfile", "config/smoke.yaml", "blocks.yaml",
        )  # fmt: skip
        runs[size] = checkout
    yield runs


@pytest.mark.parametrize("size", [2, 7, 50])
def test_members_are_the_same_in_blocks_of_any_size(
    finished: Checkout, in_blocks: dict[int, Checkout], size: int
) -> None:
    """The finished run has one block of 30."""
    for weights in ("raw", "aligned"):
        expected, found = members(finished, weights), members(in_blocks[size], weights)
        assert found.keys() == expected.keys()
        for member, tensors in expected.items():
            for name, tensor in tensors.items():
                np.testing.assert_array_equal(found[member][name], tensor, f"{member}, {name}")
    for name in ("zoo_members", "zoo_alignment"):
        expected_table, found_table = (
            pd.read_parquet(x.folder / f"results/tables/{name}.parquet").sort_values("member")
            for x in (finished, in_blocks[size])
        )
        pd.testing.assert_frame_equal(found_table, expected_table, check_exact=True)
