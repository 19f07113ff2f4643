"""What docs/extending.md says is all that there is to do: a copy that is extended so, runs."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import ROOT, Checkout

TEXT = (ROOT / "docs/extending.md").read_text()
COUNTS = {
    name: int(count)
    for name, count in re.findall(r"^\| (an? [^|]*) \| (\d+) \|", TEXT, re.MULTILINE)
}


def insert(path: Path, before: str, text: str) -> None:
    whole = path.read_text()
    assert whole.count(before) == 1, f"{path} holds {before!r} {whole.count(before)} times"
    path.write_text(whole.replace(before, text + before))


def touched(checkout: Checkout) -> list[str]:
    """Files of the workflow and of the library that are not those of the original."""
    found = []
    for part in ("Snakefile", "rules", "workflow", "config", "profiles", "src"):
        for path in [checkout.folder / part, *(checkout.folder / part).rglob("*")]:
            name = path.relative_to(checkout.folder)
            if path.is_file() and "__pycache__" not in path.parts:
                old = ROOT / name
                if not old.is_file() or old.read_bytes() != path.read_bytes():
                    found.append(str(name))
    return found


@pytest.mark.slow
def test_a_figure_and_a_table(copied: Callable[[], Checkout]) -> None:
    checkout = copied()
    source = checkout.folder / "src/nodeflow"
    with (source / "figures/zoo.py").open("a") as file:
        file.write(
            "\n\ndef draw_learning(members: pd.DataFrame, at: int) -> Figure:\n"
            "    figure, (axis,) = panels(1)\n"
            "    axis.plot(members['train_accuracy'], members['test_accuracy'], '.')\n"
            "    note(axis, f'n = {len(members)}, seed {at}')\n"
            "    return figure\n"
        )
    insert(
        source / "plan/figures.py",
        ')\n"""All figures',
        '    Figure("learning", "alike", "Learning", "zoo", {"members": "zoo_members"},\n'
        '           lambda plan: {"at": plan.config.seed}),\n',
    )
    captions = checkout.folder / "workflow/report"
    (captions / "learning.rst").write_text((captions / "zoo.rst").read_text())
    assert len(touched(checkout)) == COUNTS["a figure of existing tables"]
    figure = checkout.folder / "results/figures/learning.png"
    assert set(checkout.waiting()) == {"draw_learning", "draw_zoo", "draw_alignment"}
    checkout.smoke("--cores", "2", "--until", "draw_learning")
    assert figure.stat().st_size > 5_000 and figure.with_suffix(".pdf").is_file()
    checkout.smoke("--report", "report.html")
    assert "results/figures/learning.png" in (checkout.folder / "report.html").read_text()

    before = len(touched(checkout))
    with (source / "neural_ode/collected.py").open("a") as file:
        file.write(
            "\nfrom nodeflow.neural_ode.schemas import NEURAL_ODE_ERRORS  # noqa: E402\n"
            "COLLECTED_ERRORS = gathered('errors of all nodes', NEURAL_ODE_ERRORS, MODELS)\n"
        )
    insert(
        source / "plan/tables.py",
        ')\n"""All tables',
        '    Table("node_errors", "neural_ode.collected:COLLECTED_ERRORS", paths.ERRORS,\n'
        '          "evaluated.tests"),\n',
    )
    assert len(touched(checkout)) - before == COUNTS["a table that gathers files of all jobs"]
    assert "collect_node_errors" in checkout.waiting()
    checkout.smoke("--cores", "2", "--until", "collect_node_errors")
    table = pd.read_parquet(checkout.folder / "results/tables/node_errors.parquet")
    assert set(table["variant"]) == {"plain", "covering", "noise~0.05"}


