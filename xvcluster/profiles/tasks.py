"""Work on chunks as dask tasks, on the scheduler that the user has set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_FAN_IN = 8


def reduce_tasks(
    function: Callable[..., T | None],
    chunks: Sequence[Any],
    arguments: Sequence[tuple[Any, ...]],
    join: Callable[[Iterable[T]], T],
    names: Sequence[str],
) -> T:
    """Apply a function to every chunk, and join the outcomes in a tree of one shape.

    Parameters
    ----------
    function : callable
        Of a chunk and its arguments; None is an outcome that does not count.
    chunks : sequence of Delayed
    arguments : sequence of tuple
        Further ones for each chunk.
    join : callable
        Of several outcomes.
    names : sequence of str
        Of the chunks, for messages.

    Raises
    ------
    RuntimeError
        If a chunk cannot be read or worked on; names it.
    """
    from dask.delayed import delayed

    step = delayed(function)
    level = [step(chunk, *more) for chunk, more in zip(chunks, arguments, strict=True)]
    leaves = level
    merge = delayed(_join_some)
    while True:
        level = [merge(level[i : i + _FAN_IN], join) for i in range(0, len(level), _FAN_IN)]
        if len(level) == 1:
            outcome: T = compute(level[0], leaves, names)
            return outcome


def compute(task: Any, leaves: Sequence[Any], names: Sequence[str]) -> Any:
    """Compute a task; where it fails, find the chunk that is to blame."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        try:
            return task.compute()
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                raise  # to try its chunk again would kill the next one
            for leaf, name in zip(leaves, names, strict=True):
                _try(leaf, name)
            raise


def _try(leaf: Any, name: str) -> None:
    try:
        leaf.compute()
    except Exception as error:
        raise RuntimeError(
            f"the chunk at {name} cannot be worked on: {error}. Look at it by itself, e.g. with "
            "data.isel(...).load()"
        ) from error


def _join_some(outcomes: list[T | None], join: Callable[[Iterable[T]], T]) -> T | None:
    some = [outcome for outcome in outcomes if outcome is not None]
    return join(some) if some else None
