from .dynamics import draw_activity, draw_trajectories
from .experiments import (
    draw_claims,
    draw_conjecture,
    draw_fixed_points,
    draw_functions,
    draw_hidden,
    draw_noise,
    draw_warning,
)
from .flow import (
    draw_capacity,
    draw_conditional,
    draw_dispersion,
    draw_distances,
    draw_flow_training,
    draw_frontier,
    draw_solvers,
    draw_transfer,
)
from .graphs import draw_degrees, draw_ensemble, draw_networks
from .laws import draw_law_errors, draw_law_functions, draw_law_recovery
from .neural_ode import (
    draw_degree_errors,
    draw_error_over_training,
    draw_size_errors,
    draw_structure_errors,
    draw_training,
)
from .priors import (
    draw_prior_alarm,
    draw_prior_claims,
    draw_prior_families,
    draw_prior_frames,
    draw_prior_functions,
    draw_prior_novelty,
    draw_prior_sizes,
)
from .runtime import draw_runtime
from .speed import draw_payoff, draw_speed
from .style import drawing, save
from .zoo import draw_alignment, draw_zoo

__all__ = [
    "draw_activity",
    "draw_alignment",
    "draw_capacity",
    "draw_claims",
    "draw_conditional",
    "draw_conjecture",
    "draw_degree_errors",
    "draw_degrees",
    "draw_dispersion",
    "draw_distances",
    "draw_ensemble",
    "draw_error_over_training",
    "draw_fixed_points",
    "draw_flow_training",
    "draw_frontier",
    "draw_functions",
    "draw_hidden",
    "draw_law_errors",
    "draw_law_functions",
    "draw_law_recovery",
    "draw_networks",
    "draw_noise",
    "draw_payoff",
    "draw_prior_alarm",
    "draw_prior_claims",
    "draw_prior_families",
    "draw_prior_frames",
    "draw_prior_functions",
    "draw_prior_novelty",
    "draw_prior_sizes",
    "draw_runtime",
    "draw_size_errors",
    "draw_solvers",
    "draw_speed",
    "draw_structure_errors",
    "draw_training",
    "draw_trajectories",
    "draw_transfer",
    "draw_warning",
    "draw_zoo",
    "drawing",
    "save",
]
