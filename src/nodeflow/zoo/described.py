"""Architectures and data as a plan describes them: those that nodeflow has, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from nodeflow.datasets import DataProblem, Dataset, load_dataset
from nodeflow.datasets.given import given_data, item_of
from nodeflow.datasets.named import call_named
from nodeflow.problems import Problem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build
from nodeflow.zoo.imports import own_architecture
from nodeflow.zoo.predict import as_items, as_labels, check_labels, predict
from nodeflow.zoo.settings import ArchitectureProblem

__all__ = ["architecture_of", "data_of"]


def architecture_of(description: Mapping[str, Any]) -> Architecture:
    """The architecture of a zoo.

    Args:
        description: the arguments of `nodeflow.zoo.build`; or `module` ("package.module:function"),
            `item` (its shape, or None), `data` (whose items tell that shape, or None) and `tokens`.
            A module is called: descriptions come from the configuration, and never from a file.

    Raises:
        ArchitectureProblem, NamedProblem, DataProblem: see `own_architecture`, `call_named` and
            `given_data`.
    """
    if "module" not in description:
        return build(**description)
    name, item, data = (description[key] for key in ("module", "item", "data"))
    if item is None and data is not None:
        item = item_of(data)
    module = call_named(name, "an nn.Module")
    return own_architecture(module, item, description["tokens"], name)


def data_of(
    source: str | Mapping[str, Any], folder: str | Path | None, architecture: Architecture
) -> Dataset | None:
    """What the networks of a zoo are judged on; None where there is nothing.

    Args:
        source: name of a data set; or, under "own", the user's own as `given_data` takes it.
        folder: with the files of a named data set.
        architecture: of the networks.

    Raises:
        DataProblem: networks cannot read the user's items; see also `given_data`.
        NamedProblem: see `call_named`.
        ItemProblem: labels are none of their classes.
    """
    if isinstance(source, str):
        return load_dataset(source, folder)
    given = source["own"]
    if given is None:
        return None
    dataset = given_data(given, architecture.item)
    try:
        one = architecture.initialize([torch.Generator().manual_seed(0)])
        whole = one | architecture.fresh_statistics(1)
        outputs = predict(architecture, whole, dataset.test_x[:1]).shape[2]
        for part in ("train", "validation", "test"):
            x, y = getattr(dataset, f"{part}_x"), getattr(dataset, f"{part}_y")
            if len(x):
                as_items(architecture, x)
                check_labels(as_labels(y, len(x)), outputs)
    except ArchitectureProblem as problem:
        raise DataProblem(f"{given}: {problem}; give items as the module reads them.") from None
    except Problem as problem:
        raise type(problem)(f"{given}: {problem}") from None
    return dataset
