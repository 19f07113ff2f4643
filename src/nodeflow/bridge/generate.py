"""From a zoo of neural ODEs to generated ones: canonical form, flow, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from nodeflow.bridge.flow import BridgeFlow, fit_bridge_flow, generate
from nodeflow.bridge.frame import Frame, fit_frame
from nodeflow.bridge.members import Members, learned
from nodeflow.canonical.align import finite
from nodeflow.canonical.matching import MatchSettings
from nodeflow.flow.sample import SampleSettings
from nodeflow.flow.settings import FlowSettings
from nodeflow.problems import Problem
from nodeflow.seeds import derive_seed

__all__ = ["GenerateProblem", "Generated", "fit_and_sample"]

_CPU = torch.device("cpu")


class GenerateProblem(Problem):
    """A zoo from which no flow can learn."""


@dataclass(frozen=True)
class Generated:
    """What `fit_and_sample` makes.

    Attributes:
        frame: the canonical form, fitted on the members that the flow learns from.
        aligned: all members in it.
        flow: the trained flow.
        history: of its training.
        samples: generated neural ODEs as they came out of the flow; `seed` is the seed of each,
            `graph` −1.
    """

    frame: Frame
    aligned: Members
    flow: BridgeFlow
    history: pd.DataFrame
    samples: Members


def fit_and_sample(
    members: Members,
    *,
    cells: Sequence[tuple[float, float]],
    unseen: Sequence[tuple[float, float]],
    learned_graphs: int,
    matching: MatchSettings,
    flow: FlowSettings,
    samples: int,
    sampling: SampleSettings,
    root_seed: int,
    label: str,
    device: torch.device = _CPU,
) -> Generated:
    """Canonicalize a zoo, train a flow on a part of it, and draw from it for every condition.

    Args:
        members: the zoo, of one system or several.
        cells: β and γ that the flow learns.
        unseen: further β and γ to sample for.
        learned_graphs: the flow learns from members of training graphs below this number.
        matching: of hidden units.
        flow: all choices of the flow.
        samples: neural ODEs for each system, β and γ.
        sampling: solver and steps.
        root_seed: the run's root seed.
        label: name of the zoo; random numbers follow from it.
        device: where to train and sample.

    Raises:
        GenerateProblem: no member to learn from, or none held out.
    """
    own = learned(members, cells, learned_graphs)
    others = members.ok & members.in_cells(cells) & ~own
    if own.sum() < 3 or not others.any():
        raise GenerateProblem(
            f"zoo {label} has {own.sum()} members to learn from and {others.sum()} held out; "
            "raise its graphs, seeds or held_out in bridge.zoos."
        )
    frame = fit_frame(members.take(np.flatnonzero(own)), matching)
    aligned = members.with_parameters(frame.apply(members.parameters, members.system).parameters)
    trained, history = fit_bridge_flow(
        aligned.take(np.flatnonzero(own)),
        flow,
        root_seed,
        (label,),
        held_out=aligned.take(np.flatnonzero(others)),
        device=device,
    )
    asked = [
        (
            system,
            beta,
            gamma,
            derive_seed(root_seed, "bridge sample", label, system, beta, gamma, i),
        )
        for system in frame.ranges
        for beta, gamma in (*cells, *unseen)
        for i in range(samples)
    ]
    system, beta, gamma, seed = (np.array(column) for column in zip(*asked, strict=True))
    parameters = generate(trained, system, beta, gamma, seed, sampling, device)
    count = len(asked)
    made = Members(
        parameters,
        system,
        beta,
        gamma,
        graph=np.full(count, -1),
        seed=seed,
        seen=np.array([frame.ranges[name] for name in system]),
        loss=np.full(count, np.nan),
        ok=finite(parameters),
    )
    return Generated(frame, aligned, trained, history, made)
