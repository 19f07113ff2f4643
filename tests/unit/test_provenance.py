"""The code digest changes with what a script can do, and with nothing else."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nodeflow
from nodeflow.plan.figures import FIGURES
from nodeflow.provenance import EntryProblem, code_digest, entry_arguments, imported_modules

SOURCE = Path(nodeflow.__file__).parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package = tmp_path / "nodeflow"
    for folder in ("deep", "finds"):
        (package / folder).mkdir(parents=True)
    files = {
        "__init__.py": "",
        "a.py": "from nodeflow.b import f\n",
        "b.py": 'def f(x):\n    """Doubles."""\n    return 2 * x  # twice\n',
        "unused.py": "y = 1\n",
        "deep/__init__.py": "import lazy_loader\n",
        "deep/__init__.pyi": "from .c import g\n\n__all__ = ['g']\n",
        "deep/c.py": "def g():\n    from nodeflow.b import f\n    return f(1)\n",
        "deep/d.py": "z = 1\n",
        "finds/__init__.py": "from pkgutil import iter_modules\n",
        "finds/e.py": "from nodeflow.b import f\n",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    (tmp_path / "script.py").write_text("import numpy\nfrom nodeflow.a import f\n")
    (tmp_path / "other.py").write_text("from nodeflow.deep import g\n")
    return tmp_path


def digest(tree: Path, script: str = "script.py") -> str:
    return code_digest(tree / script, tree / "nodeflow")


def reached(tree: Path, script: str) -> set[str]:
    found = imported_modules(tree / script, tree / "nodeflow")
    return {str(path.relative_to(tree / "nodeflow")) for path in found}


def test_imports_are_followed_through_modules_packages_and_functions(tree: Path) -> None:
    assert reached(tree, "script.py") == {"a.py", "b.py"}
    assert reached(tree, "other.py") == {"deep/__init__.pyi", "deep/c.py", "b.py"}
    (tree / "third.py").write_text("from nodeflow.finds import SETS\n")
    assert reached(tree, "third.py") == {"finds/__init__.py", "finds/e.py", "b.py"}


@pytest.mark.parametrize(
    "text",
    [
        "if x:\n    pass\nelif y:\n    IMPORT\n",
        "for i in x:\n    pass\nelse:\n    IMPORT\n",
        "while x:\n    with y:\n        IMPORT\n",
        "try:\n    IMPORT\nfinally:\n    pass\n",
        "try:\n    pass\nexcept OSError:\n    IMPORT\n",
        "try:\n    pass\nexcept* OSError:\n    pass\nelse:\n    IMPORT\n",
        "try:\n    pass\nfinally:\n    IMPORT\n",
        "match x:\n    case 1:\n        IMPORT\n",
        "class C:\n    async def f(self):\n        async with x:\n            IMPORT\n",
    ],
)
def test_imports_are_followed_wherever_they_stand(tree: Path, text: str) -> None:
    (tree / "script.py").write_text(text.replace("IMPORT", "from nodeflow.deep import c"))
    assert reached(tree, "script.py") == {"deep/c.py", "b.py"}


def test_what_a_script_is_handed_by_name_counts_like_what_it_imports(tree: Path) -> None:
    source, script = tree / "nodeflow", tree / "script.py"
    assert imported_modules(script, source, ["deep.c:g"]) == {
        source / name for name in ("a.py", "b.py", "deep/c.py")
    }
    before = [code_digest(script, source, names) for names in ([], ["deep.d:z"])]
    (source / "deep/d.py").write_text("z = 2\n")
    after = [code_digest(script, source, names) for names in ([], ["deep.d:z"])]
    assert before[0] == after[0] and before[1] != after[1]


def test_entries_are_read_without_importing_them(tree: Path) -> None:
    source = tree / "nodeflow"
    assert entry_arguments("b:f", source) == ("x",)
    assert entry_arguments("deep.d:z", source) is None
    for entry, words in (("b:g", "nodeflow.b has no g"), ("deep.x:z", "no module nodeflow.deep.x")):
        with pytest.raises(EntryProblem, match=words):
            entry_arguments(entry, source)


@pytest.mark.parametrize(
    "text",
    [
        'def f(x):\n    """Doubles."""\n    return 2 * x  # two times\n',
        'def f(x):\n    """Twice as much."""\n    return 2 * x\n',
        "def f(x):\n\n    return (2\n            * x)\n",
    ],
)
def test_comments_docstrings_and_layout_do_not_count(tree: Path, text: str) -> None:
    before = digest(tree)
    (tree / "nodeflow/b.py").write_text(text)
    assert digest(tree) == before


@pytest.mark.parametrize(
    "text", ["def f(x):\n    return 3 * x\n", "def f(x=1):\n    return 2 * x\n"]
)
def test_changes_count_through_imports(tree: Path, text: str) -> None:
    before, other = digest(tree), digest(tree, "other.py")
    (tree / "nodeflow/b.py").write_text(text)
    assert digest(tree) != before
    assert digest(tree, "other.py") != other


def test_modules_that_are_not_imported_do_not_count(tree: Path) -> None:
    before = digest(tree), digest(tree, "other.py")
    for name in ("unused.py", "deep/d.py"):
        (tree / "nodeflow" / name).write_text("w = 5\n")
    assert (digest(tree), digest(tree, "other.py")) == before


def test_a_package_only_reexports_and_does_so_lazily() -> None:
    # The digest does not follow the stub of a parent package; this is why it may not do more.
    for file in (stub.with_suffix(".py") for stub in SOURCE.glob("*/__init__.pyi")):
        text, *code = ast.parse(file.read_text()).body
        assert isinstance(text, ast.Expr)
        assert [ast.unparse(statement) for statement in code] == [
            "import lazy_loader",
            "__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)",
        ], file
        *imports, names = ast.parse(file.with_suffix(".pyi").read_text()).body
        assert all(isinstance(statement, ast.ImportFrom) for statement in imports), file
        assert isinstance(names, ast.Assign), file
        package = importlib.import_module(f"nodeflow.{file.parent.name}")
        assert sorted(package.__all__) == sorted(ast.literal_eval(names.value))
        for name in package.__all__:
            assert getattr(package, name) is not None


def test_every_import_is_one_that_the_digest_sees() -> None:
    for file in SOURCE.rglob("*.py"):
        source = file.read_text()
        assert "importlib.import_module" not in source, file
        finds = file.parent.name in ("sets", "methods")  # packages that find their modules
        if not finds and file.name != "named.py":  # which calls functions of the user's
            assert "resolve_name" not in source, file
        for node in ast.walk(ast.parse(source)):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}: relative import"


STAGES = ("graphs", "dynamics", "neural_ode", "zoo", "canonical", "flow", "judge", "figures")
BEFORE = {
    "graphs": set(),
    "dynamics": {"graphs"},
    "data": {"graphs", "dynamics"},
    "neural_ode": {"graphs", "dynamics", "data"},
    "laws": {"graphs", "dynamics", "data", "neural_ode"},
    "priors": {
        "graphs",
        "dynamics",
        "data",
        "neural_ode",
        "laws",
        "zoo",
        "canonical",
        "flow",
        "judge",
    },
    "zoo": set(),
    "canonical": {"zoo"},
    "flow": {"zoo", "canonical"},
    "judge": {"graphs", "dynamics", "data", "neural_ode", "zoo", "canonical", "flow"},
    "figures": {
        "graphs",
        "dynamics",
        "data",
        "neural_ode",
        "laws",
        "zoo",
        "canonical",
        "flow",
        "judge",
    },
}
SHARED = {"datasets", "settings"}


@pytest.mark.parametrize("stage", BEFORE)
def test_data_flows_one_way(stage: str) -> None:
    allowed = BEFORE[stage] | SHARED | {stage}
    for file in (SOURCE / stage).rglob("*.py"):
        for path in imported_modules(file):
            part = path.relative_to(SOURCE).parts[0]
            assert part in allowed or part.endswith(".py"), f"{file} imports {path}"


@pytest.mark.parametrize("stage", STAGES)
def test_tables_of_a_stage_are_read_without_torch(stage: str) -> None:
    tables = [x for x in ("schemas", "collected") if (SOURCE / stage / f"{x}.py").is_file()]
    names = [f"nodeflow.{stage}", *(f"nodeflow.{stage}.{x}" for x in tables)]
    code = f"import sys, {', '.join(names)}; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stderr


IN_FIGURES = {
    "graphs/bins.py", "judge/bootstrap.py", "judge/cells.py", "judge/clustering.py",
    "judge/topics.py", "canonical/heights.py", "laws/collected.py", "neural_ode/collected.py",
    "neural_ode/identity.py", "neural_ode/trust_table.py", "data/tables.py",
}  # fmt: skip
"""What figures take from the stages besides their schemas: sums over rows of tables, and names."""


def test_an_edit_of_how_things_are_made_draws_no_figure_anew() -> None:
    drawing = SOURCE.parents[1] / "workflow/scripts/draw.py"
    for figure in FIGURES:
        for path in imported_modules(drawing, entries=figure.entries):
            file = path.relative_to(SOURCE)
            light = (
                file.parts[0] == "figures"
                or len(file.parts) == 1
                or file.name.endswith("schemas.py")
            )
            assert light or file.as_posix() in IN_FIGURES, f"{figure.name} follows {file}"


@pytest.mark.parametrize("script", ["discover_law", "discover_own"])
def test_an_edit_of_tables_of_neural_odes_finds_no_law_anew(script: str) -> None:
    followed = imported_modules(SOURCE.parents[1] / f"workflow/scripts/{script}.py")
    tables = {"schemas.py", "training_schemas.py", "trust_table.py"}
    assert not {SOURCE / "neural_ode" / name for name in tables} & followed


def test_what_only_a_type_checker_imports_is_not_followed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from nodeflow.flow.train import train_velocity\n"
        "else:\n    from nodeflow.grid import number\n"
    )
    assert {path.name for path in imported_modules(script)} == {"grid.py"}


def test_what_snakemake_parses_with_loads_no_torch_and_no_pandas() -> None:
    code = (
        "import sys, nodeflow, nodeflow.config, nodeflow.grid, nodeflow.provenance,"
        " nodeflow.datasets;"
        "print(sorted({'torch', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
