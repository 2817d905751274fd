"""The tables of docs/performance.md, as they are printed too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from measure import Told, by_seed, median_of
from results import Found, is_old
from rows import Row

Line = list[str]
NOTHING = "Not measured yet."
_OLD = " †"


def seconds(value: float) -> str:
    """Seconds to two digits, or as milliseconds."""
    if value < 0.1:
        return f"{1000 * value:.2g}\N{NO-BREAK SPACE}ms"
    return f"{value:.2g}\N{NO-BREAK SPACE}s" if value < 10 else f"{value:,.0f}\N{NO-BREAK SPACE}s"


def times(value: float) -> str:
    """A ratio to two or three digits."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _limit(row: Row, found: Found, own: float) -> Line:
    """The least time on that machine, and its share of ours."""
    if row.work is None:
        return ["", ""]
    least, of_what = row.work.limit(found["probe"])
    return [f"{seconds(least)}, {of_what}", f"{100 * least / own:.2g}\N{NO-BREAK SPACE}%"]


def verdict(row: Row, own: list[Told], peer: list[Told]) -> tuple[str, bool]:
    """How our outcomes compare with a peer's from the same seeds, and whether they are worse."""
    ours, theirs = by_seed(own, "quality"), by_seed(peer, "quality")
    seeds = sorted(ours.keys() & theirs.keys())
    if row.quality is None or not seeds:
        return "another distance", False
    return row.quality.compare(*(np.array([each[s] for s in seeds]) for each in (ours, theirs)))


def are_worse(row: Row, found: Found) -> list[str]:
    """Peers to whose outcomes ours are inferior."""
    first, *peers = (each.name for each in row.contenders)
    calls = {name: told for name, told in found["calls"].items() if not isinstance(told, str)}
    both = [peer for peer in peers if row.quality and {first, peer} <= calls.keys()]
    return [peer for peer in both if verdict(row, calls[first], calls[peer])[1]]


def _of_peers(row: Row, found: Found) -> Iterable[Line]:
    """A line for each peer."""
    first, *peers = (each.name for each in row.contenders)
    own = found["calls"][first]
    mine = median_of(own)
    told = [row.task, seconds(mine)], _limit(row, found, mine)
    for peer in peers:
        calls = found["calls"].get(peer, "not run")
        library, *how = peer.split(", ")
        name = ", ".join([f"{library} {found['versions'].get(peer) or ''}".strip(), *how])
        if isinstance(calls, str):
            middle = [f"{name}: {calls}", "", ""]
        else:
            quality, is_worse = verdict(row, own, calls)
            theirs = median_of(calls)
            quality += " **worse**" * is_worse
            middle = [f"{name}, {seconds(theirs)}", times(theirs / mine), quality]
        yield told[0] + middle + told[1]
        told = ["", ""], ["", ""]


def _of_repeats(row: Row, found: Found) -> Iterable[Line]:
    """What is done again and again, beside the fit that it repeats."""
    once, again = (median_of(found["calls"][each.name]) for each in row.contenders)
    names = [
        f"{each.name}, {seconds(t)}" for each, t in zip(row.contenders, (once, again), strict=True)
    ]
    yield [row.task, *names, times(again / once), *_limit(row, found, again)]


def _of_calls(row: Row, found: Found) -> Iterable[Line]:
    """Milliseconds of a call."""
    yield [row.task, f"{1000 * median_of(found['calls'][row.contenders[0].name]):.0f}"]


_PEERS = ["task", "xvcluster", "peer", "ratio of times", "", "limit", "share of it"]
_KINDS: dict[str, tuple[Line, Callable[[Row, Found], Iterable[Line]]]] = {
    **dict.fromkeys(("euclidean", "dtw", "online", "batch", "size"), (_PEERS, _of_peers)),
    "again": (["work", "once", "again", "ratio of times", "limit", "share of it"], _of_repeats),
    "calls": (["call", "milliseconds"], _of_calls),
}


def table(name: str, rows: dict[str, Row], results: dict[str, Found]) -> str:
    """The table of that name, of what has been measured of its rows."""
    measured = [row for row in rows.values() if row.table == name and row.name in results]
    if not measured:
        return NOTHING
    if name == "growth":
        return _growth(measured, results)
    header, lines_of = _KINDS[name]
    quality = next((row.quality.header for row in measured if row.quality), "")
    lines = []
    for row in measured:
        told = [list(line) for line in _lines(row, results[row.name], lines_of)]
        told[0][0] += _OLD * is_old(results[row.name], results)
        lines += told
    return markdown([each or quality for each in header], lines)


def _lines(
    row: Row, found: Found, lines_of: Callable[[Row, Found], Iterable[Line]]
) -> Iterable[Line]:
    """The lines of a row, or why there are none."""
    for each in row.own:
        told = found["calls"][each.name]
        if isinstance(told, str):
            return [[f"{row.task}: {each.name}: {told}"]]
    return lines_of(row, found)


def _growth(measured: list[Row], results: dict[str, Found]) -> str:
    """Seconds at some sizes of each task, and the exponent from the first to the last."""
    lines = []
    for task in dict.fromkeys(row.task for row in measured):
        group = [row for row in measured if row.task == task]
        own = [median_of(results[row.name]["calls"][row.contenders[0].name]) for row in group]
        sizes = [row.size for row in group]
        told = ", ".join(f"{n:,}: {seconds(t)}" for n, t in zip(sizes, own, strict=True))
        growth, more = np.log(own[-1] / own[0]), np.log(sizes[-1] / sizes[0])
        mark = _OLD * any(is_old(results[row.name], results) for row in group)
        share = _limit(group[-1], results[group[-1].name], own[-1])[1]
        lines.append([task + mark, told, f"{growth / more:.2f}" if more else "", share])
    return markdown(["what grows", "time", "exponent", "share of the limit, last"], lines)


def against_table(told: dict[str, dict[str, Any]]) -> str:
    """Two states of xvcluster: medians, their ratio, and whether the maps are the same."""
    header = ["task", "before", "now", "ratio of times", "of processor times", "maps"]
    return markdown(header, [[title, *_against(calls)] for title, calls in told.items()])


def _against(calls: dict[str, Any]) -> Line:
    """What `against_table` says of one call."""
    now, before = calls["now"], calls["before"]
    if isinstance(now, str) or isinstance(before, str):
        return [each if isinstance(each, str) else "" for each in (before, now)]
    own, other = ([median_of(each, c) for c in ("seconds", "cpu")] for each in (now, before))
    ratios = [f"{mine / its:.2f}" for mine, its in zip(own, other, strict=True)]
    maps, old_maps = by_seed(now, "maps"), by_seed(before, "maps")
    is_same = all(maps[seed] == old_maps[seed] for seed in maps.keys() & old_maps.keys())
    return [
        seconds(other[0]),
        seconds(own[0]),
        *ratios,
        "same" if is_same else _change(now, before),
    ]


def _change(now: list[Told], before: list[Told]) -> str:
    """How the quality differs on average over the seeds that both had."""
    own, other = by_seed(now, "quality"), by_seed(before, "quality")
    seeds = sorted(own.keys() & other.keys())
    if not seeds:
        return "others"
    ratios = np.array([own[s] for s in seeds]) / np.array([other[s] for s in seeds])
    return f"others: inertia or errors × {ratios.mean():.5f}, at most × {ratios.max():.5f}"


def markdown(header: Line, lines: list[Line]) -> str:
    """A table in Markdown."""
    rows = [header, ["---"] * len(header), *lines]
    text = "\n".join(f"| {' | '.join(row + [''] * (len(header) - len(row)))} |" for row in rows)
    return text.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")
