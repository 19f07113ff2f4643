"""What a run consists of: the files of every stage, and what each of them is made with.

Every stage is a dataclass with its settings and the stage before it. Its lists of rows say what
there is of it: each row is one job's names and values, and `fill` makes paths of them. Its methods
ending in `params` say what a row's files are made with: this becomes the rule's params, the
metadata of the file, and what the next stage expects to find there. It holds, under "from", what
the inputs were made with, so a file of another run is recognized wherever it lies in the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nodeflow.config import Config
from nodeflow.plan import paths
from nodeflow.plan.canonical import Canonical
from nodeflow.plan.cells import Cells
from nodeflow.plan.costs import Costs
from nodeflow.plan.data import Data
from nodeflow.plan.dynamics import SHARED, TOLERANCE, Dynamics
from nodeflow.plan.evaluated import Evaluated
from nodeflow.plan.experiments import Experiments
from nodeflow.plan.exports import Exports
from nodeflow.plan.flows import Flows
from nodeflow.plan.graphs import Graphs
from nodeflow.plan.laws import Laws
from nodeflow.plan.learned import Learned
from nodeflow.plan.networks import Networks
from nodeflow.plan.neural_ode import NeuralODEs
from nodeflow.plan.own import Own
from nodeflow.plan.paths import Row, fill, narrow
from nodeflow.plan.priors import Priors
from nodeflow.plan.rewired import Rewired
from nodeflow.plan.tails import Tails
from nodeflow.plan.transfers import Transfers
from nodeflow.plan.zoos import Zoos
from nodeflow.provenance import code_digest

__all__ = ["SAMPLING", "Plan", "Row", "fill", "narrow", "paths"]

SAMPLING = ("flow/solvers.py", "flow/samples.py", "flow/schemas.py")
"""Files of the library that a trained flow does not depend on, though its script reaches them."""


@dataclass(frozen=True)
class Plan:
    """The run that a checked configuration asks for.

    Attributes:
        config: the configuration.
        root: folder of the workflow.
    """

    config: Config
    root: Path

    def code(self, script: str, entries: Iterable[str] = (), without: Collection[str] = ()) -> str:
        """Digest of a script and of the library code behind it; an edit re-runs its rules.

        Args:
            script: its name.
            entries: what it is handed of nodeflow by name, as "module:name".
            without: files of the library that some of its results do not depend on.
        """
        path = self.root / "workflow/scripts" / f"{script}.py"
        return code_digest(path, entries=entries, without=without)

    def flow_code(self, script: str) -> Callable[[Row], str]:
        """The digest of a script of flows without the methods that a flow is not of.

        A new method, or an edit of one, re-runs the flows of no other; and an edit of how flows are
        sampled trains none anew.
        """
        sampling = SAMPLING if script == "train_flow" else ()

        def code(row: Row) -> str:
            return self.code(script, without=(*self.flows.other_methods(row), *sampling))

        return code

    @cached_property
    def cells(self) -> Cells:
        """The cells of the grid."""
        return Cells(self.config.graphs, self.config.neural_ode)

    @cached_property
    def graphs(self) -> Graphs:
        """S¹ graphs."""
        sampling = self.code("sample_graphs", without=("graphs/measures.py",))
        measuring = self.code("sample_graphs")
        return Graphs(self.config.graphs, self.config.seed, sampling, measuring, self.cells)

    @cached_property
    def dynamics(self) -> Dynamics:
        """Trajectories on graphs."""
        code = self.code("simulate_trajectories")
        return Dynamics(self.config.dynamics, code, self.graphs)

    @cached_property
    def networks(self) -> Networks:
        """Networks and their null models."""
        return Networks(self.config.graphs, self.code("sample_network"), self.dynamics)

    @cached_property
    def neural_ode(self) -> NeuralODEs:
        """Neural ODEs."""
        return NeuralODEs(self.config.neural_ode, self.config.device, self.dynamics)

    @cached_property
    def laws(self) -> Laws:
        """Laws behind the trajectories that neural ODEs learn."""
        return Laws(self.config.laws, self.code("discover_law"), self.neural_ode)

    @cached_property
    def experiments(self) -> Experiments:
        """Tests of neural ODEs."""
        return self._tests(self.neural_ode)

    @cached_property
    def law_experiments(self) -> Experiments:
        """The same tests of laws."""
        return self._tests(self.laws)

    @cached_property
    def tail_experiments(self) -> Experiments:
        """The same tests of neural ODEs with the tails of laws."""
        return self._tests(Tails(self.laws, self.neural_ode))

    @cached_property
    def evaluated(self) -> Evaluated:
        """The tests of all."""
        return Evaluated(self.experiments, self.law_experiments, self.tail_experiments)

    @cached_property
    def rewired(self) -> Rewired:
        """Tests without clustering."""
        return Rewired(self.experiments)

    def _tests(self, models: Learned) -> Experiments:
        testing, examining, perturbing = (
            self.code(x, [models.read])
            for x in ("evaluate_learned", "examine_learned", "perturb_learned")
        )
        return Experiments(testing, examining, perturbing, models, self.neural_ode)

    @cached_property
    def data(self) -> Data:
        """Data sets."""
        return Data(self.config.zoo)

    @cached_property
    def zoos(self) -> Zoos:
        """Zoos of trained networks."""
        return Zoos(self.config.zoo, self.config.device, self.config.seed, self.data)

    @cached_property
    def canonical(self) -> Canonical:
        """Members of zoos, raw and aligned."""
        return Canonical(self.config.canonical, self.code("measure_barrier"), self.zoos)

    @cached_property
    def flows(self) -> Flows:
        """Flows over the weights of zoos."""
        return Flows(self.config.flow, self.config.dump("judge")["judge"], self.canonical)

    @cached_property
    def exports(self) -> Exports:
        """Networks in the form of the users' own modules."""
        return Exports(self.flows)

    @cached_property
    def costs(self) -> Costs:
        """What networks cost."""
        return Costs(self.flows)

    @cached_property
    def transfers(self) -> Transfers:
        """Transfer of generated networks."""
        return Transfers(self.config.flow.transfer, self.flows)

    @cached_property
    def priors(self) -> Priors:
        """Zoos of families of systems, and what they know of new ones."""
        return Priors(
            self.config.priors,
            self.config.dump("judge")["judge"],
            self.config.canonical.dump("matching")["matching"],
            self.config.dynamics.dump(*SHARED, *TOLERANCE),
            self.config.device,
            self.graphs,
        )

    @cached_property
    def own(self) -> Own:
        """Networks and series of the user's own."""
        return Own(self.config.own, self.config.seed)
