"""All choices of a flow, and the methods that choose them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from nodeflow.flow.codec import CodecSettings
from nodeflow.flow.velocity import VelocitySettings
from nodeflow.problems import Problem

__all__ = [
    "METHODS",
    "DescentSettings",
    "FlowSettings",
    "FlowSettingsProblem",
    "flow_settings",
    "settings_of",
]


class FlowSettingsProblem(Problem):
    """A choice for the flow is not one of those that exist, or does not fit the others."""


@dataclass(frozen=True)
class FlowSettings:
    """How a flow over codes is built and trained.

    Attributes:
        method: the name of the method that these settings belong to, a key of `METHODS`.
        codec: how networks become codes.
        velocity: the network that is trained.
        process: "flow" learns the velocity from the source to the codes; "diffusion" learns to
            predict the noise on codes, as a baseline: see `nodeflow.flow.diffusion`.
        source_std: standard deviation s of the source N(0, s²I), in units of codes.
        path_noise: standard deviation σ of the noise added along the path, in units of codes.
        coupling: "independent" pairs noise and members at random; "optimal" pairs them within a
            batch so that the sum of squared distances is smallest.
        steps: optimizer steps.
        batch: pairs per step.
        learning_rate: of AdamW at the start; it falls along a cosine.
        final_learning_rate: at the last step.
        weight_decay: of AdamW.
        betas: of AdamW.
        ema: decay of the moving average of the weights that is sampled from; 0 takes the last
            weights instead.
        label_dropout: of a conditional flow, the share of the pairs in training whose label is
            withheld, so that it also learns the velocity without one.
        fixed_source_bank: draw as many source vectors as there are members once, and use no others
            in training. A fault of the reference code, kept for replication; only for "paper".
        keep_best_batch: sample from the weights with the lowest loss on a single batch instead of
            the last ones. A fault of the reference code, kept for replication; only for "paper".
    """

    method: str = "codes"
    codec: CodecSettings = field(default_factory=CodecSettings)
    velocity: VelocitySettings = field(default_factory=VelocitySettings)
    process: str = "flow"
    source_std: float = 1.0
    path_noise: float = 0.0
    coupling: str = "independent"
    steps: int = 5000
    batch: int = 64
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-6
    weight_decay: float = 1e-5
    betas: tuple[float, float] = (0.9, 0.99)
    ema: float = 0.999
    label_dropout: float = 0.1
    fixed_source_bank: bool = False
    keep_best_batch: bool = False

    def __post_init__(self) -> None:
        if self.coupling not in ("independent", "optimal"):
            raise FlowSettingsProblem(
                f'flow coupling is "{self.coupling}"; allowed are "independent" and "optimal".'
            )
        if self.process not in ("flow", "diffusion"):
            raise FlowSettingsProblem(
                f'flow process is "{self.process}"; allowed are "flow" and "diffusion".'
            )
        if self.process == "diffusion" and (
            self.velocity.kind == "residual" or (self.source_std, self.path_noise) != (1.0, 0.0)
        ):
            raise FlowSettingsProblem(
                'process "diffusion" needs velocity kind "paper", source_std 1 and path_noise 0: '
                "it has its own source and path."
            )
        if self.method != "paper" and (self.fixed_source_bank or self.keep_best_batch):
            raise FlowSettingsProblem(
                "fixed_source_bank and keep_best_batch are faults of the reference code; "
                'they are allowed only with method "paper".'
            )
        if self.ema and self.keep_best_batch:
            raise FlowSettingsProblem("ema and keep_best_batch exclude each other; set ema to 0.")
        if self.steps < 1 or self.batch < 1:
            raise FlowSettingsProblem(
                f"flow steps is {self.steps} and batch {self.batch}; both must be at least 1."
            )
        _check_label_dropout(self.label_dropout)
        if self.source_std <= 0 or self.path_noise < 0 or not 0 <= self.ema < 1:
            raise FlowSettingsProblem(
                f"flow source_std is {self.source_std}, path_noise {self.path_noise}, ema "
                f"{self.ema}; they must be positive, at least 0, and in [0, 1)."
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `flow_settings` reads them back."""
        return asdict(self)


