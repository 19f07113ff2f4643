"""One checkpoint out of its file. No file can run code: torch reads weights only."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from nodeflow.zoo.files import INDEX, SUFFIXES, CheckpointProblem

__all__ = ["read_checkpoint"]

_PART = re.compile(r"-\d{5}-of-\d{5}$")
_POINTER = b"version https://git-lfs"


def read_checkpoint(path: str | Path) -> Mapping[str, Any]:
    """What a checkpoint holds: tensors by name, maybe in further dictionaries.

    Args:
        path: a safetensors file, one that `torch.save` wrote, or an index of such files
            ("model.safetensors.index.json").

    Raises:
        CheckpointProblem: missing, damaged, no dictionary, or not to be read without running code
            that stands in it.
    """
    path = Path(path)
    if path.name.endswith(INDEX):
        return _parts(path)
    if path.suffix not in SUFFIXES:
        raise CheckpointProblem(
            f"{path} ends in none of {', '.join(SUFFIXES)}, so nobody knows what it holds; rename "
            "it, or leave it out of the pattern."
        )
    if _PART.search(path.stem):
        raise CheckpointProblem(
            f"{path} is one of several parts of a checkpoint; name its index (*{INDEX}) in the "
            "pattern instead."
        )
    return _one(path)


def _one(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError as error:
        raise CheckpointProblem(f"{path} cannot be read: {error.strerror}.") from error
    if start == _POINTER:
        raise CheckpointProblem(
            f"{path} is a pointer of Git LFS to the checkpoint; fetch it: git lfs pull."
        )
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, ValueError, OSError) as error:
            raise CheckpointProblem(
                f"{path} is no whole safetensors file ({_said(error)}); write it anew, or take it "
                "out of the folder."
            ) from error
    held = _of_torch(path)
    if not isinstance(held, Mapping):
        raise CheckpointProblem(
            f"{path} holds {type(held).__name__}; save the state dictionary: "
            "torch.save(model.state_dict(), path)."
        )
    return held


def _of_torch(path: Path) -> Any:
    """The only place where torch reads a file; it never runs what stands in it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(
                str(path), map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except Exception as error:  # of a damaged file, whatever its bytes happen to mean
        said = str(error)
        if "TorchScript" in said:
            raise CheckpointProblem(
                f"{path} is a program that torch.jit compiled; save the state dictionary of the "
                "module: torch.save(model.state_dict(), path)."
            ) from error
        wanted = re.search(r"GLOBAL (\S+)", said)
        if wanted is not None or "nsupported" in said:
            code = f" ({wanted[1]})" if wanted is not None else ""
            raise CheckpointProblem(
                f"{path} cannot be read without running code of its own{code}, and nodeflow runs "
                "none; where you trust it, read it yourself and save the tensors alone: "
                "torch.save(model.state_dict(), path)."
            ) from error
        raise CheckpointProblem(
            f"{path} is damaged, cut, or no file that torch.save wrote ({_said(error)}); write it "
            "anew, or take it out of the folder."
        ) from error


def _parts(path: Path) -> dict[str, Any]:
    """All tensors of a checkpoint in several files."""
    try:
        files = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        parts = [path.parent / Path(file).name for file in sorted(files)]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointProblem(
            f"{path} is no index of the parts of a checkpoint ({_said(error)}); write it anew."
        ) from error
    return {name: x for part in parts for name, x in _one(part).items()}


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:120].rstrip(".")
    return text or type(error).__name__
