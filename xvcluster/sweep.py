"""The same clustering for many numbers of clusters, and which of them to take."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.describe import build_dataset, check_names
from xvcluster.methods import get_metric
from xvcluster.methods.assign import Assignment, assign
from xvcluster.methods.initialize import has_distinct
from xvcluster.methods.lloyd import Run
from xvcluster.methods.metric import Floats, Metric
from xvcluster.methods.restarts import best_runs
from xvcluster.methods.softdtw import SoftDTW, fit_soft_dtw
from xvcluster.normalize import Scaling, fit_scaling
from xvcluster.options import (
    MetricName,
    check_integer,
    check_ks,
    check_metric,
    check_n_init,
    check_number,
    check_seed,
    check_window,
)
from xvcluster.profiles import Profiles, collect
from xvcluster.progress import show_runs
from xvcluster.result import ClusterResult

if TYPE_CHECKING:
    from xvcluster.plot.methods import SweepPlots


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Centroids (k, n_levels, n_variables) in the order of their numbers, and who belongs there."""

    centroids: npt.NDArray[np.float64]
    assignment: Assignment
    n_iter: int


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """Criteria for the choice of k, and the clustering at every k.

    Attributes
    ----------
    dataset : Dataset
        ``inertia`` and ``silhouette`` by ``k``, ``label`` by ``k`` and the horizontal dimensions.
    data : DataArray or Dataset
        What was clustered, from which `result` draws the statistics.
    """

    dataset: xr.Dataset
    data: xr.DataArray | xr.Dataset
    _profiles: Profiles = field(repr=False)
    _scaling: Scaling = field(repr=False)
    _fits: Mapping[int, _Fit] = field(repr=False)
    _parameters: Mapping[str, Any] = field(repr=False)

    @property
    def best_k(self) -> int:
        """The k at the knee of the inertia; without a knee, that of the best silhouette."""
        return int(self.dataset.attrs["best_k"])

    @property
    def plot(self) -> SweepPlots:
        """The methods elbow and maps, which draw the sweep."""
        from xvcluster.plot.methods import SweepPlots

        return SweepPlots(self.dataset, self._original)

    def _original(self) -> xr.DataArray:
        """The first variable of the complete profiles, its mean where they have several levels."""
        name, attrs = next(iter(self._profiles.variables.items()))
        mean = self._profiles.values[..., 0].mean(axis=1, dtype=np.float64)
        offset, scale = self._scaling.offset[..., 0].mean(), self._scaling.scale[0]
        field = self._profiles.to_map(mean * scale + offset)
        vertical = self._profiles.axes.vertical
        methods = {} if vertical is None else {"cell_methods": f"{vertical}: mean"}
        return field.rename(name).assign_attrs(dict(attrs) | methods)

    def result(self, k: int | None = None) -> ClusterResult:
        """Give the whole clustering at one k.

        Parameters
        ----------
        k : int, optional
            One of the sweep's numbers of clusters. Default: the best.

        Returns
        -------
        ClusterResult
            With this sweep attached, and its criteria in the Dataset.

        Raises
        ------
        ValueError
            If the sweep did not try this k.
        """
        k = self.best_k if k is None else k
        if k not in self._fits:
            tried = ", ".join(map(str, self._fits))
            raise ValueError(f"the sweep has no k = {k!r}; it tried {tried}")
        fit = self._fits[k]
        parameters = dict(self._parameters) | {"n_clusters": int(k), "n_iter": fit.n_iter}
        dataset = build_dataset(
            self.data, self._profiles, self._scaling, fit.centroids, fit.assignment, parameters
        )
        dataset["label"].attrs["ordered_by"] = order_text(self._profiles)
        if len(self._fits) == 1:
            return ClusterResult(dataset)
        for name in ("inertia", "silhouette"):
            dataset[f"sweep_{name}"] = self.dataset[name]
        return ClusterResult(dataset, sweep=self)

    def __repr__(self) -> str:
        criteria = self.dataset[["inertia", "silhouette"]].to_dataframe()
        how = self.dataset.attrs["best_k_by"]
        return f"<xvcluster.SweepResult: best k = {self.best_k} (by {how})>\n{criteria}"


