"""Real influenza, end to end: the code of docs/influenza.md, where Debian's files are installed."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FILES = Path("/usr/lib/R/site-library/surveillance/extdata")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
FULL, SMALL = "horizon=4, steps=300", "models=1, horizon=2, steps=200"

installed = pytest.mark.skipif(
    not (FILES / "counts_flu_BYBW.txt").exists(),
    reason=f"{FILES} is not there: apt-get install r-cran-surveillance",
)


def rivals() -> ModuleType:
    """benchmarks/influenza_rivals.py, which is no part of the package."""
    path = ROOT / "benchmarks/influenza_rivals.py"
    spec = importlib.util.spec_from_file_location("influenza_rivals", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["influenza_rivals"] = module
    spec.loader.exec_module(module)
    return module


@installed
@pytest.mark.slow
def test_forecasts_of_influenza_beat_persistence_and_each_district_s_autoregression() -> None:
    code = "\n".join(BLOCK.findall((ROOT / "docs/influenza.md").read_text()))
    assert code.count(FULL) == 1
    names: dict[str, Any] = {}
    exec(code.replace(FULL, SMALL), names)
    table = names["table"]
    cases = names["cases"].drop(columns="time").to_numpy(np.float64)
    module = rivals()
    flu = module.Flu(
        cases, names["people"].to_numpy() / 100_000, names["matrix"].to_numpy(np.float64), 312
    )
    origins = np.arange(311, len(cases) - 4)
    observed = table["observed"].to_numpy().reshape(len(origins), 4, -1)
    np.testing.assert_array_equal(observed, cases[origins[:, None] + np.arange(1, 5)])
    own = table["mean"].to_numpy().reshape(observed.shape)
    for rival in ("persistence", "AR(2) per district"):
        other = module.RIVALS[rival](flu, origins, 4)
        for lead in (1, 2, 4):
            error, against = (
                np.abs((x - observed) / flu.exposure)[:, lead - 1].mean() for x in (own, other)
            )
            assert error < against, (rival, lead)
    inside = (table.observed >= table.lower_90) & (table.observed <= table.upper_90)
    assert inside.mean() > 0.8
