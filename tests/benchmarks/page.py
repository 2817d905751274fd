"""docs/performance.md, with the tables and figures of what was measured last."""

from __future__ import annotations

import re

import numpy as np
from footprint import ALONE
from measure import ROOT, median_of
from results import Found, load, newest
from rows import Row
from tables import NOTHING, against_table, markdown, table

PAGE = ROOT / "docs" / "performance.md"
_STATIC = PAGE.parent / "_static"
_MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_INK, _GRID = "#22384f", "#dfe8f1"
_LIMIT = "limit of the machine"
_STYLES = {
    "xvcluster": {"color": "#c0392b", "lw": 2.2},
    _LIMIT: {"color": "#8a949e", "lw": 1.2, "ls": "--", "marker": ""},
}
_PEERS = ("#2f6f9f", "#7a9a3c", "#8a6fb0", "#b8860b")
FIGURES = {
    "size": ("kmeans", "k-means, k = 8, 10 restarts, 40 levels"),
    "dtw": ("dtw", "DTW, k = 5, one restart, 50 levels"),
    "batch": ("map", "batch map, 8 × 8, 50 passes, 40 levels"),
}
"""Of a table whose rows have sizes: the name of the file, and the title."""


def write(rows: dict[str, Row]) -> None:
    """Put what was measured last into the page, and draw its figures."""
    results = load()
    text = PAGE.read_text(encoding="utf-8")

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}{_content(match[2], rows, results)}\n{match[3]}"

    PAGE.write_text(_MARKED.sub(fill, text), encoding="utf-8")
    for name, (file, title) in FIGURES.items():
        measured = [row for row in rows.values() if row.table == name and row.size]
        _draw([row for row in measured if row.name in results], results, file, title)


def _content(name: str, rows: dict[str, Row], results: dict[str, Found]) -> str:
    """What stands between the marks of that name."""
    if name == "machine":
        return _describe(results)
    if name == "changed":
        return against_table(results[name]["calls"]) if name in results else NOTHING
    if name in ALONE:
        return markdown(ALONE[name][0], results[name]["lines"]) if name in results else NOTHING
    return table(name, rows, results)


def _describe(results: dict[str, Found]) -> str:
    """The machine, the day, and what a probe measured."""
    probed = {name: found for name, found in results.items() if "probe" in found}
    if not probed:
        return NOTHING
    last = newest(probed)
    probe = last["probe"]
    return (
        f"Measured on {last['when'][:10]} on {last['machine']}: "
        f"{probe['flops'] / 1e9:.0f} Gflop/s in float32 (a product of matrices), "
        f"{probe['bytes'] / 1e9:.0f} GB/s of memory traffic (a + s·b → c)."
    )


def _draw(rows: list[Row], results: dict[str, Found], file: str, title: str) -> None:
    """Seconds against the number of profiles, for every contender that has two sizes or more."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams |= {"svg.hashsalt": "performance", "font.size": 11, "svg.fonttype": "path"}
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(3.7, 3.9), layout="constrained")
    colours = iter(_PEERS)
    for name, points in _series(rows, results).items():
        n, own = np.array(sorted(points)).T
        style = _STYLES.get(name) or {"color": next(colours), "lw": 1.5}
        ax.plot(n, own, **{"marker": "o", "ms": 4, "label": name} | style)
    ax.set(xscale="log", yscale="log", xlabel="profiles", ylabel="seconds")
    ax.set_title(title, fontsize=11, color=_INK, loc="left")
    ax.grid(color=_GRID)
    ax.spines[["top", "right"]].set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter("")
    if ax.lines:
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    figure.savefig(_STATIC / f"performance_{file}.svg", metadata={"Date": None})
    plt.close(figure)


def _series(rows: list[Row], results: dict[str, Found]) -> dict[str, list[tuple[int, float]]]:
    """Points (profiles, seconds) of every contender, and of the limit."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        for name in (each.name for each in row.contenders):
            calls = results[row.name]["calls"].get(name, "not run")
            if not isinstance(calls, str):
                found.setdefault(name, []).append((row.size, median_of(calls)))
        if row.work is not None:
            least = row.work.limit(results[row.name]["probe"])[0]
            found.setdefault(_LIMIT, []).append((row.size, least))
    return {name: points for name, points in found.items() if len(points) > 1}
