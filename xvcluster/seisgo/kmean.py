"""k-means of a model's profiles by tslearn, as SeisGo calls it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.seisgo import output
from xvcluster.seisgo.columns import find_units, take_columns
from xvcluster.seisgo.evaluate import Curve, check_clusters, choose, fit, tslearn_options
from xvcluster.seisgo.figures import distortions


def vpcluster_kmean(
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    dep: npt.ArrayLike,
    vmodel: npt.ArrayLike | xr.DataArray,
    ncluster: int | None = None,
    nrange: Sequence[int] | npt.NDArray[np.integer] | None = None,
    spacing: float = 1,
    njob: int | None = 1,
    zrange: Sequence[float] | None = None,
    dz: float | None = None,
    verbose: bool = False,
    plot: bool = True,
    savefig: bool = True,
    figbase: str | os.PathLike[str] = "kmean",
    metric: str = "euclidean",
    max_iter_barycenter: int = 100,
    random_state: int | None = 0,
    save: bool = True,
    source: str = "vmodel",
    tag: str = "v",
    figsize: tuple[float, float] | None = None,
    evaluate_smooth: bool = False,
    evaluate_plot: bool = True,
    *,
    units: str = "",
    depth_units: str = "",
) -> dict[str, Any]:
    """Cluster the profiles of a model by k-means, as ``seisgo.clustering.vpcluster_kmean`` does.

    Parameters
    ----------
    lat, lon, dep : array_like, shapes (n_lat,), (n_lon,), (n_depth,)
        Coordinates of the model.
    vmodel : array_like, shape (n_depth, n_lat, n_lon)
        The model. Profiles with NaN, masked or fill values are left out. It is not modified.
    ncluster : int, optional
        Number of clusters. Default: the first knee of the distortion over `nrange`.
    nrange : sequence of int, default 2…20
        Numbers of clusters to try, ascending, when `ncluster` is None.
    spacing : float, default 1
        Take every `spacing`-th latitude and longitude.
    njob : int or None, default 1
        Number of parallel jobs of tslearn.
    zrange : (float, float), optional
        Smallest and largest depth, both included.
    dz : float, optional
        Interpolate linearly to levels with this spacing. Default: the levels of the model.
    verbose : bool, default False
        Whether tslearn prints its progress.
    plot : bool, default True
        Draw the members of each cluster, and a map.
    savefig : bool, default True
        Write and close the figures; otherwise they stay open.
    figbase : str, default "kmean"
        Folder and first part of the name of every file.
    metric : {"euclidean", "dtw", "softdtw"}, default "euclidean"
        Distance between profiles: level by level, or along the best alignment of levels.
    max_iter_barycenter : int, default 100
        Maximum number of iterations of tslearn for a barycenter.
    random_state : int or None, default 0
        Seed.
    save : bool, default True
        Pickle the dictionary to ``<figbase>_clusters_k<ncluster>_results.pk``.
    source, tag : str
        Stored in the dictionary; `tag` is the name of the values in figures.
    figsize : (float, float), optional
        Size of the members' figure in inches.
    evaluate_smooth, evaluate_plot : bool, default False, True
        Smooth the distortion over three numbers of clusters before finding its knee; draw it.
    units, depth_units : str, default ""
        Units of the values and of `dep`. Default: those that `vmodel` and `dep` have as attributes,
        if they are DataArrays.

    Returns
    -------
    dict
        ``method, source, tag, depth``, ``model`` (the fitted ``TimeSeriesKMeans``), ``pred`` (one
        array (1, n_depth, n_members) per cluster), ``para``, and ``cluster_map`` (a DataFrame of
        ``lat, lon, cluster``, numbered from 1).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape or is out of range, if no profile is complete,
        or if there are fewer distinct profiles than clusters.
    FileNotFoundError
        If the folder of `figbase` does not exist.

    Warns
    -----
    UserWarning
        If fill values are found, or the distortion has no knee.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography(resolution=1.0)["vs"]
    >>> outcome = xvcluster.seisgo.vpcluster_kmean(
    ...     vs.latitude, vs.longitude, vs.depth, vs, ncluster=4, plot=False, save=False
    ... )
    >>> len(outcome["pred"])
    4
    """
    options = tslearn_options(njob, metric, max_iter_barycenter, random_state)
    base = os.fspath(figbase)
    if save or (savefig and (plot or (evaluate_plot and ncluster is None))):
        output.check_folder(base)
    units = units or find_units(vmodel)
    depth_units = depth_units or find_units(dep) or find_units(vmodel, vertical=True)
    about = {"name": tag, "depth_units": depth_units}
    columns = take_columns(lat, lon, dep, vmodel, spacing=spacing, zrange=zrange, dz=dz, **about)
    ts = columns.values[..., None]
    curve: Curve = []
    if ncluster is None:
        nrange = np.arange(2, 21) if nrange is None else nrange
        box = 3 if evaluate_smooth else None
        ncluster, distortion, curve = choose(ts, nrange, box, options)
        if evaluate_plot:
            figure = distortions(nrange, distortion, curve, ncluster)
            if savefig:
                output.save_and_close({f"{base}_elbow.png": figure})
    ncluster = check_clusters(ts, "ncluster", ncluster)
    model = fit(ts, ncluster, options, verbose=verbose)
    numbers = model.labels_ + 1
    outcome: dict[str, Any] = {"method": "k-means", "source": source, "tag": tag}
    outcome |= {"depth": columns.depth, "model": model}
    outcome["pred"] = [ts[numbers == number].T for number in range(1, ncluster + 1)]
    outcome["para"] = {"n_clusters": ncluster, **options, "nrange": nrange, "sum_square": curve}
    outcome["cluster_map"] = output.cluster_map(columns, numbers)
    name = f"k{ncluster}"
    if save:
        output.pickle_to(f"{base}_clusters_{name}_results.pk", outcome)
    if plot:
        centers = dict(enumerate(model.cluster_centers_[..., 0], start=1))
        flags = {"flag_values": np.arange(1, ncluster + 1)}
        profiles = columns.label(tag, units, depth_units)
        figures = output.draw(columns, numbers, centers, profiles, flags, figsize)
        if savefig:
            output.save_and_close({f"{base}_{n}_{name}.png": f for n, f in figures.items()})
    return outcome
