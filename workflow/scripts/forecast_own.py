"""Forecast what was held out of the user's own series, by the ensemble and by baselines."""

from typing import Any

from nodeflow.data.baselines import BASELINES
from nodeflow.data.gaps import observed_part
from nodeflow.data.held_out import hold_out, limits_of_training
from nodeflow.data.observed import Source, note_table, read_observed
from nodeflow.data.tables import ERRORS, FORECASTS, FUNCTIONS, NOTES
from nodeflow.job import job
from nodeflow.judge.forecasts import (
    error_table,
    forecast_notes,
    forecast_runs,
    function_table,
)
from nodeflow.neural_ode.ensemble_files import load_ensemble
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    learned = p["from"]
    observed = read_observed(Source(**learned["data"]), f"own.{p['own']}")
    parts = hold_out(observed.series, **learned["split"], seed=learned["seed"])
    ensemble = load_ensemble(files.ensemble, learned)
    graph, _ = observed_part(parts.training, observed.graph)
    fitted = {name: fit(parts.training, observed.graph) for name, fit in BASELINES.items()}
    forecasts = forecast_runs(ensemble, graph, parts.test_runs, fitted, p["horizon"])
    write_table(output.forecasts, forecasts, FORECASTS, metadata)
    write_table(output.errors, error_table(forecasts, list(BASELINES)), ERRORS, metadata)
    write_table(output.functions, function_table(ensemble), FUNCTIONS, metadata)
    notes = [
        parts.note,
        *forecast_notes(ensemble, forecasts, parts.test_runs),
        *limits_of_training(parts, observed.graph, observed.series),
    ]
    write_table(output.told, note_table(notes), NOTES, metadata)
