"""The figures of a run, `results/figures/NAME.png` and `.pdf`: of which tables, and what they ask.

A new figure of existing tables is a function in `nodeflow.figures`, an entry here, and a caption
`workflow/report/NAME.rst`. Functions are named, not imported: Snakemake reads this while it parses,
and must not wait for matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodeflow.plan import paths
from nodeflow.plan.figure import Figure

if TYPE_CHECKING:
    from nodeflow.plan import Plan

__all__ = ["FIGURES"]


def _structure_size(plan: Plan) -> dict[str, Any]:
    return {"size": plan.config.neural_ode.structure.size}


def _structure_trained(plan: Plan) -> dict[str, Any]:
    cell = plan.cells.structure_trained
    return {**_structure_size(plan), "trained_beta": cell.beta, "trained_gamma": cell.gamma}


def _prior_detail(plan: Plan) -> dict[str, Any]:
    settings = plan.config.priors
    return {"size": settings.tests.detail_size, "gamma": float(settings.graph.gamma)}


FIGURES: tuple[Figure, ...] = (
    Figure(
        "degrees",
        "graphs",
        "Degree distribution against theory",
        "graphs",
        {"degrees": "graphs_degrees"},
    ),
    Figure(
        "ensemble",
        "graphs",
        "Clustering and heterogeneity",
        "graphs",
        {"graphs": "graphs", "theory": "graphs_clustering"},
        _structure_size,
    ),
    Figure("networks", "graphs", "Networks and their null models", "graphs", {"table": "networks"}),
    Figure(
        "trajectories",
        "systems",
        "Activity over time",
        "dynamics",
        {"activity": "activity_over_time"},
    ),
    Figure(
        "activity",
        "systems",
        "Activity against degree",
        "dynamics",
        {"activity": "activity_at_end"},
        lambda plan: {"beta": plan.cells.structure_trained.beta},
    ),
    Figure("training", "learn", "Training loss", "neural_ode", {"history": "neural_ode_training"}),
    Figure(
        "error_over_training",
        "learn",
        "Error over training",
        "neural_ode",
        {"runs": "neural_ode_over_training"},
    ),
    Figure(
        "functions",
        "learn",
        "Learned and true functions",
        "experiments",
        {"functions": "neural_ode_functions"},
    ),
    Figure(
        "size_errors",
        "generalize",
        "Error against size",
        "neural_ode",
        {"tests": "neural_ode_tests"},
        lambda plan: {"beta": plan.cells.structure_trained.beta},
    ),
    Figure(
        "size_curves",
        "generalize",
        "Error against size in every cell",
        "cells",
        {"tests": "neural_ode_tests"},
        when=lambda plan: plan.cells.is_grid,
    ),
    Figure(
        "growth",
        "generalize",
        "Growth of errors over all cells",
        "cells",
        {"tests": "neural_ode_tests"},
        when=lambda plan: plan.cells.is_grid,
    ),
    Figure(
        "structure_errors",
        "generalize",
        "Error against structure",
        "neural_ode",
        {"tests": "neural_ode_tests"},
        _structure_trained,
    ),
    Figure(
        "clustering_effect",
        "generalize",
        "What clustering alone does",
        "neural_ode",
        {"runs": "neural_ode_rewired"},
    ),
    Figure(
        "fixed_points",
        "generalize",
        "Fixed points and stability",
        "experiments",
        {"points": "neural_ode_fixed_points"},
    ),
    Figure(
        "hidden", "generalize", "Unobserved nodes", "experiments", {"hidden": "neural_ode_hidden"}
    ),
    Figure("noise", "generalize", "Noise", "experiments", {"noise": "neural_ode_noise"}),
    Figure("claims", "generalize", "Verdicts on the claims", "experiments", {"claims": "claims"}),
    Figure(
        "degree_errors",
        "fail",
        "Error against degree",
        "neural_ode",
        {"errors": "neural_ode_errors_by_degree"},
        _structure_trained,
    ),
    Figure(
        "conjecture",
        "fail",
        "Training on hub states",
        "experiments",
        {"errors": "neural_ode_errors_by_degree"},
        lambda plan: {"size": plan.cells.detail_size},
    ),
    Figure(
        "warning",
        "fail",
        "Spread of models as a warning",
        "experiments",
        {"curves": "neural_ode_warning", "areas": "neural_ode_warning_areas"},
    ),
    Figure(
        "trust",
        "fail",
        "Bands and flags of ensembles",
        "trust",
        {"trust": "neural_ode_trust"},
        lambda plan: {"beta": plan.cells.structure_trained.beta},
    ),
    Figure(
        "law_errors",
        "fail",
        "Laws against size",
        "laws",
        {"tests": "neural_ode_tests"},
        lambda plan: {"beta": plan.cells.structure_trained.beta},
        lambda plan: bool(plan.laws.all),
    ),
    Figure(
        "law_recovery",
        "fail",
        "Laws by noise and amount of data",
        "laws",
        {"laws": "laws"},
        lambda plan: {"gamma": plan.cells.structure_trained.gamma, "whole": plan.laws.whole},
        lambda plan: bool(plan.laws.less),
    ),
    Figure(
        "law_functions",
        "fail",
        "Learned, found and true functions",
        "laws",
        {"functions": "neural_ode_functions"},
        when=lambda plan: bool(plan.law_experiments.details),
    ),
    Figure(
        "zoo",
        "alike",
        "Accuracy of the members",
        "zoo",
        {"metrics": "zoo_members"},
        when=lambda plan: bool(plan.canonical.measured),
    ),
    Figure(
        "alignment",
        "alike",
        "Alignment and loss barrier",
        "zoo",
        {"report": "zoo_alignment", "barrier": "zoo_barrier"},
    ),
    Figure("flow_training", "generate", "Flow matching loss", "flow", {"history": "flow_training"}),
    Figure(
        "capacity",
        "generate",
        "Accuracy by capacity",
        "flow",
        {"panel": "flow_panel"},
        lambda plan: {"looks": plan.flows.looks},
        lambda plan: bool(plan.flows.judged),
    ),
    Figure(
        "dispersion",
        "generate",
        "Spread by capacity",
        "flow",
        {"summary": "flow_summary"},
        lambda plan: {"looks": plan.flows.looks},
    ),
    Figure(
        "frontier",
        "generate",
        "Accuracy against novelty",
        "flow",
        {"panel": "flow_panel"},
        lambda plan: {"looks": plan.flows.looks},
        lambda plan: bool(plan.flows.judged),
    ),
    Figure(
        "distances",
        "generate",
        "Accuracy at the same distances",
        "flow",
        {"table": "flow_distances"},
        lambda plan: {"looks": plan.flows.looks},
    ),
    Figure("transfer", "generate", "Transfer to changed tasks", "flow", {"transfer": "transfer"}),
    Figure(
        "solvers", "generate", "Accuracy by solver and steps", "flow", {"table": "flow_solvers"}
    ),
    Figure(
        "conditional", "generate", "Conditional flows by guidance", "flow", {"table": "conditional"}
    ),
    Figure(
        "prior_frames",
        "priors",
        "Error against the number of frames",
        "priors",
        {"runs": "prior_runs"},
        _prior_detail,
    ),
    Figure(
        "prior_sizes",
        "priors",
        "Generated neural ODEs against size",
        "priors",
        {"runs": "prior_runs"},
        lambda plan: {"studied": plan.config.priors.tests.studied},
    ),
    Figure(
        "prior_functions",
        "priors",
        "Functions of a new system",
        "priors",
        {"functions": "prior_functions"},
    ),
    Figure(
        "prior_families",
        "priors",
        "Which family frames are of",
        "priors",
        {"fits": "prior_fits"},
        when=lambda plan: bool(plan.config.priors.tests.compared),
    ),
    Figure(
        "prior_alarm",
        "priors",
        "Frames of no family",
        "priors",
        {"fits": "prior_fits"},
        when=lambda plan: bool(plan.config.priors.tests.compared),
    ),
    Figure(
        "prior_novelty",
        "priors",
        "Error against novelty of generated neural ODEs",
        "priors",
        {"panel": "prior_panel"},
    ),
    Figure(
        "prior_claims",
        "priors",
        "What was to be reached",
        "priors",
        {"claims": "prior_claims"},
    ),
    Figure(
        "own_series",
        "own",
        "What was observed",
        "own",
        {"series": "own_series", "nodes": "own_nodes"},
        pattern=paths.OWN_FIGURE,
    ),
    Figure(
        "own_functions",
        "own",
        "What was learned",
        "own",
        {"functions": "own_functions"},
        pattern=paths.OWN_FIGURE,
    ),
    Figure(
        "own_forecasts",
        "own",
        "Forecasts with their bands",
        "own",
        {"forecasts": "own_forecasts", "errors": "own_errors"},
        pattern=paths.OWN_FIGURE,
    ),
    Figure(
        "own_errors",
        "own",
        "Errors beside baselines",
        "own",
        {"errors": "own_errors"},
        pattern=paths.OWN_FIGURE,
    ),
    Figure(
        "own_flags",
        "own",
        "Where not to trust them",
        "own",
        {"forecasts": "own_forecasts", "errors": "own_errors"},
        pattern=paths.OWN_FIGURE,
    ),
    Figure(
        "speed",
        "cost",
        "Time of a network, generated and trained",
        "speed",
        {"runtime": "runtime"},
        lambda plan: {"made": plan.costs.made},
        lambda plan: bool(plan.costs.made),
    ),
    Figure(
        "payoff",
        "cost",
        "When generating networks pays",
        "speed",
        {"payoff": "payoff"},
    ),
    Figure(
        "runtime",
        "cost",
        "Time and memory by rule",
        "runtime",
        {"runtime": "runtime", "resources": "resources"},
    ),
)
"""All figures, in the order of the report."""
