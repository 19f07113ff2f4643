"""Downloads from a server on this machine."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from nodeflow.datasets import FILES, SOURCES, DataProblem, Source, download, read_sources
from nodeflow.datasets.download import DOWNLOADED
from nodeflow.tables import read_facts

CONTENT = bytes(range(256)) * 5000


class Server(ThreadingHTTPServer):
    """Serves `content`; may ignore ranges, or end a connection early."""

    content = CONTENT
    ranges = True
    cut = 0
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.asked.append(asked)
        start = int(asked[6:-1]) if asked and server.ranges else 0
        if start and start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.cut or None])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as here:
        here.asked = []
        thread = Thread(target=partial(here.serve_forever, poll_interval=0.01))
        thread.start()
        yield here
        here.shutdown()
        thread.join()


def at(server: Server, content: bytes = CONTENT, file: str = "train.csv") -> Source:
    host, port = server.server_address[:2]
    return Source(f"http://{host!s}:{port}/some/{file}", hashlib.sha256(content).hexdigest())


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def test_a_file_is_checked_and_noted_and_not_fetched_again(server: Server, tmp_path: Path) -> None:
    source = at(server)
    for _ in range(2):
        download([source], ["train.csv"], tmp_path, {"data": "x"})
    assert (tmp_path / "train.csv").read_bytes() == CONTENT and server.asked == [""]
    facts = read_facts(tmp_path / "downloaded.json", DOWNLOADED, {"data": "x"})
    assert facts == {"urls": [source.url]} and not parts(tmp_path)
    (tmp_path / "train.csv").write_bytes(CONTENT[:-1])
    download([source], ["train.csv"], tmp_path, {})
    assert (tmp_path / "train.csv").read_bytes() == CONTENT, "a damaged file is fetched anew"


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_cut_short_goes_on(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.cut, server.ranges = 700_001, ranges
    source = at(server)
    with pytest.raises(DataProblem, match=r"cannot be downloaded.*kept.*zoo\.folders"):
        download([source], ["train.csv"], tmp_path, {})
    [part] = parts(tmp_path)
    assert part.read_bytes() == CONTENT[: server.cut] and not (tmp_path / "train.csv").exists()
    server.cut = 0
    download([source], ["train.csv"], tmp_path, {})
    assert server.asked == ["", "bytes=700001-"]
    assert (tmp_path / "train.csv").read_bytes() == CONTENT and not parts(tmp_path)


def test_a_whole_part_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    source = at(server)
    (tmp_path / f".train.csv.{source.sha256[:16]}.part").write_bytes(CONTENT)
    download([source], ["train.csv"], tmp_path, {})
    assert (tmp_path / "train.csv").read_bytes() == CONTENT


def test_another_digest_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT + b"!"
    with pytest.raises(DataProblem, match=r"SHA-256.*thrown away") as problem:
        download([at(server)], ["train.csv"], tmp_path, {})
    assert "\n" not in str(problem.value) and not list(tmp_path.iterdir())


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    with Server(("127.0.0.1", 0), Handler) as gone:
        source = at(gone)
    for url in (source.url, "file:///nowhere/at/all"):
        with pytest.raises(DataProblem, match="cannot be downloaded") as problem:
            download([Source(url, source.sha256)], ["train.csv"], tmp_path, {})
        assert "\n" not in str(problem.value)


def archive_of(members: dict[str, bytes], link: str = "") -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("deep/test.csv")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return memory.getvalue()


def stored(content: bytes, folder: Path) -> Source:
    path = folder / "archive.tgz"
    path.write_bytes(content)
    return Source(path.as_uri(), hashlib.sha256(content).hexdigest())


def test_archives_give_what_is_needed_and_nothing_else(tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    members = {"a/train.csv": b"1", "a/b/test.csv.gz": gzip.compress(b"2"), "a/other.csv": b"3"}
    source = stored(archive_of(members), tmp_path)
    download([source], ["train.csv", "test.csv"], here, {})
    assert sorted(path.name for path in here.iterdir()) == [
        "archive.tgz", "downloaded.json", "test.csv.gz", "train.csv",
    ]  # fmt: skip
    with pytest.raises(DataProblem, match=r"brought no extra\.csv"):
        download([source], ["extra.csv"], here, {})


@pytest.mark.parametrize("name", ["../train.csv", "/tmp/nodeflow/train.csv", "a/../../train.csv"])
def test_archives_that_lead_out_of_their_folder_are_refused(name: str, tmp_path: Path) -> None:
    (here := tmp_path / "a" / "here").mkdir(parents=True)
    source = stored(archive_of({"test.csv": b"1", name: b"2"}), tmp_path)
    with pytest.raises(DataProblem, match="leads out of its folder"):
        download([source], ["train.csv", "test.csv"], here, {})
    assert not list(tmp_path.rglob("train.csv")) and not Path("/tmp/nodeflow").exists()


def test_links_and_damaged_archives_bring_nothing(tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    linked = stored(archive_of({"train.csv": b"1"}, link="/etc/passwd"), tmp_path)
    with pytest.raises(DataProblem, match=r"brought no test\.csv"):
        download([linked], ["train.csv", "test.csv"], here, {})
    broken = stored(archive_of({"train.csv": CONTENT})[:-2000], tmp_path)
    with pytest.raises(DataProblem, match="no archive that can be unpacked"):
        download([broken], ["train.csv"], here, {})


def test_known_addresses_are_of_data_sets_with_folders() -> None:
    assert set(SOURCES) <= set(FILES)
    for name, sources in SOURCES.items():
        for source in sources:
            assert len(bytes.fromhex(source.sha256)) == 32
            assert "/" not in source.file
        names = {source.file.removesuffix(".gz") for source in sources}
        assert names == set(FILES[name]) or len(sources) == 1
    entry = {"url": "https://example.org/%2e%2e", "sha256": "AB" * 32}
    assert read_sources([entry]) == [Source(entry["url"], "ab" * 32)]
    assert read_sources([entry])[0].file == "download"
