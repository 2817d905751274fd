"""Criteria for the choice of k, the k that is best by each, and what they say together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.bootstrap import mean_agreement, refits
from xvcluster.algorithms.criteria import (
    calinski_harabasz,
    davies_bouldin,
    draw_evenly,
    gap_statistic,
    silhouettes,
    simplified_silhouette,
    smallest_within_gap,
)
from xvcluster.arrays import Float64s
from xvcluster.grid.tiles import find_tiles
from xvcluster.methods.fitting import Fitted, refit
from xvcluster.progress import show_steps

STABLE = 0.75
"""Mean adjusted Rand index from which on a clustering is called stable: a convention."""
_TIED = 1e-9
N_REFERENCES, GAP_PROFILES, STABILITY_PROFILES = 10, 2048, 4096
_ATTRS = {
    "inertia": {"long_name": "sum of squared distances"},
    "silhouette": {"long_name": "simplified silhouette", "units": "1"},
    "davies_bouldin": {"long_name": "Davies–Bouldin index", "units": "1"},
    "calinski_harabasz": {"long_name": "Caliński–Harabasz index", "units": "1"},
    "gap": {"long_name": "gap statistic", "units": "1"},
    "gap_error": {"long_name": "standard error of the gap statistic", "units": "1"},
    "stability": {"long_name": "mean adjusted Rand index of bootstrap samples", "units": "1"},
    "stability_error": {"long_name": "standard error of the stability", "units": "1"},
}
_SAID = {
    "inertia": "the knee of the inertia",
    "silhouette": "the silhouette",
    "davies_bouldin": "Davies–Bouldin",
    "calinski_harabasz": "Caliński–Harabasz",
    "gap": "the gap statistic",
    "stability": "the stability",
}


def describe_choice(
    fitted: Fitted,
    *,
    criteria: Sequence[str] = (),
    n_bootstrap: int = 20,
    block_size: float | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Find the criteria at every k.

    Parameters
    ----------
    fitted : Fitted
    criteria : sequence of {"gap", "stability"}
        To find beside those that cost little.
    n_bootstrap, block_size, progress
        See `xvcluster.sweep`.

    Returns
    -------
    Dataset
        The criteria by ``k``, and the ``best`` k by ``criterion``: 0 where it has none.
    """
    ks, metric = list(fitted.fits), fitted.metric
    found = _of_all(fitted)
    sample = fitted.profiles.source.sample
    few = sample.values[draw_evenly(sample, metric.pairs)]
    assigners = [Assigner(fit.centroids, metric) for fit in fitted.fits.values()]
    seed = np.random.SeedSequence(fitted.parameters["random_state"], spawn_key=(0, 0))
    for_gap, for_stability = seed.spawn(2)
    if "gap" in criteria:
        found |= _gap(fitted, for_gap, progress)
    how: dict[str, Any] = {}
    if "stability" in criteria:
        stability, size = _stability(fitted, for_stability, n_bootstrap, block_size, progress)
        found |= stability
        how = {"threshold": STABLE, "n_bootstrap": n_bootstrap}
        how |= {} if size is None else {"block_size_km": size}
    dataset = xr.Dataset({name: ("k", values, _ATTRS[name]) for name, values in found.items()})
    attrs = {"long_name": f"silhouette of {len(few)} profiles", "units": "1"}
    dataset["silhouette_sample"] = ("k", silhouettes(few, assigners), attrs)
    if how:
        dataset["stability"].attrs |= how
    return conclude(dataset.assign_coords(k=ks))


def conclude(criteria: xr.Dataset) -> xr.Dataset:
    """Add to criteria by ``k`` what is best by each, and what they say together."""
    ks = [int(k) for k in criteria["k"].values]
    found = {str(name): array.values for name, array in criteria.data_vars.items()}
    best = choose(ks, found)
    best_k, how = _choose_one(ks, best)
    chosen = ("criterion", list(best.values()), {"long_name": "best number of clusters"})
    concluded = criteria.assign(best=chosen).assign_coords(criterion=list(best))
    return concluded.assign_attrs(best_k=best_k, best_k_by=how, verdict=say(ks, best, found))


def _of_all(fitted: Fitted) -> dict[str, Float64s]:
    """What the sums over all members tell."""
    fits, metric = fitted.fits.values(), fitted.metric
    sums = fitted.profiles.criteria([fit.members for fit in fits])
    pairs = list(zip(sums, [fit.centroids for fit in fits], strict=True))
    found = {
        "inertia": [own[1].sum() for own in sums],
        "silhouette": [simplified_silhouette(own) for own in sums],
        "davies_bouldin": [davies_bouldin(own, c, metric) for own, c in pairs],
    }
    if metric.is_linear:
        _warn_light(sums)
        found["calinski_harabasz"] = [calinski_harabasz(own, c) for own, c in pairs]
    return {name: np.array(values, dtype=np.float64) for name, values in found.items()}


def _warn_light(sums: list[Float64s]) -> None:
    """Warn where weights leave no degrees of freedom."""
    light = [own.shape[1] for own in sums if own[0].sum() <= own.shape[1]]
    if light:
        warnings.warn(
            f"the weights sum to {sums[0][0].sum():.3g}, so that Caliński–Harabasz is not defined "
            f"at k = {', '.join(map(str, light))}: weights count profiles. Scale them, e.g. "
            "weights / weights.mean()",
            stacklevel=5,
        )


