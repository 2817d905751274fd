"""The same clustering for many numbers of clusters, and which of them to take."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from xvcluster.choose.choice import describe_choice
from xvcluster.methods.fitting import Fitted, fit_all, order_text
from xvcluster.options import Criterion, MetricName, Normalization, check_criteria, check_ks
from xvcluster.result import ClusterResult

if TYPE_CHECKING:
    import pandas as pd

    from xvcluster.plot.methods import SweepPlots


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """Criteria for the choice of k, and the clustering at every k.

    Attributes
    ----------
    dataset : Dataset
        The criteria by ``k``, the ``best`` k of each by ``criterion`` (0 where it has none), and
        ``label`` by ``k`` and the horizontal dimensions.
    """

    dataset: xr.Dataset
    _fitted: Fitted = field(repr=False)

    @property
    def best_k(self) -> int:
        """The k at the knee of the inertia; without a knee, that of the best silhouette."""
        return int(self.dataset.attrs["best_k"])

    @property
    def verdict(self) -> str:
        """What the criteria say of k, in a sentence."""
        return str(self.dataset.attrs["verdict"])

    def table(self) -> pd.DataFrame:
        """The criteria, one row a k.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``k``; what is best by each is in ``dataset["best"]``.
        """
        return self.dataset[self._criteria()].to_dataframe()

    def _criteria(self) -> list[str]:
        return [str(n) for n, a in self.dataset.data_vars.items() if a.dims == ("k",)]

    @property
    def plot(self) -> SweepPlots:
        """The methods criteria and maps, which draw the sweep."""
        from xvcluster.plot.methods import SweepPlots

        return SweepPlots(self.dataset, self._original)

    def _original(self) -> xr.DataArray:
        """The first variable of the complete profiles, its mean where they have several levels."""
        layout = self._fitted.layout
        name, attrs = next(iter(layout.variables.items()))
        vertical = layout.axes.vertical
        methods = {} if vertical is None else {"cell_methods": f"{vertical}: mean"}
        named: xr.DataArray = self._fitted.profiles.mean_map().rename(name).astype(np.float32)
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
        dataset, origin = self._fitted.dataset(k), self._fitted.origin(k)
        if len(fits) == 1:
            return ClusterResult(dataset, _origin=origin)
        for name in self._criteria():
            dataset[f"sweep_{name}"] = self.dataset[name]
        return ClusterResult(dataset, sweep=self, _origin=origin)

    def __repr__(self) -> str:
        how = self.dataset.attrs["best_k_by"]
        head = f"<xvcluster.SweepResult: best k = {self.best_k} (by {how})>"
        return f"{head}\n{self.table().to_string()}\n{self.verdict}"


def sweep(
    data: xr.DataArray | xr.Dataset,
    k: Iterable[int] = range(2, 21),
    *,
    metric: MetricName = "euclidean",
    window: float | None = None,
    normalize: Normalization | None = None,
    weights: Literal["area"] | xr.DataArray | None = None,
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    criteria: Iterable[Criterion] = (),
    n_bootstrap: int | None = None,
    block_size: float | None = None,
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
    metric, window, normalize, weights, level_weights, n_init, max_iter, tol, random_state
        As for `kmeans`.
    criteria : iterable of {"gap", "stability"}, default none
        Criteria to find beside those that cost little: each takes as many sweeps of a sample again
        as it draws data sets. See Notes.
    n_bootstrap : int, optional
        Samples that the stability is found from. Default: 20.
    block_size : float, optional
        Of the blocks that these are made of, in km: about the distance over which profiles are
        alike. Default: such that there are about a hundred blocks.
    progress, checkpoint, dim
        As for `kmeans`.

    Returns
    -------
    SweepResult

    Raises
    ------
    TypeError, ValueError
        As `kmeans` does; also if `k` is empty, a criterion is unknown, the gap statistic is asked
        for under a metric other than Euclidean or the stability under soft-DTW, or `n_bootstrap`
        or `block_size` are given without the stability.

    Warns
    -----
    UserWarning
        If the stability is asked for where latitude and longitude are not known: neighbours are
        then drawn as if they were independent, and k looks more stable than it is.

    Notes
    -----
    Each criterion has a best k of its own:

    - ``inertia``: the knee of the curve (Satopää et al. 2011), which is the best k of the sweep.
    - ``silhouette``: the greatest simplified silhouette, the mean over all profiles of 1 − d₁/d₂
      from the distances to the nearest and the second-nearest centroid (Hruschka et al. 2004).
      ``silhouette_sample`` is the one of Rousseeuw (1987), from the distances between all members,
      of up to 2048 profiles, fewer under other metrics.
    - ``davies_bouldin``: the least mean of the worst (sᵢ + sⱼ) / d(cᵢ, cⱼ), with the mean distances
      s of members to their centroids c (Davies & Bouldin 1979).
    - ``calinski_harabasz``, Euclidean only: the greatest ratio of the variance between clusters to
      that within (Caliński & Harabasz 1974).
    - ``gap``, Euclidean only: the smallest k whose Gap(k) = E* log W*(k) − log W(k) is at least
      Gap(k + 1) − s(k + 1), with the inertia W of up to 2048 profiles and W* of ten sets drawn
      evenly from the box around them (Tibshirani et al. 2001).
    - ``stability``: the mean adjusted Rand index between the clusterings of bootstrap samples,
      labelling up to 4096 profiles. Whole blocks are drawn, for neighbours are no independent
      samples (Künsch 1989). A k is called stable from 0.75 on, which is a convention; the best is
      the most stable. ``stability_error`` is the standard error.

    By `weights`, a profile counts as that many; what is found of a sample draws profiles by weight.

    References
    ----------
    Caliński, T. & Harabasz, J. (1974). A dendrite method for cluster analysis. Commun. Stat. 3,
    1–27. https://doi.org/10.1080/03610927408827101

    Davies, D. L. & Bouldin, D. W. (1979). A cluster separation measure. IEEE Trans. Pattern Anal.
    Mach. Intell. 1, 224–227. https://doi.org/10.1109/TPAMI.1979.4766909

    Hruschka, E. R., de Castro, L. N. & Campello, R. J. G. B. (2004). Evolutionary algorithms for
    clustering gene-expression data. ICDM '04. https://doi.org/10.1109/ICDM.2004.10073

    Künsch, H. R. (1989). The jackknife and the bootstrap for general stationary observations. Ann.
    Stat. 17, 1217–1241. https://doi.org/10.1214/aos/1176347265

    Rousseeuw, P. J. (1987). Silhouettes. J. Comput. Appl. Math. 20, 53–65.
    https://doi.org/10.1016/0377-0427(87)90125-7

    Satopää, V. et al. (2011). Finding a "kneedle" in a haystack. ICDCS Workshops.
    https://doi.org/10.1109/ICDCSW.2011.20

    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. J. R. Stat. Soc. B 63, 411–423.
    https://doi.org/10.1111/1467-9868.00293

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> swept = vs.vcluster.sweep(range(2, 11))
    >>> labels, centroids = swept.result(6)
    """
    asked = check_criteria(criteria, metric, n_bootstrap, block_size)
    fitted = fit_all(
        data,
        check_ks("k", k),
        metric=metric,
        window=window,
        normalize=normalize,
        weights=weights,
        level_weights=level_weights,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        progress=progress,
        checkpoint=checkpoint,
        dim=dim,
    )
    return describe_sweep(fitted, progress=progress, **asked)


def describe_sweep(fitted: Fitted, **asked: Any) -> SweepResult:
    """Criteria and labels by k."""
    fits = fitted.fits
    ks = xr.DataArray(list(fits), dims="k", name="k", attrs={"long_name": "number of clusters"})
    dataset = describe_choice(fitted, **asked).assign_coords(k=ks)
    label = xr.concat([fit.members.label() for fit in fits.values()], dim=ks)
    label.attrs = {"long_name": "cluster", "ordered_by": order_text(fitted.layout)}
    return SweepResult(dataset.assign(label=label), fitted)
