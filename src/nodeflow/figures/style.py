"""How every figure looks, and how it is saved: same colours everywhere, same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter, StrMethodFormatter

from nodeflow.tables import replacing

__all__ = [
    "band",
    "colours",
    "degree_axis",
    "drawing",
    "heat_map",
    "heat_panels",
    "line_under",
    "note",
    "outside_legend",
    "panels",
    "save",
    "set_colours",
]

# Okabe and Ito's palette: distinct for every kind of colour vision, ordered in lightness too.
_PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]

# Seaborn's style as matplotlib has it: seaborn takes a second to load, and few figures use it.
_STYLE = "seaborn-v0_8-ticks"

_RC: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 3.5,
    "ytick.major.size": 3.5,
    "xtick.minor.size": 2,
    "ytick.minor.size": 2,
    "axes.formatter.min_exponent": 2,  # 0.4, not 4 × 10⁻¹, which leaves no room for its neighbour
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "pdf.fonttype": 42,
}


@contextmanager
def drawing() -> Iterator[None]:
    """The style of nodeflow's figures, for the body only."""
    with plt.style.context([_STYLE, _RC]):
        yield


def set_colours() -> dict[str, str]:
    """One colour a reference level beside generated networks."""
    order = {"zoo": 6, "held-out": 5, "pair mean": 2, "soup": 3, "gaussian": 4, "noise": 7}
    return {name: _PALETTE[i] for name, i in order.items()}


def colours(values: Sequence[float]) -> dict[float, tuple[float, float, float]]:
    """Ordered colours for an ordered quantity (γ, width …), readable in grey."""
    ordered = sorted(set(values))
    # The ends of the map, too dark and too light for lines, are left out.
    places = np.linspace(0, 1, len(ordered) + 2)[1:-1]
    palette = matplotlib.colormaps["viridis"](places)[:, :3].tolist()
    return {value: (r, g, b) for value, (r, g, b) in zip(ordered, palette, strict=True)}


def panels(
    count: int,
    columns: int = 5,
    width: float = 2.6,
    height: float = 2.4,
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels in rows of at most `columns`.

    `width` and `height` of a panel are means where `widths` of columns or `heights` of rows stand
    in ratios to each other.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False,
        layout="constrained", width_ratios=widths, height_ratios=heights,
    )  # fmt: skip
    flat = list(axes.flat)
    for axis in flat[count:]:
        axis.set_visible(False)
    return figure, flat[:count]


def band(
    axis: Axes, table: pd.DataFrame, x: str, y: str, colour: object, label: str | None = None,
    marker: str = "o",
) -> None:  # fmt: skip
    """The median of `y` at each `x` with a band from the first to the last decile."""
    grouped = table.groupby(x)[y].quantile(np.array([0.1, 0.5, 0.9])).unstack()
    at = grouped.index.to_numpy(dtype=float)
    values = grouped.to_numpy(dtype=float)
    axis.fill_between(at, values[:, 0], values[:, 2], color=colour, alpha=0.18, linewidth=0)
    axis.plot(at, values[:, 1], color=colour, marker=marker, markersize=3.5, label=label)


def degree_axis(axis: Axes, degrees: pd.Series) -> None:
    """A logarithmic axis of degrees on which isolated nodes have a place, at 0."""
    if (degrees == 0).any():
        axis.set_xscale("symlog", linthresh=1)
        axis.set_xlim(left=-0.3)
    else:
        axis.set_xscale("log")


def note(axis: Axes, text: str) -> None:
    """A small remark between title and axes: n, what the band is."""
    axis.set_title(axis.get_title(), pad=7 + 8 * (1 + text.count("\n")))
    axis.annotate(
        text, (0.5, 1.0), (0, 4), xycoords="axes fraction", textcoords="offset points", ha="center",
        va="bottom", fontsize=6.5, color="0.35",
    )  # fmt: skip


