"""Writes into a wheel or a source archive which commit it was built from; hatchling runs it."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):
    """`nodeflow.provenance.commit` reads this file: an installed copy knows no checkout."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add commit.txt beside the modules; nothing where no git says what they are of."""
        if version == "editable" or not self._git("ls-files", "--error-unmatch", "pyproject.toml"):
            return  # what a source archive was built from stands in it already
        commit = self._git("describe", "--always", "--abbrev=40", "--dirty")
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
            file.write(f"{commit}\n")
        self._written = Path(file.name)
        package = "nodeflow" if self.target_name == "wheel" else "src/nodeflow"
        build_data["force_include"][file.name] = f"{package}/commit.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file that was included."""
        if hasattr(self, "_written"):
            self._written.unlink()

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", self.root, *arguments]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.SubprocessError):
            return ""
        return answer.stdout.strip()
