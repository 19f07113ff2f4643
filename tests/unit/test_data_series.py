"""Series of users: what a file holds is read as it is, or refused in one sentence."""

import gzip
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow import data

NAMES = ("Ana", "Bo", "Cy")
NETWORK = nx.Graph([("Ana", "Bo"), ("Bo", "Cy")])


def long_table(seed: int = 0) -> pd.DataFrame:
    """Two runs with times of their own, and a node that is observed less often."""
    rng = np.random.default_rng(seed)
    rows = [
        (run, time, node, rng.normal())
        for run, times in (("a", [0, 0.5, 2.0]), ("b", [1, 3, 7, 9]))
        for time in times
        for node in NAMES
        if (run, time, node) != ("a", 0.5, "Bo")
    ]
    return pd.DataFrame(rows, columns=["run", "time", "node", "value"])


def wide_table(table: pd.DataFrame) -> pd.DataFrame:
    return table.pivot(index=["run", "time"], columns="node", values="value").reset_index()


def same(one: data.Series, other: data.Series) -> None:
    assert one.nodes == other.nodes
    assert [run.name for run in one.runs] == [run.name for run in other.runs]
    for a, b in zip(one.runs, other.runs, strict=True):
        np.testing.assert_array_equal(a.times, b.times)
        np.testing.assert_allclose(a.states, b.states, rtol=1e-12)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "comma.csv": lambda table, path: table.to_csv(path, index=False),
    "semicolon.csv": lambda table, path: table.to_csv(path, index=False, sep=";"),
    "tab.tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "na.txt": lambda table, path: table.to_csv(path, index=False, sep=" ", na_rep="NA"),
    "packed.csv.gz": lambda table, path: table.to_csv(path, index=False),
    "parquet.parquet": lambda table, path: table.to_parquet(path),
    "bom.csv": lambda table, path: table.to_csv(path, index=False, encoding="utf-8-sig"),
    "windows.csv": lambda table, path: table.to_csv(path, index=False, lineterminator="\r\n"),
    "numbered.csv": lambda table, path: table.to_csv(path),
    "numbered as R does.csv": lambda table, path: table.set_index(table.index + 1).to_csv(path),
    "commented.csv": lambda table, path: (
        path.write_text(f"# from the field\n# 2026\n{table.to_csv(index=False)}\n") and None
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_long_and_wide_tables_of_every_form_say_the_same(tmp_path: Path, name: str) -> None:
    table = long_table()
    table.to_csv(tmp_path / "plain.csv", index=False)
    plain = data.read_series(tmp_path / "plain.csv", NETWORK)
    for form, rows in (("long", table), ("wide", wide_table(table))):
        path = tmp_path / f"{form}-{name}"
        WRITERS[name](rows, path)
        same(data.read_series(path, NETWORK), plain)
    first = plain.runs[0]
    assert first.times.tolist() == [0, 0.5, 2]
    assert np.isnan(first.states).sum() == 1
    assert np.isnan(first.states[1, 1])


def test_columns_go_by_name_and_rows_of_a_long_table_by_node(tmp_path: Path) -> None:
    table = long_table()
    table.to_csv(tmp_path / "a.csv", index=False)
    table.sort_values(["node", "run", "time"]).to_csv(tmp_path / "b.csv", index=False)
    wide_table(table)[["Cy", "time", "Ana", "run", "Bo"]].to_csv(tmp_path / "c.csv", index=False)
    one = data.read_series(tmp_path / "a.csv", NETWORK)
    same(data.read_series(tmp_path / "b.csv", NETWORK), one)
    same(data.read_series(tmp_path / "c.csv", NETWORK), one)


def test_a_node_called_na_is_a_node(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,node,value\n0,NA,1\n1,NA,2\n")
    found = data.read_series(tmp_path / "a.csv", nx.Graph([("NA", "b")]))
    assert found.unobserved == ("b",)
    assert found.runs[0].states[:, 0].tolist() == [1, 2]


def test_numbers_as_names_are_those_of_the_network(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,10,7\n0,1,2\n1,3,4\n")
    found = data.read_series(tmp_path / "a.csv", nx.Graph([(7, 10)]))
    assert found.runs[0].states.tolist() == [[2, 1], [4, 3]]
    frame = pd.DataFrame({"time": [0, 1, 0, 1], "node": [7.0, 7, 10, 10], "value": range(4)})
    frame.to_parquet(tmp_path / "a.parquet")
    again = data.read_series(tmp_path / "a.parquet", nx.Graph([(7, 10)]))
    assert again.runs[0].states.tolist() == [[0, 2], [1, 3]]


def test_files_are_known_by_what_they_hold_and_columns_in_capitals(tmp_path: Path) -> None:
    table = wide_table(long_table())
    expected = data.read_series(table, NETWORK)
    path = tmp_path / "mine.data"
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    same(data.read_series(path, NETWORK), expected)
    table.to_parquet(path)
    same(data.read_series(path, NETWORK), expected)
    table.rename(columns={"run": "Run", "time": "TIME"}).to_csv(path, index=False)
    same(data.read_series(path, NETWORK), expected)
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(data.SeriesProblem, match=r"mine.data is a workbook of Excel"):
        data.read_series(path, NETWORK)


REFUSED = {
    "": "is empty",
    "a,b\n1,2\n": "none of which is 'time'",
    "time,Ana,Di\n0,1,2\n1,2,3\n": "'Di', which is not a node",
    "time,Ana,Ana\n0,1,2\n1,2,3\n": "'Ana' stands there twice",
    "time,Ana\n0,1\n1,high\n": "line 3, column Ana: 'high' is not a value",
    "time;Ana\n0;1,5\n1;2,5\n": "line 2, column Ana: '1,5' is not a value",
    "time,Ana\n0,1\n1,inf\n": "line 3, column Ana: not finite",
    "time,Ana\n0,1\n,2\n": "line 3 has no time",
    "time,Ana\nMonday,1\nTuesday,2\n": "line 2, column time: 'Monday' is not a time",
    "time,Ana\n2026-01-05,1\n2026-01-12,2\n": "is not a time; of dates, write numbers",
    "time,Ana\n0,1\n2,2\n1,3\n": "line 4: run 0 has the time 1 after a later time",
    "time,Ana\n0,1\n1,2\n1,3\n": "line 4: run 0 has the time 1 once more",
    "# note\ntime,Ana\n0,1\n\n1,2\n1,3\n": "line 6: run 0 has the time 1 once more",
    "time,Ana\n0,1\n": "single time",
    "time,Ana\n0,\n1,\n": "holds no values",
    "run,time,Ana\na,0,1\na,1,2\nb,0,1\n": "run b has a single time",
    "run,time,Ana\na,0,1\n,1,2\n": "line 3 has no run",
    "time,node,value\n0,Di,1\n1,Di,2\n": "line 2: 'Di' is not a node",
    "time,node,value\n0,Ana,1\n0,Ana,2\n": "line 3: run 0, node Ana has the time 0 once more",
    "time,node,value\n1,Ana,1\n0,Ana,2\n": "line 3: run 0, node Ana has the time 0 after a later",
    "time,node,value\n0,,1\n1,Ana,2\n": "line 2 has no node",
    "time,Ana,Bo\n0,1,5,2,5\n1,1,6,2,6\n": "line 2: 5 fields under 3 column names",
    "time,Ana,Bo\n0,1,2\n1,2\n": "line 3: 2 fields under 3 column names",
    '"time" "Ana" "Bo"\n"1" 0 1 2\n"2" 1 2 3\n': "line 2: 4 fields under 3 column names",
    "time,Ana,Bo\n0,1,2\n1,-999,3\n": "run 0, node Ana has the value -999 at time 1, a code for",
    "time,node,value\n0,Ana,1\n1,Ana,1e20\n2,Ana,3\n": "1e+20 at time 1, a code for missing",
    "time,node,value,weight\n0,Ana,1,1\n1,Ana,2,1\n": "unknown column weight",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_meant_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(data.SeriesProblem) as caught:
        data.read_series(path, NETWORK)
    assert REFUSED[text] in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_that_are_codes_elsewhere_are_values_where_others_are_as_large() -> None:
    table = pd.DataFrame({"time": [0, 1, 2], "Ana": [-999, 4, -700], "Bo": [9999, 20_000, 5]})
    [run] = data.read_series(table, NETWORK).runs
    np.testing.assert_array_equal(run.states[:, :2], table[["Ana", "Bo"]])


def test_names_may_hold_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('time,"(0, 0)","(0, 1)"\n0,1,2\n1,2,3\n')
    series = data.read_series(path, nx.path_graph([(0, 0), (0, 1)]))
    assert series.runs[0].states.tolist() == [[1, 2], [2, 3]]


@pytest.mark.parametrize("form", ["wide", "index", "long", "parquet with an index"])
def test_tables_of_pandas_are_read_as_their_files_are(tmp_path: Path, form: str) -> None:
    table = long_table()
    table.to_csv(tmp_path / "mine.csv", index=False)
    expected = data.read_series(tmp_path / "mine.csv", NETWORK)
    wide = wide_table(table)
    given = {"wide": wide, "long": table}.get(form, wide.set_index(["run", "time"]))
    before = given.copy()
    if form.startswith("parquet"):
        given.to_parquet(tmp_path / "mine.parquet")
        same(data.read_series(tmp_path / "mine.parquet", NETWORK), expected)
    else:
        same(data.read_series(given, NETWORK), expected)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize("column", ["time", "Ana"])
def test_dates_have_no_unit_and_are_refused(column: str) -> None:
    table = pd.DataFrame({"time": [0.0, 1.0], "Ana": [1.0, 2.0]})
    table[column] = pd.to_datetime(["2026-01-01", "2026-01-08"])
    with pytest.raises(data.SeriesProblem, match=f"the table, column {column}: .* in no unit"):
        data.read_series(table, NETWORK)
    table[column] = pd.period_range("2026-01", periods=2, freq="M")
    with pytest.raises(data.SeriesProblem, match=f"the table, column {column}: .* in no unit"):
        data.read_series(table, NETWORK)
    with pytest.raises(data.SeriesProblem, match=f"the table, column {column}: complex"):
        data.read_series(table.assign(**{column: [1j, 2]}), NETWORK)
    with pytest.raises(data.SeriesProblem, match=r"not from a ndarray; .* pandas\.DataFrame"):
        data.read_series(np.ones((2, 2)), NETWORK)  # type: ignore[arg-type]


def test_a_part_is_of_the_network_that_the_series_were_read_for() -> None:
    table = pd.DataFrame({"time": [0.0, 1.0], "Ana": [1.0, 2.0]})
    series = data.read_series(table, NETWORK)
    turned = nx.Graph([("Cy", "Bo"), ("Bo", "Ana")])
    with pytest.raises(data.SeriesProblem, match=r"Node 0 of the series is 'Ana', .* is 'Cy'"):
        data.observed_part(series, turned)


def test_files_that_are_no_tables_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"time,Ana\n0,1\n1,2\n")[:-9])
    (tmp_path / "a.csv").write_bytes(b"time,\xff\xfe\n0,1\n")
    for name in ("a.parquet", "a.csv.gz", "a.csv", "none.csv"):
        with pytest.raises(data.SeriesProblem, match=name):
            data.read_series(tmp_path / name, NETWORK)
    with pytest.raises(data.SeriesProblem, match="is a folder"):
        data.read_series(tmp_path, NETWORK)
    (tmp_path / "b.csv").write_text(",time,Ana\n0,0,1\n2,1,2\n")
    with pytest.raises(data.SeriesProblem, match=r"column '', which is not a node .* are Ana, Bo"):
        data.read_series(tmp_path / "b.csv", NETWORK)
    with pytest.raises(data.SeriesProblem, match="two nodes whose names read '1'"):
        (tmp_path / "b.csv").write_text("time,1\n0,1\n1,2\n")
        data.read_series(tmp_path / "b.csv", nx.Graph([(1, "1")]))


def test_runs_made_by_hand_are_checked_as_files_are() -> None:
    times, states = [0, 1, 2], [[1, 2, 3], [2, None, 4], [3, 4, 5]]
    filled = data.fill_gaps(data.Run("a", times, states), NAMES)  # type: ignore[arg-type]
    assert filled.states.tolist() == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    turned = pd.DataFrame(states, columns=NAMES)[[*NAMES[::-1]]]
    by_name = data.fill_gaps(data.Run("a", times, turned), NAMES)  # type: ignore[arg-type]
    np.testing.assert_array_equal(by_name.states, filled.states)
    for times, words in (([0, 1], "at 2 times of 3 nodes"), ([0, 2, 1], "1 follows 2")):
        run = data.Run("a", np.array(times), np.array(states, dtype=np.float64))
        with pytest.raises(data.SeriesProblem, match=f"Run a.*{words}"):
            data.observed_part(data.Series(NAMES, (run,)), NETWORK)


@pytest.mark.parametrize(("states", "times"), [(1e-60, 1), (1e39, 1), (1, 1e-300), (1, 1e40)])
def test_sizes_that_no_unit_helps_are_refused(states: float, times: float) -> None:
    table = pd.DataFrame({"time": [0, 1, 2], "Ana": [1, 2, 3], "Bo": [3, 1, 2], "Cy": [1, 1, 2]})
    table = table * states
    table["time"] = np.arange(3) * times
    series = data.read_series(table, NETWORK)
    with pytest.raises(
        data.SeriesProblem, match=r"Run 0 has .* take a unit in which it is between"
    ):
        data.observed_part(series, NETWORK)


def test_gaps_are_filled_and_ends_are_not_made_up() -> None:
    times = np.array([0.0, 1, 3, 4, 6])
    states = np.stack([2 * times, times**2, 5 - times], axis=1)
    with_gaps = states.copy()
    with_gaps[2, 0] = with_gaps[0, 1] = with_gaps[4, 2] = np.nan
    filled = data.fill_gaps(data.Run("a", times, with_gaps), NAMES)
    np.testing.assert_array_equal(filled.times, times[1:4])
    np.testing.assert_allclose(filled.states, states[1:4], rtol=1e-12)


def test_a_run_that_cannot_be_filled_names_the_nodes() -> None:
    nothing = np.full((4, 3), np.nan)
    times = np.arange(4.0)
    one = nothing.copy()
    one[:, :2], one[1, 2] = 1, 1
    with pytest.raises(data.SeriesProblem, match=r"1 value\(s\) of node Cy"):
        data.fill_gaps(data.Run("a", times, one), NAMES)
    apart = nothing.copy()
    apart[:, 0], apart[:2, 1], apart[2:, 2] = 1, 1, 1
    with pytest.raises(data.SeriesProblem, match="node Bo has no value any more"):
        data.fill_gaps(data.Run("a", times, apart), NAMES)


def test_unobserved_nodes_leave_with_their_edges(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,Cy,Bo\n0,1,2\n1,2,3\n")
    series = data.read_series(tmp_path / "a.csv", NETWORK)
    assert series.unobserved == ("Ana",)
    graph, [trajectory] = data.observed_part(series, NETWORK)
    assert graph.edges.tolist() == [[0, 1]]
    assert trajectory.states.tolist() == [[2, 1], [3, 2]]
    with pytest.raises(data.SeriesProblem, match="the network has 4"):
        data.observed_part(series, nx.path_graph(4))


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.6))
def test_the_table_counts_what_is_there(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(5, 3))
    states[rng.random(states.shape) < share] = np.nan
    series = data.Series(NAMES, (data.Run("a", np.arange(5.0), states),))
    table = data.series_table(series)
    assert table["values"].sum() == np.isfinite(states).sum()
    assert (table["values"] + table["missing"] == 5).all()
    for node, low in enumerate(table["low"].tolist()):
        kept = states[np.isfinite(states[:, node]), node]
        assert low == kept.min() if len(kept) else np.isnan(low)
        assert series.observed[node] == bool(len(kept))
