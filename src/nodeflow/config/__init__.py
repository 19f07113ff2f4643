"""The configuration, checked before the first job; every fault is one sentence with its key.

The models of this package are the only place where a key is described: its type, its bounds and its
meaning. `python -m nodeflow.config` writes the JSON schema for editors and the table of keys from
them. Values stand in config/config.yaml; a key that may be left out has its default in the model.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
