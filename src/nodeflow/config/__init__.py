"""The configuration, checked before the first job; every fault is one sentence with its key.

The models of this package are the only place where a key is described: its type, its bounds and its
meaning. `python -m nodeflow.config` writes the JSON schema for editors and the table of keys from
them. Values stand in config/config.yaml; a key that may be left out has its default in the model.
"""

from nodeflow.config.read import ConfigProblem, read_config
from nodeflow.config.root import Config

__all__ = ["Config", "ConfigProblem", "read_config"]
