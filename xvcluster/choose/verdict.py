"""The k that is best by each criterion, and what the criteria say together."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.criteria import smallest_within_gap
from xvcluster.arrays import Float64s
from xvcluster.messages import warn

STABLE = 0.75
"""Mean adjusted Rand index from which on a clustering is called stable: a convention."""

SIGNIFICANT = 0.05
"""p-value below which boundaries are called sharper than those of smooth fields: a convention."""

_TIED = 1e-9
_SAID = {
    "inertia": "the knee of the inertia",
    "silhouette": "the silhouette",
    "davies_bouldin": "Davies–Bouldin",
    "calinski_harabasz": "Caliński–Harabasz",
    "gap": "the gap statistic",
    "stability": "the stability",
}


def conclude(criteria: xr.Dataset) -> xr.Dataset:
    """Add the best k of each criterion, and what the criteria say together, to those by ``k``."""
    ks = [int(k) for k in criteria["k"].values]
    found = {str(name): array.values for name, array in criteria.data_vars.items()}
    best = choose(ks, found)
    best_k, how = _choose_one(ks, best)
    chosen = ("criterion", list(best.values()), {"long_name": "best number of clusters"})
    concluded = criteria.assign(best=chosen).assign_coords(criterion=list(best))
    verdict = say(ks, best, found) + _say_structure(criteria)
    return concluded.assign_attrs(best_k=best_k, best_k_by=how, verdict=verdict)


def choose(ks: list[int], found: dict[str, Float64s]) -> dict[str, int]:
    """Find the best k by each criterion; 0 if it has none.

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
    """The k at the knee of the inertia (Satopää et al. 2011); 0 if there is none."""
    from kneed import KneeLocator

    if len(ks) < 3 or not inertia[0] > inertia[-1]:
        return 0
    knee = KneeLocator(ks, inertia, S=1, curve="convex", direction="decreasing").knee
    return 0 if knee is None else int(knee)


def _greatest(ks: list[int], values: Float64s) -> int:
    return 0 if np.isnan(values).all() else ks[int(np.nanargmax(values))]


def _most_stable(ks: list[int], stability: Float64s) -> int:
    """The most stable k, the largest of equals; 0 if none is stable."""
    alike = stability >= max(np.nanmax(stability, initial=0.0) - _TIED, STABLE)
    return max((k for k, is_alike in zip(ks, alike, strict=True) if is_alike), default=0)


def _choose_one(ks: list[int], best: dict[str, int]) -> tuple[int, str]:
    """Take the k at the knee of the inertia, or otherwise the one with the best silhouette."""
    if len(ks) == 1:
        return ks[0], "the only k"
    if best["inertia"]:
        return best["inertia"], "knee"
    k = best["silhouette"]
    warn(
        f"the inertia has no knee over k = {ks[0]} to {ks[-1]}; took k = {k}, which has the "
        "best silhouette. Look at sweep.plot.criteria() before you trust it",
    )
    return k, "silhouette"


def say(ks: list[int], best: dict[str, int], found: dict[str, Any]) -> str:
    """Say what the criteria imply for k, in a sentence or two."""
    if len(ks) == 1:
        return f"Only k = {ks[0]} was tried."
    by_k: dict[int, list[str]] = {}
    for name, k in best.items():
        if k:
            by_k.setdefault(k, []).append(_SAID[name])
    parts = [f"k = {k} by {_listed(names)}" for k, names in by_k.items()]
    if not by_k:
        said = "No criterion gives a best k."
    elif len(by_k) == 1:
        said = f"The criteria agree on {parts[0]}."
    else:
        said = f"The criteria disagree: {'; '.join(parts)}."
    if not best["inertia"]:
        said += " The inertia has no knee."
    if best.get("gap") == 0:
        said += f" The gap statistic gives none up to k = {ks[-1]}."
    if best.get("stability") == 0:
        at = int(np.nanargmax(found["stability"]))
        said += (
            f" No k is stable: the mean adjusted Rand index is {found['stability'][at]:.2f} at "
            f"most, at k = {ks[at]}; the profiles may have no cluster structure."
        )
    return said


def _say_structure(criteria: xr.Dataset) -> str:
    """Say whether there is more structure than in a smooth field, if that was asked."""
    p = criteria["structure"].attrs.get("p_value", np.nan) if "structure" in criteria else np.nan
    if np.isnan(p):
        return ""
    if p < SIGNIFICANT:
        return (
            " The boundaries are sharper than those in smooth fields without provinces "
            f"(p = {p:.2g})."
        )
    return (
        f" There is no more structure than in a smooth field without provinces (p = {p:.2g}): "
        "clusters divide what varies gradually, and their boundaries are not a finding."
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
