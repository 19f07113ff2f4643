#!/usr/bin/env bash
# Snakemake runs this inside the environment that it has just made from environment.yaml
# (`snakemake --sdm conda`): it installs nodeflow itself, whose libraries are all there already.
# The current directory is that of the run, so the checkout is looked for there and above; a run in
# another folder names it: NODEFLOW=/path/to/checkout snakemake …
set -eu

checkout=${NODEFLOW:-$PWD}
while [ ! -f "$checkout/src/nodeflow/__init__.py" ]; do
    if [ "$checkout" = / ] || [ "$checkout" = . ]; then
        echo "No checkout of nodeflow here or above; say where it is: NODEFLOW=/path snakemake …" >&2
        exit 1
    fi
    checkout=$(dirname "$checkout")
done
python -m pip install --no-deps --no-build-isolation --editable "$checkout"
