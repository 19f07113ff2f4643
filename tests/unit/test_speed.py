"""Seconds of a network are those of the jobs that made it, shared among what they made."""

import pandas as pd
import pytest

from nodeflow.figures.speed import seconds_each

RUNTIME = pd.DataFrame(
    [
        ("train_zoo", "digits/raw/block~0", 30.0),
        ("train_zoo", "digits/raw/block~1", 10.0),
        ("sample_flow", "f/raw/width~8", 2.0),
        ("train_flow", "f/raw/width~8", 50.0),
        ("draw_zoo", "all", 9.0),
    ],
    columns=["rule", "job", "seconds"],
)


def test_a_network_costs_its_share_of_its_jobs() -> None:
    made = [
        {
            "name": "training", "zoo": "digits", "networks": 200,
            "jobs": [["train_zoo", f"digits/raw/block~{k}"] for k in (0, 1)],
        },
        {
            "name": "f", "zoo": "digits", "networks": 100,
            "jobs": [["sample_flow", "f/raw/width~8"]], "once": [["train_flow", "f/raw/width~8"]],
        },
    ]  # fmt: skip
    table = seconds_each(RUNTIME, made).set_index("name")
    assert table["each"].to_dict() == pytest.approx({"training": 0.2, "f": 0.02})
    assert table["once"].to_dict() == {"training": 0.0, "f": 50.0}
