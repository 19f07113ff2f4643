"""The page on a network and series of the user's own.

Every sentence is a function of the tables, so that a run that went badly says so.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from nodeflow.figures.own import best_baseline
from nodeflow.laws.law import Law
from nodeflow.laws.store import Laws

__all__ = ["METHODS", "PICTURES", "own_page"]

PICTURES = {
    "series": "What was observed: values over time and on average by degree; how many nodes have "
    "at least so many neighbours; what is missing.",
    "functions": "The learned functions of dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j), with "
    "50 and 90 % bands over the ensemble. In grey, states that were never seen in training.",
    "forecasts": "Forecasts of what was held out: of the nodes with the lowest, the median and the "
    "highest degree, and of the one with the largest error.",
    "errors": "Errors by lead time and degree beside baselines; share of values within the bands; "
    "error of the ensemble against that of the best baseline, a dot a node.",
    "flags": "Which forecasts are flagged, and whether flags show in errors.",
}
"""The pictures of the page, with what stands under them."""

METHODS = {
    "ensemble": "the ensemble",
    "persistence": "standing still",
    "mean_field": "a linear mean field",
    "network_autoregression": "a linear autoregression on the network",
    "autoregression": "each node's own autoregression",
}
"""What forecasts are called in sentences."""

_TOO_FEW, _TOO_MANY = 0.8, 0.98
"""Between these shares of values in the 90 % band, the bands are said to hold."""

_ALTERNATIVES = 8
"""Laws that are listed beside the best one."""

_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
img { width: 100%; } figcaption { font-size: .85rem; color: #555; }
figure { margin: 1rem 0; } table { border-collapse: collapse; font-size: .9rem; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; }
.short { background: #f4f4f4; padding: .5rem 1.2rem; }
"""


