"""Times side by side: every contender is a process that makes its call when it is told to.

So libraries do not disturb each other, two states of xvcluster can be timed in turn, and only one
of the processes computes at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from contenders import Contender, maps_of
from models import matrix
from rows import Row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEEDS = (0, 1, 2)
_CHEAP, _LONG = 5.0, 40.0  # seconds
Told = dict[str, Any]
"""What a process says of a call: its seconds, the quality, the fingerprint of its maps."""


def answer(row: Row, contender: Contender) -> None:
    """Make a contender's call once for every seed that is read, and tell what came of it.

    The process writes to nothing else but the pipe that its standard output was at the start.
    """
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    model = row.model()
    profiles = matrix(model)
    call = contender.prepare(model)
    print(json.dumps("ready"), file=pipe)
    for line in sys.stdin:
        start, start_cpu = time.perf_counter(), time.process_time()
        outcome = call(int(line))
        wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        told: Told = {"seconds": wall, "cpu": cpu}
        if row.quality is not None and contender.is_peer:
            told["quality"] = row.quality.measure(profiles, contender.nodes(outcome))
        if not contender.package:
            maps = maps_of(outcome)
            told["maps"] = hashlib.sha256(b"".join(each.tobytes() for each in maps)).hexdigest()
        print(json.dumps(told), file=pipe)


class Process:
    """A contender in a process of its own, with the xvcluster of a checkout."""

    def __init__(self, row: Row, contender: Contender, is_quick: bool, checkout: Path) -> None:
        quick = ["--quick"] * is_quick
        command = [sys.executable, str(HERE), "--answer", row.name, contender.name, *quick]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"},
        )
        self.calls: list[Told] = []
        self._told()

    def _told(self) -> Told:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            last = self._process.communicate()[1].strip().splitlines()[-1:]
            raise RuntimeError(" ".join(last) or f"ended with {self._process.returncode}")
        told: Told = json.loads(line)
        return told

    def call(self, seed: int) -> None:
        """Let it make one call."""
        self._process.stdin.write(f"{seed}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        self.calls.append({"seed": seed} | self._told())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def _processes(
    row: Row, told: dict[str, tuple[Contender, Path]], is_quick: bool
) -> Iterator[tuple[dict[str, Process], dict[str, str]]]:
    """Start a process for each of some contenders; also say why some cannot be."""
    running: dict[str, Process] = {}
    absent: dict[str, str] = {}
    try:
        for name, (contender, checkout) in told.items():
            try:
                running[name] = Process(row, contender, is_quick, checkout)
            except RuntimeError as error:
                absent[name] = str(error)
        yield running, absent
    finally:
        for process in running.values():
            process.close()


def _number_of_calls(seconds: float, least: int, is_quick: bool) -> int:
    """How many calls of a contender are timed, from the seconds of the first."""
    if is_quick:
        return 3 if seconds < _CHEAP else 1
    return 5 if seconds < _CHEAP else 3 if seconds < _LONG else least


def in_turn(
    row: Row, contenders: dict[str, tuple[Contender, Path]], is_quick: bool
) -> dict[str, Any]:
    """Let contenders make their calls in turn; those that take long make fewer.

    A first call that does not count warms xvcluster up, which compiles, and peers if it is cheap.

    Returns
    -------
    dict of str to (list of Told or str)
        The calls of each, or why there are none.
    """
    with _processes(row, contenders, is_quick) as (running, absent):
        wanted = {}
        for name, process in running.items():
            process.call(SEEDS[0])
            is_peer = bool(contenders[name][0].package)
            if not is_peer or process.calls[0]["seconds"] < _CHEAP:
                process.calls.clear()
                process.call(SEEDS[0])
            wanted[name] = _number_of_calls(median_of(process.calls), row.least_calls, is_quick)
        for i in range(max(wanted.values(), default=0)):
            for name, process in running.items():
                if len(process.calls) == i < wanted[name]:
                    process.call(SEEDS[i % len(SEEDS)])
        return absent | {name: process.calls for name, process in running.items()}


def median_of(calls: list[Told], clock: str = "seconds") -> float:
    """Median seconds of some calls, or of the processors in them ("cpu")."""
    return float(np.median([call[clock] for call in calls]))


def by_seed(calls: list[Told], key: str) -> dict[int, Any]:
    """What the calls said, for each seed."""
    return {call["seed"]: call[key] for call in calls if key in call}
