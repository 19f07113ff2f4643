"""What is wrong with what priors are given."""

from nodeflow.problems import Problem

__all__ = ["PriorProblem"]


class PriorProblem(Problem):
    """Members of which no prior can be made, or frames that cannot be learned from with one."""
