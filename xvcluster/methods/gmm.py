"""Cluster the profiles of a model by a Gaussian mixture, which gives each label a probability."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.expectation import MixtureFit, Rival, fit_mixture
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.mixture import Mixture, to_pipeline, whiten
from xvcluster.arrays import Float64s
from xvcluster.inputs import take_model
from xvcluster.messages import shown, warn
from xvcluster.methods.steps import (
    lay_out_model,
    open_model,
    require_distinct,
    warn_at_end,
    warn_unsettled,
)
from xvcluster.options import (
    K_RANGE,
    Covariance,
    check_convergence,
    check_flag,
    check_mixture,
    check_seed,
    check_starts,
    choose_ks,
)
from xvcluster.profiles import Layout, Scaled, join_maps
from xvcluster.profiles.scaling import Normalization, check_normalize
from xvcluster.progress import show_steps
from xvcluster.record.contents import Parameter, Parameters, Variable, integer, number, one_of
from xvcluster.record.dataset import (
    describe,
    describe_order,
    held,
    lowest_first,
    of_each,
    parameters_of,
    read_each,
    read_metric,
    read_nodes,
)
from xvcluster.record.method import Method, register
from xvcluster.result import ClusterResult

_FITTING = ("covariance", "n_components", "variance_explained", "max_iter", "tol")
_SPREADS: dict[str, str] = {
    "full": "cluster component component_",
    "tied": "component component_",
    "diag": "cluster component",
    "spherical": "cluster",
}
"""Dimensions of the covariances of each kind."""
_BOUNDS = (0.33, 0.66, 0.9, 0.99)
_CLASSES = ("unlikely", "as_likely_as_not", "likely", "very_likely", "virtually_certain")


def gmm(
    data: xr.DataArray | xr.Dataset,
    n_clusters: int | None = None,
    *,
    n_components: int | None = None,
    variance_explained: float | None = None,
    covariance: Covariance = "full",
    normalize: Normalization | None = "level",
    weights: Literal["auto", "area"] | xr.DataArray | None = None,
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
    k_range: Iterable[int] = K_RANGE,
    n_init: int | Literal["auto"] = "auto",
    max_iter: int = 1000,
    tol: float = 1e-6,
    random_state: int | None = 0,
    progress: bool | None = None,
    dim: Hashable | None = None,
) -> ClusterResult:
    """Cluster profiles by a Gaussian mixture, which gives each label a probability.

    Parameters
    ----------
    data : DataArray or Dataset
        As for `kmeans`.
    n_clusters : int, optional
        Number of Gaussians, each of which is a cluster; at most the number of distinct profiles.
        Default: the number in `k_range` with the lowest Bayesian information criterion (BIC).
    n_components : int, optional
        Number of principal components of each variable, or as many as there are. Default: 15, as
        pyXpcm. This is not scikit-learn's ``n_components``, which here is `n_clusters`.
    variance_explained : float, optional
        Instead of their number, the fraction of each variable's variance that the components keep,
        above 0 and at most 1.
    covariance : {"full", "tied", "diag", "spherical"}, default "full"
        One covariance matrix per cluster, one for all clusters, one variance per principal
        component, or one variance per cluster.
    normalize, level_weights, variable_weights
        As for `kmeans`; "level" by default: each level by its own mean and standard deviation.
    weights : "auto", "area", DataArray or None, default None
        As for `kmeans`, but by default each profile counts once.
    k_range : iterable of int, default 2…20
        Numbers of clusters to try if `n_clusters` is None.
    n_init : int or "auto", default "auto"
        "auto" starts from the best k-means clustering of the components, which every seed finds;
        a number takes the most likely of as many mixtures, each from a single run of k-means, as
        scikit-learn does. See Notes.
    max_iter : int, default 1000
        Maximum number of steps of each fit.
    tol : float, default 1e-6
        A fit has converged when the mean log-likelihood of the profiles gains less than this.
    random_state, progress, dim
        As for `kmeans`.

    Returns
    -------
    ClusterResult
        Unpacks to labels and centroids, the means of the Gaussians in the units of the data,
        numbered as by `kmeans`. Its Dataset also holds:

        - ``posterior`` (cluster, horizontal): the probability of each cluster. The label is the
          most probable one, and ``margin`` is 1 − p₂/p₁ of the two most probable.
        - ``robustness``: (p₁ − 1/k) · k/(k − 1), from 0, all equally probable, to 1, certain; and
          in words ``robustness_class``.
        - ``sweep_bic`` by ``k``, if it chose the number of clusters.
        - the parameters of the mixture, for `predict` and ``result.model``.

        Of other data it gives `predict`, `predict_proba`, `score` and `bic`.

    Raises
    ------
    TypeError
        If an option or a variable has the wrong type.
    ValueError
        If an option is out of range, the vertical is ambiguous, fewer than two profiles are
        complete, or there are fewer distinct profiles than clusters.

    Warns
    -----
    UserWarning
        If a fit has not converged, the lowest BIC lies at the end of `k_range`, or another seed may
        well find a mixture with another map.

    Notes
    -----
    Scaled profiles are projected on the principal components of each variable, and a mixture is
    fitted to these, in float64, by expectation maximization with the formulas of scikit-learn [1]_.
    These are the steps and options of pyXpcm [2]_, as are robustness and its classes; with
    ``n_init=1``, `random_state` is the one of scikit-learn. Beyond 16,384 to 262,144 profiles, as
    many as take 64 MB, it is fitted to a sample of that size.

    The likelihood has many maxima, and where a fit ends depends on where it starts [3]_. With full
    covariances it has no upper bound either, so that the most likely of very many starts need not
    be the best. "auto" searches the best k-means clustering four times, with ten restarts each, and
    fits from that. If another search finds one that is nearly as good, with an inertia at most
    0.5 % larger, but differs, it fits from both, keeps the more likely mixture, and warns if their
    maps agree with an adjusted Rand index below 0.95. With several starts, it warns if fewer than
    three of them led to the map that is kept.

    Weights multiply each profile's share in all sums, so that 2 counts as two equal profiles. By
    default none are used, as a likelihood takes each profile for one observation, and as in
    pyXpcm.

    Neighbouring profiles and levels are alike, but the mixture takes each profile as independent
    and as exactly Gaussian in its cluster: the BIC tends to choose many clusters, and posteriors
    are too sure. In synthetic models with known clusters, 94 % of the points have a posterior above
    0.99, and 95 % of these are right on average, but only 75 % in the worst model. `stability` does
    not share that assumption.

    References
    ----------
    .. [1] Pedregosa, F. et al. (2011). Scikit-learn: machine learning in Python. J. Mach. Learn.
       Res. 12, 2825–2830.
    .. [2] Maze, G. et al. (2017). Coherent heat patterns revealed by unsupervised classification of
       Argo temperature profiles in the North Atlantic Ocean. Prog. Oceanogr. 151, 275–292.
       https://doi.org/10.1016/j.pocean.2016.12.008
    .. [3] Biernacki, C., Celeux, G. & Govaert, G. (2003). Choosing starting values for the EM
       algorithm for getting the highest likelihood in multivariate Gaussian mixture models. Comput.
       Stat. Data Anal. 41, 561–575. https://doi.org/10.1016/S0167-9473(02)00163-9

    Examples
    --------
    >>> import xvcluster
    >>> ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000), stride=4)
    >>> result = ocean.vcluster.gmm(8)
    >>> result.dataset["posterior"].dims
    ('cluster', 'latitude', 'longitude')
    """
    data = take_model(data)
    _refuse_former_name(n_clusters, n_components, k_range)
    ks = choose_ks(n_clusters, k_range, "n_clusters")
    asked = check_mixture(covariance, n_components, variance_explained)
    asked |= {"n_init": check_starts(n_init), **check_convergence(max_iter, tol)}
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    known = check_normalize(normalize)
    weighing = weights, level_weights, variable_weights
    layout = lay_out_model(data, dim, *weighing, method=GaussianMixture, sweeps=len(ks) > 1)
    profiles = open_model(layout, normalize=normalize, by_level=True, seed=seed)
    _require_two(profiles)
    require_distinct(profiles.source, ks[-1], of_range=len(ks) > 1)
    with show_steps(progress, len(ks)) as report:
        fits = fit_mixture(profiles.source.sample, ks, seed=seed, report=report, **asked)
    unsettled = [k for k, fit in fits.items() if not fit.converged]
    limit = f"max_iter={asked['max_iter']} steps"
    warn_unsettled(unsettled, "the mixture was still changing", limit)
    k = min(fits, key=lambda k: fits[k].bic)
    warn_at_end("the BIC", ks, k)
    _warn_of_rival(k, fits[k].rival)
    mixture = _lowest_first(profiles, fits[k].mixture)
    parameters: dict[str, Any] = {"method": "gmm", "metric": "euclidean", **asked, **known}
    parameters |= layout.weighting.recorded
    parameters |= {"random_state": seed.entropy, "n_iter": fits[k].n_iter}
    dataset = _describe(data, layout, profiles, mixture, parameters)
    if len(ks) > 1:
        dataset = dataset.assign(_criterion(fits))
    return ClusterResult(dataset, _layout=layout)


@register
class GaussianMixture(Method):
    """Profiles belong to the most probable Gaussian."""

    name = "gmm"
    contents: ClassVar = {
        "posterior": Variable("cluster map"),
        "robustness": Variable("map"),
        "robustness_class": Variable("map", "fiu", 0, len(_CLASSES) - 1),
        "{name}_axis": Variable("component levels", decides=True),
        "component_weight": Variable("cluster", least=0.0, most=1.0 + 1e-9, decides=True),
        "component_mean": Variable("cluster component", decides=True),
        "component_covariance": Variable(
            lambda parameters, _: _SPREADS[parameters["covariance"]], decides=True
        ),
        "component": Variable("component", "iu", counts=True),
        "component_": Variable("component_", "iu", counts=True, optional=True),
    }
    parameters: ClassVar = {
        "metric": one_of("euclidean"),
        "covariance": one_of(*_SPREADS),
        "n_components": integer(1, optional=True),
        "variance_explained": number(most=1.0, optional=True),
        "n_init": Parameter(lambda _, value: check_starts(value)),
        "max_iter": integer(1),
        "tol": number(or_equal=True),
        "n_iter": integer(0),
    }

    def misfit(self, dataset: xr.Dataset, parameters: Parameters) -> str:
        """Covariances are positive definite, and weights shares of one whole."""
        exist = dataset["component_weight"].notnull().values
        total = float(dataset["component_weight"].sum())
        if abs(total - 1.0) > 1e-6:
            return f"'component_weight' sums to {total:g}, but shares sum to 1"
        spread = dataset["component_covariance"]
        own = spread.values[exist] if "cluster" in spread.dims else spread.values
        try:
            with np.errstate(all="ignore"):
                is_whole = bool(np.isfinite(whiten(own, parameters["covariance"])).all())
        except np.linalg.LinAlgError:
            is_whole = False
        return "" if is_whole else "'component_covariance' holds what is no covariance"

    def assigner(self, dataset: xr.Dataset, nodes: Float64s, metric: Metric) -> Mixture:
        """Assign to the most probable Gaussian."""
        options, exist = parameters_of(dataset), held(nodes)
        spread = dataset["component_covariance"]
        return Mixture(
            nodes[exist],
            metric,
            None if exist.all() else np.flatnonzero(exist),
            axes=read_each(dataset, options["variables"], "_axis", "component"),
            weights=dataset["component_weight"].values[exist],
            covariance=options["covariance"],
            covariances=spread.values[exist] if "cluster" in spread.dims else spread.values,
        )

    def refit(
        self, dataset: xr.Dataset, k: int, sample: Block, seed: np.random.SeedSequence
    ) -> Mixture:
        """Fit a mixture to another sample, whose weights say how often a profile was drawn."""
        parameters = parameters_of(dataset)
        options = {name: parameters[name] for name in _FITTING if name in parameters}
        options["n_init"] = "auto" if parameters["n_init"] == "auto" else 1
        return fit_mixture(sample, [k], seed=seed, searches=1, **options)[k].mixture

    def model(self, dataset: xr.Dataset) -> Any:
        """Build the ``PCA`` and the ``GaussianMixture`` of scikit-learn, one after the other."""
        scaling, nodes = read_nodes(dataset)
        if not 0.0 < scaling.unit * scaling.unit < np.inf:
            raise ValueError(
                f"values of the order of {scaling.unit:.0e} have variances beyond what float64 "
                "holds, so that scikit-learn cannot have this mixture; convert the data to other "
                "units, or cluster them with normalize='level'"
            )
        mixture = self.assigner(dataset, nodes, read_metric(dataset)).in_units(scaling.unit)
        options = parameters_of(dataset)
        n_init = 1 if options["n_init"] == "auto" else options["n_init"]
        fitted_with = {"n_init": n_init, "max_iter": options["max_iter"], "tol": options["tol"]}
        return to_pipeline(mixture, len(nodes), options["n_iter"], **fitted_with)


def _refuse_former_name(
    n_clusters: int | None, n_components: int | None, k_range: Iterable[int]
) -> None:
    """Refuse `n_components` where it may be meant as the number of clusters, as it once was."""
    is_usual = isinstance(k_range, range) and k_range == K_RANGE
    if n_components is not None and n_clusters is None and is_usual:
        raise ValueError(
            f"n_components={shown(n_components)} is the number of principal components of each "
            "variable, and no longer another name of n_clusters; give n_clusters as well, or a "
            "k_range of which the BIC chooses"
        )


def _require_two(profiles: Scaled) -> None:
    if profiles.source.n_profiles < 2:
        raise ValueError(
            "a Gaussian mixture needs at least two complete profiles, and there is 1; give a "
            "larger part of the model"
        )


def _warn_of_rival(k: int, rival: Rival | None) -> None:
    if rival is not None:
        kept, other = rival.likelihoods
        warn(
            f"the mixture of k = {k} depends on its start: another start, nearly as good as a "
            "k-means clustering, leads to a map that agrees with this one with an adjusted Rand "
            f"index of {rival.agreement:.2f} (mean log-likelihood {other:.4g}, here {kept:.4g}), "
            "and so may another random_state; "
            "choose another number of clusters, fewer components, or the most likely of many "
            "starts, e.g. n_init=30"
        )


def _lowest_first(profiles: Scaled, mixture: Mixture) -> Mixture:
    """The mixture, its clusters numbered as by k-means."""
    means = profiles.members(mixture).scaling().undo(mixture.nodes)
    return mixture.take(lowest_first(means, profiles.layout.weighting.levels))


def _describe(
    data: xr.DataArray | xr.Dataset,
    layout: Layout,
    profiles: Scaled,
    mixture: Mixture,
    parameters: dict[str, Any],
) -> xr.Dataset:
    """Describe a mixture in one Dataset: what every result holds, probabilities, and its parts."""
    means = mixture.nodes.astype(np.float64)
    dataset = describe(data, layout, means, profiles.members(mixture), parameters)
    dataset["label"].attrs["ordered_by"] = describe_order(layout)
    dataset["margin"].attrs |= {
        "long_name": "margin of the cluster over the second most probable",
        "comment": "1 - p2/p1: 0 ambiguous, 1 certain",
    }
    number = np.arange(len(mixture.axes)) + 1
    return dataset.assign(_posteriors(profiles, mixture) | _parts(layout, mixture)).assign_coords(
        component=("component", number, {"long_name": "component number"})
    )


def _posteriors(profiles: Scaled, mixture: Mixture) -> dict[str, xr.Variable]:
    """The probability of each cluster at each point, and how far that is from chance."""
    k = len(mixture.nodes)
    posterior = join_maps(profiles.maps(mixture.posterior, k), "cluster")
    robustness: Any = posterior.max("cluster", skipna=False)  # has methods that are untyped
    if k > 1:
        robustness = ((robustness - 1 / k) * (k / (k - 1))).clip(0.0, 1.0)
    robustness = robustness.astype(np.float32)
    classes = xr.apply_ufunc(_classify, robustness, dask="parallelized", output_dtypes=[np.float32])
    posterior.attrs = {"long_name": "probability of the cluster", "units": "1"}
    robustness.attrs = {
        "long_name": "robustness of the label",
        "units": "1",
        "comment": "(p1 - 1/k) k/(k - 1): 0 all clusters equal, 1 certain",
    }
    classes.attrs = {
        "long_name": "robustness of the label in words",
        "flag_values": np.arange(len(_CLASSES), dtype=np.int8),
        "flag_meanings": " ".join(_CLASSES),
        "comment": f"robustness below {', '.join(map(str, _BOUNDS))}, and up to 1",
    }
    return {"posterior": posterior, "robustness": robustness, "robustness_class": classes}


def _classify(robustness: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Number of the class of each robustness, NaN where it is missing."""
    number = np.digitize(robustness, _BOUNDS).astype(np.float32)
    return np.where(np.isnan(robustness), np.float32(np.nan), number)


