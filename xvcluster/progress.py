"""Progress bars of long work."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from xvcluster.methods.lloyd import Run


@contextmanager
def show_runs(progress: bool | None, n_runs: int) -> Iterator[Callable[[list[Run]], None]]:
    """Show how many of the runs under way have converged, and after how many passes.

    None shows a bar in notebooks and terminals, for work of more than a second.
    """
    with _bar()(total=n_runs, desc="runs converged", delay=1, disable=_hidden(progress)) as bar:

        def report(runs: list[Run]) -> None:
            bar.total = len(runs)
            bar.set_postfix({"pass": max(run.n_iter for run in runs)}, refresh=False)
            bar.update(sum(run.converged for run in runs) - bar.n)

        yield report


@contextmanager
def show_steps(progress: bool | None, n_steps: int) -> Iterator[Callable[[int], None]]:
    """Show how many steps of a training are done; None as for `show_runs`."""
    with _bar()(total=n_steps, desc="steps", delay=1, disable=_hidden(progress)) as bar:

        def report(steps: int) -> None:
            bar.update(steps)

        yield report


def _bar() -> Any:
    """The bar for a notebook or a terminal; a plain one where a notebook has no ipywidgets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        from tqdm.auto import tqdm

    return tqdm


def _hidden(progress: bool | None) -> bool | None:
    return None if progress is None else not progress