def own_page(
    name: str,
    measures: pd.DataFrame,
    notes: pd.DataFrame,
    errors: pd.DataFrame,
    told: pd.DataFrame,
    pictures: Mapping[str, str | Path],
    laws: Sequence[Laws] = (),
) -> str:
    """The page as HTML that needs no other file.

    Args:
        name: of the data in the configuration.
        measures: rows of `nodeflow.data.tables.MEASURES`.
        notes: rows of `nodeflow.data.tables.NOTES`, on the data.
        errors: rows of `nodeflow.data.tables.ERRORS`.
        told: rows of `nodeflow.data.tables.NOTES`, on the forecasts.
        pictures: a PNG file for each of `PICTURES`.
        laws: what was found of the law behind the series; nothing where it was not looked for.
    """

    def picture(which: str) -> str:
        content = base64.b64encode(Path(pictures[which]).read_bytes()).decode("ascii")
        text = escape(PICTURES[which])
        return (
            f'<figure><img alt="{text}" src="data:image/png;base64,{content}">'
            f"<figcaption>{text}</figcaption></figure>"
        )

    every = pd.concat([notes, told])
    limits = every[every["limits"]]["note"]
    title = escape(name)
    parts = [
        f"<h1>{title}: how far it can be forecast</h1>",
        '<div class="short">',
        _listed([_skill(errors), _bands(errors), _trust(errors)]),
        "</div>",
        "<h2>What the data are</h2>",
        _paragraph(_data(measures)),
        _listed(notes[~notes["limits"]]["note"]),
        picture("series"),
        _measures(measures),
        "<h2>What was learned</h2>",
        _listed(told[~told["limits"]]["note"]),
        picture("functions"),
        *(part for law in laws for part in _law(law)),
        "<h2>How well it forecasts</h2>",
        _paragraph(_skill(errors)),
        _errors(errors),
        picture("forecasts"),
        picture("errors"),
        "<h2>Whether the bands hold</h2>",
        _paragraph(_bands(errors)),
        "<h2>Which nodes not to trust</h2>",
        _listed([_trust(errors), *_nodes(errors)]),
        picture("flags"),
        "<h2>What could not be told</h2>",
        _listed(limits) if len(limits) else _paragraph("Nothing was found that limits the above."),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _law(found: Laws) -> Iterator[str]:
    """The law behind the series, or why there is none; and what else they allow."""
    yield "<h2>The law behind it</h2>"
    [law], [reason] = found.laws, found.reasons
    if law is None:
        yield _paragraph(f"No law was found. {reason}")
        return
    yield _paragraph(
        "Without a form being named, this was found for the functions of dx_i/dt = f(x_i) + "
        "h_ego(x_i) Σ_j A_ij h_alt(x_j):"
    )
    yield f"<p><code>{escape(str(law))}</code></p>"
    yield _paragraph(_verdict(law))
    rows = [
        (x["function"], x["atom"], x["parameter"], f"{x['value']:.6g}", f"{x['error']:.2g}")
        for x in law.table().to_dict("records")
    ]
    yield _table(("function", "term", "parameter", "value", "standard error"), rows)
    if law.alternatives:
        yield _paragraph("What the series do not exclude, with its weight:")
        yield _listed(f"{other.weight:.2g}: {other}" for other in law.alternatives[:_ALTERNATIVES])


def _verdict(law: Law) -> str:
    """How far a law is to be trusted."""
    low, high = law.seen
    seen = f"states from {low:.4g} to {high:.4g}"
    if not law.explains:
        return (
            "The law is undetermined: it leaves more of the series than noise, so that no law of "
            "the families that were searched explains them. Take it for a summary of the "
            f"{seen}, and use it for no others."
        )
    if law.undetermined:
        return (
            f"The law is undetermined: its weight is {law.weight:.2g}, and others explain the "
            f"series as well. They agree in the {seen}; beyond, ask how far they lie apart "
            "(laws.Law.spread)."
        )
    return (
        f"The series decide on it (weight {law.weight:.2g}) among the families that were searched; "
        f"it was found from {seen}, and leaves {law.noise:.3g} of the values."
    )


def _data(measures: pd.DataFrame) -> str:
    fact = measures.set_index("measure")["value"]
    kind = " ".join(
        word
        for measure, words in (
            ("directed", ("undirected", "directed")),
            ("weighted", ("unweighted", "weighted")),
        )
        for word in [words[int(fact[measure])]]
    )
    times = f"{fact['times_fewest']:.0f}"
    if fact["times_most"] > fact["times_fewest"]:
        times += f" to {fact['times_most']:.0f}"
    runs = "one run" if fact["runs"] == 1 else f"{fact['runs']:.0f} runs"
    article = "An" if kind.startswith("u") else "A"
    return (
        f"{article} {kind} network of {fact['nodes']:,.0f} nodes and {fact['edges']:,.0f} edges, "
        f"with series of {fact['observed_nodes']:,.0f} nodes: {runs} of {times} times from "
        f"t = {fact['first_time']:.4g} to {fact['last_time']:.4g}, with values from "
        f"{fact['low']:.4g} to {fact['high']:.4g}."
    )


def _skill(errors: pd.DataFrame) -> str:
    """How the ensemble compares to the best baseline."""
    every = errors[errors["by"] == "all"].set_index("method")
    mine, values = float(every["mae"]["ensemble"]), int(every["values"]["ensemble"])
    best = best_baseline(errors)
    other = float(every["mae"][best])
    by_node = errors[errors["by"] == "node"].pivot(index="node", columns="method", values="mae")
    better, nodes = int((by_node["ensemble"] < by_node[best]).sum()), len(by_node)
    means = f"{mine:.3g}, over {values:,} values that were held out"
    if mine < other:
        return (
            "The ensemble forecasts better than all baselines: its mean absolute error is "
            f"{means}, {_times(other / mine)} times smaller than that of the best "
            f"baseline, {METHODS[best]} ({other:.3g}). It is better at {better} of {nodes} nodes."
        )
    return (
        f"The ensemble does not forecast better than {METHODS[best]}: its mean absolute error is "
        f"{means}, and that of this baseline is {other:.3g}. Use the baseline. The ensemble is "
        f"better at {better} of {nodes} nodes."
    )


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _bands(errors: pd.DataFrame) -> str:
    """Whether bands cover what they should."""
    overall = errors[(errors["by"] == "all") & (errors["method"] == "ensemble")].iloc[0]
    half, most = overall["covered_50"], overall["covered_90"]
    told = f"the 50 % band covers {half:.0%} of the held-out values, and the 90 % band {most:.0%}"
    if most < _TOO_FEW:
        return f"The bands are too narrow: {told}. Take forecasts for less certain than they look."
    if most > _TOO_MANY:
        return f"The bands are too wide: {told}. Forecasts are more certain than they look."
    return f"The bands hold: {told}."


def _trust(errors: pd.DataFrame) -> str:
    """How much is flagged."""
    ensemble = errors[errors["method"] == "ensemble"]
    share = 1 - float(ensemble[ensemble["by"] == "all"]["trusted"].iloc[0])
    nodes = ensemble[ensemble["by"] == "node"]
    flagged = nodes[nodes["trusted"] < 1]
    if not len(flagged):
        return "No forecast is flagged: all states stay where the ensemble has learned."
    return (
        f"{share:.0%} of the forecasts are flagged, of {len(flagged)} of {len(nodes)} nodes: their "
        "states, or those of nodes that act on them, leave what was seen in training, so these "
        "forecasts are extrapolations."
    )


def _nodes(errors: pd.DataFrame) -> Iterator[str]:
    """Nodes that should not be trusted, by name."""
    ensemble = errors[errors["method"] == "ensemble"]
    nodes = ensemble[ensemble["by"] == "node"].set_index("node")
    flagged = nodes[nodes["trusted"] < 1].sort_values("trusted").index
    if len(flagged):
        yield f"Most often flagged: {_some(flagged)}."
    best = best_baseline(errors)
    by_node = errors[errors["by"] == "node"].pivot(index="node", columns="method", values="mae")
    ratio = (by_node["ensemble"] / by_node[best]).sort_values(ascending=False)
    worse = ratio[ratio > 1].index
    if len(worse):
        yield f"Forecast worse than by {METHODS[best]}: {_some(worse)}."
    missed = nodes[nodes["covered_90"] < _TOO_FEW].sort_values("covered_90").index
    if len(missed):
        yield f"Their 90 % band covers less than {_TOO_FEW:.0%} of the values: {_some(missed)}."


def _some(nodes: pd.Index[Any]) -> str:
    names = nodes.tolist()
    shown = ", ".join(str(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _errors(errors: pd.DataFrame) -> str:
    rows = errors[(errors["by"] == "all") & errors["mae"].notna()].sort_values("mae")
    body = [
        (METHODS[row["method"]], f"{row['mae']:.4g}", f"{row['rmse']:.4g}")
        for row in rows.to_dict("records")
    ]
    return _table(("forecast", "mean absolute error", "root of the mean square"), body)


def _measures(measures: pd.DataFrame) -> str:
    body = [
        (row["measure"].replace("_", " "), f"{row['value']:,.4g}", row["about"])
        for row in measures[measures["of"] == "network"].to_dict("records")
    ]
    return _table(("measure", "value", "meaning"), body)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = ["<table>", "<tr>" + "".join(f"<th>{escape(x)}</th>" for x in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(x)}</td>" for x in row) + "</tr>" for row in body]
    return "\n".join([*lines, "</table>"])


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _listed(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"