def test_a_key(fresh: Checkout) -> None:
    insert(
        fresh.folder / "src/nodeflow/config/graphs.py",
        "    training: TrainingGraphs\n",
        '    shortcuts: Count = key("shortcuts to add to each graph", default=3)\n',
    )
    assert len(touched(fresh)) == COUNTS["a key with a default"]
    fresh.python("-m", "nodeflow.config")
    assert "| `graphs.shortcuts` |" in (fresh.folder / "config/README.md").read_text()
    assert "shortcuts" in (fresh.folder / "config/schema/config.schema.yaml").read_text()
    (fresh.folder / "mine.yaml").write_text("graphs: {shortcuts: 5}\n")
    fresh.smoke("mine.yaml", "-n", "--cores", "1")
    (fresh.folder / "mine.yaml").write_text("graphs: {shortcuts: many}\n")
    answer = fresh.smoke("mine.yaml", "-n", "--cores", "1", check=False)
    assert 'the configuration key graphs.shortcuts is "many"' in answer.stdout + answer.stderr


def test_a_wrong_entry_ends_in_one_line_before_the_first_job(fresh: Checkout) -> None:
    insert(
        fresh.folder / "src/nodeflow/plan/figures.py",
        ')\n"""All figures',
        '    Figure("learning", "alike", "Learning", "zoo", {"metrics": "zoo_member"}),\n',
    )
    answer = fresh.smoke("--cores", "1", check=False)
    text = answer.stdout + answer.stderr
    assert answer.returncode == 1 and "Traceback" not in text
    assert "figure learning is drawn from the table zoo_member, which is not there" in text
    assert not (fresh.folder / "results").exists()


SYSTEM = """    System(
        name="KUR",
        title="a linear decay towards the mean of the neighbours",
        equation="-B x_i + sum_j A_ij R x_j",
        parameters=MappingProxyType({"B": 20.0, "R": 1.0}),
        meanings=MappingProxyType({"B": "decay", "R": "coupling"}),
        domain=(0.0, math.inf),
        citation="none",
        build=lambda p: Field(
            f=lambda x: -p["B"] * x,
            h_ego=np.ones_like,
            h_alt=lambda x: p["R"] * x,
            df=lambda x: np.full_like(x, -p["B"]),
            dh_ego=np.zeros_like,
            dh_alt=lambda x: np.full_like(x, p["R"]),
        ),
    ),
"""


@pytest.mark.slow
def test_a_system(fresh: Checkout) -> None:
    insert(
        fresh.folder / "src/nodeflow/dynamics/systems.py",
        ")\n\nSYSTEMS: Mapping[str, System]",
        SYSTEM,
    )
    assert len(touched(fresh)) == COUNTS["a dynamical system"]
    (fresh.folder / "mine.yaml").write_text("dynamics: {systems: [KUR]}\n")
    tables = [
        f"results/tables/{x}.parquet" for x in ("neural_ode_tests", "claims", "activity_at_end")
    ]
    fresh.snakemake(
        "results/figures/size_errors.png", *tables, "--cores", "2",
        "--configfile", "config/smoke.yaml", "mine.yaml",
    )  # fmt: skip
    for path in tables:
        assert set(pd.read_parquet(fresh.folder / path)["system"]) == {"KUR"}


WINE = '''"""Wine: thirteen measures of wines of three growers."""

from __future__ import annotations

from pathlib import Path

from nodeflow.datasets.dataset import Dataset, standardized, thirds
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]


def _load(_: Path) -> Dataset:
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return standardized(thirds("wine", x, y, classes=3))


DATASET = Known(item=(13,), classes=3, load=_load)
'''