@dataclass(frozen=True)
class DescentSettings:
    """How a flow from initializations to trained networks is built and trained.

    Attributes:
        method: the name of the method, a key of `METHODS`.
        evaluations: steps from an initialization to a network, one gradient each.
        probes: learned items in each evaluation.
        steps: optimizer steps.
        batch: members in a step.
        fresh: initializations in a step that no member started from, at least two; networks that
            they lead to have to be distributed as members are.
        others: members in a step that the networks of fresh initializations are compared with.
        noise: standard deviation of the random weights of the probes at the start of training; with
            0 there are none, and an initialization decides everything.
        items: training items on which the predictions of a step are compared.
        learning_rate: of Adam at the start, for the probes; it falls along a cosine.
        rate_learning_rate: the same for rates, floors, decays and noise.
        axes_learning_rate: if not 0, probes' items are moved along the principal axes of the
            training items instead of feature by feature, at this rate, in units of the training
            items' standard deviation along each axis.
        weight_fit: weight of the distance to the member's weights, in units of how far members
            move from their initializations, beside the divergence of predictions in nats.
        power_fit: weight of how far the mean squares of each tensor and of its products with
            members' units are from the zoo's.
        near_fit: weight of how differently the distances of predictions to the nearest of the
            others' are distributed, beside how differently the predictions themselves are.
        label_dropout: of a conditional flow, the share of the steps whose label is withheld, so
            that it also learns the velocity without one.
    """

    method: str = "descent"
    evaluations: int = 24
    probes: int = 64
    steps: int = 600
    batch: int = 8
    fresh: int = 8
    others: int = 32
    noise: float = 0.3
    items: int = 256
    learning_rate: float = 0.03
    rate_learning_rate: float = 0.03
    axes_learning_rate: float = 0.0
    weight_fit: float = 0.03
    power_fit: float = 100.0
    near_fit: float = 0.0
    label_dropout: float = 0.1

    def __post_init__(self) -> None:
        counts = (self.evaluations, self.probes, self.steps, self.batch, self.items)
        if min(counts) < 1 or not min(self.learning_rate, self.rate_learning_rate) > 0:
            raise FlowSettingsProblem(
                f"descent has evaluations {self.evaluations}, probes {self.probes}, steps "
                f"{self.steps}, batch {self.batch}, items {self.items}, learning_rate "
                f"{self.learning_rate}, rate_learning_rate {self.rate_learning_rate}; all must be "
                "positive."
            )
        weights = (self.weight_fit, self.power_fit, self.near_fit)
        if min(*weights, self.noise, self.axes_learning_rate) < 0:
            raise FlowSettingsProblem(
                f"descent has weight_fit {self.weight_fit}, power_fit {self.power_fit}, near_fit "
                f"{self.near_fit}, noise {self.noise} and axes_learning_rate "
                f"{self.axes_learning_rate}; none may be negative."
            )
        if min(self.fresh, self.others) < 2:
            raise FlowSettingsProblem(
                f"descent has fresh {self.fresh} and others {self.others}; both must be at least 2."
            )
        _check_label_dropout(self.label_dropout)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `flow_settings` reads them back."""
        return asdict(self)


def _check_label_dropout(share: float) -> None:
    if not 0 <= share < 1:
        raise FlowSettingsProblem(f"flow label_dropout is {share}; it must be in [0, 1).")


METHODS: Mapping[str, FlowSettings] = {
    "codes": FlowSettings(),
    "ddpm": FlowSettings(
        method="ddpm",
        process="diffusion",
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64),
    ),
    "paper": FlowSettings(
        method="paper",
        codec=CodecSettings(kind="raw", rank=None, standardize="none"),
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64, dropout=0.1),
        source_std=0.01,
        path_noise=0.001,
        steps=30_000,
        batch=8,
        learning_rate=5e-4,
        betas=(0.9, 0.95),
        ema=0.0,
    ),
}
"""The settings of each method of flow matching on codes: "codes" is ours, "paper" that of Gupta et
al. 2026 (arXiv:2601.05052) for MLPs; "ddpm" is denoising diffusion on the same codes."""


def flow_settings(method: str, changes: Mapping[str, Any] | None = None) -> FlowSettings:
    """A method's settings with some of them changed.

    Args:
        method: a key of `METHODS`.
        changes: names of `FlowSettings`' attributes → values; `codec` and `velocity` are mappings
            of their own attributes, e.g. `{"steps": 10000, "velocity": {"hidden": 64}}`.

    Raises:
        FlowSettingsProblem: no such method or setting.
    """
    if method not in METHODS:
        raise FlowSettingsProblem(
            f'flow method is "{method}"; allowed are {", ".join(sorted([*METHODS, "descent"]))}.'
        )
    start = METHODS[method]
    values = dict(changes or {}) | {"method": method}
    if "betas" in values:
        values["betas"] = tuple(values["betas"])
    for part in ("codec", "velocity"):
        if part in values:
            values[part] = _changed(getattr(start, part), values[part], f"flow {part}")
    changed: FlowSettings = _changed(start, values, f"flow of method {method}")
    return changed


def settings_of(
    method: str, changes: Mapping[str, Any] | None = None, width: int | None = None
) -> FlowSettings | DescentSettings:
    """The settings of any method, "descent" among them, with some of them changed.

    Args:
        method: a key of `METHODS`, or "descent".
        changes: see `flow_settings`.
        width: the capacity of the velocity field: the number of probes of a descent, the hidden
            width of any other; None leaves it as it is.

    Raises:
        FlowSettingsProblem: no such method or setting.
    """
    values = dict(changes or {})
    if method == "descent":
        values |= {} if width is None else {"probes": width}
        descent: DescentSettings = _changed(DescentSettings(), values, "flow of method descent")
        return descent
    if width is not None:
        values["velocity"] = {**values.get("velocity", {}), "hidden": width}
    return flow_settings(method, values)


def _changed(settings: Any, values: Mapping[str, Any], what: str) -> Any:
    known = [entry.name for entry in fields(settings)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise FlowSettingsProblem(
            f"{what} has no setting {', '.join(unknown)}; there are {', '.join(known)}."
        )
    return replace(settings, **values)
