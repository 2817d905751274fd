"""k-means of a model's profiles, as SeisGo runs it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.seisgo import output
from xvcluster.seisgo.columns import take_columns
from xvcluster.seisgo.engines import KMeansEngine, check_clusters, fit_kmeans, kmeans_options
from xvcluster.seisgo.evaluate import choose
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
    engine: KMeansEngine = "tslearn",
    units: str = "",
    depth_units: str = "",
) -> dict[str, Any]:
    """Cluster the profiles of a model by k-means, as ``seisgo.clustering.vpcluster_kmean`` does.

    Parameters
    ----------
    lat, lon, dep : array_like, shapes (n_lat,), (n_lon,), (n_depth,)
        Coordinates of the model.
    vmodel : array_like, shape (n_depth, n_lat, n_lon)
        The model. Profiles with NaN, masked or fill values are left out. Never changed.
    ncluster : int, optional
        Number of clusters. Default: the first knee of the distortion over `nrange`.
    nrange : sequence of int, default 2…20
        Numbers of clusters to try, ascending, when `ncluster` is None.
    spacing : float, default 1
        Take every so many-th latitude and longitude.
    njob : int or None, default 1
        Jobs of tslearn.
    zrange : (float, float), optional
        Least and greatest depth to take, both included.
    dz : float, optional
        Interpolate linearly to this step of depth. Default: the levels as they are.
    verbose : bool, default False
        Let tslearn print its progress.
    plot : bool, default True
        Draw the members of each cluster, and a map.
    savefig : bool, default True
        Write and close the figures; else they stay open.
    figbase : str, default "kmean"
        Beginning of the names of all files, with their folder.
    metric : {"euclidean", "dtw", "softdtw"}, default "euclidean"
        Level by level, or along the best pairing of levels.
    max_iter_barycenter : int, default 100
        Steps of tslearn to a barycenter.
    random_state : int or None, default 0
        Seed.
    save : bool, default True
        Pickle the dictionary to ``<figbase>_clusters_k<ncluster>_results.pk``.
    source, tag : str
        Kept in the dictionary; `tag` names the values in figures.
    figsize : (float, float), optional
        Of the members' figure, in inches.
    evaluate_smooth, evaluate_plot : bool, default False, True
        Smooth the distortion over three k before its knee is looked for; draw it.
    engine : {"tslearn", "xvcluster"}, default "tslearn"
        What fits. "xvcluster" is the best of several restarts on all cores, its clusters numbered
        by their mean, lowest first; `njob` and `max_iter_barycenter` are tslearn's alone.
    units, depth_units : str, default ""
        Of the values and of `dep`.

    Returns
    -------
    dict
        ``method, source, tag, depth``, ``model`` (the fitted ``TimeSeriesKMeans``), ``pred`` (an
        array (1, n_depth, n_members) a cluster), ``para``, and ``cluster_map`` (a DataFrame of
        ``lat, lon, cluster``, numbered from 1).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape or is out of its range, no profile is complete,
        or there are fewer distinct profiles than clusters.
    FileNotFoundError
        If the folder of `figbase` does not exist.

    Warns
    -----
    UserWarning
        Where fill values are found, or the distortion has no knee.

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
    options = kmeans_options(engine, njob, metric, max_iter_barycenter, random_state)
    base = os.fspath(figbase)
    if save or (savefig and (plot or (evaluate_plot and ncluster is None))):
        output.check_folder(base)
    about = {"name": tag, "depth_units": depth_units}
    columns = take_columns(lat, lon, dep, vmodel, spacing=spacing, zrange=zrange, dz=dz, **about)
    ts = columns.values[..., None]
    curve: Sequence[float] | Float64s = []
    if ncluster is None:
        nrange = np.arange(2, 21) if nrange is None else nrange
        box = 3 if evaluate_smooth else None
        ncluster, distortion, curve = choose(ts, nrange, box, engine, options)
        if evaluate_plot:
            figure = distortions(nrange, distortion, curve, ncluster)
            output.save_and_close({f"{base}_elbow.png": figure} if savefig else {})
    ncluster = check_clusters(ts, "ncluster", ncluster)
    model, labels = fit_kmeans(ts, ncluster, engine, options, verbose=verbose)
    outcome: dict[str, Any] = {"method": "k-means", "source": source, "tag": tag}
    outcome |= {"depth": columns.depth, "model": model}
    outcome["pred"] = [ts[labels == c].T for c in range(ncluster)]
    outcome["para"] = {"n_clusters": ncluster, **options, "nrange": nrange, "sum_square": curve}
    outcome["cluster_map"] = output.cluster_map(columns, labels + 1)
    if save:
        output.pickle_to(f"{base}_clusters_k{ncluster}_results.pk", outcome)
    if plot:
        centers = dict(enumerate(model.cluster_centers_[..., 0], start=1))
        flags = {"flag_values": np.arange(1, ncluster + 1)}
        profiles = columns.label(tag, units, depth_units)
        panels, drawn = output.draw(columns, labels + 1, centers, profiles, flags, figsize)
        names = {f"{base}_clusters_k{ncluster}.png": panels}
        names[f"{base}_clustermap_k{ncluster}.png"] = drawn
        output.save_and_close(names if savefig else {})
    return outcome
