"""Networks and series of the user's own: checked, learned, and forecast where held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nodeflow import config
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.plan.paths import OWN_FIGURE, OWN_LAW, Row, fill, narrow
from nodeflow.problems import Problem

__all__ = ["PICTURES", "Own"]

PICTURES = {
    name: narrow(OWN_FIGURE, figure=f"own_{name}", kind="png")
    for name in ("series", "functions", "forecasts", "errors", "flags")
}
"""The pictures of the page, by what they show."""

_AT_ONCE = 20_000_000
"""Bytes of files that are read before the first job; of larger ones the first job tells."""


@dataclass(frozen=True)
class Own:
    """The networks and series of a run.

    Attributes:
        settings: section `own` of the configuration.
        seed: of the run.
    """

    settings: Mapping[str, config.own.Own]
    seed: int

    @cached_property
    def all(self) -> list[dict[str, str]]:
        """Rows of own."""
        return [{"own": name} for name in self.settings]

    def files(self, row: Row) -> list[str]:
        """The user's files: network, series, and maybe nodes."""
        settings = self.settings[row["own"]]
        return [x for x in (settings.network, settings.series, settings.nodes) if x is not None]

    def training_files(self, row: Row) -> list[str]:
        """The user's files that an ensemble is made of: also the prior, if there is one."""
        prior = self.settings[row["own"]].prior
        return [*self.files(row), *([] if prior is None else [prior])]

    def data(self, row: Row) -> dict[str, Any]:
        """The user's files and how they are read; see `nodeflow.data.Source`."""
        settings = self.settings[row["own"]]
        names = ("network", "series", "nodes", "directed", "weighted", "simplify")
        return {name: getattr(settings, name) for name in names}

    def check_params(self, row: Row) -> dict[str, Any]:
        """What the check of a network and its series is made with."""
        return {"own": row["own"], "data": self.data(row)}

    def training_params(self, row: Row) -> dict[str, Any]:
        """What an ensemble is made with."""
        settings = self.settings[row["own"]]
        return {
            **self.check_params(row),
            "split": {} if settings.split is None else settings.split.given,
            "members": settings.members,
            "prior": settings.prior,
            "seed": self.seed,
        }

    def law_params(self, row: Row) -> dict[str, Any]:
        """What the law behind series is found from: what an ensemble learns from."""
        learned = self.training_params(row)
        return {x: learned[x] for x in ("own", "data", "split", "seed")}

    def laws(self, row: Row) -> list[str]:
        """The file of the law behind series, where one is asked for."""
        return fill(OWN_LAW, [row]) if self.settings[row["own"]].law else []

    @property
    def every_law(self) -> list[str]:
        """The files of all laws behind series."""
        return [path for row in self.all for path in self.laws(row)]

    def forecast_params(self, row: Row) -> dict[str, Any]:
        """What forecasts of what was held out are made with."""
        settings = self.settings[row["own"]]
        return {"own": row["own"], "horizon": settings.horizon, "from": self.training_params(row)}

    def page_params(self, row: Row) -> dict[str, Any]:
        """What the page on a network and its series is made with."""
        return {"own": row["own"], "pictures": list(PICTURES)}

    def check(self) -> None:
        """Read the user's files as the first job will, as far as that takes no time.

        Raises:
            Problem: a file does not hold what it should, or there is too little to hold out.
        """
        for row in self.all:
            if sum(Path(path).stat().st_size for path in self.files(row)) > _AT_ONCE:
                continue
            # They load pandas, for which a run without data of the user's own need not wait.
            from nodeflow.data.held_out import check_parts, hold_out
            from nodeflow.data.observed import Source, read_observed
            from nodeflow.priors.files import load_prior
            from nodeflow.priors.gaussian import FEWEST_FRAMES

            key, params = f"own.{row['own']}", self.training_params(row)
            horizon = self.settings[row["own"]].horizon
            observed = read_observed(Source(**params["data"]), key)
            fewest = GaussNewtonSettings.fewest_times
            if params["prior"] is not None:
                try:
                    load_prior(params["prior"])
                except Problem as problem:
                    raise type(problem)(f"{key}.prior: {problem}") from None
                fewest = FEWEST_FRAMES
            try:
                parts = hold_out(observed.series, **params["split"], seed=params["seed"])
                check_parts(parts, observed.graph, fewest, horizon)
            except Problem as problem:
                raise type(problem)(f"{params['data']['series']}, {key}: {problem}") from None
