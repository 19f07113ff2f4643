"""Nothing that is read can run code, and no name in the configuration leads out of results/."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeflow.config import ConfigProblem, read_config
from tests.unit.test_config import changed

ROOT = Path(__file__).parents[2]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
CALLS = {
    "torch.load", "torch.save", "numpy.load", "np.load", "pd.read_pickle", "pandas.read_pickle",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec", "os.system", "os.popen",
}  # fmt: skip

ALLOWED = {
    "src/nodeflow/zoo/reading.py": ["torch.load"],
    "src/nodeflow/datasets/given.py": ["np.load", "np.load(allow_pickle)"],
}
"""The only places that read files of others' making, each without running any code in them."""


def dangers(source: str) -> Iterator[str]:
    """What in some Python code could run code that stands in a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (x.name for x in node.names if x.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or name.endswith(".to_pickle"):
                yield name
            for keyword in node.keywords:
                if keyword.arg in ("shell", "allow_pickle"):
                    yield f"{name}({keyword.arg})"


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "torch.load('x')",
        "np.load('x', allow_pickle=True)",
        "yaml.load(text)",
        "eval(text)",
        "frame.to_pickle('x')",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_the_scan_finds_what_is_planted(line: str) -> None:
    assert list(dangers(f"def f():\n    {line}\n"))


def test_no_code_is_read_from_files() -> None:
    files = [
        path
        for folder in ("src", "workflow", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(files) > 100
    found = {str(path.relative_to(ROOT)): list(dangers(path.read_text())) for path in files}
    assert {name: calls for name, calls in found.items() if calls} == ALLOWED


def test_where_files_of_others_are_read_no_code_of_theirs_runs() -> None:
    asked = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}
    seen = []
    for name in ALLOWED:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in asked:
                called = ast.unparse(node.func)
                values = {x.arg: x.value for x in node.keywords}
                key, wanted = asked[called]
                assert isinstance(values[key], ast.Constant)
                assert ast.literal_eval(values[key]) is wanted
                seen.append(called)
    assert sorted(seen) == sorted(asked)


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/b", "..", "a\nb", ""])
@pytest.mark.parametrize("key", ["zoo.zoos", "flow.flows", "priors.strangers", "graphs.files"])
def test_no_name_leads_out_of_the_results(key: str, name: str) -> None:
    config = changed(key, {})
    section: dict[str, object] = config
    for part in key.split("."):
        section = section[part]  # type: ignore[assignment]
    section[name] = "edges.txt"
    with pytest.raises(ConfigProblem):
        read_config(config)
