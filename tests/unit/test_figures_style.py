"""What figures look like: heat maps, and files that hold the whole figure."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import Normalize, to_hex

from nodeflow.figures.style import drawing, heat_map, panels, save


def test_a_heat_map_has_the_rows_of_its_table_from_top_to_bottom() -> None:
    table = pd.DataFrame([[0.0, 1.0, np.nan], [0.9, 0.1, 0.5]], ["a", "b"], [2.1, 3.0, 3.9])
    texts = table.map(lambda x: f"<{x}>")
    with drawing():
        figure, (axis,) = panels(1)
        heat_map(axis, table, texts, Normalize(0, 1), "error")
        figure.canvas.draw()
        said = {x.get_text(): axis.transAxes.inverted().transform(
            axis.transData.transform(x.get_position())
        ) for x in axis.texts}  # fmt: skip
        colour = {x.get_text(): to_hex(x.get_color()) for x in axis.texts}
        plt.close(figure)
    assert set(said) == {"<0.0>", "<1.0>", "<0.9>", "<0.1>", "<0.5>"}  # none where nothing is
    np.testing.assert_allclose(said["<1.0>"], [1 / 2, 3 / 4])
    np.testing.assert_allclose(said["<0.9>"], [1 / 6, 1 / 4])
    assert [x.get_text() for x in axis.get_xticklabels()] == ["2.1", "3.0", "3.9"]
    assert [x.get_text() for x in axis.get_yticklabels()] == ["a", "b"]
    assert colour["<0.0>"] == colour["<0.1>"] == "#ffffff"  # cividis begins dark
    assert colour["<1.0>"] == colour["<0.9>"] != "#ffffff"


def test_pictures_hold_all_that_is_drawn_and_have_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with drawing():
            figure, (axis,) = panels(1)
            axis.plot([0, 1], [0, 1], label="a line with a long name")
            axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
            axis.annotate("far out", (1.6, 1.3), xycoords="axes fraction", annotation_clip=False)
            save(figure, tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for kind in ("png", "pdf"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    ink = plt.imread(tmp_path / "one.png")[..., :3].min(2) < 1
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    margin = 0.1 * 150  # matplotlib's padding in inches, and pixels per inch
    edges = [rows[0], ink.shape[0] - 1 - rows[-1], columns[0], ink.shape[1] - 1 - columns[-1]]
    np.testing.assert_allclose(edges, margin, atol=6)


def test_large_numbers_leave_no_factor_at_the_end_of_an_axis(tmp_path: Path) -> None:
    with drawing():
        figure, (large, small) = panels(2)
        large.plot([0.0, 1.0], [-2e6, 3e6])
        small.plot([0.0, 1.0], [0.0, 3.0])
        save(figure, tmp_path / "a.png", tmp_path / "a.pdf")
    assert large.yaxis.get_offset_text().get_text() == ""
    labels = [x.get_text() for x in large.get_yticklabels()]
    np.testing.assert_allclose(
        [float(x.replace("\u2212", "-")) for x in labels], large.get_yticks(), atol=1
    )
    assert "e" not in "".join(x.get_text() for x in small.get_yticklabels())
