"""Progress bars for long work."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from xvcluster.algorithms.lloyd import Run


@contextmanager
def show_runs(progress: bool | None) -> Iterator[Callable[[list[Run]], None]]:
    """Show the passes over the data, how many runs have converged, and the gain of the last pass:
    the share of the inertia that it took away.

    None shows a bar in notebooks and terminals, for work of more than a second.
    """
    with _bar()(desc="passes", delay=1, unit="pass", disable=_hidden(progress)) as bar:
        before = np.inf

        def report(runs: list[Run]) -> None:
            nonlocal before
            if bar.disable:
                return
            inertia = sum(run.inertia for run in runs)
            settled = sum(run.converged for run in runs)
            shown = {"converged": f"{settled}/{len(runs)}"}
            if before < np.inf and inertia <= before:
                shown["gain"] = f"{1 - inertia / before if before else 0.0:.1e}"
            before = inertia
            bar.set_postfix(shown, refresh=False)
            bar.update()

        yield report


@contextmanager
def show_steps(progress: bool | None, n_steps: int) -> Iterator[Callable[[int], None]]:
    """Show how many steps are done; None as for `show_runs`."""
    with _bar()(total=n_steps, desc="steps", delay=1, disable=_hidden(progress)) as bar:

        def report(steps: int) -> None:
            bar.update(steps)

        yield report


def _bar() -> Any:
    """The bar for a notebook or a terminal; a plain one in a notebook without ipywidgets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        from tqdm.auto import tqdm

    return tqdm


def _hidden(progress: bool | None) -> bool | None:
    return None if progress is None else not progress
