"""From a folder of checkpoints to new ones, as docs/own-checkpoints.md says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits
from torch import nn

from .conftest import ROOT

TUTORIAL = (ROOT / "docs/own-checkpoints.md").read_text()
MODULE, FIVE_LINES = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
[SETTINGS] = re.findall(r"```yaml\n(.*?)```", TUTORIAL, re.DOTALL)
COMMANDS = re.findall(r"^snakemake -s nodeflow/Snakefile (.*)$", TUTORIAL, re.MULTILINE)


def write_checkpoints(folder: Path, count: int = 50) -> None:
    """Digit classifiers that were trained with plain torch, in forms of several training loops."""
    folder.mkdir()
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images[:1400] / 16, dtype=torch.float32), torch.tensor(labels[:1400])
    for k in range(count):
        torch.manual_seed(k)
        net = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        optimizer = torch.optim.Adam(net.parameters(), 5e-3)
        for _ in range(6):
            for part in torch.randperm(1400).view(-1, 56):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x[part]), y[part]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        state = {name: t.detach().half() for name, t in net.state_dict().items()}
        if k == 7:
            state["2.bias"][0] = torch.nan
        if k % 2:
            lightning = {f"model.{name}": t for name, t in state.items()}
            held = {"state_dict": lightning, "optimizer_states": [optimizer.state_dict()]}
            torch.save(held, folder / f"run_{k}.ckpt")
        else:
            save_file(state, folder / f"run_{k}.safetensors")


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_the_tutorial_leads_from_a_folder_to_new_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(TUTORIAL.splitlines()) <= 90
    write_checkpoints(tmp_path / "runs")
    (tmp_path / "mynet.py").write_text(MODULE)
    (tmp_path / "mine.yaml").write_text(SETTINGS)
    for command in COMMANDS:
        answer = snakemake(tmp_path, *command.split())
        assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    assert len(COMMANDS) == 2
    notes = (tmp_path / "results/zoo/mine/raw/block~0.checkpoints.txt").read_text()
    assert "49 of 50 checkpoints are networks of mynet:Net: 1,210 parameters" in notes
    assert "saved as float16" in notes
    assert "run_7.ckpt holds values that are not finite" in notes
    assert "May change places: 16 units of 0.weight, 0.bias, 2.weight." in notes

    table = pd.read_parquet(tmp_path / "results/tables/flow_summary.parquet")
    counts = dict(zip(table["set"], table["n"], strict=True))
    accuracy = dict(zip(table["set"], table["accuracy"], strict=True))
    assert (counts["generated"], counts["zoo"], counts["held-out"]) == (20, 39, 10)
    assert accuracy["held-out"] > 0.85
    assert accuracy["generated"] > 0.7
    assert (tmp_path / "results/figures/frontier.png").is_file()

    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(MODULE + FIVE_LINES, "own-checkpoints.md", "exec"), names)
    make: Callable[[], nn.Module] = names["Net"]  # type: ignore[assignment]
    _, _, x, y = names["items"]()  # type: ignore[operator]
    files = sorted(Path("results/flow/mine/aligned/capacity~256/checkpoints").glob("*.safetensors"))
    assert len(files) == 20
    right = []
    for file in files:
        state = load_file(file)
        assert {t.dtype for t in state.values()} == {torch.float16}
        net = make()
        net.load_state_dict(state, strict=True)
        said = net(torch.tensor(x, dtype=torch.float32)).argmax(1).numpy()
        right.append((said == y).mean())
    assert abs(sum(right) / 20 - accuracy["generated"]) < 0.005

    # What nothing changed of is not made again; what the user edits is.
    again = snakemake(tmp_path, *COMMANDS[1].split(), "-n")
    assert "Nothing to be done" in again.stdout + again.stderr
    (tmp_path / "runs/run_7.ckpt").unlink()
    again = snakemake(tmp_path, *COMMANDS[1].split(), "-n")
    assert re.search(r"^import_zoo +1$", again.stdout + again.stderr, re.MULTILINE)


SLIPS = {
    "an empty folder": ({"folder": "empty"}, r"empty holds no file that ends in"),
    "no folder": ({"folder": "no"}, r"checkpoints.folder is no. no is no folder"),
    "no such file": ({"pattern": "*.pth"}, r'no file in runs is like "\*.pth"'),
    "no module": ({"module": "nonet:Net"}, r"nonet:Net: there is no module nonet"),
    "no function": ({"module": "mynet"}, r'"mynet" names no function; write "package.module'),
    "no data": ({"data": "no.npz"}, r"checkpoints.data is no.npz, which is not a file"),
    "no such key": ({"modul": "x"}, r"checkpoints.modul is not a key"),
}


@pytest.mark.parametrize(
    "slip", [pytest.param(x, marks=pytest.mark.slow) if k else x for k, x in enumerate(SLIPS)]
)
def test_a_slip_ends_in_one_sentence_before_the_first_job(tmp_path: Path, slip: str) -> None:
    changes, pattern = SLIPS[slip]
    said = told(tmp_path, changes, "own_zoos", "-n")
    assert len([line for line in said.splitlines() if re.search(pattern, line)]) == 1, said
    assert not (tmp_path / "results").exists()


FAILURES = {
    "a function that raises": (
        {"module": "mynet:broken"},
        r"mynet:broken failed in mynet.py, line \d+: ValueError: no weights here",
    ),
    "another architecture": (
        {"module": "mynet:Wide"},
        r"none of the 4 checkpoints .*run_0.pt has shape \(16, 64\), and mynet:Wide has \(32, 64\)",
    ),
    "data of another shape": (
        {"data": "mynet:narrow"},
        r"mynet:narrow: mynet:Net cannot read items of shape \(3,\).*give items as the module",
    ),
    "files that need code": (
        {"folder": "whole"},
        r"none of the 4 checkpoints of whole is .* without running code of its own .*torch.save",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
def test_what_only_a_job_can_tell_it_tells_in_one_sentence(tmp_path: Path, failure: str) -> None:
    changes, pattern = FAILURES[failure]
    told(tmp_path, changes, "own_zoos", "--cores", "1")
    log = (tmp_path / "results/logs/import_zoo/mine/block~0.log").read_text()
    assert len([line for line in log.splitlines() if re.search(pattern, line)]) == 1, log
    assert "Traceback" not in log


def told(folder: Path, changes: dict[str, str], *arguments: str) -> str:
    """What Snakemake says of the tutorial's settings with some of them changed."""
    for name in ("runs", "whole", "empty"):
        (folder / name).mkdir()
    for k in range(4):
        net = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        torch.save(net.state_dict(), folder / f"runs/run_{k}.pt")
        torch.save(net, folder / f"whole/run_{k}.pt")
    more = (
        "\ndef broken():\n    raise ValueError('no weights here')\n"
        "\ndef Wide():\n    return nn.Linear(64, 32)\n"
        "\ndef narrow():\n    return np.ones((5, 3)), np.zeros(5)\n"
    ).replace("nn.Linear(64, 32)", "nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))")
    (folder / "mynet.py").write_text(MODULE + more)
    settings = yaml.safe_load(SETTINGS)
    settings["zoo"]["zoos"]["mine"]["checkpoints"] |= changes
    settings["zoo"]["zoos"]["mine"]["held_out"] = 0
    settings["judge"] = {"soup": 3}
    (folder / "mine.yaml").write_text(yaml.safe_dump(settings))
    answer = snakemake(folder, *arguments, "--configfile", "mine.yaml")
    said = answer.stdout + answer.stderr
    assert answer.returncode == 1, said
    assert "Traceback" not in said
    return said


def test_zoos_and_networks_of_nobody_are_refused_with_the_key_to_write(tmp_path: Path) -> None:
    answer = snakemake(tmp_path, "own_networks", "-n", "--cores", "1")
    assert answer.returncode == 1
    said = answer.stdout + answer.stderr
    assert "No checkpoints of your own are in this run: name them in zoo" in said
