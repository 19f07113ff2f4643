"""Neural ODEs on networks: models, their files, and their tests on graphs.

`load` gives a trained one as an object. Training needs torch and is imported from
`nodeflow.neural_ode.train`, so that testing a model does not load it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
