"""Forecasters: neural ODEs with inputs and covariates, trained on rollouts under a likelihood.

`field` is the vector field, `rollout` its integration from many origins; `start` filters the states
there out of the latest observations that `windows` cuts. `inputs` and `places` check what is known
of times and of nodes, `model` turns all of it into expected observations, `train` learns from them,
and `forecaster` is what comes out, with its files in `store`.
"""