def sweep(
    data: xr.DataArray | xr.Dataset,
    k: Iterable[int] = range(2, 21),
    *,
    metric: MetricName = "euclidean",
    window: float | None = None,
    n_init: int | Literal["auto"] = "auto",
    max_iter: int = 300,
    tol: float = 1e-4,
    random_state: int | None = 0,
    progress: bool | None = None,
    dim: Hashable | None = None,
) -> SweepResult:
    """Cluster profiles by k-means for many numbers of clusters, all at once.

    Parameters
    ----------
    data : DataArray or Dataset
        A model; every variable of a Dataset is one channel of the profile. Never changed.
    k : iterable of int, default 2…20
        Numbers of clusters.
    metric, window, n_init, max_iter, tol, random_state, progress, dim
        As for `kmeans`.

    Returns
    -------
    SweepResult

    Raises
    ------
    TypeError, ValueError
        As `kmeans` does; also if `k` is empty.

    Notes
    -----
    The best k is the knee of the inertia (Satopää et al. 2011). The silhouette is the simplified
    one, the mean over all profiles of 1 − d₁/d₂ from the distances to the nearest and the
    second-nearest centroid.

    References
    ----------
    Satopää, V. et al. (2011). Finding a "kneedle" in a haystack. ICDCS Workshops.
    https://doi.org/10.1109/ICDCSW.2011.20

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> swept = vs.vcluster.sweep(range(2, 11))
    >>> labels, centroids = swept.result(6)
    """
    ks = check_ks("k", k)
    restarts = check_n_init(n_init, check_metric(metric))
    window = check_window(window, metric)
    max_iter = check_integer("max_iter", max_iter, 1)
    tol = check_number("tol", tol, above=0.0, or_equal=True)
    seed = check_seed(random_state)
    profiles = collect(data, dim)
    check_names(profiles, *(["k"] if len(ks) > 1 else []))
    require_distinct(profiles, ks[-1])
    scaling = fit_scaling(profiles.values, by_level=metric == "euclidean")
    scaled = scaling.apply(profiles.values, out=profiles.values)
    distance = get_metric(metric, window, profiles.levels)
    with show_runs(progress, len(ks) * restarts) as report:
        options = {"n_init": restarts, "max_iter": max_iter, "tol": tol}
        centroids = _fit(scaled, ks, distance, seed, report, **options)
    fits = {}
    for n, (found, n_iter) in centroids.items():
        ordered = found[lowest_first(found)]
        fits[n] = _Fit(ordered, assign(scaled, ordered, distance), n_iter)
    parameters = {"method": "k-means", "metric": metric, **options, "random_state": seed.entropy}
    if window is not None:
        parameters["window"] = window
    return SweepResult(_describe(profiles, fits), data, profiles, scaling, fits, parameters)


def require_distinct(profiles: Profiles, n_clusters: int) -> None:
    """Refuse more clusters than there are distinct profiles."""
    if not has_distinct(profiles.values, n_clusters):
        raise ValueError(
            f"n_clusters={n_clusters} is more than the distinct profiles among the "
            f"{len(profiles.values)} complete ones; ask for fewer clusters"
        )


def _fit(
    scaled: Floats,
    ks: list[int],
    metric: Metric,
    seed: np.random.SeedSequence,
    report: Any,
    **options: Any,
) -> dict[int, tuple[npt.NDArray[np.float64], int]]:
    """Centroids and passes of the best of all restarts, for every k."""
    if isinstance(metric, SoftDTW):
        number = int(seed.generate_state(1)[0])
        return {k: fit_soft_dtw(scaled, k, seed=number, **options) for k in ks}
    runs = best_runs(scaled, ks, metric, seed=seed, report=report, **options)
    _warn_unsettled(runs, options["max_iter"])
    return {k: (run.centroids, run.n_iter) for k, run in runs.items()}


def _warn_unsettled(runs: Mapping[int, Run], max_iter: int) -> None:
    unsettled = [str(k) for k, run in runs.items() if not run.converged]
    if unsettled:
        warnings.warn(
            f"the centroids were still moving after max_iter={max_iter} passes for k = "
            f"{', '.join(unsettled)}; raise max_iter or tol",
            stacklevel=4,
        )


def lowest_first(centroids: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Order of clusters by the mean of the first variable over the levels."""
    return np.argsort(centroids[..., 0].mean(axis=1), kind="stable")


def order_text(profiles: Profiles) -> str:
    """Say how clusters are numbered."""
    name, attrs = next(iter(profiles.variables.items()))
    unit = str(attrs.get("units", "")).strip()
    return f"mean of {name}{f' ({unit})' if unit else ''}, lowest first"


def _describe(profiles: Profiles, fits: Mapping[int, _Fit]) -> xr.Dataset:
    """Criteria and labels by k."""
    ks = xr.DataArray(list(fits), dims="k", name="k", attrs={"long_name": "number of clusters"})
    inertia = [float(fit.assignment.squared.sum()) for fit in fits.values()]
    # one cluster alone has no silhouette
    silhouette = [
        float(fit.assignment.margin.mean()) if k > 1 else np.nan for k, fit in fits.items()
    ]
    label = xr.concat(
        [profiles.to_map(fit.assignment.labels + 1) for fit in fits.values()], dim=ks
    ).assign_attrs(long_name="cluster", ordered_by=order_text(profiles))
    dataset = xr.Dataset(
        {
            "inertia": ("k", inertia, {"long_name": "sum of squared distances"}),
            "silhouette": ("k", silhouette, {"long_name": "simplified silhouette", "units": "1"}),
            "label": label,
        }
    )
    best, how = choose_k(list(fits), inertia, silhouette)
    return dataset.assign_attrs(best_k=best, best_k_by=how)


def choose_k(ks: list[int], inertia: list[float], silhouette: list[float]) -> tuple[int, str]:
    """Choose k by the knee of the inertia, or else by the best silhouette.

    Parameters
    ----------
    ks : list of int
        Ascending.
    inertia, silhouette : list of float
        At each k.

    Returns
    -------
    (int, str)
        The k, and "knee" or "silhouette", which told it.

    Warns
    -----
    UserWarning
        If the curve has no knee.
    """
    if len(ks) == 1:
        return ks[0], "the only k"
    from kneed import KneeLocator

    if len(ks) > 2 and inertia[0] > inertia[-1]:
        knee = KneeLocator(ks, inertia, S=1, curve="convex", direction="decreasing").knee
        if knee is not None:
            return int(knee), "knee"
    best = ks[int(np.nanargmax(silhouette))]
    warnings.warn(
        f"the inertia has no knee over k = {ks[0]} to {ks[-1]}; took k = {best}, which has the "
        "best silhouette. Look at sweep.plot.elbow() before you trust it",
        stacklevel=3,
    )
    return best, "silhouette"
