"""What MkDocs does not do by itself: generated pages, and links out of the folder of pages.

Pages are Markdown that can be read in the repository as well. Links to its other documents (README,
CONTRIBUTING, CHANGELOG, the keys of the configuration) lead to the pages made of them, and a line
that holds nothing but a link to a file of `tables/` is replaced by that table.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path, PurePosixPath
from pkgutil import resolve_name

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from nodeflow.plan.tables import TABLES
from nodeflow.tables import Schema

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/nodeflow"
COPIED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "config/README.md": "reference/configuration.md",
}
"""Documents outside of the folder of pages, and the pages made of them."""

_SHOWN = (
    "{show_root_heading: true, show_root_toc_entry: true, show_root_full_path: false, "
    "show_if_no_docstring: true}"
)
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)(?=[)#])")
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_PICTURE = re.compile(r"^(!\[[^\]]*\]\(([^)]*\.png)\))$", re.MULTILINE)
_EXAMPLE = re.compile(r"docs/examples(?:/\d+_(\w+)\.md)?")
_TABLE = re.compile(r"^\[[^\]]*\]\(([^)]*tables/(\w+)\.md)\)$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages of the API in the navigation."""
    [reference] = [part["Reference"] for part in config.nav or () if "Reference" in part]
    [api] = [part for part in reference if "API" in part]
    api["API"] = [{name: f"reference/api/{name}.md"} for name in modules()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of something else."""
    made = {page: (ROOT / source).read_text(encoding="utf-8") for source, page in COPIED.items()}
    made["reference/files.md"] = files_page()
    for name in modules():
        made[f"reference/api/{name}.md"] = f"# nodeflow.{name}\n\n{api_of(name)}{examples(name)}"
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Include tables, open pictures in full, and let links to other documents find their pages."""
    place = page.file.src_uri
    copied = {page: source for source, page in COPIED.items()}
    origin = copied.get(place, f"docs/{place}")
    markdown = _TABLE.sub(lambda found: _table(found[2], place), markdown)
    markdown = _PICTURE.sub(r"[\1](\2)", markdown)  # a click shows it in its full size
    parts = _CODE.split(markdown)
    parts[::2] = [
        _LINK.sub(lambda found: _linked(found[1], origin, place), part) for part in parts[::2]
    ]
    return "".join(parts)


def modules() -> list[str]:
    """Packages and modules with public names, but for what only the workflow is made of."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.pyi")}
    single = {path.stem for path in SOURCE.glob("*.py") if path.stem != "__init__" and names(path)}
    return sorted(packages | single)


def names(path: Path) -> list[str]:
    """The public names of a module, without importing it."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return list(ast.literal_eval(statement.value))
    return []


def api_of(name: str) -> str:
    """The directives of mkdocstrings for all public names of a package or module."""
    stub = SOURCE / name / "__init__.pyi"
    if not stub.is_file():
        return f"::: nodeflow.{name}\n"
    introduction = ast.get_docstring(ast.parse((SOURCE / name / "__init__.py").read_text()))
    origins = {}
    for statement in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom):
            module = ".".join(filter(None, ("nodeflow", name, statement.module)))
            origins |= {x.asname or x.name: f"{module}.{x.name}" for x in statement.names}
    directives = [
        f"::: {origins[public]}\n    options: {_SHOWN}\n"
        for public in sorted(names(stub), key=str.casefold)
        if public in origins
    ]
    return f"{introduction or ''}\n\n" + "\n".join(directives)


def examples(name: str) -> str:
    """How the names of a package or module are used; none of some that serve the others."""
    texts = [
        path.read_text(encoding="utf-8").replace("](../", "](../../")
        for path in sorted((ROOT / "docs/examples").glob(f"[0-9][0-9]_{name}.md"))
    ]
    if not texts:
        return ""
    return "\n".join(
        [
            "\n## In use\n",
            "The examples of all pages are one program, in the order in which data flow; it begins "
            "with `import numpy as np`, `import pandas as pd` and the like, and with "
            "`from nodeflow import` of every module that it names.\n",
            *texts,
        ]
    )


def files_page() -> str:
    """All tables of a run, with a sentence on each column."""
    parts = [
        "# Files and their columns\n\nWhat a run leaves is described in "
        "[Run the pipeline](../how-to/run.md#what-a-run-leaves). These are its tables in "
        "`results/tables/`, or beside what they are of. Each is Parquet; the metadata of each file "
        "say the parameters, code, commit and configuration that made it, and the sentences below."
    ]
    for table in TABLES:
        schema = resolve_name(f"nodeflow.{table.schema}")
        assert isinstance(schema, Schema)
        about = {**(schema.identity.about if schema.identity else {}), **schema.about}
        rows = [f"| `{name}` | {type_} | {about[name]} |" for name, type_ in schema.stored.items()]
        parts.append(
            f"## {table.name}\n\n{schema.name[0].upper()}{schema.name[1:]}, version "
            f"{schema.version}: `{table.path}`.\n\n"
            "| column | type | meaning |\n|---|---|---|\n" + "\n".join(rows)
        )
    return "\n\n".join(parts) + "\n"


def _table(name: str, page: str) -> str:
    path = ROOT / f"docs/tables/{name}.md"
    if not path.is_file():
        raise PluginError(f"{page} shows {path}, which is not there; python -m docs.numbers.")
    return path.read_text(encoding="utf-8").strip()


def _linked(target: str, origin: str, page: str) -> str:
    """The target of a link of a document of the repository, from the page that is made of it."""
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
    if whole in COPIED:
        inside = COPIED[whole]
    elif example := _EXAMPLE.fullmatch(whole):
        inside = f"reference/api/{example[1] or modules()[0]}.md"
    elif whole.startswith("docs/"):
        inside = whole.removeprefix("docs/")
    else:
        raise PluginError(f"{page} links to {whole}, which is no page.")
    return posixpath.relpath(inside, str(PurePosixPath(page).parent))