def _parts(layout: Layout, mixture: Mixture) -> dict[str, Any]:
    """The parts of the mixture: axes of the components, and the Gaussians in them."""
    parts: dict[str, Any] = of_each(layout, "_axis", mixture.axes, "component")
    for axis in parts.values():
        axis.attrs = {"long_name": "principal axis of the scaled profiles", "units": "1"}
    dims = _SPREADS[mixture.covariance].split()
    weight = {"long_name": "weight of the cluster in the mixture", "units": "1"}
    mean = {"long_name": "mean of the components in the cluster", "units": "1"}
    spread = {"long_name": "covariance of the components in the cluster", "units": "1"}
    return parts | {
        "component_weight": ("cluster", mixture.weights, weight),
        "component_mean": (("cluster", "component"), mixture.means, mean),
        "component_covariance": (dims, mixture.covariances, spread),
    }


def _criterion(fits: Mapping[int, MixtureFit]) -> dict[str, xr.DataArray]:
    """The BIC by number of clusters."""
    ks = xr.DataArray(list(fits), dims="k", attrs={"long_name": "number of clusters"})
    attrs = {"long_name": "Bayesian information criterion", "units": "1"}
    bic = [fit.bic for fit in fits.values()]
    return {"sweep_bic": xr.DataArray(bic, coords={"k": ks}, dims="k", attrs=attrs)}
