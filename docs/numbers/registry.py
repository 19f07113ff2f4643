"""Which tables and pictures of a run the documents show."""

from __future__ import annotations

from functools import partial

from docs.numbers import costs, flow, grid, neural_ode, priors
from docs.numbers.page import PageTable

TABLES: tuple[PageTable, ...] = (
    PageTable("size_errors", ("neural_ode_tests",), neural_ode.errors_over_size),
    PageTable("spread_of_training", ("neural_ode_tests",), neural_ode.spread_of_training),
    PageTable("claims", ("claims",), partial(neural_ode.claims, trust=False)),
    PageTable("verdicts", ("claims",), partial(neural_ode.verdicts, trust=False)),
    PageTable("verdicts_on_trust", ("claims",), partial(neural_ode.verdicts, trust=True)),
    PageTable("claims_on_laws", ("claims",), neural_ode.claims_on_laws),
    PageTable("claims_on_trust", ("claims",), partial(neural_ode.claims, trust=True)),
    PageTable("trust_bands", ("neural_ode_trust",), neural_ode.bands),
    PageTable("trust_flags", ("neural_ode_trust",), neural_ode.flags),
    PageTable("flow_sets", ("flow_summary",), flow.sets),
    PageTable("flow_differences", ("flow_panel",), flow.differences),
    PageTable("flow_alignment", ("flow_panel", "flow_summary"), flow.alignment),
    PageTable("flow_distances", ("flow_distances",), flow.distances),
    PageTable("alignments", ("zoo_alignment", "zoo_barrier"), flow.canonicalized),
    PageTable("transfer", ("transfer",), flow.transfer),
    PageTable("prior_claims_default", ("prior_claims",), priors.claims),
    PageTable("costs", ("runtime",), costs.by_rule),
    PageTable("payoff", ("payoff",), costs.payoff),
    PageTable(
        "claims_eight_graphs", ("claims",), partial(neural_ode.claims, trust=False), "claims.yaml"
    ),
    PageTable("grid_size_errors", ("neural_ode_tests",), neural_ode.errors_over_size, "grid.yaml"),
    PageTable("grid_degrees", ("graphs",), grid.mean_degrees, "grid.yaml"),
    PageTable("grid_failures", ("neural_ode_tests",), grid.failures, "grid.yaml"),
    PageTable("grid_cells", ("claims",), grid.over_cells, "grid.yaml"),
    PageTable("grid_clustering", ("neural_ode_rewired",), grid.rewired, "grid.yaml"),
    PageTable("grid_claims", ("claims",), grid.in_one_cell, "grid.yaml"),
    PageTable("large_errors", ("neural_ode_tests",), neural_ode.errors_of_methods, "large.yaml"),
    PageTable("both_sets", ("claims",), grid.both_sets, "literature.yaml", beside="config.yaml"),
    *(
        PageTable(name, ("flow_summary",), partial(flow.sets, flows=(made,)), "generation.yaml")
        for name, made in (
            ("study_digits", "digits_descent"),
            ("study_digits_4000", "digits_many_descent"),
            ("study_fashion", "fashion_large_descent"),
        )
    ),
    PageTable("architectures_sets", ("flow_summary",), flow.sets, "architectures.yaml"),
    PageTable("architectures_differences", ("flow_panel",), flow.differences, "architectures.yaml"),
    PageTable("architectures_payoff", ("payoff",), costs.payoff, "architectures.yaml"),
    PageTable("study_methods", ("flow_panel", "flow_summary"), flow.alignment, "generation.yaml"),
    PageTable("study_solver_steps", ("flow_solvers",), flow.solvers, "generation.yaml"),
    *(
        PageTable(
            name,
            ("conditional_summary",),
            partial(flow.conditional, descent=descent),
            "generation.yaml",
        )
        for name, descent in (("study_labels_of_descents", True), ("study_labels_of_codes", False))
    ),
    PageTable("study_other_tasks", ("transfer",), flow.transfer, "generation.yaml"),
    PageTable("prior_zero_shot", ("prior_runs",), priors.zero_shot, "priors.yaml"),
    PageTable("prior_frames", ("prior_runs", "prior_fits"), priors.few_frames, "priors.yaml"),
    PageTable("prior_claims", ("prior_claims",), priors.claims, "priors.yaml"),
    PageTable("prior_ensembles", ("prior_claims",), priors.ensembles, "priors.yaml"),
    PageTable("resnets", ("flow_summary",), flow.sets, "resnet.yaml"),
    PageTable(
        "other_alignments", ("zoo_alignment", "zoo_barrier"), flow.canonicalized, "alignment.yaml"
    ),
    PageTable("streamed", ("flow_summary",), flow.sets, "alignment.yaml"),
    PageTable(
        "recipe_matching", ("neural_ode_tests",), neural_ode.errors_over_size, "recipes.yaml"
    ),
)
"""All tables that are made of a run's, by configuration; `docs/tables/NAME.md` each."""

PICTURES: dict[str, tuple[str, ...]] = {
    "config.yaml": (
        "size_errors", "structure_errors", "degree_errors", "hidden", "trust", "claims",
        "frontier", "distances", "alignment", "transfer", "runtime", "payoff",
    ),
    "generation.yaml": ("solvers", "conditional"),
    "grid.yaml": (
        "growth", "size_curves", "structure_errors", "clustering_effect", "claims", "hidden",
        "noise",
    ),
    "large.yaml": ("size_errors",),
    "priors.yaml": ("prior_frames", "prior_sizes", "prior_alarm", "prior_functions"),
}  # fmt: skip
"""Figures of a run that pages show, by configuration."""


def picture_of(figure: str, config: str) -> str:
    """The file in `docs/pictures` of a figure: its name, after that of an overlay's if it is one.

    Args:
        figure: its name.
        config: the configuration, in `config/`.
    """
    prefix = "" if config == "config.yaml" else f"{config.removesuffix('.yaml')}_"
    return f"{prefix}{figure}.png"
