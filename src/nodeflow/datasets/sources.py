"""Files to download, with their digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

__all__ = ["Source", "read_sources"]


@dataclass(frozen=True)
class Source:
    """A file to download.

    Attributes:
        url: where it is, beginning with https:, http: or file:.
        sha256: its SHA-256 digest, 64 hexadecimal digits.
    """

    url: str
    sha256: str

    @property
    def file(self) -> str:
        """Its name: the last part of the address."""
        name = PurePosixPath(unquote(urlsplit(self.url).path)).name
        return name if name not in ("", "..") else "download"


def read_sources(entries: Sequence[Mapping[str, str]]) -> list[Source]:
    """Sources from a configuration: a list of url and sha256."""
    return [Source(entry["url"], entry["sha256"].lower()) for entry in entries]
