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
import tempfile
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
    print(json.dumps({}), file=pipe)
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

    def __init__(self, row: Row, contender: Contender, checkout: Path, is_quick: bool) -> None:
        quick = ["--quick"] * is_quick
        command = [sys.executable, str(HERE), "--answer", row.name, contender.name, *quick]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  a pipe might fill up
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | {"PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"},
        )
        self.calls: list[Told] = []
        self.failure = ""

    def hear(self) -> Told:
        """What it says next; nothing if it has failed."""
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if line:
            told: Told = json.loads(line)
            return told
        self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().strip().splitlines()[-1:]
        self.failure = " ".join(last) or f"ended with {self._process.returncode}"
        return {}

    def call(self, seed: int) -> None:
        """Let it make one call."""
        self._process.stdin.write(f"{seed}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        told = self.hear()
        if told:
            self.calls.append({"seed": seed} | told)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def _processes(
    row: Row, contenders: dict[str, tuple[Contender, Path]], is_quick: bool
) -> Iterator[dict[str, Process]]:
    """Start a process for each of some contenders, and end them."""
    started = {name: Process(row, *each, is_quick) for name, each in contenders.items()}
    try:
        for process in started.values():
            process.hear()  # that it is ready
        yield started
    finally:
        for process in started.values():
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
    with _processes(row, contenders, is_quick) as processes:
        for name, process in processes.items():
            is_peer = bool(contenders[name][0].package)
            _begin(process, is_peer=is_peer)
        wanted = {
            name: _number_of_calls(median_of(process.calls), row.least_calls, is_quick)
            for name, process in processes.items()
            if not process.failure
        }
        for i in range(max(wanted.values(), default=0)):
            for name, number in wanted.items():
                process = processes[name]
                if len(process.calls) == i < number and not process.failure:
                    process.call(SEEDS[i % len(SEEDS)])
        return {name: each.failure or each.calls for name, each in processes.items()}


def _begin(process: Process, *, is_peer: bool) -> None:
    """Let a process make its first call that counts."""
    if not process.failure:
        process.call(SEEDS[0])
    is_cheap = not process.failure and process.calls[0]["seconds"] < _CHEAP
    if not process.failure and (is_cheap or not is_peer):
        process.calls.clear()
        process.call(SEEDS[0])


def median_of(calls: list[Told], clock: str = "seconds") -> float:
    """Median seconds of some calls, or of the processors in them ("cpu")."""
    return float(np.median([call[clock] for call in calls]))


def by_seed(calls: list[Told], key: str) -> dict[int, Any]:
    """What the calls said, for each seed."""
    return {call["seed"]: call[key] for call in calls if key in call}
