"""The options of the methods, checked before any work."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from xvcluster.messages import plain, shown, warn

Algorithm = Literal["batch", "online"]
Covariance = Literal["full", "tied", "diag", "spherical"]
Criterion = Literal["gap", "stability", "structure"]
MetricName = Literal["euclidean", "dtw", "softdtw"]


K_RANGE = range(2, 21)
"""Numbers of clusters that are tried if none is given."""

MOST_CLUSTERS = 32_767
"""Labels are written as 16-bit integers."""

_MOST_RESTARTS = 10_000
_MOST_COMPONENTS = 100_000
_MOST_SAMPLES = 10_000
_MOST_PASSES = 1_000_000
_MOST_SHOWN = 100_000_000
_MOST_CENTROIDS = 1_000_000
"""All k of a sweep are fitted together, so that their centroids are in memory at once."""

_LARGEST_SEED = 2**128 - 1
_LEAST_BLOCK_KM = 0.001
_MOST_BATCH_NODES = 10_000
"""A batch weighs each node of a map with every other."""


def check_integer(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return an integer option as int; refuse what is not an integer within its bounds."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer of at least {least}; got {shown(value)}"
        ) from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}; got {shown(value)}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most:,}; got {shown(value)}")
    return number


def check_number(
    name: str, value: Any, *, above: float, most: float = np.inf, or_equal: bool = False
) -> float:
    """Return a real option as float; refuse what is not a finite number within its bounds."""
    bounds = f"{'at least' if or_equal else 'above'} {above:g}"
    bounds += f" and at most {most:g}" if most < np.inf else ""
    if not is_number(value):
        raise TypeError(f"{name} must be a number {bounds}; got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:  # an integer larger than any float
        number = np.inf
    above_bound = number > above or (or_equal and number == above)
    if not (above_bound and number <= most and np.isfinite(number)):
        raise ValueError(f"{name} must be finite and {bounds}; got {shown(value)}")
    return number


def check_choice(name: str, value: Any, allowed: Iterable[str], *, or_none: bool = False) -> Any:
    """Return an option that is one of some words; refuse any other."""
    words = list(allowed)
    if (value is None and or_none) or (isinstance(value, str) and value in words):
        return value
    raise ValueError(
        f"unknown {name} {shown(value)}; choose one of {', '.join(map(repr, words))}"
        f"{', or None' if or_none else ''}"
    )


def check_flag(name: str, value: Any) -> bool | None:
    """Return an option that is True, False or None; refuse anything else."""
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    raise TypeError(f"{name} must be True, False or None; got {shown(value)}")


def check_clusters(name: str, n_clusters: Any) -> int:
    """Return a number of clusters as int."""
    return check_integer(name, n_clusters, 1, MOST_CLUSTERS)


def choose_ks(n_clusters: int | None, k_range: Iterable[int], name: str) -> list[int]:
    """Numbers of clusters to fit: the one that is given, otherwise those of `k_range`."""
    if n_clusters is None:
        return check_ks("k_range", k_range)
    k = check_clusters(name, n_clusters)
    if not (isinstance(k_range, range) and k_range == K_RANGE):
        warn(f"k_range has no effect together with {name}={k}; leave one of them out")
    return [k]


def check_ks(name: str, values: Iterable[int]) -> list[int]:
    """Return the numbers of clusters of a sweep, sorted and without repetition."""
    advice = "such as range(2, 21)"
    listed = None if isinstance(values, str | bytes) else _first(values)
    if listed is None:
        raise TypeError(f"{name} must be several integers, {advice}; got {shown(values)}")
    ks = {check_clusters(f"each k of {name}", k) for k in listed}
    if not ks:
        raise ValueError(f"{name} is empty: {shown(values)}; give integers, {advice}")
    if sum(ks) > _MOST_CENTROIDS:
        raise ValueError(
            f"{name} asks for {sum(ks):,} centroids in all, but at most {_MOST_CENTROIDS:,} are "
            f"fitted together; give fewer or smaller numbers, {advice}"
        )
    return sorted(ks)


def _first(values: Any) -> list[Any] | None:
    """The first of an iterable, which may have no end; None if it is not iterable."""
    try:
        return list(islice(values, _MOST_CENTROIDS))
    except TypeError:
        return None


def _either(words: Iterable[str]) -> str:
    return " and ".join(map(repr, words))


def is_number(value: Any) -> bool:
    """Whether something is a real number, and not True or False."""
    kinds = int | float | np.integer | np.floating
    return isinstance(value, kinds) and not isinstance(value, bool)


def check_members(
    clusters: int | str | Iterable[int | str],
    known: Iterable[int],
    names: Mapping[str, int] | None = None,
) -> list[int]:
    """Return the numbers of the given clusters, one or several; refuse what is not known.

    Some may have `names`, by which they can be given instead.
    """
    given: Any = np.asarray(clusters).tolist() if hasattr(clusters, "ndim") else clusters
    names = names or {}
    numbers = set(known)
    chosen: list[int] = []
    several = None if isinstance(given, str) else _first(given)
    for member in [given] if several is None else several:
        number = names.get(plain(member), member) if isinstance(member, str) else member
        if not is_number(number) or number not in numbers:
            called = {n: f" ({name})" for name, n in names.items() if not name.endswith(f" {n}")}
            listed = ", ".join(f"{n}{called.get(n, '')}" for n in sorted(numbers)[:20])
            more = ", ..." if len(numbers) > 20 else ""
            raise ValueError(
                f"there is no cluster {shown(member)}; the clusters are {listed}{more}"
            )
        chosen.append(int(number))
    return chosen


def check_path(name: str, path: Any) -> Path:
    """Return a path; refuse what is none."""
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
        raise TypeError(f"{name} must be the path of a file; got {shown(path)}")
    return Path(path)


def check_criteria(
    criteria: Iterable[str] | None, metric: str, n_bootstrap: int | None, block_size: float | None
) -> dict[str, Any]:
    """Check which expensive criteria are requested, and their options."""
    allowed, given = get_args(Criterion), [criteria] if isinstance(criteria, str) else criteria
    asked = _first(() if given is None else given)
    if asked is None:
        raise TypeError(f"criteria must be a list of {_either(allowed)}; got {shown(criteria)}")
    for name in asked:
        if not isinstance(name, str) or name not in allowed:
            raise ValueError(
                f"unknown criterion {shown(name)}; besides those always computed, criteria can be "
                f"{_either(allowed)}"
            )
    if "gap" in asked and metric != "euclidean":
        raise ValueError(f"the gap statistic needs metric='euclidean'; the metric is {metric!r}")
    for name in ("stability", "structure"):
        if name in asked and metric == "softdtw":
            raise ValueError(f"the {name} cannot be computed under metric='softdtw'; use 'dtw'")
    for name, value in (("n_bootstrap", n_bootstrap), ("block_size", block_size)):
        if value is not None and "stability" not in asked:
            raise ValueError(
                f"{name}={shown(value)} applies to the stability only; request it with "
                f"criteria=['stability'], or leave {name} out"
            )
    n = 20 if n_bootstrap is None else n_bootstrap
    return {"criteria": asked, **check_bootstrap("n_bootstrap", n, block_size)}


def check_bootstrap(name: str, n: int, block_size: float | None) -> dict[str, Any]:
    """Check how many bootstrap samples are drawn, and the size of their blocks in km."""
    if block_size is not None:
        block_size = check_number("block_size", block_size, above=_LEAST_BLOCK_KM, or_equal=True)
    n_bootstrap = check_integer(name, n, 2, _MOST_SAMPLES)
    return {"n_bootstrap": n_bootstrap, "block_size": block_size}


def check_metric(metric: str) -> str:
    """Refuse an unknown metric."""
    return str(check_choice("metric", metric, get_args(MetricName)))


def check_weighting(
    weights: Any,
    level_weights: Any,
    *,
    weighs: bool = True,
    weighs_levels: bool = True,
    method: str,
    instead: str = "",
) -> str:
    """Refuse weights that a method does not support.

    If it does not support those of profiles, say so, for the case that "auto" would weigh them.
    """
    by_default = isinstance(weights, str) and weights == "auto"
    asked = {
        "weights": weights is None or by_default or weighs,
        "level_weights": level_weights is None or weighs_levels,
    }
    for name, is_possible in asked.items():
        if not is_possible:
            raise ValueError(f"{method} does not support {name}; leave them out, or use {instead}")
    return "" if weighs else f"{method} cannot weigh them, so each counts once: use {instead}"


def check_mixture(
    covariance: str, n_components: int | None, variance_explained: float | None
) -> dict[str, Any]:
    """Check the options of a Gaussian mixture; by default 15 components, as pyXpcm."""
    check_choice("covariance", covariance, get_args(Covariance))
    if n_components is not None and variance_explained is not None:
        raise ValueError(
            f"n_components={shown(n_components)} and variance_explained="
            f"{shown(variance_explained)} both say how many principal components to keep; give "
            "one of them"
        )
    if variance_explained is not None:
        share = check_number("variance_explained", variance_explained, above=0.0, most=1.0)
        return {"covariance": covariance, "variance_explained": share}
    number = check_integer(
        "n_components", 15 if n_components is None else n_components, 1, _MOST_COMPONENTS
    )
    return {"covariance": covariance, "n_components": number}


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
        raise ValueError(
            f"{name}={shown(value)} applies to metric='dtw' only; the metric is {metric!r}"
        )
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
    number = check_starts(n_init)
    return number if number != "auto" else 10 if metric == "euclidean" else 3


def check_starts(n_init: int | Literal["auto"]) -> int | Literal["auto"]:
    """Return a number of starts as int, or "auto"."""
    if isinstance(n_init, str):
        if n_init != "auto":
            raise ValueError(f"n_init must be 'auto' or an integer of at least 1; got {n_init!r}")
        return "auto"
    return check_integer("n_init", n_init, 1, _MOST_RESTARTS)


def check_convergence(max_iter: int, tol: float) -> dict[str, Any]:
    """Check when a fit ends."""
    return {
        "max_iter": check_integer("max_iter", max_iter, 1, _MOST_PASSES),
        "tol": check_number("tol", tol, above=0.0, or_equal=True),
    }


def check_seed(random_state: int | None) -> np.random.SeedSequence:
    """Turn a random state into a seed; None draws a new one."""
    if random_state is None:
        return np.random.SeedSequence()
    try:
        number = check_integer("random_state", random_state, 0, _LARGEST_SEED)
    except TypeError as error:
        raise TypeError(f"{error}; None draws a seed") from None
    return np.random.SeedSequence(number)


def check_grid_size(grid_size: Any, n_profiles: int, algorithm: str = "online") -> tuple[int, int]:
    """Rows and columns of a map; by default ⌈√√N⌉ each way."""
    if grid_size is None:
        side = int(np.ceil(n_profiles**0.25))
        return side, side
    try:
        rows, columns = (check_integer("grid_size", n, 1) for n in islice(grid_size, 3))
    except (TypeError, ValueError):
        raise ValueError(
            f"grid_size must be a pair of positive integers, such as (6, 6); got {shown(grid_size)}"
        ) from None
    most = _MOST_BATCH_NODES if algorithm == "batch" else MOST_CLUSTERS
    if rows * columns > most:
        raise ValueError(
            f"grid_size={rows, columns} makes {rows * columns:,} nodes, but a map has at most "
            f"{most:,} with algorithm={algorithm!r}; give a smaller one, such as (6, 6)"
        )
    return rows, columns


def check_training(
    algorithm: str, n_iterations: int | None, sigma: float | None, learning_rate: float | None
) -> dict[str, Any]:
    """Check the options of a map's training, without a default sigma that depends on its size."""
    online = check_choice("algorithm", algorithm, get_args(Algorithm)) == "online"
    if learning_rate is not None and not online:
        raise ValueError(
            "a batch averages all profiles and has no learning_rate; leave it out, or use "
            "algorithm='online'"
        )
    shown = (50_000 if online else 50) if n_iterations is None else n_iterations
    most = _MOST_SHOWN if online else _MOST_PASSES
    options: dict[str, Any] = {"n_iterations": check_integer("n_iterations", shown, 1, most)}
    if online or sigma is not None:
        options["sigma"] = check_number("sigma", 1.5 if sigma is None else sigma, above=0.0)
    if online:
        rate = 0.1 if learning_rate is None else learning_rate
        options["learning_rate"] = check_number("learning_rate", rate, above=0.0, most=1.0)
    return options
