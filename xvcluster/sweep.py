"""The same clustering for many numbers of clusters, and which of them to take."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from xvcluster.fitting import Fitted, fit_all, order_text
from xvcluster.methods.assign import Assigner
from xvcluster.methods.silhouette import draw_evenly, silhouettes
from xvcluster.options import MetricName, check_ks
from xvcluster.result import ClusterResult

if TYPE_CHECKING:
    from xvcluster.plot.methods import SweepPlots


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """Criteria for the choice of k, and the clustering at every k.

    Attributes
    ----------
    dataset : Dataset
        ``inertia``, ``silhouette`` and ``silhouette_sample`` by ``k``, ``label`` by ``k`` and the
        horizontal dimensions.
    """

    dataset: xr.Dataset
    _fitted: Fitted = field(repr=False)

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
        layout, profiles = self._fitted.layout, self._fitted.profiles
        name, attrs = next(iter(layout.variables.items()))
        scaling, vertical = profiles.scaling, layout.axes.vertical
        field: xr.DataArray = profiles.mean_map() * scaling.scale[0] + scaling.offset[..., 0].mean()
        methods = {} if vertical is None else {"cell_methods": f"{vertical}: mean"}
        named: xr.DataArray = field.rename(name).astype(np.float32)
        return named.assign_attrs(dict(attrs) | methods)

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
        fits = self._fitted.fits
        if k not in fits:
            tried = ", ".join(map(str, fits))
            raise ValueError(f"the sweep has no k = {k!r}; it tried {tried}")
        dataset = self._fitted.dataset(k)
        if len(fits) == 1:
            return ClusterResult(dataset)
        for name in ("inertia", "silhouette"):
            dataset[f"sweep_{name}"] = self.dataset[name]
        return ClusterResult(dataset, sweep=self)

    def __repr__(self) -> str:
        criteria = self.dataset[["inertia", "silhouette", "silhouette_sample"]].to_dataframe()
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
    checkpoint: str | os.PathLike[str] | None = None,
    dim: Hashable | None = None,
) -> SweepResult:
    """Cluster profiles by k-means for many numbers of clusters, all at once.

    Parameters
    ----------
    data : DataArray or Dataset
        A model; every variable of a Dataset is one channel of the profile. Never changed.
    k : iterable of int, default 2…20
        Numbers of clusters.
    metric, window, n_init, max_iter, tol, random_state, progress, checkpoint, dim
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
    second-nearest centroid. ``silhouette_sample`` is the one of Rousseeuw (1987), from the
    distances between all members, of a sample of the profiles.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes. J. Comput. Appl. Math. 20, 53–65.
    https://doi.org/10.1016/0377-0427(87)90125-7

    Satopää, V. et al. (2011). Finding a "kneedle" in a haystack. ICDCS Workshops.
    https://doi.org/10.1109/ICDCSW.2011.20

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> swept = vs.vcluster.sweep(range(2, 11))
    >>> labels, centroids = swept.result(6)
    """
    fitted = fit_all(
        data,
        check_ks("k", k),
        metric=metric,
        window=window,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        progress=progress,
        checkpoint=checkpoint,
        dim=dim,
    )
    return describe_sweep(fitted)


def describe_sweep(fitted: Fitted) -> SweepResult:
    """Criteria and labels by k."""
    fits, metric = fitted.fits, fitted.metric
    ks = xr.DataArray(list(fits), dims="k", name="k", attrs={"long_name": "number of clusters"})
    members = [fit.members for fit in fits.values()]
    inertia, silhouette = map(list, zip(*fitted.profiles.criteria(members), strict=True))
    if ks[0] == 1:
        silhouette[0] = np.nan  # one cluster alone has none
    sample = draw_evenly(fitted.profiles.source.sample, metric.pairs)
    found = silhouettes(sample, [Assigner(f.centroids, metric) for f in fits.values()])
    label = xr.concat([m.label() for m in members], dim=ks)
    label.attrs = {"long_name": "cluster", "ordered_by": order_text(fitted.layout)}
    of_sample = {"long_name": f"silhouette of {len(sample)} profiles", "units": "1"}
    dataset = xr.Dataset(
        {
            "inertia": ("k", inertia, {"long_name": "sum of squared distances"}),
            "silhouette": ("k", silhouette, {"long_name": "simplified silhouette", "units": "1"}),
            "silhouette_sample": ("k", found, of_sample),
            "label": label,
        }
    )
    best, how = choose_k(list(fits), inertia, silhouette)
    return SweepResult(dataset.assign_attrs(best_k=best, best_k_by=how), fitted)


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
