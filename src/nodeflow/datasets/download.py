"""Data sets from where they are published: resumed, checked, and only then given their names."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from nodeflow.datasets.dataset import DataProblem
from nodeflow.datasets.sources import Source
from nodeflow.tables import Kind, replacing, write_facts

__all__ = ["DOWNLOADED", "download"]

DOWNLOADED = Kind("downloaded data set", 1)

_PIECE = 2**20
_PATIENCE = 60
_REST, _NOTHING_LEFT = 206, 416


def download(
    sources: Sequence[Source], files: Sequence[str], folder: Path, made: Mapping[str, Any]
) -> None:
    """Fetch files into a folder, take what is needed out of archives, and note what was done.

    What is there is not fetched again; a download that was cut short goes on where it ended. No
    file has its name before its digest has been checked.

    Args:
        sources: what to fetch.
        files: names that are needed, in archives under any folder; gzipped ones may end in .gz.
        folder: where they go; the note is its `downloaded.json`.
        made: what the note says it was made with.

    Raises:
        DataProblem: not reachable, of another digest, an archive that is damaged or leads out of
            the folder, or one without a file that is needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        path = folder / source.file
        if not path.is_file() or _digest(path) != source.sha256:
            _fetch(source, path)
        if source.file.removesuffix(".gz") not in files:
            _unpack(path, files, folder)
    missing = [
        name for name in files if not any((folder / x).is_file() for x in (name, f"{name}.gz"))
    ]
    if missing:
        raise DataProblem(
            f"{', '.join(source.url for source in sources)} brought no {missing[0]}; name the "
            "addresses of all files, or of an archive that holds them."
        )
    facts = {"urls": [source.url for source in sources]}
    write_facts(folder / "downloaded.json", facts, DOWNLOADED, made)


def _fetch(source: Source, path: Path) -> None:
    part = path.with_name(f".{path.name}.{source.sha256[:16]}.part")
    try:
        _append(source.url, part)
    except (OSError, HTTPException, ValueError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataProblem(
            f"{source.url} cannot be downloaded ({reason}); what came so far is kept: run the same "
            "command again where there is a network, or put the data into a folder and name it in "
            "zoo.folders."
        ) from error
    digest = _digest(part)
    if digest != source.sha256:
        part.unlink()
        raise DataProblem(
            f"{source.url} has the SHA-256 digest {digest}, not {source.sha256}; it was thrown "
            "away: run the same command again, and if that does not help, do not trust this "
            "address."
        )
    part.replace(path)


def _append(url: str, part: Path) -> None:
    """Download what a partial file lacks."""
    have = part.stat().st_size if part.is_file() else 0
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer: IO[bytes]
        with urlopen(request, timeout=_PATIENCE) as answer:
            if getattr(answer, "status", None) == _REST:
                pass
            elif urlsplit(url).scheme == "file":
                answer.seek(have)
            else:
                have = 0
            with part.open("r+b" if have else "wb") as file:
                file.seek(have)
                while piece := answer.read(_PIECE):
                    file.write(piece)
                file.truncate()
            expected = getattr(answer, "length", None)
            if expected:
                raise OSError(f"the connection ended {expected} bytes too early")
    except HTTPError as error:
        # Asked for what comes after its end: the file is whole.
        if error.code != _NOTHING_LEFT or not have:
            raise


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(archive: Path, files: Sequence[str], folder: Path) -> None:
    """Take the files that are needed out of an archive; they come to lie in the folder itself."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                inside = PurePosixPath(member.name)
                if inside.is_absolute() or ".." in inside.parts:
                    raise DataProblem(
                        f"{archive} holds {member.name}, which leads out of its folder; it is not "
                        "unpacked: do not trust where it came from."
                    )
                if inside.name.removesuffix(".gz") not in files or not member.isfile():
                    continue
                content = tar.extractfile(member)
                assert content is not None
                with content, replacing(folder / inside.name) as beside, beside.open("wb") as file:
                    while piece := content.read(_PIECE):
                        file.write(piece)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataProblem(
            f"{archive} is no archive that can be unpacked ({error}); delete it and run the same "
            "command again."
        ) from error
