"""Cluster the profiles of a model by k-means for many numbers of clusters."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

import xarray as xr

from xvcluster.choose.criteria import describe_criteria
from xvcluster.methods.kmeans import fit_all
from xvcluster.options import K_RANGE, Criterion, MetricName, check_criteria, check_ks, check_metric
from xvcluster.profiles.scaling import Normalization
from xvcluster.result import SweepResult


def sweep(
    data: xr.DataArray | xr.Dataset,
    k: Iterable[int] = K_RANGE,
    *,
    metric: MetricName = "euclidean",
    window: int | None = None,
    window_depth: float | None = None,
    normalize: Normalization | None = None,
    weights: Literal["auto", "area"] | xr.DataArray | None = "auto",
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
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
    """Cluster profiles by k-means for many numbers of clusters at once.

    Parameters
    ----------
    data : DataArray or Dataset
        A model; every variable of a Dataset is one channel of the profile. Never changed.
    k : iterable of int, default 2…20
        Numbers of clusters.
    metric, window, window_depth, normalize, weights, level_weights, variable_weights, n_init,
    max_iter, tol, random_state
        As for `kmeans`.
    criteria : iterable of {"gap", "stability", "structure"}, default none
        Expensive criteria to compute in addition to the others: each repeats the sweep of a sample
        for every data set that it draws. See Notes.
    n_bootstrap : int, optional
        Number of bootstrap samples for the stability. Default: 20.
    block_size : float, optional
        Size of the blocks of neighbouring profiles that are drawn together, in km. Default: the
        distance over which profiles are alike, the range of their variogram, as long as it leaves
        at least ten blocks; or the size that gives about a hundred, if that is larger.
    progress, checkpoint, dim
        As for `kmeans`.

    Returns
    -------
    SweepResult

    Raises
    ------
    TypeError, ValueError
        As `kmeans` does; also if `k` is empty, a criterion is unknown, the gap statistic is
        requested under a metric other than Euclidean, or the stability or the structure under
        soft-DTW; if `n_bootstrap` or `block_size` is given without the stability; or if the
        structure is requested, but fewer than thirty places are known.

    Warns
    -----
    UserWarning
        If the stability is requested but latitude and longitude are not known: neighbours are then
        drawn as if they were independent, and k looks more stable than it is. So it does, and the
        warning says so, if the model holds fewer than ten blocks of half the distance over which
        profiles are alike.

    Notes
    -----
    Each criterion has a best k of its own. The best k of the sweep is the median of those of
    ``inertia``, ``calinski_harabasz``, ``eigengap``, ``valley``, which counts twice, and, if
    requested, ``stability``; the larger of two in the middle. Without any valley, that one is taken
    as the smallest k tried.

    - ``inertia``: the knee of its logarithm (Satopää et al. 2011), from k = 1, Euclidean only, to
      20 at most, since a knee depends on where the curve ends.
    - ``silhouette``: the largest simplified silhouette, the mean over all profiles of 1 − d₁/d₂
      from the distances to the nearest and the second-nearest centroid (Hruschka et al. 2004).
      ``silhouette_sample`` is the one of Rousseeuw (1987), from the distances between all members,
      of up to 2048 profiles, fewer under other metrics.
    - ``davies_bouldin``: the smallest mean of the worst (sᵢ + sⱼ) / d(cᵢ, cⱼ), with mean distances
      s of members to their centroids c (Davies & Bouldin 1979).
    - ``calinski_harabasz``, Euclidean only: the largest ratio of the variance between clusters to
      that within (Caliński & Harabasz 1974).
    - ``eigengap``: the largest gap λₖ − λₖ₊₁ between eigenvalues of the normalized affinity
      exp(−d² / σᵢσⱼ) of up to 1024 profiles, fewer under other metrics, where σ is the distance of
      a profile to its 15th neighbour (Zelnik-Manor & Perona 2004; von Luxburg 2007).
    - ``valley``: the largest k at which it is below 0.79. It is the density of profiles halfway
      between two centroids over that at the lower of the two peaks, on the line through both, for
      the least separated pair, from up to 4096 profiles. Where k-means cuts through a group, there
      is no valley (compare Hennig 2010).
    - ``gap``, Euclidean only: the smallest k whose Gap(k) = E* log W*(k) − log W(k) is at least
      Gap(k + 1) − s(k + 1), with the inertia W of up to 2048 profiles and W* of ten sets drawn
      uniformly from the box around them (Tibshirani et al. 2001).
    - ``stability``: the mean adjusted Rand index between the clusterings of bootstrap samples,
      labelling up to 4096 profiles. Whole blocks of neighbours, which are not independent, are
      drawn (in space: Hall 1985; apart from each other: Carlstein 1986). A k is called stable from
      0.75 on, which is a convention; the best k is the largest within 0.02 of the most stable.
      ``stability_error`` is the standard error; ``block_size_km`` and ``range_km``, the distance
      over which profiles are alike, are among the attributes. A k that is too small can be
      perfectly stable.
    - ``structure``: how much sharper the boundaries of clusters are than those in smooth random
      fields without provinces. These have the spatial trend of up to 1024 profiles (to the second
      degree), their covariance among the levels and that between neighbours (surrogate data,
      Theiler et al. 1992), and are clustered alike. How sharp: the mean squared difference of
      neighbours in different clusters, divided by that of neighbours in the same cluster; given
      as a multiple of its geometric mean in 39 smooth fields. ``structure_p`` is the share of all
      forty in which it is as large, after what is observed was divided by 1.5, because smooth
      fields that are not Gaussian have boundaries that are somewhat sharper. The attribute
      ``p_value`` is that for the most conspicuous k, and the verdict states it. It gives no best k.

    With `weights`, a profile counts as that many; samples draw profiles by their weight.

    References
    ----------
    Caliński, T. & Harabasz, J. (1974). A dendrite method for cluster analysis. Commun. Stat. 3,
    1–27. https://doi.org/10.1080/03610927408827101

    Carlstein, E. (1986). The use of subseries values for estimating the variance of a general
    statistic from a stationary sequence. Ann. Stat. 14, 1171–1179.
    https://doi.org/10.1214/aos/1176350057

    Davies, D. L. & Bouldin, D. W. (1979). A cluster separation measure. IEEE Trans. Pattern Anal.
    Mach. Intell. 1, 224–227. https://doi.org/10.1109/TPAMI.1979.4766909

    Hall, P. (1985). Resampling a coverage pattern. Stoch. Process. Appl. 20, 231–246.
    https://doi.org/10.1016/0304-4149(85)90212-1

    Hennig, C. (2010). Methods for merging Gaussian mixture components. Adv. Data Anal. Classif. 4,
    3–34. https://doi.org/10.1007/s11634-010-0058-3

    Hruschka, E. R., de Castro, L. N. & Campello, R. J. G. B. (2004). Evolutionary algorithms for
    clustering gene-expression data. Fourth IEEE Int. Conf. on Data Mining (ICDM'04), 403–406.

    Rousseeuw, P. J. (1987). Silhouettes. J. Comput. Appl. Math. 20, 53–65.
    https://doi.org/10.1016/0377-0427(87)90125-7

    Satopää, V. et al. (2011). Finding a "kneedle" in a haystack. ICDCS Workshops.
    https://doi.org/10.1109/ICDCSW.2011.20

    Theiler, J., Eubank, S., Longtin, A., Galdrikian, B. & Farmer, J. D. (1992). Testing for
    nonlinearity in time series: the method of surrogate data. Physica D 58, 77–94.
    https://doi.org/10.1016/0167-2789(92)90102-S

    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. J. R. Stat. Soc. B 63, 411–423.
    https://doi.org/10.1111/1467-9868.00293

    von Luxburg, U. (2007). A tutorial on spectral clustering. Stat. Comput. 17, 395–416.
    https://doi.org/10.1007/s11222-007-9033-z

    Zelnik-Manor, L. & Perona, P. (2004). Self-tuning spectral clustering. NIPS 17, 1601–1608.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> swept = vs.vcluster.sweep(range(2, 11))
    >>> labels, centroids = swept.result(6)
    """
    asked = check_criteria(criteria, check_metric(metric), n_bootstrap, block_size)
    fits = fit_all(
        data, check_ks("k", k), metric=metric, window=window, window_depth=window_depth,
        normalize=normalize, weights=weights, level_weights=level_weights,
        variable_weights=variable_weights, n_init=n_init, max_iter=max_iter, tol=tol,
        random_state=random_state, progress=progress, checkpoint=checkpoint, dim=dim,
        in_space="structure" in asked["criteria"],
    )  # fmt: skip
    return SweepResult(describe_criteria(fits, progress=progress, **asked), fits)
