"""The agreement of models at each point: votes of clusterings that are matched to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Float64s, Integers
from xvcluster.compare.labels import LabelMap, plain_name, read_labels
from xvcluster.compare.match import find_numbers, point_weights, tabulate
from xvcluster.grid.coords import at_rest, refuse_empty
from xvcluster.grid.horizontal import find_grid
from xvcluster.grid.labels import Clustering, Result, given_colors, given_names, labelled
from xvcluster.grid.nearest import nearest_labels
from xvcluster.options import check_number
from xvcluster.record.naming import describe_clusters

_MOST_POINTS = 20_000_000
"""Maximum size of a global grid: each point has a vote of two bytes per cluster, and more."""


def consensus(
    results: Sequence[Clustering] | Mapping[str, Clustering],
    *,
    grid: Clustering | float | None = None,
    reference: Clustering | None = None,
) -> xr.Dataset:
    """Count how many models put each point in each cluster.

    Parameters
    ----------
    results : sequence or mapping of name to ClusterResult, Dataset or DataArray
        One clustering per model: its result, or its labels, NaN or below 1 for no label. Each may
        be on a grid of its own.
    grid : ClusterResult, Dataset, DataArray or float, optional
        The points at which votes are counted: anything with 1-D or 2-D coordinates of latitude and
        longitude, or the spacing in degrees of a global grid. Default: the grid of the first model.
    reference : ClusterResult, Dataset or DataArray, optional
        The clusters that are counted, to which those of every model are matched. Default: those of
        the first model.

    Returns
    -------
    Dataset
        On the grid, with the clusters 1…K of the reference:

        - ``votes`` (cluster, grid), int16: number of models that put the point in the cluster.
        - ``n_models``, int16: number of models that label the point.
        - ``agreement``: share of these models that put the point in the cluster with the most
          votes; NaN if no model labels the point.
        - ``entropy``: 0 if all models agree, 1 if all clusters have equal votes; NaN if no model
          labels the point.
        - ``label``: the cluster with the most votes, the lowest if there are several; NaN if no
          model labels the point.
        - ``attrs["models"]``: names of the models, separated by semicolons; models of the same name
          are numbered.

    Raises
    ------
    TypeError
        If `results` is not a sequence or mapping, or holds anything but results and labels.
    ValueError
        If there are no results; if labels are not cluster numbers, have no latitude and longitude
        or more than one map; if clusters are the nodes of a self-organizing map; if `grid` has no
        latitude and longitude, has too many points, or lies where a model or the reference has no
        label; or if a model and the reference have no labelled point in common.

    Notes
    -----
    A point of the grid takes the label of a model's cell that holds it, or of the nearest point on
    2-D coordinates. The clusters of each model are then matched to the reference as by
    `ClusterResult.match`, by the area on which they agree. Clusters without a partner in the
    reference are numbered after its last, so that K may be larger; those of several models then
    share a number, but not necessarily anything else.

    If cluster i has nᵢ of n votes, the entropy is −Σ (nᵢ/n) log(nᵢ/n) / log K.

    This is how to find what tomographic models of the lower mantle have in common: each model is
    clustered by its profiles in one depth window, and ``votes.sel(cluster=1)`` maps how many of the
    models are slow at each point. Lekić et al. (2012) [1]_ use k = 2 for the lower mantle, Cottaar
    & Lekić (2016) [2]_ k = 3, slow, neutral and fast, in depth windows that they move.

    References
    ----------
    .. [1] Lekić, V., Cottaar, S., Dziewonski, A. & Romanowicz, B. (2012), Cluster analysis of
       global lower mantle tomography: A new class of structure and implications for chemical
       heterogeneity, Earth Planet. Sci. Lett. 357-358, 68-77.
    .. [2] Cottaar, S. & Lekić, V. (2016), Morphology of seismically slow lower-mantle structures,
       Geophys. J. Int. 207, 1122-1136, doi:10.1093/gji/ggw324.

    Examples
    --------
    >>> import xvcluster
    >>> ocean = xvcluster.tutorial.ocean().sel(depth=slice(0, 200))
    >>> models = {name: ocean[name].vcluster.kmeans(2) for name in ("temperature", "salinity")}
    >>> common = xvcluster.consensus(models, grid=5)
    >>> dict(common["votes"].sizes)
    {'cluster': 2, 'latitude': 36, 'longitude': 72}
    >>> int(common["votes"].sel(cluster=1).max())
    2
    """
    models = _read_models(results)
    matched_to = models[0] if reference is None else read_labels(reference, "the reference")
    latitude, longitude = _find_points(models[0].labels if grid is None else grid)
    maps = [_bring(model, latitude, longitude) for model in models]
    base = maps[0] if reference is None else _bring(matched_to, latitude, longitude)
    weights = point_weights(base)
    numbers = [
        _match(own, model.name, base, matched_to, weights)
        for own, model in zip(maps, models, strict=True)
    ]
    k = max(matched_to.n_clusters, *(int(n.max()) for n in numbers))
    votes = np.zeros((k, *base.shape), dtype=np.int16)
    for own, number in zip(maps, numbers, strict=True):
        cluster = number[np.nan_to_num(own.values).astype(np.int64)]
        for c in np.unique(cluster[cluster > 0]):
            votes[c - 1] += cluster == c
    dataset = _describe(votes, base, matched_to)
    return dataset.assign_attrs(
        Conventions="CF-1.11",
        title=f"agreement of {len(models)} clusterings",
        models="; ".join(model.name for model in models),
        matched_to=matched_to.name,
        software=f"xvcluster {metadata.version('xvcluster')}",
    )


def _read_models(results: Sequence[Clustering] | Mapping[str, Clustering]) -> list[LabelMap]:
    """Read the labels of the models; names that several of them have are numbered."""
    single = isinstance(results, xr.Dataset | str)
    if single or not isinstance(results, Sequence | Mapping):
        raise TypeError(
            "results must be a list of results or labels, or a mapping from names to these; got "
            f"{type(results).__name__}"
        )
    if not results:
        raise ValueError("results are empty; give the result or labels of at least one model")
    if isinstance(results, Mapping):
        named = [(plain_name(name), source) for name, source in results.items()]
        models = [replace(read_labels(s, n), name=n) for n, s in named]
    else:
        models = [read_labels(s, f"model {i}") for i, s in enumerate(results, start=1)]
    names = [model.name for model in models]
    for i, name in enumerate(names):
        if names.count(name) > 1:
            models[i] = replace(models[i], name=f"{name} [{names[: i + 1].count(name)}]")
    return models


def _find_points(grid: Clustering | float) -> tuple[xr.DataArray, xr.DataArray]:
    """Latitude and longitude of data, or of a global grid of the given spacing."""
    if not isinstance(grid, Result | xr.Dataset | xr.DataArray):
        return _global_grid(grid)
    data = labelled(grid)
    refuse_empty(data)
    horizontal = find_grid(data)
    if horizontal is None:
        raise ValueError(
            "the grid has no latitude and longitude among its coordinates "
            f"({', '.join(repr(str(n)) for n in data.coords) or 'none'}); assign both, or give the "
            "spacing of a global grid in degrees, e.g. grid=1"
        )
    return at_rest(data, horizontal.latitude), at_rest(data, horizontal.longitude)


def _global_grid(spacing: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Centres of the cells of a global grid with the given spacing in degrees."""
    try:
        spacing = check_number("grid", spacing, above=0.0, most=90.0)
    except TypeError as error:
        raise TypeError(f"{error}; or give a result, or labels, that lie on the grid") from None
    n_points = 2.0 * (180.0 / spacing) * (180.0 / spacing)
    if n_points > _MOST_POINTS:
        raise ValueError(
            f"grid={spacing:g} makes {n_points / 1e6:.4g} million points, but at most "
            f"{_MOST_POINTS / 1e6:g} million are allowed; give a larger spacing, such as 0.1, or a "
            "grid of the region that you need"
        )
    rows = round(180.0 / spacing)
    if abs(rows * spacing - 180.0) > 1e-6:
        raise ValueError(
            f"grid={spacing:g} degrees do not divide the 180 degrees of latitude; give a spacing "
            "that does, such as 0.5, 1 or 2, or a grid of your own"
        )
    axes = []
    for name, n, unit in (("latitude", rows, "north"), ("longitude", 2 * rows, "east")):
        at = (np.arange(n) - (n - 1) / 2) * (180.0 / rows)
        attrs = {"standard_name": name, "units": f"degrees_{unit}"}
        axes.append(xr.DataArray(at, {name: (name, at, attrs)}, (name,), name, attrs))
    return axes[0], axes[1]