def line_under(figure: Figure, text: str) -> None:
    """A remark in one line under a whole figure, on what all of its panels share: n, the bands."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7, color="0.35")


def outside_legend(axis: Axes, title: str | None = None) -> None:
    """The legend of an axis to the right of it, where it hides no data."""
    axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), title=title, title_fontsize=7)


_TURNED = 5
"""Heat maps with more rows than that have no room for labels that are turned."""


def heat_panels(
    count: int, rows: int, columns: int, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """As `panels`, at least as large as the texts in the cells of heat maps need.

    Args:
        count: of panels.
        rows: of the heat map in each.
        columns: likewise.
        width: of a panel at least, in inches.
        height: likewise.
    """
    wide, high = max(width, 0.36 * columns + 1.4), max(height, 0.24 * rows + 1.0)
    return panels(count, width=wide, height=high)


def heat_map(
    axis: Axes, table: pd.DataFrame, texts: pd.DataFrame, norm: Normalize, label: str
) -> None:
    """The cells of a table as colours with a text in each; rows from top to bottom, empty if NaN.

    `seaborn.heatmap` draws the whole figure, and finds its layout, to see whether labels overlap.

    Args:
        axis: to draw on.
        table: the values.
        texts: of its cells.
        norm: of the values to colours.
        label: of the bar of colours.
    """
    axis.spines[:].set_visible(False)
    values = np.ma.masked_invalid(table.to_numpy(dtype=float))
    mesh = axis.pcolormesh(values, cmap="cividis", norm=norm)
    rows, columns = values.shape
    axis.set(xlim=(0, columns), ylim=(rows, 0))
    axis.figure.colorbar(mesh, ax=axis, label=label).outline.set_linewidth(0)
    axis.set_xticks(np.arange(columns) + 0.5, [str(x) for x in table.columns])
    turned = "vertical" if rows <= _TURNED else "horizontal"
    axis.set_yticks(
        np.arange(rows) + 0.5, [str(x) for x in table.index], rotation=turned, va="center"
    )
    dark = _luminance(mesh.to_rgba(values)[..., :3]) <= 0.408
    for row, column in zip(*np.nonzero(~np.ma.getmaskarray(values)), strict=True):
        axis.text(
            column + 0.5, row + 0.5, str(texts.iat[row, column]), size=7, ha="center", va="center",
            color="white" if dark[row, column] else "0.15",
        )  # fmt: skip


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """Relative luminance of colours (…, 3) as WCAG 2 defines it: from 0, black, to 1, white."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance: np.ndarray = linear @ [0.2126, 0.7152, 0.0722]
    return luminance


def _write_in_full(figure: Figure) -> None:
    """No factor such as 1e6 at the end of an axis, where it would cross a title or a note."""
    for axis in (side for axes in figure.axes for side in (axes.xaxis, axes.yaxis)):
        formatter = axis.get_major_formatter()
        if isinstance(formatter, ScalarFormatter):
            formatter.set_locs(axis.get_majorticklocs().tolist())
            if formatter.get_offset():
                axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def save(figure: Figure, png: str | Path, pdf: str | Path) -> None:
    """Write a figure as PNG (report) and PDF (paper); equal figures give equal bytes."""
    figure.set_dpi(plt.rcParams["savefig.dpi"])  # by which letters are as wide as in the picture
    _write_in_full(figure)
    figure.draw_without_rendering()
    # Layout and margins are found, and need not be found for every file: with an engine or "tight"
    # matplotlib would draw each of them twice.
    figure.set_layout_engine(None)
    whole = figure.get_tightbbox().padded(plt.rcParams["savefig.pad_inches"])
    for path, metadata in ((png, {"Software": None}), (pdf, {"CreationDate": None})):
        with replacing(path) as beside:
            figure.savefig(
                beside, format=Path(path).suffix[1:], metadata=metadata, bbox_inches=whole
            )
    plt.close(figure)
