"""Rows one after the other, each told as soon as it is measured."""

from __future__ import annotations

import time
from pathlib import Path

import results
from footprint import ALONE
from machine import describe, probe, version_of
from measure import ROOT, in_turn
from rows import Row
from tables import against_table, are_worse, markdown, table


def beside_peers(rows: dict[str, Row], names: list[str], is_quick: bool, *, keeps: bool) -> int:
    """Time xvcluster beside its peers, print the tables and perhaps keep what they hold."""
    limits = probe()
    flops, traffic = limits["flops"] / 1e9, limits["bytes"] / 1e9
    print(f"{describe()}: {flops:.0f} Gflop/s in float32, {traffic:.0f} GB/s", flush=True)
    worse = []
    for name in names:
        start = time.perf_counter()
        if name in ALONE:
            if is_quick:
                continue
            header, measure = ALONE[name]
            found = results.note(lines=measure())
            text = markdown(header, found["lines"])
        else:
            row = rows[name]
            found = _measure(row, is_quick) | {"probe": limits}
            worse += [f"{name}: {peer}" for peer in are_worse(row, found)]
            text = table(row.table, {name: row}, {name: found})
        print(f"\n### {name} ({time.perf_counter() - start:.0f} s)\n\n{text}", flush=True)
        if keeps:
            results.save(results.load() | {name: found})
    print(f"\nworse than: {', '.join(worse) or 'none'}")
    return min(len(worse), 1)


def _measure(row: Row, is_quick: bool) -> results.Found:
    """Let the contenders of a row that are installed make their calls in turn."""
    known = {each.name: each for each in row.contenders}
    there = {
        name: (each, ROOT) for name, each in known.items() if version_of(each.package or "numpy")
    }
    absent = dict.fromkeys(known.keys() - there.keys(), "not installed")
    calls = absent | in_turn(row, there, is_quick)
    return results.note(calls=calls, versions=results.versions(row))


def against(
    rows: dict[str, Row], names: list[str], is_quick: bool, checkout: Path, *, keeps: bool
) -> int:
    """Time this state of xvcluster in turn with another, row by row."""
    changed = results.load().get("changed", {"calls": {}})["calls"] if keeps else {}
    start = 0
    for row in (rows[name] for name in names if name in rows):
        for each in row.own:
            title = row.task if len(row.own) == 1 else f"{row.task}: `{each.name}`"
            states = {"now": (each, ROOT), "before": (each, checkout)}
            calls = in_turn(row, states, is_quick)
            lines = against_table({f"{row.name}: {title}": calls}).splitlines()
            print("\n".join(lines[start:]), flush=True)
            start = 2  # the header is there
            changed |= {title: calls}
            if keeps:
                results.save(results.load() | {"changed": results.note(calls=changed)})
    return 0
