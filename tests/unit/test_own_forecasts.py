"""Held-out runs are forecast from their own states, errors are those of tables, pages say both."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.config import ConfigProblem, read_config
from nodeflow.config.command_line import typed
from nodeflow.data.held_out import check_parts, hold_out, limits_of_training, origins
from nodeflow.data.series import Run, Series
from nodeflow.data.series_files import SeriesProblem
from nodeflow.data.splits import split_time
from nodeflow.data.tables import FORECASTS
from nodeflow.figures.own_page import own_page
from nodeflow.graphs.graph import build_graph
from nodeflow.judge.forecasts import error_table
from nodeflow.plan import Plan
from tests.unit.test_config import DEFAULT, ROOT


def series(runs: int = 5, times: int = 12) -> Series:
    clock = np.arange(times, dtype=float)
    states = [np.outer(clock + 1, [1.0, 2.0]) * (k + 1) for k in range(runs)]
    return Series(("a", "b"), tuple(Run(str(k), clock, x) for k, x in enumerate(states)))


@given(
    steps=st.lists(st.floats(0.01, 3), min_size=1, max_size=20),
    horizon=st.floats(0.1, 10) | st.none(),
)
def test_forecasts_cover_every_time_once_and_go_no_farther_than_the_horizon(
    steps: list[float], horizon: float | None
) -> None:
    times = np.concatenate([[0.0], np.cumsum(steps)])
    if horizon is not None and min(np.diff(times)) > horizon * (1 + 1e-9):  # of rounding
        with pytest.raises(SeriesProblem, match="give a longer horizon"):
            list(origins(times, horizon))
        return
    found = list(origins(times, horizon))
    forecast = [k for first, last in found for k in range(first + 1, last + 1)]
    assert forecast == sorted(set(forecast))
    for first, last in found:
        assert horizon is None or times[last] - times[first] <= horizon * (1 + 1e-6)
    left = set(range(1, len(times))) - set(forecast)
    assert all(times[k] - times[k - 1] > (horizon or np.inf) for k in left)


def test_what_is_held_out_follows_from_the_number_of_runs_unless_it_is_said() -> None:
    many, few = hold_out(series(8)), hold_out(series(3))
    assert len(many.training.runs) == 6 and len(many.test.runs) == 2
    assert "2 of 8 runs" in many.note.text
    assert [len(run.times) for run in few.training.runs] == [9, 9, 9]
    assert few.test.runs[0].times[0] == few.training.runs[0].times[-1]
    assert "last 25%" in few.note.text
    named = hold_out(series(), runs=[1, "3"])
    assert [run.name for run in named.test.runs] == ["1", "3"]
    later = hold_out(series(), after=7.0)
    assert later.training.runs[0].times[-1] == later.test.runs[0].times[0] == 7.0
    with pytest.raises(SeriesProblem, match="name one of them"):
        hold_out(series(), runs=0.5, time=0.5)
    with pytest.raises(SeriesProblem, match="Nothing was observed after 99"):
        split_time(series(), after=99.0)


def test_parts_that_are_too_short_are_refused_with_the_run() -> None:
    graph = build_graph(2, [(0, 1)], names=("a", "b"))
    check_parts(hold_out(series()), graph, 7, 3.0)
    with pytest.raises(SeriesProblem, match=r"Run 0 has 6 times .* and 7 are needed"):
        check_parts(hold_out(series(), time=0.5), graph, 7)
    with pytest.raises(SeriesProblem, match=r"The horizon is 0\.5, and there are at least 1"):
        check_parts(hold_out(series()), graph, 7, 0.5)
    still = Series(
        ("a", "b"), tuple(Run(r.name, r.times, r.states[:1] + 0 * r.states) for r in series().runs)
    )
    with pytest.raises(SeriesProblem, match="No value ever changes"):
        check_parts(hold_out(still), graph, 7)


def test_what_only_the_part_that_is_learned_from_lacks_is_said_of_it() -> None:
    graph = build_graph(2, [(0, 1)], names=("a", "b"))
    whole = series()
    assert not limits_of_training(hold_out(whole, runs=[4]), graph, whole)
    for run in whole.runs[:4]:
        run.states[:, 1] = np.nan
    notes = limits_of_training(hold_out(whole, runs=[4]), graph, whole)
    assert all(note.text.startswith("In what was learned from: ") for note in notes)
    assert "There is no series of node b" in notes[0].text and "no edges" in notes[1].text


def forecasts(scale: float, covered: bool = True) -> pd.DataFrame:
    """Forecasts of two nodes whose errors are known: those of the ensemble are `scale` of 1."""
    rng = np.random.default_rng(1)
    rows = 2 * 240
    table = pd.DataFrame(
        {
            "run": "0",
            "origin": 0.0,
            "time": np.repeat(np.arange(1.0, 241.0), 2),
            "node": ["a", "b"] * 240,
            "degree": [1, 4] * 240,
            "value": rng.normal(size=rows),
            "trusted": [True, False] * 240,
        }
    )
    signs = rng.choice([-1.0, 1.0], rows)
    table["lead"] = table["time"]
    table["mean"] = table["value"] + scale * signs
    half = {
        50: np.where(np.arange(rows) % 4 < 2, 2.0, 0.5),
        90: np.full(rows, 2.0 if covered else 0.5),
    }
    for level, width in half.items():
        table[f"lower_{level}"] = table["mean"] - scale * width
        table[f"upper_{level}"] = table["mean"] + scale * width
    for name in ("persistence", "mean_field", "network_autoregression", "autoregression"):
        table[name] = table["value"] + (1.0 if name == "autoregression" else 2.0)
    return table[list(FORECASTS.columns)]


METHODS = ("persistence", "mean_field", "network_autoregression", "autoregression")


def test_errors_and_coverage_are_those_that_were_planted() -> None:
    table = forecasts(0.25)
    table.loc[3, "value"] = np.nan  # not observed: it counts nowhere
    errors = error_table(table, METHODS)
    every = errors[errors["by"] == "all"].set_index("method")
    assert every["mae"].to_dict() == pytest.approx(
        {"ensemble": 0.25, "autoregression": 1.0, **dict.fromkeys(METHODS[:3], 2.0)}
    )
    assert (every["values"] == 479).all()
    own = every.loc["ensemble"]
    assert own["covered_90"] == 1.0
    assert own["covered_50"] == pytest.approx(0.5, abs=0.01)
    assert own["trusted"] == pytest.approx(240 / 479)
    for by, groups in (("node", 2), ("degree", 2), ("lead", 12)):
        rows = errors[(errors["by"] == by) & (errors["method"] == "ensemble")]
        assert len(rows) == groups
        assert rows["values"].sum() == 479
        assert np.average(rows["mae"], weights=rows["values"]) == pytest.approx(0.25)


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    names = ("series", "functions", "forecasts", "errors", "flags")
    for name in names:
        (tmp_path / f"{name}.png").write_bytes(b"picture")
    return {name: tmp_path / f"{name}.png" for name in names}


def page(pictures: dict[str, Path], table: pd.DataFrame, limits: bool) -> str:
    names = [
        "directed", "weighted", "nodes", "edges", "observed_nodes", "runs", "times_fewest",
        "times_most", "first_time", "last_time", "low", "high",
    ]  # fmt: skip
    measures = pd.DataFrame({"of": "network", "measure": names, "value": 1.0, "about": "x"})
    notes = pd.DataFrame([("x", "Nodes <b> & c.", limits)], columns=["topic", "note", "limits"])
    return own_page("mine", measures, notes, error_table(table, METHODS), notes, pictures)


def test_the_page_says_what_the_tables_do(pictures: dict[str, Path]) -> None:
    good = page(pictures, forecasts(0.05), False)
    assert "better than all baselines: its mean absolute error is 0.05" in good
    assert "20 times smaller than that of the best baseline, each node&#x27;s own auto" in good
    assert "50% of the forecasts are flagged, of 1 of 2 nodes" in good
    assert "Nothing was found that limits the above" in good
    assert "&lt;b&gt; &amp; c" in good and "<b>" not in good
    bad = page(pictures, forecasts(3.0, covered=False), True)
    assert "does not forecast better than each node&#x27;s own autoregression" in bad
    assert "Use the baseline." in bad
    assert "The bands are too narrow" in bad
    assert "Nothing was found" not in bad


def own(**more: Any) -> dict[str, Any]:
    files = {"network": str(ROOT / "README.md"), "series": str(ROOT / "LICENSE")}
    return {**DEFAULT, "own": {"mine": {**files, **more}}}


def test_a_changed_horizon_is_no_other_training() -> None:
    row = {"own": "mine"}
    one, other = (Plan(read_config(own(horizon=x)), ROOT).own for x in (1.0, 2.0))
    assert one.check_params(row) == other.check_params(row)
    assert one.training_params(row) == other.training_params(row)
    assert one.forecast_params(row) != other.forecast_params(row)
    more = Plan(read_config(own(members=4)), ROOT).own
    assert more.check_params(row) == one.check_params(row)
    assert more.training_params(row) != one.training_params(row)


def test_values_of_the_command_line_are_texts_and_mean_what_yaml_does() -> None:
    texts = own(
        directed="true", members="3", horizon="0.5", weighted="null", split={"runs": "0.25"}
    )
    found = read_config(typed(texts, {"own": texts["own"]})).own["mine"]
    assert (found.directed, found.members, found.horizon, found.weighted) == (True, 3, 0.5, None)
    assert found.split is not None and found.split.given == {"runs": 0.25}
    texts = own(split={"runs": ["1", "b"]})
    named = read_config(texts).own["mine"].split
    assert named is not None and named.given == {"runs": ("1", "b")}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"members": "many"}, 'own.mine.members is "many"; allowed: a whole number'),
        ({"split": {}}, "own.mine.split names nothing; name runs, time or after"),
        ({"split": {"runs": 0.5, "time": 0.5}}, "names runs and time; name runs, time or after"),
        ({"split": {"runs": 2}}, "own.mine.split.runs is 2; allowed: a number > 0 and < 1 or"),
        ({"split": {"runs": ["a", "a"]}}, 'own.mine.split.runs is ["a", "a"]; allowed'),
        ({"nodes": "none.txt"}, "own.mine.nodes is none.txt, which is not a file"),
        ({"direct": True}, "own.mine.direct is not a key"),
    ],
)
def test_keys_of_own_data_that_cannot_be_are_one_sentence(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigProblem) as found:
        read_config(own(**more))
    assert words in str(found.value)
