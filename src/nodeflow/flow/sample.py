"""Sampling a field over codes: source noise carried along it, then decoded to networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nodeflow.flow.codec import Codec, Shapes, SpanCodec, codec_from_tensors, codec_to_tensors
from nodeflow.flow.diffusion import DIFFUSION_STEPS, ancestral
from nodeflow.flow.gram import decode_columns
from nodeflow.flow.method import Condition, Generator, Written
from nodeflow.flow.samples import sample_seeds
from nodeflow.flow.schemas import FLOW_SAMPLES
from nodeflow.flow.settings import FlowProblem, FlowSettings, SampleSettings
from nodeflow.flow.solvers import guided, integrate
from nodeflow.flow.state import load_state, part_of, state_of
from nodeflow.flow.velocity import build_velocity
from nodeflow.stack import Networks, Stack
from nodeflow.stack_files import writing_stack
from nodeflow.threads import one_thread_if_small

__all__ = ["Flow", "sample"]

_BLOCK = 64


@one_thread_if_small
def sample(
    flow: Generator,
    count: int,
    settings: SampleSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device | str = "cpu",
    condition: Condition | None = None,
) -> Stack[Tensor]:
    """Draw networks from a flow of any method.

    Args:
        flow: the trained flow.
        count: how many networks.
        settings: solver and steps.
        root_seed: the run's root seed.
        labels: what names this draw; see `nodeflow.flow.sample_seeds`.
        device: where to compute.
        condition: what is asked for of a flow over several zoos.

    Raises:
        FlowProblem: see `Generator.sample`.
    """
    return flow.sample(sample_seeds(count, root_seed, labels), settings, condition, device)


@dataclass(frozen=True)
class Flow(Generator):
    """A trained field over codes of network weights.

    Attributes:
        settings: how it was trained.
        shapes: name → shape of one network's tensors, in the order of a flat row.
        codec: rows ↔ codes; a `SpanCodec` if the zoo was streamed.
        velocity: v(x, t), in evaluation mode, or of a diffusion the noise; with labels
            v(x, t, label).
        labels: names of the zoos that it learned, if they are several.
    """

    settings: FlowSettings
    shapes: Shapes
    codec: Codec | SpanCodec
    velocity: nn.Module
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, written: Written) -> Flow:
        """The inverse of `tensors`."""
        settings, labels, tensors = written.settings, written.labels, written.tensors
        codec = codec_from_tensors(settings.codec.kind, part_of(tensors, "codec"))
        # A field with labels has a mean for each of them and one for none.
        size = (len(labels) + 1, codec.size) if labels else (codec.size,)
        velocity = build_velocity(
            settings.velocity,
            torch.zeros(size),
            torch.ones(size),
            settings.source_std,
            settings.path_noise,
            torch.Generator(),
        )
        return cls(
            settings, written.shapes, codec, load_state(velocity, tensors, "velocity"), labels
        )

    def tensors(self) -> dict[str, np.ndarray]:
        """See `Generator`."""
        codec = {f"codec.{name}": array for name, array in codec_to_tensors(self.codec).items()}
        return codec | state_of(self.velocity, "velocity")

    def rows(
        self,
        seeds: np.ndarray,
        how: SampleSettings,
        condition: Condition | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Generator`; a streamed flow is decoded by `nodeflow.flow.sample_to_file`."""
        codes = self.codes(seeds, how, condition, device)
        if isinstance(self.codec, SpanCodec):
            raise FlowProblem(
                "a streamed flow is decoded with the files of its zoo: sample_to_file."
            )
        with np.errstate(over="ignore"):
            return codes, self.codec.decode(codes).astype(np.float32)

    @property
    def streamed(self) -> bool:
        """Whether networks are decoded with the files of the zoo."""
        return isinstance(self.codec, SpanCodec)

    def stream(
        self,
        path: str | Path,
        seeds: np.ndarray,
        how: SampleSettings,
        members: Networks,
        made: Mapping[str, Any],
        device: torch.device | str = "cpu",
    ) -> None:
        """See `Generator`; a few parameters of each network are in memory at a time."""
        codec = self.codec
        assert isinstance(codec, SpanCodec)
        codes = self.codes(seeds, how, None, device)
        count, ok = len(codes), np.isfinite(codes).all(axis=1)
        about = {"seed": np.asarray(seeds, dtype=np.int64), "code": codes, "ok": ok}
        scaled = codes.astype(np.float64) * codec.scale
        arranged = members.arranged(self.shapes, "the members")

        def columns() -> Iterator[np.ndarray]:
            return arranged.columns(2**16)

        with writing_stack(path, count, self.shapes, about, FLOW_SAMPLES, made) as (tensors, facts):
            sizes = [math.prod(shape) for shape in self.shapes.values()]
            rows = [tensors[name].reshape(count, -1) for name in self.shapes]
            ends, start = np.cumsum(sizes), 0
            for part in decode_columns(columns, codec.spectrum, codec.coefficients, scaled):
                # A pass never goes beyond a tensor's end.
                tensor = int(np.searchsorted(ends, start, side="right"))
                place = start - (int(ends[tensor]) - sizes[tensor])
                with np.errstate(over="ignore"):
                    part = np.where(ok[:, None], part, np.nan).astype(np.float32)
                ok &= np.isfinite(part).all(axis=1)
                rows[tensor][:, place : place + part.shape[1]] = part
                start += part.shape[1]
            facts["ok"][:] = ok

    def codes(
        self,
        seeds: np.ndarray,
        how: SampleSettings,
        condition: Condition | None = None,
        device: torch.device | str = "cpu",
    ) -> np.ndarray:
        """Codes (M, k), float32, of the samples with these seeds (M,), whatever else is asked for.

        Samples are integrated in blocks of one fixed size, the last filled up with zeros, because
        matrix products of other sizes round differently.

        Raises:
            FlowProblem: a solver for diffusions on a flow, or the other way round; see also
                `Generator.check`.
        """
        self.check(condition)
        size = self.codec.size
        diffusion = self.settings.process == "diffusion"
        if diffusion != (how.solver == "ddpm"):
            raise FlowProblem(
                f'a {self.settings.process} is not sampled with solver {how.solver}: "ddpm" is '
                "for diffusions, all others are for flows."
            )
        draws = DIFFUSION_STEPS if diffusion else 1
        field = self._field(condition, _BLOCK, device)
        codes = np.empty((len(seeds), size), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, len(seeds), _BLOCK):
                some = seeds[start : start + _BLOCK]
                noise = torch.zeros(draws, _BLOCK, size)
                for row, seed in enumerate(some):
                    generator = torch.Generator().manual_seed(int(seed))
                    noise[:, row] = torch.randn(draws, size, generator=generator)
                if diffusion:
                    x1 = ancestral(field, noise.to(device))
                else:
                    x0 = self.settings.source_std * noise[0].to(device)
                    x1 = integrate(field, x0, how.solver, how.steps)
                codes[start : start + _BLOCK] = x1.cpu().numpy()[: len(some)]
        return codes

    def _field(
        self, condition: Condition | None, count: int, device: torch.device | str
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """The velocity (or, of a diffusion, the noise) of `count` points under one condition."""
        velocity = self.velocity.to(device).eval()
        if condition is None:
            return velocity
        label = torch.full((count,), self.labels.index(condition.label), device=device)
        return guided(velocity, label, len(self.labels), condition.guidance)