SHAKEN = '''"""Method "shaken": a member drawn at random, and noise of one size on its weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from nodeflow.flow.method import Fitting, Generator, Method, Written
from nodeflow.flow.settings import FlowSettingsProblem
from nodeflow.settings.fields import NonNegative, checked, meaning

__all__ = ["METHOD"]


@checked(FlowSettingsProblem)
@dataclass(frozen=True)
class ShakenSettings:
    """How far networks are from the member that they are made of."""

    method: Annotated[str, meaning("the name of the method")] = "shaken"
    size: Annotated[int, meaning("not used")] = 1
    noise: Annotated[NonNegative, meaning("standard deviation of the noise")] = 0.01

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Shaken(Generator):
    def __init__(self, settings: ShakenSettings, shapes: Any, members: Any) -> None:
        self.settings, self.shapes, self.members, self.labels = settings, shapes, members, ()

    def rows(self, seeds: Any, how: Any, condition: Any = None, device: Any = "cpu") -> Any:
        import numpy as np

        def one(seed: int) -> Any:
            rng = np.random.default_rng(seed)
            row = self.members[rng.integers(len(self.members))]
            return row + self.settings.noise * rng.normal(size=len(row))

        return np.zeros((len(seeds), 0), "f4"), np.stack([one(x) for x in seeds]).astype("f4")

    def tensors(self) -> dict[str, Any]:
        return {"members": self.members}


class Shaking(Method):
    about = "shakes members"
    title = "shaken members"
    settings = ShakenSettings()
    fixed = frozenset(("method", "size"))
    sized_by = "size"
    solvers = ("euler",)
    colours = ("#111111", "#777777")

    def fit(self, zoos: Any, how: Fitting) -> Any:
        import pandas as pd

        from nodeflow.flow.codec import flatten

        (zoo,) = zoos.values()
        shapes = zoo.origin.architecture.shapes
        rows = flatten(zoo.training.take(range(len(zoo.training))).parameters, shapes)
        losses = {"loss": [0.0], "train_loss": [0.0], "held_out_loss": [0.0]}
        return Shaken(how.settings, shapes, rows), pd.DataFrame({"step": [1], **losses})

    def read(self, written: Written) -> Any:
        return Shaken(written.settings, written.shapes, written.tensors["members"])


METHOD = Shaking()
'''


@pytest.mark.slow
def test_a_flow_method(fresh: Checkout) -> None:
    (fresh.folder / "src/nodeflow/flow/methods/shaken.py").write_text(SHAKEN)
    assert len(touched(fresh)) == COUNTS["a flow method"]
    shaken = {
        "zoo": "iris", "method": "shaken", "alignment": ["raw"], "capacities": [2],
        "settings": {"noise": 0.02}, "sampling": {"count": 20, "solver": "euler", "steps": 1},
    }  # fmt: skip
    flow = {"use": ["iris", "shaken"], "flows": {"shaken": shaken}, "transfer": {"flows": []}}
    (fresh.folder / "mine.yaml").write_text(yaml.safe_dump({"flow": flow}))
    names = [f"results/tables/{x}.parquet" for x in ("flow_panel", "flow_training")]
    picture = "results/figures/frontier.png"
    fresh.snakemake(
        *names, picture, "--cores", "2", "--configfile", "config/smoke.yaml", "mine.yaml"
    )
    panel = pd.read_parquet(fresh.folder / names[0])
    made = panel[(panel["method"] == "shaken") & (panel["set"] == "generated")]
    members = panel[(panel["method"] == "shaken") & (panel["set"] == "held-out")]
    assert len(made) == 20 and (made["status"] == "ok").all()
    assert (made["ratio"] < 1 / 3).mean() > 0.9, "a shaken copy is a copy"
    assert (members["ratio"] < 1 / 3).mean() < 0.1
    assert (fresh.folder / picture).stat().st_size > 5_000


@pytest.mark.slow
def test_a_data_set(fresh: Checkout) -> None:
    (fresh.folder / "src/nodeflow/datasets/sets/wine.py").write_text(WINE)
    assert len(touched(fresh)) == COUNTS["a data set"]
    iris = yaml.safe_load((fresh.folder / "config/config.yaml").read_text())["zoo"]["zoos"]["iris"]
    wine = {**iris, "data": "wine", "members": 20, "held_out": 10, "block": 30}
    overlay = {"zoo": {"use": ["iris", "wine"], "zoos": {"wine": wine}}}
    (fresh.folder / "mine.yaml").write_text(yaml.safe_dump(overlay))
    path = "results/tables/zoo_members.parquet"
    fresh.snakemake(path, "--cores", "2", "--configfile", "config/smoke.yaml", "mine.yaml")
    members = pd.read_parquet(fresh.folder / path)
    assert members.groupby("zoo")["test_accuracy"].median()["wine"] > 0.8
