"""What tests of documents share: the code on a page, its links, and the pages there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")]
    + [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "tables"]
)
"""All documents but the tables that they include."""

TABLES = sorted((ROOT / "docs/tables").glob("*.md"))


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def links(text: str) -> list[str]:
    """The relative links of a page outside of its code, without their anchors."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    found = re.findall(r"\]\((?!https?:)([^)#\s]*)[)#]", prose)
    return [x for x in found if x]