def _bring(model: LabelMap, latitude: xr.DataArray, longitude: xr.DataArray) -> xr.DataArray:
    """Bring the labels of a model to the points of the grid."""
    try:
        found = nearest_labels(model.labels, latitude, longitude)
    except ValueError as error:
        raise ValueError(f"{model.name}: {error}") from None
    if not found.notnull().any():
        raise ValueError(
            f"{model.name} has no label on the grid, which lies within latitude "
            f"{float(latitude.min()):g} to {float(latitude.max()):g} and longitude "
            f"{float(longitude.min()):g} to {float(longitude.max()):g}; give a grid that every "
            "model covers, or leave this model out"
        )
    return found


def _match(
    own: xr.DataArray, name: str, base: xr.DataArray, reference: LabelMap, weights: xr.DataArray
) -> Integers:
    """Find the number in the reference of each cluster of a model; 0, no label, stays 0."""
    occurs = np.bincount(np.nan_to_num(own.values).astype(np.int64).ravel())[1:] > 0
    shape = (occurs.size, reference.n_clusters)
    table = tabulate(own.values, base.values, weights.values, shape)
    if not table.any():
        raise ValueError(
            f"{name} and {reference.name}, to which it is matched, have no labelled point of the "
            "grid in common; give a reference that overlaps every model"
        )
    return np.append(0, find_numbers(table, occurs))