def _gap(
    fitted: Fitted, seed: np.random.SeedSequence, progress: bool | None
) -> dict[str, Float64s]:
    sample = fitted.profiles.source.sample
    profiles = sample.values[draw_evenly(sample, GAP_PROFILES)]
    with show_steps(progress, 1 + N_REFERENCES) as report:
        gap, error = gap_statistic(
            profiles,
            list(fitted.fits),
            fitted.metric,
            n_references=N_REFERENCES,
            seed=seed,
            report=report,
            **fitted.once,
        )
    return {"gap": gap, "gap_error": error}


def _stability(
    fitted: Fitted,
    seed: np.random.SeedSequence,
    n: int,
    block_size: float | None,
    progress: bool | None,
) -> tuple[dict[str, Float64s], float | None]:
    """The mean agreement of bootstrap samples at every k, with its error, and the blocks' size."""
    ks, sample = list(fitted.fits), fitted.profiles.source.sample
    drawn = draw_evenly(sample, STABILITY_PROFILES)
    profiles = Block.of(sample.values[drawn])
    tiles, size = find_tiles(*fitted.layout.locate(fitted.profiles.points[drawn]), block_size)
    if size is None:
        warn_no_tiles()
    fit = partial(refit, ks=ks, metric=fitted.metric, **fitted.once)
    with show_steps(progress, n) as report:
        assigners = refits(profiles, tiles, fit, n=n, seed=seed, report=report)
    agreement = [
        mean_agreement([found[k](profiles.values).labels for found in assigners]) for k in ks
    ]
    stability, error = np.array(agreement).T
    alone = np.array(ks) == 1  # one cluster alone is always the same
    stability[alone] = error[alone] = np.nan
    return {"stability": stability, "stability_error": error}, size


def warn_no_tiles() -> None:
    """Warn where neighbours cannot be drawn together."""
    warnings.warn(
        "latitude and longitude are not known, so that profiles are drawn one by one; neighbours "
        "are alike, and clusters will look more stable than they are",
        stacklevel=5,
    )


def choose(ks: list[int], found: dict[str, Float64s]) -> dict[str, int]:
    """The best k by each criterion; 0 where it has none.

    Parameters
    ----------
    ks : list of int
        Ascending.
    found : dict of str to ndarray
        The criteria by name, each of shape (n_k,).
    """
    best = {"inertia": find_knee(ks, found["inertia"])}
    for name, sign in (("silhouette", 1), ("davies_bouldin", -1), ("calinski_harabasz", 1)):
        if name in found:
            best[name] = _greatest(ks, sign * found[name])
    if "gap" in found:
        best["gap"] = smallest_within_gap(ks, found["gap"], found["gap_error"])
    if "stability" in found:
        best["stability"] = _most_stable(ks, found["stability"])
    return best


def find_knee(ks: list[int], inertia: Float64s) -> int:
    """The k at the knee of the inertia (Satopää et al. 2011), 0 where there is none."""
    from kneed import KneeLocator

    if len(ks) < 3 or not inertia[0] > inertia[-1]:
        return 0
    knee = KneeLocator(ks, inertia, S=1, curve="convex", direction="decreasing").knee
    return 0 if knee is None else int(knee)


def _greatest(ks: list[int], values: Float64s) -> int:
    return 0 if np.isnan(values).all() else ks[int(np.nanargmax(values))]


def _most_stable(ks: list[int], stability: Float64s) -> int:
    """The most stable k, of several the largest; 0 where none is stable."""
    alike = stability >= max(np.nanmax(stability, initial=0.0) - _TIED, STABLE)
    return max((k for k, is_alike in zip(ks, alike, strict=True) if is_alike), default=0)


def _choose_one(ks: list[int], best: dict[str, int]) -> tuple[int, str]:
    """The k to take: at the knee of the inertia, or else of the best silhouette."""
    if len(ks) == 1:
        return ks[0], "the only k"
    if best["inertia"]:
        return best["inertia"], "knee"
    k = best["silhouette"]
    warnings.warn(
        f"the inertia has no knee over k = {ks[0]} to {ks[-1]}; took k = {k}, which has the "
        "best silhouette. Look at sweep.plot.criteria() before you trust it",
        stacklevel=4,
    )
    return k, "silhouette"


def say(ks: list[int], best: dict[str, int], found: dict[str, Any]) -> str:
    """What the criteria say of k, in a sentence or two."""
    if len(ks) == 1:
        return f"Only k = {ks[0]} was tried."
    by_k: dict[int, list[str]] = {}
    for name, k in best.items():
        if k:
            by_k.setdefault(k, []).append(_SAID[name])
    parts = [f"k = {k} by {_listed(names)}" for k, names in by_k.items()]
    if not by_k:
        said = "No criterion names a k."
    elif len(by_k) == 1:
        said = f"The criteria agree on {parts[0]}."
    else:
        said = f"The criteria disagree: {'; '.join(parts)}."
    if not best["inertia"]:
        said += " The inertia has no knee."
    if best.get("gap") == 0:
        said += f" The gap statistic names none up to k = {ks[-1]}."
    if best.get("stability") == 0:
        at = int(np.nanargmax(found["stability"]))
        said += (
            f" No k is stable: the mean adjusted Rand index is {found['stability'][at]:.2f} at "
            f"most, at k = {ks[at]}; the profiles may be in no groups."
        )
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
