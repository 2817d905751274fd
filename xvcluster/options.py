"""The options of the methods, checked before any work."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np

Algorithm = Literal["online", "batch"]
Covariance = Literal["full", "tied", "diag", "spherical"]
Criterion = Literal["gap", "stability"]
MetricName = Literal["euclidean", "dtw", "softdtw"]


def check_integer(name: str, value: Any, least: int) -> int:
    """Return an integer option as int; refuse what is not an integer or less than `least`."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer of at least {least}; got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}; got {value!r}")
    return number


def check_number(
    name: str, value: Any, *, above: float, most: float = np.inf, or_equal: bool = False
) -> float:
    """Return a real option as float; refuse what is not a finite number within its bounds."""
    bounds = f"{'at least' if or_equal else 'above'} {above:g}"
    bounds += f" and at most {most:g}" if most < np.inf else ""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number {bounds}; got {value!r}")
    above_bound = value > above or (or_equal and value == above)
    if not (above_bound and value <= most and np.isfinite(value)):
        raise ValueError(f"{name} must be finite and {bounds}; got {value!r}")
    return float(value)


def check_ks(name: str, values: Iterable[int]) -> list[int]:
    """Return the numbers of clusters of a sweep, sorted and without repetition."""
    if isinstance(values, str | int | float):
        raise TypeError(f"{name} must be several integers, such as range(2, 21); got {values!r}")
    ks = sorted({check_integer(f"each k of {name}", k, 1) for k in values})
    if not ks:
        raise ValueError(f"{name} is empty: {values!r}; give integers, such as range(2, 21)")
    return ks


def check_criteria(
    criteria: Iterable[str], metric: str, n_bootstrap: int | None, block_size: float | None
) -> dict[str, Any]:
    """Check which expensive criteria are requested, and their options."""
    allowed = get_args(Criterion)
    asked = [criteria] if isinstance(criteria, str) else list(criteria or ())
    for name in asked:
        if name not in allowed:
            raise ValueError(
                f"unknown criterion {name!r}; besides those always computed, criteria can be "
                f"{' and '.join(map(repr, allowed))}"
            )
    if "gap" in asked and metric != "euclidean":
        raise ValueError(f"the gap statistic needs metric='euclidean'; the metric is {metric!r}")
    if "stability" in asked and metric == "softdtw":
        raise ValueError("the stability cannot be computed under metric='softdtw'; use 'dtw'")
    for name, value in (("n_bootstrap", n_bootstrap), ("block_size", block_size)):
        if value is not None and "stability" not in asked:
            raise ValueError(
                f"{name}={value!r} applies to the stability only; request it with "
                "criteria=['stability'], or leave {name} out"
            )
    n = 20 if n_bootstrap is None else n_bootstrap
    return {"criteria": asked, **check_bootstrap("n_bootstrap", n, block_size)}


def check_bootstrap(name: str, n: int, block_size: float | None) -> dict[str, Any]:
    """Check how many bootstrap samples are drawn, and the size of their blocks in km."""
    if block_size is not None:
        block_size = check_number("block_size", block_size, above=0.0)
    return {"n_bootstrap": check_integer(name, n, 2), "block_size": block_size}


def check_metric(metric: str) -> str:
    """Refuse an unknown metric."""
    allowed = get_args(MetricName)
    if metric not in allowed:
        raise ValueError(
            f"unknown metric {metric!r}; choose one of {', '.join(map(repr, allowed))}"
        )
    return metric


def check_weighting(
    weights: Any,
    level_weights: Any,
    *,
    weighs: bool = True,
    weighs_levels: bool = True,
    method: str,
    instead: str = "",
) -> dict[str, str]:
    """Say what is recorded of weights; refuse those that a method does not support."""
    asked = {"weights": (weights, weighs), "level_weights": (level_weights, weighs_levels)}
    known = {}
    for name, (given, allowed) in asked.items():
        if given is None:
            continue
        if not allowed:
            raise ValueError(f"{method} does not support {name}; leave them out, or use {instead}")
        known[name] = given if isinstance(given, str) else "given"
    return known


def check_mixture(covariance: str, variance_explained: float) -> dict[str, Any]:
    """Check the options of a Gaussian mixture."""
    allowed = get_args(Covariance)
    if covariance not in allowed:
        raise ValueError(
            f"unknown covariance {covariance!r}; choose one of {', '.join(map(repr, allowed))}"
        )
    share = check_number("variance_explained", variance_explained, above=0.0, most=1.0)
    return {"covariance": covariance, "variance_explained": share}


def check_window(
    window: float | None, metric: str, window_depth: float | None = None
) -> int | float | None:
    """Check the window of DTW; an int counts levels, a float is a distance along the vertical."""
    given = {"window": window, "window_depth": window_depth}
    asked = {name: value for name, value in given.items() if value is not None}
    if not asked:
        return None
    name, value = next(iter(asked.items()))
    if metric != "dtw":
        raise ValueError(f"{name}={value!r} applies to metric='dtw' only; the metric is {metric!r}")
    if len(asked) > 1:
        raise ValueError(
            f"window={window!r} is a number of levels and window_depth={window_depth!r} a distance "
            "along the vertical; give one of them"
        )
    if name == "window" and isinstance(value, int | np.integer):
        return check_integer("window", value, 0)
    return check_number(name, value, above=0.0, or_equal=True)


def check_n_init(n_init: int | Literal["auto"], metric: str) -> int:
    """Number of restarts: by default 10 for Euclidean, 3 for the more expensive metrics."""
    if isinstance(n_init, str):
        if n_init != "auto":
            raise ValueError(f"n_init must be 'auto' or an integer of at least 1; got {n_init!r}")
        return 10 if metric == "euclidean" else 3
    return check_integer("n_init", n_init, 1)


def check_seed(random_state: int | None) -> np.random.SeedSequence:
    """Turn a random state into a seed; None draws a new one."""
    if random_state is None:
        return np.random.SeedSequence()
    return np.random.SeedSequence(check_integer("random_state", random_state, 0))


def check_grid_size(grid_size: Any, n_profiles: int) -> tuple[int, int]:
    """Rows and columns of a map; by default ⌈√√N⌉ each way."""
    if grid_size is None:
        side = int(np.ceil(n_profiles**0.25))
        return side, side
    try:
        rows, columns = (check_integer("grid_size", n, 1) for n in grid_size)
    except (TypeError, ValueError):
        raise ValueError(
            f"grid_size must be a pair of positive integers, such as (6, 6); got {grid_size!r}"
        ) from None
    return rows, columns


def check_training(
    algorithm: str, n_iterations: int | None, sigma: float | None, learning_rate: float | None
) -> dict[str, Any]:
    """Check the options of a map's training, without a default sigma that depends on its size."""
    if algorithm not in get_args(Algorithm):
        raise ValueError(f"algorithm is {algorithm!r}; choose from 'online', 'batch'")
    online = algorithm == "online"
    if learning_rate is not None and not online:
        raise ValueError(
            "a batch averages all profiles and has no learning_rate; leave it out, or use "
            "algorithm='online'"
        )
    shown = (50_000 if online else 50) if n_iterations is None else n_iterations
    options: dict[str, Any] = {"n_iterations": check_integer("n_iterations", shown, 1)}
    if online or sigma is not None:
        options["sigma"] = check_number("sigma", 0.3 if sigma is None else sigma, above=0.0)
    if online:
        rate = 0.1 if learning_rate is None else learning_rate
        options["learning_rate"] = check_number("learning_rate", rate, above=0.0, most=1.0)
    return options
