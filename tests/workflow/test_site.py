"""The site is built strictly; in a real browser its pages, pictures, colours, search work."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT
from .test_report import BROWSER, WATCH

pytestmark = pytest.mark.slow

LOOK = (ROOT / "tests/workflow/look_through_site.js").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    pytest.importorskip("material", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site") / "built"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


class Watched(SimpleHTTPRequestHandler):
    """Serves a folder; pages note their own problems, and what a browser saw can be sent here."""

    seen: dict[str, Any]
    arrived: threading.Event
    pages: list[str]

    def do_GET(self) -> None:
        if self.path == "/look.html":
            script = f"<script>const PAGES = {json.dumps(self.pages)};{LOOK}</script>"
            self._answer(f"<!doctype html><body>{script}</body>")
            return
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix == ".html" and path.is_file():
            self._answer(path.read_text().replace("<head>", f"<head>{WATCH}", 1))
            return
        super().do_GET()

    def do_POST(self) -> None:
        self.seen.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.arrived.set()
        self._answer("")

    def _answer(self, text: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def seen(site: Path) -> Iterator[dict[str, Any]]:
    """What a script that opens every page in a browser found there."""
    if not BROWSER:
        pytest.skip("no Chromium on this machine")
    pages = sorted(f"/{path.parent.relative_to(site)}/" for path in site.rglob("index.html"))
    handler = type("Here", (Watched,), {"seen": {}, "arrived": threading.Event()})
    handler.pages = ["/", *(page for page in pages if page != "/./")]  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"]
    command += [f"--user-data-dir={site.parent}/browser", "--remote-debugging-port=0"]
    # Whatever is asked of another server is not answered.
    command += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    command += [f"http://127.0.0.1:{server.server_address[1]}/look.html"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            assert handler.arrived.wait(240), "the browser sent nothing"  # type: ignore[attr-defined]
        finally:
            browser.terminate()
            server.shutdown()
    yield handler.seen  # type: ignore[attr-defined]


def test_nothing_is_loaded_from_elsewhere(site: Path, seen: dict[str, Any]) -> None:
    assert {
        path: page["elsewhere"] for path, page in seen["pages"].items() if page["elsewhere"]
    } == {}
    for path in site.rglob("*.html"):
        text = path.read_text()
        assert "fonts.googleapis" not in text
        assert "unpkg.com" not in text


def test_every_page_opens_without_a_problem(seen: dict[str, Any]) -> None:
    assert "failed" not in seen, seen.get("failed")
    assert seen["problems"] == []
    assert len(seen["pages"]) > 30
    for path, page in seen["pages"].items():
        assert page["problems"] == [], path
        assert page["heading"], path
        assert page["words"] > 20, path
        assert page["wide"] <= 0, f"{path} is wider than the window"


def test_every_picture_loads(seen: dict[str, Any]) -> None:
    assert {path: page["broken"] for path, page in seen["pages"].items() if page["broken"]} == {}
    assert sum(page["images"] for page in seen["pages"].values()) > 12


def test_both_colour_schemes_are_there(seen: dict[str, Any]) -> None:
    schemes = {name: (ground, ink) for name, ground, ink in seen["schemes"]}
    assert set(schemes) == {"default", "slate"}
    assert schemes["default"] != schemes["slate"]


def test_the_search_finds_pages(seen: dict[str, Any]) -> None:
    assert any("graphs-and-dynamics" in target for target, _ in seen["search"])


def test_the_pages_of_the_navigation_are_there(site: Path) -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    parts = yaml.safe_load(text)["nav"]
    assert [next(iter(part)) for part in parts] == [
        "nodeflow", "Tutorials", "How to", "Results", "Reference",
    ]  # fmt: skip
    for name in ("graphs", "neural_ode", "laws", "flow", "judge"):
        page = (site / f"reference/api/{name}/index.html").read_text()
        assert "doc-heading" in page, name
    files = (site / "reference/files/index.html").read_text()
    assert "neural_ode_tests" in files and "mae_mean_field" in files
    keys = (site / "reference/configuration/index.html").read_text()
    assert "graphs.sizes" in keys
