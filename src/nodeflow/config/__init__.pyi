from .read import ConfigProblem, read_config
from .root import Config

__all__ = ["Config", "ConfigProblem", "read_config"]
