"""The k that is best by each criterion, and what the criteria say together."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.criteria import smallest_within_gap
from xvcluster.arrays import Booleans, Float64s
from xvcluster.messages import warn

STABLE = 0.75
"""Mean adjusted Rand index from which on a clustering is called stable: a convention."""

SEPARATED = 0.79
"""Valley up to which two clusters are called separate: chosen with the panel, by its study."""

ALIKE = 0.02
"""Difference in stability that does not count."""

SIGNIFICANT = 0.05
"""p-value below which boundaries are called sharper than those of smooth fields: a convention."""

PANEL = ("inertia", "calinski_harabasz", "eigengap", "valley", "valley", "stability")
"""The criteria whose median is the best k of a sweep; the valleys count twice."""

_KNEE_TO = 20
"""The knee is sought up to this k, since it depends on where the range ends."""
_SAID = {
    "inertia": "the knee of the inertia",
    "silhouette": "the silhouette",
    "davies_bouldin": "Davies–Bouldin",
    "calinski_harabasz": "Caliński–Harabasz",
    "eigengap": "the eigengap",
    "valley": "the valleys between clusters",
    "gap": "the gap statistic",
    "stability": "the stability",
}


def conclude(criteria: xr.Dataset, inertia_of_one: float | None = None) -> xr.Dataset:
    """Add the best k of each criterion, and what the criteria say together, to those by ``k``.

    The inertia of a single cluster, if it is known, extends the curve whose knee is sought.
    """
    ks = [int(k) for k in criteria["k"].values]
    found = {str(name): array.values for name, array in criteria.data_vars.items()}
    best = choose(ks, found, inertia_of_one)
    best_k, how = _choose_one(ks, best)
    chosen = ("criterion", list(best.values()), {"long_name": "best number of clusters"})
    concluded = criteria.assign(best=chosen).assign_coords(criterion=list(best))
    verdict = say(ks, best, found) + _say_structure(criteria)
    return concluded.assign_attrs(best_k=best_k, best_k_by=how, verdict=verdict)


def choose(
    ks: list[int], found: dict[str, Float64s], inertia_of_one: float | None = None
) -> dict[str, int]:
    """Find the best k by each criterion; 0 if it has none.

    Parameters
    ----------
    ks : list of int
        Ascending.
    found : dict of str to ndarray
        The criteria by name, each of shape (n_k,).
    inertia_of_one : float, optional
    """
    best = {"inertia": _find_log_knee(ks, found["inertia"], inertia_of_one)}
    for name, sign in (
        ("silhouette", 1),
        ("davies_bouldin", -1),
        ("calinski_harabasz", 1),
        ("eigengap", 1),
    ):
        if name in found:
            best[name] = _greatest(ks, sign * found[name])
    if "valley" in found:
        best["valley"] = _largest(ks, found["valley"] < SEPARATED)
    if "gap" in found:
        best["gap"] = smallest_within_gap(ks, found["gap"], found["gap_error"])
    if "stability" in found:
        best["stability"] = _most_stable(ks, found["stability"])
    return best


def _find_log_knee(ks: list[int], inertia: Float64s, inertia_of_one: float | None) -> int:
    """The k at the knee of the logarithm of the inertia, from k = 1 if that is known."""
    curve = dict(zip(ks, inertia.tolist(), strict=True))
    if inertia_of_one is not None:
        curve = {1: inertia_of_one} | curve
    tried = [k for k in curve if k <= max(_KNEE_TO, ks[0])]
    floor = 1e-12 * max(curve.values())  # where every profile is its own centroid
    if floor == 0.0:
        return 0
    knee = find_knee(tried, np.log([max(curve[k], floor) for k in tried]))
    return knee if knee in ks else 0


def find_knee(ks: list[int], inertia: Float64s) -> int:
    """The k at the knee of a falling curve (Satopää et al. 2011); 0 if there is none."""
    from kneed import KneeLocator

    if len(ks) < 3 or not inertia[0] > inertia[-1]:
        return 0
    knee = KneeLocator(ks, inertia, S=1, curve="convex", direction="decreasing").knee
    return 0 if knee is None else int(knee)


def _greatest(ks: list[int], values: Float64s) -> int:
    return 0 if np.isnan(values).all() else ks[int(np.nanargmax(values))]


def _largest(ks: list[int], holds: Booleans) -> int:
    """The largest k for which something holds; 0 if there is none."""
    return max((k for k, it_holds in zip(ks, holds, strict=True) if it_holds), default=0)


def _most_stable(ks: list[int], stability: Float64s) -> int:
    """The largest k that is about as stable as the most stable; 0 if none is stable."""
    least = max(np.nanmax(stability, initial=0.0) - ALIKE, STABLE)
    return _largest(ks, stability >= least)


def _choose_one(ks: list[int], best: dict[str, int]) -> tuple[int, str]:
    """Take the median of the panel, the larger of two in the middle; without it, a silhouette."""
    if len(ks) == 1:
        return ks[0], "the only k"
    found, said = {name: k for name, k in best.items() if k}, dict(_SAID)
    if best.get("valley") == 0:  # no clusters, of which the fewest come closest
        found["valley"] = ks[0]
        said["valley"] = f"no valleys between clusters (k = {ks[0]})"
    votes = [found[name] for name in PANEL if name in found]
    if votes:
        names = [said[name] for name in dict.fromkeys(PANEL) if name in found]
        median = sorted(votes)[len(votes) // 2]
        return median, names[0] if len(names) == 1 else f"the median of {_listed(names)}"
    k = best["silhouette"] or ks[0]
    warn(
        f"no criterion finds a number of clusters over k = {ks[0]} to {ks[-1]}; took k = {k}, "
        "which has the best silhouette. Look at sweep.plot.criteria() before you trust it",
    )
    return k, "the best silhouette"


def say(ks: list[int], best: dict[str, int], found: dict[str, Any]) -> str:
    """Say what the criteria imply for k, in a sentence or two."""
    if len(ks) == 1:
        return f"Only k = {ks[0]} was tried."
    said = _say_best(ks, best)
    if not best["inertia"]:
        said += " The inertia has no knee."
    if best.get("valley") == 0:
        said += " At every k, some clusters have no valley between them."
    if best.get("gap") == 0:
        said += f" The gap statistic gives none up to k = {ks[-1]}."
    if best.get("stability") == 0:
        at = int(np.nanargmax(found["stability"]))
        said += (
            f" No k is stable: the mean adjusted Rand index is {found['stability'][at]:.2f} at "
            f"most, at k = {ks[at]}; the profiles may have no cluster structure."
        )
    return said


def _say_best(ks: list[int], best: dict[str, int]) -> str:
    """Say at which k the criteria are best, and whether that is where the range ends."""
    by_k: dict[int, list[str]] = {}
    for name, k in best.items():
        if k:
            by_k.setdefault(k, []).append(_SAID[name])
    ends = {ks[-1]: f", the end of the range {ks[0]} to {ks[-1]},"}
    if ks[0] > 2:
        ends[ks[0]] = f", the start of the range {ks[0]} to {ks[-1]},"
    parts = [f"k = {k}{ends.get(k, '')} by {_listed(names)}" for k, names in by_k.items()]
    if not by_k:
        return "No criterion gives a best k."
    if len(by_k) == 1:
        return f"The criteria agree on {parts[0]}."
    return f"The criteria disagree: {'; '.join(parts)}."


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
