"""What a run consists of: the files of every stage, and what each of them is made with.

Rules ask a `Plan`; the values that a file is made with become the rule's params, the metadata of
the file, and what the next stage expects to find there. Each of them holds, under "from", what its
inputs were made with, so a file of another run is recognized wherever it lies in the chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from nodeflow.datasets import FILES, SOURCES, VOCABULARIES, dataset_available, form
from nodeflow.datasets.door import base_name, can_be_read, task_data
from nodeflow.dynamics.systems import resolve_parameters
from nodeflow.grid import Cell, cells, number
from nodeflow.provenance import code_digest

__all__ = ["Plan"]

Made = dict[str, Any]
Number = str | float

WEIGHTS = ("raw", "aligned")

_SNAPSHOT_GRAPHS = 10


@dataclass(frozen=True)
class Plan:
    """The run that a checked configuration asks for.

    Attributes:
        config: the configuration.
        root: folder of the workflow.
    """

    config: Mapping[str, Any]
    root: Path

    def code(self, rule: str) -> str:
        """Digest of a rule's script and of the library code behind it; an edit re-runs the rule."""
        return code_digest(self.root / "workflow/scripts" / f"{rule}.py")

    def requests(self) -> Made:
        """What the SLURM profile asks for: its `default-resources` and `set-resources`."""
        profile = yaml.safe_load((self.root / "profiles/slurm/config.yaml").read_text())
        return {name: profile[name] for name in ("default-resources", "set-resources")}

    # --- graphs and dynamics ---------------------------------------------------------------------

    def graphs(self, role: str, N: Number, beta: Number, gamma: Number) -> Made:
        """What the graphs of a cell are made with."""
        settings = self.config["graphs"]
        return {
            "role": role,
            "N": int(N),
            "beta": float(beta),
            "gamma": float(gamma),
            "graphs": settings[role]["graphs"],
            "mean_degree": settings["mean_degree"],
            "sampler": settings["sampler"],
            "seed": self.config["seed"],
        }

    def trajectories(self, role: str, system: str, N: Number, beta: Number, gamma: Number) -> Made:
        """What the trajectories of a system on the graphs of a cell are made with."""
        return {**self._simulation(role, system), "on": self.graphs(role, N, beta, gamma)}

    def _simulation(self, role: str, system: str) -> Made:
        settings = self.config["dynamics"]
        shared = ("initial", "horizon", "rtol", "atol", "max_steps")
        return {
            "system": system,
            "parameters": resolve_parameters(system, settings["parameters"].get(system)),
            **{name: settings[name] for name in shared},
            **settings[role],
        }

    # --- networks: real ones, the user's, and cells of the grid, each beside its null models ------

    @cached_property
    def network_cells(self) -> dict[str, Cell]:
        """Cells to compare with null models: all γ of the structure grid at its trained β."""
        beta = self.structure_trained[0]
        return {
            f"s1_gamma~{number(cell.gamma)}": cell
            for cell in self.structure_cells
            if cell.beta == beta
        }

    @cached_property
    def networks(self) -> list[str]:
        """Names of all networks."""
        settings = self.config["graphs"]
        return [*settings["networks"], *settings["files"], *self.network_cells]

    def network_source(self, network: str) -> list[str]:
        """The file that a network is made from; none for a real one, which a package holds."""
        files: Mapping[str, str] = self.config["graphs"]["files"]
        if network in self.network_cells:
            pattern = "results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/edges.parquet"
            return [_filled(pattern, self.network_cells[network])]
        return [files[network]] if network in files else []

    def network(self, network: str) -> Made:
        """What a network and its null models are made with."""
        settings, cell = self.config["graphs"], self.network_cells.get(network)
        kind = "cell" if cell else "file" if network in settings["files"] else "real"
        return {
            "network": network,
            "kind": kind,
            "nulls": settings["nulls"],
            "seed": self.config["seed"],
            "from": self.graphs("test", cell.N, cell.beta, cell.gamma) if cell else None,
        }

    def network_trajectories(self, system: str, network: str) -> Made:
        """What the trajectories of a system on a network and its null models are made with."""
        return {**self._simulation("test", system), "on": self.network(network)}

    # --- neural ODEs -----------------------------------------------------------------------------

    @property
    def training_size(self) -> int:
        """Number of nodes of the training graphs."""
        return int(self.config["graphs"]["training"]["size"])

    @property
    def systems(self) -> list[str]:
        """The dynamical systems of the run."""
        return list(self.config["dynamics"]["systems"])

    @property
    def structure_trained(self) -> tuple[float, float]:
        """β and γ of the models that are tested over the structure grid."""
        cell = self.config["node"]["structure"]["trained"]
        return float(cell["beta"]), float(cell["gamma"])

    @cached_property
    def structure_cells(self) -> list[Cell]:
        """The test cells of the structure experiment."""
        grid = self.config["node"]["structure"]
        return cells([grid["size"]], grid["beta"], grid["gamma"])

    @property
    def trained(self) -> list[tuple[float, float]]:
        """β and γ of all training cells."""
        return [(float(c["beta"]), float(c["gamma"])) for c in self.config["node"]["cells"]]

    @property
    def detail_size(self) -> int:
        """Number of nodes of the test graphs of all experiments but size and structure."""
        return int(self.config["node"]["detail"]["size"])

    @property
    def detail_cells(self) -> list[tuple[float, float]]:
        """β and γ of the training cells that fixed points, hidden nodes and covering look at."""
        return [
            (float(c["beta"]), float(c["gamma"])) for c in self.config["node"]["detail"]["cells"]
        ]

    @cached_property
    def noise_variants(self) -> list[str]:
        """The variants trained on noisy trajectories."""
        return [f"noise~{number(float(x))}" for x in self.config["node"]["noise"]["training"]]

    @cached_property
    def trainings(self) -> list[tuple[str, tuple[float, float]]]:
        """Every variant of training data with every cell that models are trained on it in."""
        plain = [("plain", cell) for cell in self.trained]
        covering = [("covering", cell) for cell in self.detail_cells]
        return plain + covering + [(name, self.structure_trained) for name in self.noise_variants]

    def tested(self, variant: str, trained_beta: Number, trained_gamma: Number) -> list[Cell]:
        """The cells that models are tested on: all sizes, and maybe the structure grid."""
        here = float(trained_beta), float(trained_gamma)
        if variant != "plain":
            return [Cell(self.detail_size, *here)]
        sizes = self.config["graphs"]["sizes"]
        found = set(cells(sizes, here[:1], here[1:]))
        if here == self.structure_trained:
            found |= set(self.structure_cells)
        return sorted(found)

    @cached_property
    def test_cells(self) -> list[Cell]:
        """All cells that test graphs are needed of."""
        return sorted({cell for trained in self.trained for cell in self.tested("plain", *trained)})

    def models(
        self,
        system: str,
        trained_beta: Number,
        trained_gamma: Number,
        variant: str = "plain",
    ) -> Made:
        """What the neural ODEs of a system, a variant and a training cell are made with.

        Variants are "plain"; "noise~σ", trained with noise of that standard deviation; and
        "covering", trained up to the largest states of the detail experiment's test graphs.
        """
        settings = self.config["node"]
        made = {
            "system": system,
            "variant": variant,
            "trained_beta": float(trained_beta),
            "trained_gamma": float(trained_gamma),
            "seeds": settings["seeds"],
            "recipe": settings["recipe"],
            "settings": settings[settings["recipe"]],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": self.trajectories(
                "training", system, self.training_size, trained_beta, trained_gamma
            ),
        }
        if variant == "covering":
            made["reach"] = self.truth(
                system, Cell(self.detail_size, float(trained_beta), float(trained_gamma))
            )
        if variant.startswith("noise~"):
            made["noise"] = float(variant.removeprefix("noise~"))
        return made

    def truth(self, system: str, cell: Cell) -> Made:
        """What the true trajectories on a test cell are made with."""
        return self.trajectories("test", system, cell.N, cell.beta, cell.gamma)

    def test(self, system: str, variant: str, trained_beta: Number, trained_gamma: Number) -> Made:
        """What the tests of a training cell's models are made with."""
        return {
            **self._tested_models(system, variant, trained_beta, trained_gamma),
            "truths": [
                self.truth(system, cell)
                for cell in self.tested(variant, trained_beta, trained_gamma)
            ],
        }

    def fixed_points(self, system: str, trained_beta: Number, trained_gamma: Number) -> Made:
        """What the fixed points of a training cell's models are made with."""
        cell = Cell(self.detail_size, float(trained_beta), float(trained_gamma))
        return {
            **self._tested_models(system, "plain", trained_beta, trained_gamma),
            **self.config["node"]["fixed_points"],
            "truth": self.truth(system, cell),
        }

    def hidden(self, system: str, trained_beta: Number, trained_gamma: Number) -> Made:
        """What the experiment with unobserved nodes is made with."""
        cell = Cell(self.detail_size, float(trained_beta), float(trained_gamma))
        return {
            **self._tested_models(system, "plain", trained_beta, trained_gamma),
            "removed": self.config["node"]["hidden"]["removed"],
            "truth": self.truth(system, cell),
            "seed": self.config["seed"],
        }

    def noise(self, system: str, variant: str) -> Made:
        """What the test of a variant's models on noisy initial states is made with."""
        return {
            **self._tested_models(system, variant, *self.structure_trained),
            "training_noise": float(variant.removeprefix("noise~")) if "~" in variant else 0.0,
            "test_noise": self.config["node"]["noise"]["test"],
            "truth": self.truth(system, Cell(self.detail_size, *self.structure_trained)),
            "seed": self.config["seed"],
        }

    def functions(self, system: str, trained_beta: Number, trained_gamma: Number) -> Made:
        """What the comparison of learned and true functions is made with."""
        return self._tested_models(system, "plain", trained_beta, trained_gamma)

    def warning(self) -> Made:
        """What the judgement of an ensemble's spread is made with."""
        return {"size": max(self.config["graphs"]["sizes"]), "training_size": self.training_size}

    def claims(self) -> Made:
        """What the claims are judged with."""
        structure = self.config["node"]["structure"]
        return {
            "training_size": self.training_size,
            "detail_size": self.detail_size,
            "structure_size": structure["size"],
            "structure_trained": list(self.structure_trained),
            "seed": self.config["seed"],
        }

    @property
    def keeps_snapshots(self) -> bool:
        """Whether the recipe keeps parameters over the training."""
        settings = self.config["node"]
        return bool(settings[settings["recipe"]].get("snapshots"))

    def snapshot_cells(self, trained_beta: Number, trained_gamma: Number) -> list[Cell]:
        """The test cells of a training cell's snapshots: of the training and of the detail size."""
        cell = float(trained_beta), float(trained_gamma)
        found = self.tested("plain", *cell)
        sizes = sorted({self.training_size, self.detail_size})
        return [Cell(size, *cell) for size in sizes if Cell(size, *cell) in found]

    def snapshots(self, system: str, trained_beta: Number, trained_gamma: Number) -> Made:
        """What the tests of a training cell's snapshots are made with.

        There are a hundred times as many models as elsewhere, so a few test graphs have to do.
        """
        return {
            **self._tested_models(system, "plain", trained_beta, trained_gamma),
            "graphs": min(_SNAPSHOT_GRAPHS, self.config["graphs"]["test"]["graphs"]),
            "truths": [
                self.truth(system, cell)
                for cell in self.snapshot_cells(trained_beta, trained_gamma)
            ],
        }

    def _tested_models(
        self, system: str, variant: str, trained_beta: Number, trained_gamma: Number
    ) -> Made:
        return {
            "system": system,
            "variant": variant,
            "trained_beta": float(trained_beta),
            "trained_gamma": float(trained_gamma),
            "models": self.models(system, trained_beta, trained_gamma, variant),
        }

    # --- zoos ------------------------------------------------------------------------------------

    def folder(self, zoo: str) -> str | None:
        """The folder of a zoo's data set: what the user named, or where it is downloaded to."""
        return self._folder(self._zoo(zoo)["data"])

    def downloads(self, zoo: str) -> list[str]:
        """The note of a zoo's downloaded data set, if it is to be downloaded."""
        return self._downloads(self._zoo(zoo)["data"])

    def _folder(self, data: str) -> str | None:
        base = base_name(data)
        named: str | None = self.config["zoo"]["folders"].get(base)
        return named or (f"results/data/{base}" if self._downloads(data) else None)

    def _downloads(self, data: str) -> list[str]:
        base, settings = base_name(data), self.config["zoo"]
        wanted = base in settings["downloads"] and not settings["folders"].get(base)
        return [f"results/data/{base}/downloaded.json"] if wanted else []

    def _is_there(self, data: str) -> bool:
        """Whether a data set is on this machine, or is to be downloaded."""
        return bool(self._downloads(data)) or dataset_available(data, self._folder(data))

    def download(self, data: str) -> Made:
        """What a data set is downloaded with."""
        own = self.config["zoo"]["downloads"][data]
        known = [{"url": source.url, "sha256": source.sha256} for source in SOURCES.get(data, ())]
        return {"data": data, "sources": own or known, "files": list(FILES[data])}

    @cached_property
    def zoos(self) -> list[str]:
        """The zoos of the run: those to use, and those whose data set is on this machine."""
        settings = self.config["zoo"]
        found = [
            name for name in settings["where_found"] if self._is_there(self._zoo(name)["data"])
        ]
        return list(dict.fromkeys([*settings["use"], *found]))

    def blocks(self, zoo: str) -> range:
        """Numbers of a zoo's blocks: block k holds members k · size to (k + 1) · size − 1."""
        settings = self._zoo(zoo)
        return range(-(-(settings["members"] + settings["held_out"]) // settings["block"]))

    def zoo(self, zoo: str, block: Number) -> Made:
        """What a block of a zoo is made with."""
        settings = self._zoo(zoo)
        total = settings["members"] + settings["held_out"]
        first = int(block) * settings["block"]
        return {
            "zoo": zoo,
            "block": int(block),
            "first": first,
            "count": min(settings["block"], total - first),
            "data": settings["data"],
            "architecture": self.architecture(zoo),
            "training": settings["training"],
            "device": self.config["device"],
            "seed": self.config["seed"],
        }

    def architecture(self, zoo: str) -> Made:
        """What the networks of a zoo are: settings, and the form of what they read."""
        settings = self._zoo(zoo)
        item, classes = form(settings["data"])
        chosen = settings.get("architecture") or {"kind": "mlp", "hidden": settings["hidden"]}
        if settings["data"] in VOCABULARIES and chosen["kind"] in ("text", "bert"):
            chosen = {**chosen, "vocabulary": VOCABULARIES[settings["data"]]}
        return {"settings": chosen, "item": list(item), "classes": classes}

    def alignment(self, zoo: str, block: Number) -> Made:
        """What an aligned block is made with."""
        return {
            "zoo": zoo,
            "block": int(block),
            "settings": self._canonical(),
            "from": self.zoo(zoo, block),
            "reference": self.reference(zoo),
        }

    def universe(self, zoo: str) -> Made:
        """What the common centre of a zoo is made with."""
        return {
            "zoo": zoo,
            "members": self._zoo(zoo)["members"],
            "settings": self._canonical(),
            "from": [self.zoo(zoo, block) for block in self.learned_blocks(zoo)],
        }

    def learned_blocks(self, zoo: str) -> list[int]:
        """The blocks of a zoo with members that flows learn from."""
        settings = self._zoo(zoo)
        return [k for k in self.blocks(zoo) if k * settings["block"] < settings["members"]]

    def reference(self, zoo: str) -> Made:
        """What the file that holds the reference of a zoo is made with."""
        to_centre = self.config["canonical"]["reference"] == "universe"
        return self.universe(zoo) if to_centre else self.zoo(zoo, 0)

    def reference_file(self, zoo: str) -> str:
        """The file with the network that all members of a zoo are matched to, as its member 0."""
        to_centre = self.config["canonical"]["reference"] == "universe"
        name = "universe" if to_centre else "raw/block~0"
        return f"results/zoo/{zoo}/{name}.safetensors"

    def _canonical(self) -> Made:
        names = ("reference", "matching", "balance", "residual")
        return {name: self.config["canonical"][name] for name in names}

    def members(self, zoo: str, weights: str, block: Number) -> Made:
        """What a block of members, aligned or raw, is made with."""
        return self.alignment(zoo, block) if weights == "aligned" else self.zoo(zoo, block)

    def barrier(self, zoo: str, weights: str) -> Made:
        """What the loss barriers of a zoo are measured with."""
        return {
            **self.config["canonical"]["barrier"],
            "zoo": zoo,
            "weights": weights,
            "data": self._zoo(zoo)["data"],
            "architecture": self.architecture(zoo),
            "device": self.config["device"],
            "from": self.members(zoo, weights, 0),
        }

    def _zoo(self, zoo: str) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.config["zoo"]["zoos"][zoo]
        return settings

    # --- flows -----------------------------------------------------------------------------------

    @property
    def flows(self) -> list[str]:
        """The flows of the run: those to use whose zoo is there."""
        return [name for name in self.config["flow"]["use"] if self.flow_zoo(name) in self.zoos]

    def flow_zoo(self, flow: str) -> str:
        """Name of the zoo that a flow learns."""
        return str(self._flow(flow)["zoo"])

    def flow(self, flow: str, weights: str, width: Number) -> Made:
        """What a flow is made with."""
        settings, zoo = self._flow(flow), self.flow_zoo(flow)
        return {
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "zoo": zoo,
            "members": self._zoo(zoo)["members"],
            "data": self._zoo(zoo)["data"],
            "architecture": self.architecture(zoo),
            "training": self._zoo(zoo)["training"],
            "method": settings["method"],
            "changes": settings["settings"],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": [self.members(zoo, weights, block) for block in self.blocks(zoo)],
        }

    def samples(self, flow: str, weights: str, width: Number) -> Made:
        """What the samples of a flow are made with."""
        return {
            **self._flow(flow)["sampling"],
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": self.flow(flow, weights, width),
        }

    def judgement(self, flow: str, weights: str, width: Number) -> Made:
        """What the judgement of a flow's samples is made with."""
        zoo = self.flow_zoo(flow)
        return {
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "zoo": zoo,
            "members": self._zoo(zoo)["members"],
            "data": self._zoo(zoo)["data"],
            "architecture": self.architecture(zoo),
            "method": self._flow(flow)["method"],
            "settings": self.config["judge"],
            "matching": self.config["canonical"]["matching"],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": self.samples(flow, weights, width),
        }

    def transfer(self, flow: str, weights: str, width: Number) -> Made:
        """What the transfer of a flow's samples to changed tasks is made with."""
        zoo, settings = self.flow_zoo(flow), self.config["flow"]["transfer"]
        return {
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "zoo": zoo,
            "members": self._zoo(zoo)["members"],
            "data": self._zoo(zoo)["data"],
            "architecture": self.architecture(zoo),
            "method": self._flow(flow)["method"],
            "training": self._zoo(zoo)["training"],
            "tasks": self.transfer_tasks(flow),
            "settings": {
                key: value for key, value in settings.items() if key not in ("flows", "tasks")
            },
            "calibration": self.config["judge"]["calibration"],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": self.samples(flow, weights, width),
        }

    def transfer_tasks(self, flow: str) -> dict[str, str]:
        """Tasks that networks of a flow can read and whose data are there: name → data set."""
        own = self._zoo(self.flow_zoo(flow))["data"]
        named = {task: task_data(task, own) for task in self.config["flow"]["transfer"]["tasks"]}
        return {
            task: data
            for task, data in named.items()
            if (data != own or task == "same") and can_be_read(data, own) and self._is_there(data)
        }

    def transfer_folders(self, flow: str) -> dict[str, str | None]:
        """The folder of each task's data set."""
        return {task: self._folder(data) for task, data in self.transfer_tasks(flow).items()}

    def transfer_downloads(self, flow: str) -> list[str]:
        """The notes of all data sets that a transfer needs and that are to be downloaded."""
        data = [self._zoo(self.flow_zoo(flow))["data"], *self.transfer_tasks(flow).values()]
        return list(dict.fromkeys(note for name in data for note in self._downloads(name)))

    def solvers(self, flow: str, weights: str, width: Number) -> Made:
        """What the comparison of ways to sample a flow is made with."""
        settings = self.config["flow"]["solvers"]
        judgement = self.judgement(flow, weights, width)
        return {
            **{name: value for name, value in judgement.items() if name != "matching"},
            "settings": {key: value for key, value in settings.items() if key != "flows"},
            "calibration": self.config["judge"]["calibration"],
            "from": self.flow(flow, weights, width),
        }

    def _flow(self, flow: str) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.config["flow"]["flows"][flow]
        return settings

    def made(self) -> list[Made]:
        """Which jobs make how many networks, by zoo and by flow."""
        zoos: list[Made] = [
            {
                "name": "training",
                "zoo": zoo,
                "networks": self._zoo(zoo)["members"] + self._zoo(zoo)["held_out"],
                "jobs": [["train_zoo", f"{zoo}/raw/block~{block}"] for block in self.blocks(zoo)],
            }
            for zoo in dict.fromkeys(self._flow(flow)["zoo"] for flow in self.flows)
        ]
        flows: list[Made] = [
            {
                "name": f"{flow}: {self._flow(flow)['method']}, {weights}, {width}",
                "zoo": self._flow(flow)["zoo"],
                "networks": self._flow(flow)["sampling"]["count"],
                "jobs": [["sample_flow", f"{flow}/{weights}/width~{width}"]],
                "once": [["train_flow", f"{flow}/{weights}/width~{width}"]],
            }
            for flow in self.flows
            for weights in self._flow(flow)["weights"]
            for width in self._flow(flow)["widths"]
        ]
        return zoos + flows

    # --- conditional flows -----------------------------------------------------------------------

    @property
    def conditionals(self) -> list[str]:
        """The conditional flows of the run: those to use whose zoos are all there."""
        used = self.config["flow"]["conditional"]["use"]
        return [flow for flow in used if set(self.labels(flow)) <= set(self.zoos)]

    def labels(self, flow: str) -> list[str]:
        """The zoos that a conditional flow learns; their names are its labels."""
        return list(self._conditional(flow)["zoos"])

    def conditional(self, flow: str, weights: str, width: Number) -> Made:
        """What a conditional flow is made with."""
        settings, zoos = self._conditional(flow), self.labels(flow)
        return {
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "method": settings["method"],
            "zoos": zoos,
            "members": [self._zoo(zoo)["members"] for zoo in zoos],
            "data": ", ".join(self._zoo(zoo)["data"] for zoo in zoos),
            "tasks": [self._zoo(zoo)["data"] for zoo in zoos],
            "trainings": [self._zoo(zoo)["training"] for zoo in zoos],
            "architecture": self.architecture(zoos[0]),
            "changes": settings["settings"],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": [
                [self.members(zoo, weights, block) for block in self.blocks(zoo)] for zoo in zoos
            ],
        }

    def conditional_samples(self, flow: str, weights: str, width: Number) -> Made:
        """What the samples of a conditional flow are made with."""
        settings = self._conditional(flow)
        return {
            **settings["sampling"],
            "guidance": [float(x) for x in settings["guidance"]],
            "flow": flow,
            "weights": weights,
            "width": int(width),
            "labels": self.labels(flow),
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": self.conditional(flow, weights, width),
        }

    def conditional_judgement(self, flow: str, weights: str, width: Number) -> Made:
        """What the judgement of a conditional flow's samples is made with."""
        made = self.conditional(flow, weights, width)
        shared = ("flow", "weights", "width", "method", "data", "architecture", "device", "seed")
        return {
            **{name: made[name] for name in shared},
            "tests": {zoo: self._zoo(zoo)["data"] for zoo in self.labels(flow)},
            "settings": {
                name: self.config["judge"][name]
                for name in ("controls", "candidates", "calibration")
            },
            "matching": self.config["canonical"]["matching"],
            "from": self.conditional_samples(flow, weights, width),
        }

    def conditional_folders(self, flow: str) -> dict[str, str | None]:
        """The folder of each zoo's data set."""
        return {zoo: self.folder(zoo) for zoo in self.labels(flow)}

    def conditional_downloads(self, flow: str) -> list[str]:
        """The notes of all downloaded data sets of a conditional flow's zoos."""
        notes = [note for zoo in self.labels(flow) for note in self.downloads(zoo)]
        return list(dict.fromkeys(notes))

    def conditional_blocks(self, flow: str, weights: str) -> list[str]:
        """The blocks of all zoos of a conditional flow, one zoo after the other."""
        pattern = "results/zoo/{zoo}/{weights}/block~{block}.safetensors"
        return [
            path for zoo in self.labels(flow) for path in self.over_blocks(pattern, zoo, weights)
        ]

    def over_conditionals(self, pattern: str) -> list[str]:
        """A pattern of flow, weights, width for all conditional flows."""
        return [
            pattern.format(flow=flow, weights=weights, width=width)
            for flow in self.conditionals
            for weights in self._conditional(flow)["weights"]
            for width in self._conditional(flow)["widths"]
        ]

    def _conditional(self, flow: str) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.config["flow"]["conditional"]["flows"][flow]
        return settings

    # --- the bridge ------------------------------------------------------------------------------

    @property
    def bridges(self) -> list[str]:
        """The zoos of neural ODEs of the run."""
        return list(self.config["bridge"]["use"])

    def bridge_systems(self, nodes: str) -> list[str]:
        """The systems of a zoo of neural ODEs."""
        return list(self._bridge(nodes)["systems"])

    def bridge_cells(self, nodes: str, kind: str) -> list[list[float]]:
        """β and γ of a zoo's "cells", which the flow learns, or of its "unseen" ones."""
        return [[float(c["beta"]), float(c["gamma"])] for c in self._bridge(nodes)[kind]]

    def bridge_tests(self, nodes: str) -> list[Cell]:
        """The test cells of a zoo: its own β and γ at all sizes, and its structure cells."""
        tests = self._bridge(nodes)["tests"]
        own = [*self.bridge_cells(nodes, "cells"), *self.bridge_cells(nodes, "unseen")]
        size = {cell for beta, gamma in own for cell in cells(tests["sizes"], [beta], [gamma])}
        structure = {
            Cell(tests["detail_size"], float(c["beta"]), float(c["gamma"]))
            for c in tests["structure"]
        }
        return sorted(size | structure)

    def bridge_members(self, nodes: str, system: str) -> Made:
        """What the neural ODEs of a zoo and a system are made with."""
        zoo, graphs, dynamics = self._bridge(nodes), self.config["graphs"], self.config["dynamics"]
        shared = ("initial", "horizon", "rtol", "atol", "max_steps")
        return {
            "nodes": nodes,
            "system": system,
            "parameters": resolve_parameters(system, dynamics["parameters"].get(system)),
            "cells": self.bridge_cells(nodes, "cells") + self.bridge_cells(nodes, "unseen"),
            "graphs": zoo["graphs"],
            "seeds": zoo["seeds"],
            "data": {
                "size": self.training_size,
                "mean_degree": graphs["mean_degree"],
                "sampler": graphs["sampler"],
                **self.config["bridge"]["data"],
                **{name: dynamics[name] for name in shared},
            },
            "training": {**self.config["bridge"]["training"], **zoo["training"]},
            "device": self.config["device"],
            "seed": self.config["seed"],
        }

    def bridge_flow(self, nodes: str) -> Made:
        """What the flow over a zoo of neural ODEs, and its samples, are made with."""
        zoo, settings = self._bridge(nodes), self.config["bridge"]
        return {
            "nodes": nodes,
            "learned_graphs": zoo["graphs"] - zoo["held_out"],
            "cells": self.bridge_cells(nodes, "cells"),
            "unseen": self.bridge_cells(nodes, "unseen"),
            "matching": self.config["canonical"]["matching"],
            "functions": {**settings["functions"], "scale": settings["training"]["scale"]},
            "changes": settings["flow"],
            "samples": zoo["samples"],
            "sampling": settings["sampling"],
            "device": self.config["device"],
            "seed": self.config["seed"],
            "from": [self.bridge_members(nodes, system) for system in self.bridge_systems(nodes)],
        }

    def bridge_judgement(self, nodes: str, system: str) -> Made:
        """What the judgement of a zoo's samples on a system is made with."""
        dynamics = self.config["dynamics"]
        return {
            "zoo": nodes,
            "system": system,
            "parameters": resolve_parameters(system, dynamics["parameters"].get(system)),
            "tests": {
                name: value
                for name, value in self._bridge(nodes)["tests"].items()
                if name not in ("sizes", "structure", "max_steps")
            },
            "controls": {
                name: self.config["judge"][name] for name in ("noise_scales", "soup", "controls")
            },
            "solver": {
                "rtol": dynamics["rtol"],
                "atol": dynamics["atol"],
                "max_steps": self._bridge(nodes)["tests"]["max_steps"],
            },
            "seed": self.config["seed"],
            "from": self.bridge_flow(nodes),
            "truth": [
                self.trajectories("test", system, *astuple(cell))
                for cell in self.bridge_tests(nodes)
            ],
        }

    def over_bridge_tests(self, pattern: str, nodes: str, system: str = "") -> list[str]:
        """A pattern of system, N, beta, gamma for the test cells of a zoo of neural ODEs."""
        return [_filled(pattern, cell, system=system) for cell in self.bridge_tests(nodes)]

    def over_bridges(self, pattern: str) -> list[str]:
        """A pattern of nodes, system for all zoos of neural ODEs; without system, once a zoo."""
        found = [
            pattern.format(nodes=nodes, system=system)
            for nodes in self.bridges
            for system in self.bridge_systems(nodes)
        ]
        return list(dict.fromkeys(found))

    def _bridge(self, nodes: str) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.config["bridge"]["zoos"][nodes]
        return settings

    # --- files: patterns filled in for all that the run needs ------------------------------------

    def over_cells(self, pattern: str) -> list[str]:
        """A pattern of N, beta, gamma for all test cells."""
        return [_filled(pattern, cell) for cell in self.test_cells]

    def over_training(self, pattern: str) -> list[str]:
        """A pattern of N, beta, gamma, and of system where it has one, for all training cells."""
        return list(
            dict.fromkeys(
                _filled(pattern, Cell(self.training_size, *trained), system=system)
                for system in self.systems
                for trained in self.trained
            )
        )

    def over_structure(self, pattern: str) -> list[str]:
        """A pattern of N, beta, gamma for the cells of the structure experiment."""
        return [_filled(pattern, cell) for cell in self.structure_cells]

    def over_structure_systems(self, pattern: str) -> list[str]:
        """A pattern of system, N, beta, gamma for all systems and structure cells."""
        return [
            _filled(pattern, cell, system=system)
            for system in self.systems
            for cell in self.structure_cells
        ]

    def over_systems(self, pattern: str) -> list[str]:
        """A pattern of system, N, beta, gamma for all systems and test cells."""
        return [
            _filled(pattern, cell, system=system)
            for system in self.systems
            for cell in self.test_cells
        ]

    def over_networks(self, pattern: str) -> list[str]:
        """A pattern of network, and of system where it has one, for all networks."""
        return list(
            dict.fromkeys(
                pattern.format(network=network, system=system)
                for system in self.systems
                for network in self.networks
            )
        )

    def over_example(self, pattern: str) -> list[str]:
        """A pattern of system, N, beta, gamma at the structure experiment's training cell."""
        cell = Cell(self.training_size, *self.structure_trained)
        return [_filled(pattern, cell, system=system) for system in self.systems]

    def over_tested(
        self, pattern: str, variant: str, trained_beta: Number, trained_gamma: Number
    ) -> list[str]:
        """A pattern of N, beta, gamma for the cells that models are tested on."""
        found = self.tested(variant, trained_beta, trained_gamma)
        return [_filled(pattern, cell) for cell in found]

    def over_models(self, pattern: str, variants: str = "") -> list[str]:
        """A pattern of system, variant, trained_beta, trained_gamma for all trainings.

        With `variants`, for those alone whose name begins so.
        """
        return [
            _trained(pattern, trained, system=system, variant=variant)
            for system in self.systems
            for variant, trained in self.trainings
            if variant.startswith(variants)
        ]

    def over_detail(self, pattern: str) -> list[str]:
        """A pattern of system, trained_beta, trained_gamma for the cells of the detail section."""
        return [
            _trained(pattern, trained, system=system)
            for system in self.systems
            for trained in self.detail_cells
        ]

    def over_snapshots(self, pattern: str) -> list[str]:
        """A pattern of system, trained_beta, trained_gamma for the snapshots that a figure shows.

        Those of the β of the structure experiment; none if the recipe keeps none.
        """
        return [
            _trained(pattern, trained, system=system)
            for system in self.systems
            for trained in self.trained
            if self.keeps_snapshots and trained[0] == self.structure_trained[0]
        ]

    def over_snapshot_cells(
        self, pattern: str, trained_beta: Number, trained_gamma: Number
    ) -> list[str]:
        """A pattern of N, beta, gamma for the cells that snapshots are tested on."""
        found = self.snapshot_cells(trained_beta, trained_gamma)
        return [_filled(pattern, cell) for cell in found]

    def over_noise(self, pattern: str) -> list[str]:
        """A pattern of system and variant for all that noisy initial states are given to."""
        return [
            pattern.format(system=system, variant=variant)
            for system in self.systems
            for variant in ("plain", *self.noise_variants)
        ]

    def over_blocks(self, pattern: str, zoo: str, weights: str) -> list[str]:
        """A pattern of zoo, weights, block for the blocks of one zoo."""
        return [pattern.format(zoo=zoo, weights=weights, block=k) for k in self.blocks(zoo)]

    def streamed_blocks(self, flow: str, weights: str) -> list[str]:
        """The blocks that networks of a flow are decoded with, if its codec streams the zoo."""
        codec = self._flow(flow)["settings"].get("codec", {})
        pattern = "results/zoo/{zoo}/{weights}/block~{block}.safetensors"
        streamed = codec.get("kind") == "span"
        return self.over_blocks(pattern, self.flow_zoo(flow), weights) if streamed else []

    def over_zoos(self, pattern: str, weights: tuple[str, ...] = WEIGHTS) -> list[str]:
        """A pattern of zoo, weights, block for all zoos; without block, once a zoo."""
        return list(
            dict.fromkeys(
                path
                for zoo in self.zoos
                for kind in weights
                for path in self.over_blocks(pattern, zoo, kind)
            )
        )

    def over_transfers(self, pattern: str) -> list[str]:
        """A pattern of flow, weights, width for the flows whose samples are transferred."""
        flows = self.config["flow"]["transfer"]["flows"]
        return self.over_flows(
            pattern, [flow for flow in flows if flow in self.flows and self.transfer_tasks(flow)]
        )

    def over_solvers(self, pattern: str) -> list[str]:
        """A pattern of flow, weights, width for the flows that are sampled in several ways."""
        return self.over_flows(pattern, self.config["flow"]["solvers"]["flows"])

    def over_flows(self, pattern: str, some: Sequence[str] | None = None) -> list[str]:
        """A pattern of flow, weights, width for all flows, or for some of them."""
        return [
            pattern.format(flow=flow, weights=weights, width=width)
            for flow in self.flows
            if some is None or flow in some
            for weights in self._flow(flow)["weights"]
            for width in self._flow(flow)["widths"]
        ]


def _filled(pattern: str, cell: Cell, **names: str) -> str:
    return pattern.format(N=cell.N, beta=number(cell.beta), gamma=number(cell.gamma), **names)


def _trained(pattern: str, trained: tuple[float, float], **names: str) -> str:
    beta, gamma = trained
    return pattern.format(trained_beta=number(beta), trained_gamma=number(gamma), **names)
