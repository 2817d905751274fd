"""Results and checkpoints that were damaged or edited: refused in a sentence, or harmless."""

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutations.py")
SECONDS = 120
"""Time that one mutation may take before it is taken to hang."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder with results of every method, metric and normalization, in both kinds of file."""
    spec = importlib.util.spec_from_file_location("mutations", SCRIPT)
    mutations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutations)
    folder = tmp_path_factory.mktemp("originals")
    mutations.make_originals(folder)
    return folder


def run(originals, log, first, stop):
    """Try mutations in processes of their own, and go on after one that crashed or hung."""
    outcomes = {}
    while first < stop:
        command = [sys.executable, SCRIPT, originals, str(first), str(stop), log]
        process, before = subprocess.Popen(command), -1
        while process.poll() is None:
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                before, known = log.stat().st_size if log.exists() else 0, before
                if before == known:
                    process.kill()
        text = log.read_text() if log.exists() else ""
        outcomes = {n: said for n, *said in map(json.loads, text.splitlines())}
        first = max(outcomes, default=first) + 1
    return outcomes


def try_all(originals, folder, first, stop):
    """Try mutations on two cores; how many of each outcome, and all that is wrong."""
    middle = (first + stop) // 2
    with ThreadPoolExecutor() as pool:
        found = pool.map(
            partial(run, originals),
            (folder / "one.log", folder / "other.log"), (first, middle), (middle, stop),
        )  # fmt: skip
        outcomes = {n: said for part in found for n, said in part.items()}
    outcomes = {n: outcomes.get(n, ["began"]) for n in range(first, stop)}
    wrong = {n: said for n, said in outcomes.items() if said[0] not in {"refused", "harmless"}}
    return Counter(said[0] for said in outcomes.values()), wrong


@pytest.fixture
def check(originals, tmp_path, record_property):
    """Tries mutations, and asserts that each is refused in a sentence or harmless."""

    def check(first, stop):
        counts, wrong = try_all(originals, tmp_path, first, stop)
        record_property("mutations", dict(counts))
        assert not wrong, "\n".join(f"{n}: {said}" for n, said in wrong.items())
        assert counts["refused"] > counts["harmless"] > 0

    return check


def test_damaged_results_are_refused_in_a_sentence_or_harmless(check):
    check(0, 200)


@pytest.mark.slow
def test_many_damaged_results_are_refused_in_a_sentence_or_harmless(check):
    check(200, 2200)