def _describe(votes: npt.NDArray[np.int16], base: xr.DataArray, reference: LabelMap) -> xr.Dataset:
    """Describe votes (k, ...) on a grid in a Dataset, with their agreement, entropy and label."""
    k = len(votes)
    n_models = votes.sum(axis=0, dtype=np.int16)
    agreement, entropy = _agreement(votes)
    label = np.where(n_models > 0, votes.argmax(axis=0) + 1, np.nan).astype(np.float32)
    ordered_by = "; ".join(filter(None, [f"matched to {reference.name}", reference.ordered_by]))
    about = {"ordered_by": ordered_by}
    variables = {
        "votes": (votes, "models that put the point in the cluster", {"units": "1"}),
        "n_models": (n_models, "models that label the point", {"units": "1"}),
        "agreement": (agreement, "share of the models that agree", {"units": "1"}),
        "entropy": (entropy, "entropy of the votes", {"units": "1", "comment": "1: equal votes"}),
        "label": (label, "cluster with the most votes", about),
    }
    dims = {"votes": ("cluster", *base.dims)}
    dataset = xr.Dataset(
        {
            n: (dims.get(n, base.dims), values, {"long_name": long_name, **attrs})
            for n, (values, long_name, attrs) in variables.items()
        },
        coords=base.coords,
    )
    numbers = ("cluster", np.arange(1, k + 1), {"long_name": "cluster number"})
    names, colors = given_names(reference.labels), given_colors(reference.labels)
    describe_clusters(dataset["label"], k, names, colors)
    return dataset.assign_coords(cluster=numbers)


def _agreement(votes: npt.NDArray[np.int16]) -> tuple[Float64s, Float64s]:
    """Share of the majority, and entropy relative to that of equal votes, of votes (k, ...)."""
    from scipy.special import xlogy

    n_models = votes.sum(axis=0, dtype=np.float64)
    weighted = xlogy(votes, votes, dtype=np.float64).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = votes.max(axis=0) / n_models
        entropy = (np.log(n_models) - weighted / n_models) / np.log(max(len(votes), 2))
    # the entropy is exactly 0 if all agree, whatever the rounding
    return agreement, np.where(agreement == 1.0, 0.0, entropy).clip(0.0, 1.0)
