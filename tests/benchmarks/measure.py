"""Medians of several runs side by side, and the table of them."""

import time
from statistics import median

import numpy as np

_LONG = 15.0
_REPEATS = 5


def compare(ours, *, quality, at_most=1.001, **peers):
    """Alternate our call with those of its peers, check the quality, and print a table.

    Every call returns what `quality` makes a number of, the less the better. Ours is called once
    beforehand, so that compiling is not timed; a peer that takes long is called once.
    """
    ours()
    calls = {"xvcluster": ours, **peers}
    seconds = {name: [] for name in calls}
    reached = {}
    for repeat in range(_REPEATS):
        for name, call in calls.items():
            if repeat and seconds[name][0] > _LONG:
                continue
            start = time.perf_counter()
            outcome = call()
            seconds[name].append(time.perf_counter() - start)
            reached[name] = quality(outcome)
    own = median(seconds["xvcluster"])
    print("| | median s | times ours | our inertia over its |\n| --- | --- | --- | --- |")
    for name, times in seconds.items():
        worst = np.max(reached["xvcluster"] / reached[name])
        verdict = "" if worst <= at_most else " **worse**"
        print(
            f"| {name} | {median(times):.3g} | {median(times) / own:.3g} | {worst:.5f}{verdict} |"
        )


def seconds_of(call, repeats=3):
    """Median seconds of a call that has been made once before."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)
