"""Results of a clustering and of a sweep: frozen views of one self-describing Dataset each."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import xarray as xr

from xvcluster.agreement import compare
from xvcluster.boundaries import boundaries
from xvcluster.compare.match import match
from xvcluster.compare.stability import add_stability
from xvcluster.delegate import delegate
from xvcluster.explore import Clustering, Explorer, explore
from xvcluster.export.geotiff import to_geotiff
from xvcluster.export.model96 import to_model96
from xvcluster.export.taup import to_nd
from xvcluster.grid.changes import areas, transitions
from xvcluster.grid.horizontal import HorizontalGrid
from xvcluster.grid.labels import choose_clusters
from xvcluster.messages import plain, shown
from xvcluster.options import check_flag, check_path, is_number
from xvcluster.plot.methods import ResultPlots, SweepPlots
from xvcluster.plot.style import check_own_colors, colors_of
from xvcluster.profiles import Layout, Noise
from xvcluster.record import store
from xvcluster.record.dataset import parameters_of, select_centroids
from xvcluster.record.fits import Fits
from xvcluster.record.method import method_of, quality_of
from xvcluster.record.naming import recolor, rename
from xvcluster.record.predict import bic, predict, predict_distances, predict_proba, score
from xvcluster.record.quantiles import quantiles
from xvcluster.record.renumber import reorder
from xvcluster.record.table import table
from xvcluster.regroup.clean import clean, describe_cleanings
from xvcluster.regroup.cut import cut
from xvcluster.regroup.merge import merge
from xvcluster.regroup.reopen import lay_out_again
from xvcluster.result.html import to_html

_WEIGHTS = ("weights", "level_weights", "variable_weights")

if TYPE_CHECKING:
    import pandas as pd

    from xvcluster.plot.style import Colors


@dataclass(frozen=True, eq=False, repr=False)
class ClusterResult:
    """Labels, centroids and everything else that describes a clustering.

    Unpacks to the pair that most users want: ``labels, centroids = result``.

    Attributes
    ----------
    dataset : Dataset
        Everything, as it is written to a file.
    sweep : SweepResult or None
        The sweep that chose the number of clusters, if there was one.
    """

    dataset: xr.Dataset
    sweep: SweepResult | None = field(default=None)
    _layout: Layout | None = field(default=None)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.labels, self.centroids))

    @property
    def labels(self) -> xr.DataArray:
        """Cluster numbers on the horizontal dimensions; NaN where there is no complete profile."""
        return self.dataset["label"]

    @property
    def centroids(self) -> xr.Dataset:
        """What is known of the clusters, as a Dataset.

        It holds each variable's centroids by (cluster, vertical), in the units of the data, their
        ``<name>_std`` and ``<name>_quantile``, and by cluster ``count``, ``area`` in km² where it
        is known, ``cluster_inertia`` and ``cluster_margin``. ``centroids["vs"]`` is the profile.
        """
        return select_centroids(self.dataset)

    @property
    def parameters(self) -> dict[str, Any]:
        """The method and all its options."""
        return parameters_of(self.dataset)

    @property
    def n_clusters(self) -> int:
        """Number of clusters, empty nodes of a map included."""
        return int(self.dataset.sizes["cluster"])

    @property
    def inertia(self) -> float:
        """Sum of squared distances of the profiles to their own centroids."""
        return float(self.dataset["cluster_inertia"].sum())

    @property
    def model(self) -> Any:
        """The clustering as the fitted object of the reference library.

        Of k-means that is a ``TimeSeriesKMeans`` of tslearn, for profiles
        (n_profiles, n_levels, n_variables); of a map a ``MiniSom``, of a mixture a ``Pipeline`` of
        scikit-learn made of a ``PCA`` and a ``GaussianMixture``, both for profiles flat,
        (n_profiles, n_levels · n_variables). All predict the labels minus one.

        Profiles must have their levels in the order of the vertical coordinate, and be scaled as
        the data were: divided by ``<name>_scale`` of the dataset; if the result was normalized or
        is a mixture, after ``<name>_offset`` was subtracted, or, with ``normalize="profile"``, each
        by its own mean and spread; and multiplied by the roots of ``level_weight``, if there is
        one.
        """
        return method_of(self.dataset).model(self.dataset)

    @property
    def plot(self) -> ResultPlots:
        """The figures of the result, as methods."""
        return ResultPlots(self.dataset)

    @overload
    def predict(
        self,
        data: xr.DataArray | xr.Dataset,
        dim: Hashable | None = None,
        *,
        distances: Literal[False] = False,
    ) -> xr.DataArray: ...

    @overload
    def predict(
        self,
        data: xr.DataArray | xr.Dataset,
        dim: Hashable | None = None,
        *,
        distances: Literal[True],
    ) -> tuple[xr.DataArray, xr.DataArray]: ...

    def predict(
        self,
        data: xr.DataArray | xr.Dataset,
        dim: Hashable | None = None,
        *,
        distances: bool = False,
    ) -> xr.DataArray | tuple[xr.DataArray, xr.DataArray]:
        """Label every profile of other data with the cluster of its nearest centroid.

        Parameters
        ----------
        data : DataArray or Dataset
            With the variables, units and depth range of the result, on any grid. They are
            interpolated to the levels of the result and scaled as its data were.
        dim : hashable, optional
            The vertical dimension, if it cannot be inferred and is not that of the result.
        distances : bool, default False
            Whether to return the distances to all centroids too.

        Returns
        -------
        labels : DataArray
            On the horizontal dimensions of `data`, NaN where there is no complete profile; lazy
            for dask arrays.
        distances : DataArray
            Only if asked for: ``distance`` (cluster, horizontal), measured as profiles were
            compared, in the units of ``distance`` of the result. The least is that of the label.
            Where several nodes make up a cluster, as in a self-organizing map, it is measured to
            the nearest of these. NaN for a cluster that is empty. Likewise lazy. If clusters have
            names, these are the coordinate ``cluster_name``.

        Raises
        ------
        TypeError
            If `distances` is not True or False.
        ValueError
            If a variable is missing or in other units, the levels of the result extend beyond those
            of the data, or only one of the two has a vertical; or if the distances are asked of a
            mixture, whose labels follow from probabilities (see `predict_proba`), or of soft-DTW.

        Examples
        --------
        >>> import xvcluster
        >>> ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 5))
        >>> result = ocean.vcluster.kmeans(4)
        >>> labels, distances = result.predict(ocean + 0.5, distances=True)
        >>> dict(distances.sizes)
        {'cluster': 4, 'latitude': 90, 'longitude': 180}
        """
        if check_flag("distances", distances):
            return predict_distances(self.dataset, data, dim)
        return predict(self.dataset, data, dim)

    predict_proba = delegate(predict_proba)
    score = delegate(score)
    bic = delegate(bic)
    quantiles = delegate(quantiles)

    def match(self, reference: ClusterResult | xr.Dataset | xr.DataArray) -> ClusterResult:
        """Renumber the clusters so that they agree best with other labels.

        Parameters
        ----------
        reference : ClusterResult, Dataset or DataArray
            Another result; or labels on any grid, integers from 1, NaN or below 1 for no label.

        Returns
        -------
        ClusterResult
            This one with the clusters 1…K: first those of the reference, then those without a
            partner there, in their former order. A number of the reference that no cluster takes
            becomes an empty cluster, with count 0 and a centroid of NaN. Its Dataset also holds:

            - ``contingency`` (cluster, reference): the area in km² that a cluster of the result
              shares with one of the reference, or the number of points if cells have no area.
            - ``contingency.attrs["adjusted_rand_index"]`` and ``["adjusted_mutual_information"]``:
              the overall agreement. 1 is complete; 0 is what chance gives.

            Maps of dask arrays stay lazy, but the labels are computed once.

        Raises
        ------
        TypeError
            If the reference is not a labelled array, or not numeric.
        ValueError
            If the reference holds anything but labels, or no point has a label in both; if the
            clusters of either are the nodes of a self-organizing map; or if their grids differ and
            one lacks latitude and longitude.

        Notes
        -----
        Each point of the result takes the label of the reference's cell that holds it, or of the
        nearest point on 2-D coordinates. Partners are those that make the area on which both agree
        the largest: the assignment problem, solved exactly [1]_. Clusters that share no point are
        not partners. A seam that a global grid repeats counts once.

        The adjusted Rand index [2]_ and the adjusted mutual information [3]_ are those of
        scikit-learn for the points that both label. If each of these counted once, the poles of a
        grid in degrees would count too much; so the same number of points is distributed over the
        contingency table in proportion to its areas. Each cell has its share to within one point,
        whatever the order of the points.

        References
        ----------
        .. [1] Crouse, D. F. (2016), On implementing 2D rectangular assignment algorithms, IEEE
           Trans. Aerosp. Electron. Syst. 52, 1679-1696, doi:10.1109/TAES.2016.140952.
        .. [2] Hubert, L. & Arabie, P. (1985), Comparing partitions, J. Classif. 2, 193-218,
           doi:10.1007/BF01908075.
        .. [3] Vinh, N. X., Epps, J. & Bailey, J. (2010), Information theoretic measures for
           clusterings comparison, J. Mach. Learn. Res. 11, 2837-2854.

        Examples
        --------
        >>> import xvcluster
        >>> ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 6))
        >>> shallow, deep = ocean.isel(depth=slice(0, 3)), ocean.isel(depth=slice(3, 6))
        >>> reference = shallow.vcluster.kmeans(4)
        >>> matched = deep.vcluster.kmeans(5).match(reference)
        >>> dict(matched.dataset["contingency"].sizes)
        {'cluster': 5, 'reference': 4}
        """
        return replace(self, dataset=match(self.dataset, reference))

    def stability(
        self,
        n: int = 50,
        *,
        noise: Noise | None = None,
        block_size: float | None = None,
        random_state: int | None = 0,
        progress: bool | None = None,
    ) -> ClusterResult:
        """Estimate how certain the cluster of each point is, from samples and errors of the data.

        Parameters
        ----------
        n : int, default 50
            Number of bootstrap samples, and of perturbed data sets, each clustered from one start.
        noise : float, DataArray, dict, Dataset or list, optional
            The errors of the data:

            - the standard deviation as a number, in the units of the data, or as a DataArray on
              some or all of their dimensions;
            - one of these for each of several variables, as a dict, e.g. ``{"vs": 0.05, "vp":
              0.1}``, or as a Dataset;
            - or the models of an ensemble, as a list of DataArrays or Datasets on the points and
              levels of the data: their number then takes the place of `n`.
        block_size : float, optional
            Size of the blocks of neighbouring profiles that are drawn together, in km. Default: the
            distance over which profiles are alike, the range of their variogram, as long as it
            leaves at least ten blocks; or the size that gives about a hundred, if that is larger.
        random_state, progress
            As for `xvcluster.kmeans`.

        Returns
        -------
        ClusterResult
            This one with ``stability`` on the map: the share of samples that give a point the same
            cluster, after their clusters were matched to those of this result; and its mean per
            cluster, ``cluster_stability``. The attribute ``range_km`` of ``stability`` is the
            distance over which profiles are alike. With `noise` also ``stability_noise`` and
            ``cluster_stability_noise``, the same of perturbed data sets or of an ensemble.

        Raises
        ------
        TypeError
            If `noise` is something else.
        ValueError
            If the result was read from a file without the data it was made from, or
            its clustering cannot be repeated: under soft-DTW, or a map whose nodes are not merged;
            if `noise` has other variables, units or points than the data, or is missing, infinite
            or negative where these have complete profiles; or if there is noise and the data are
            dask arrays.

        Warns
        -----
        UserWarning
            If latitude and longitude are not known: neighbours are then drawn one by one, and
            clusters look more stable than they are. So they do if the model holds fewer than ten
            blocks of half the distance over which profiles are alike. If errors as large as
            `noise` says would make profiles of a cluster differ by more than they do.

        Notes
        -----
        Whole blocks of profiles are drawn with replacement, because neighbours are not independent:
        resampling of space (Hall 1985), in blocks that lie apart (Carlstein 1986). Clusters of each
        sample are paired with those of the result so that their overlap is largest. If the data are
        larger than the sample that a fit converges on, bootstrap samples are drawn from that one,
        and the means are over it; maps of dask arrays stay lazy.

        With `noise`, all profiles are perturbed, scaled as those of the result, and clustered anew;
        what is labelled is the perturbed profile. Standard deviations are taken for those of
        normal errors that are independent from level to level and from point to point. Errors of
        tomography are not: those that several levels share move a profile farther, and only an
        ensemble carries them. Its models are taken for draws from what the truth may be.

        The share of perturbed data is to be the probability that data without errors would have
        given the point the same cluster. As the data already have one error each, perturbations
        are those that they leave open. If true profiles were spread evenly, these would be as
        large as the errors, with the covariance D; if those of a cluster were normally
        distributed, D − D W⁻¹ D, with the covariance W of the profiles of a cluster. The mean of
        both is used. On 45 synthetic models of 3 to 10 clusters with known errors, the mean
        difference between share and probability was 0.01, and at most 0.05 for 44 of them. With
        more clusters than there are groups it is larger, 0.1: there are then several ways to divide
        a group.

        References
        ----------
        Carlstein, E. (1986). The use of subseries values for estimating the variance of a general
        statistic from a stationary sequence. Ann. Stat. 14, 1171–1179.
        https://doi.org/10.1214/aos/1176350057

        Hall, P. (1985). Resampling a coverage pattern. Stoch. Process. Appl. 20, 231–246.
        https://doi.org/10.1016/0304-4149(85)90212-1

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> result = vs.vcluster.kmeans(6).stability(n=10, noise=0.02)
        >>> axes = result.plot.map(certainty="stability")
        >>> axes = result.plot.map(certainty="stability_noise")
        """
        why_not = method_of(self.dataset).why_not_refit(self.dataset)
        if "cleaned" in self.parameters:
            why_not = (
                "the map was cleaned, but clusters of samples are not. Call stability on the "
                "result before clean"
            )
        if self._layout is None and not why_not:
            why_not = (
                "this result was read from a file, which does not hold its data; open it with "
                "these: xvcluster.open_result(path, data)"
            )
        if self._layout is None or why_not:
            raise ValueError(f"the stability cannot be computed: {why_not}")
        dataset = add_stability(
            self.dataset,
            self._layout,
            n,
            noise=noise,
            block_size=block_size,
            random_state=random_state,
            progress=progress,
        )
        return replace(self, dataset=dataset)

    def cut(self, n_clusters: int) -> ClusterResult:
        """Cut the tree of the result at another number of clusters, without clustering again.

        Parameters
        ----------
        n_clusters : int
            Number of clusters.

        Returns
        -------
        ClusterResult
            Clusters of a larger number lie within those of this one, and those of a smaller number
            are made of them. They are numbered anew.

        Raises
        ------
        ValueError
            If the result has no tree, as only those of `ward` and `merge` have one; if it was read
            from a file without its data; or if there are more clusters than leaves, or fewer than
            pieces that do not adjoin each other.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=2)
        >>> result = vs.vcluster.ward(6)
        >>> result.cut(8).n_clusters
        8
        """
        return replace(self, dataset=cut(self.dataset, self._layout, n_clusters), sweep=None)

    def merge(self, n_clusters: int) -> ClusterResult:
        """Merge the clusters into fewer, by Ward's criterion.

        Parameters
        ----------
        n_clusters : int
            Number of clusters that are left.

        Returns
        -------
        ClusterResult
            With the tree of the clusters of this one, of which `cut` gives any other number, and
            the centroids of these as nodes, by which `predict` labels other data.

        Raises
        ------
        ValueError
            If there are not as many clusters; if they were found under dynamic time warping; if the
            result was read from a file without its data; or if these are dask arrays and clusters
            are not those of the nearest centroid.

        Notes
        -----
        Many small clusters and a tree of them are the usual way to see which belong together
        (Vesanto & Alhoniemi 2000). As in `ward`, the two are merged by which the inertia rises
        least, by the weights of their members. Each is taken as a whole, as if all of its members
        lay at its centroid.

        References
        ----------
        Vesanto, J. & Alhoniemi, E. (2000). Clustering of the self-organizing map. IEEE Trans.
        Neural Networks 11, 586–600. https://doi.org/10.1109/72.846731

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> merged = vs.vcluster.kmeans(20).merge(6)
        >>> merged.cut(4).n_clusters
        4
        """
        return replace(self, dataset=merge(self.dataset, self._layout, n_clusters), sweep=None)

    def clean(
        self, *, min_area: float | None = None, min_cells: int | None = None
    ) -> ClusterResult:
        """Tidy the map: give pieces of clusters that are too small to an adjoining cluster.

        Parameters
        ----------
        min_area : float, optional
            Area in km² below which a piece is too small.
        min_cells : int, optional
            Number of points below which it is. Exactly one of both must be given.

        Returns
        -------
        ClusterResult
            With the same centroids, so that `predict` gives what it gave, and new labels. `count`,
            `area`, standard deviations, quantiles, distances, inertia and margins are those of the
            new members. The margin is (d₂ − d₁)/max(d₁, d₂) from the distances to the own centroid
            and to the nearest other one, under every method: where it is negative, another centroid
            is nearer. A cluster of which all pieces were small keeps its number and centroid, with
            count 0. How many cells moved, and their area, is in ``parameters["cleaned"]``.

            Posterior and robustness of a mixture stay what they were. `stability`, and what `match`
            adds, belong to the former labels and are left out; `cut` and `merge` make new ones.

        Raises
        ------
        TypeError
            If an option has the wrong type.
        ValueError
            If none or both of the options are given, or one is out of range or more than the whole
            map; if cells have no area, as those of loose points, and `min_area` is given; if the
            result was read from a file, which does not hold the data; or if these are dask arrays.

        Notes
        -----
        A piece consists of points of one cluster that adjoin each other, across the dateline and
        the poles too (see `ward`); points without a label are no bridges. The smallest piece goes
        first, to that of the adjoining clusters to whose centroid its profiles have the least mean
        squared distance, compared as the clustering did. It then is one piece with those that it
        adjoins there. This is repeated until all pieces are large enough. Small islands, which
        adjoin no other cluster, stay. Along further dimensions, such as time, each map is cleaned
        by itself.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> tidy = vs.vcluster.kmeans(6).clean(min_area=20_000)
        >>> tidy.parameters["cleaned"][0]["min_area"]
        20000.0
        """
        return replace(self, dataset=clean(self.dataset, self._layout, min_area, min_cells))

    def explore(self, data: xr.DataArray | xr.Dataset | None = None) -> Explorer:
        """Make a page to click through the result, for a browser or a notebook.

        Parameters
        ----------
        data : DataArray or Dataset, optional
            What was clustered, prepared as it was. Only a result that was read from a file without
            its data needs it; without it, the page shows centroids, but no single profiles.

        Returns
        -------
        Explorer
            Shown as it is in a notebook; ``explore().save("atlas.html")`` writes the page, one file
            that needs neither a network nor Python.

        Raises
        ------
        ImportError
            If bokeh is not installed, which ``pip install "xvcluster[explore]"`` does.
        ValueError
            If the data are not those that were clustered, or hold more values than a page can.
        TypeError
            If `data` is neither a DataArray nor a Dataset.

        Notes
        -----
        The map is drawn over longitude and latitude, or around a pole in a stereographic
        projection, with the coastlines of Natural Earth. Pointing at it tells the place, the
        cluster, the margin and all else that is known of a point; a click shows its profile beside
        the centroid of its cluster, over the bands between the 5th and 95th, and 25th and 75th,
        percentiles of the members. Clusters are shown, hidden and highlighted in the table. Maps at
        several times, and the clusterings of a sweep, can be chosen. Each value of a profile is
        within 0.3 % of its difference from the centroid, so that 65,160 profiles of 80 levels make
        a page of 9 to 12 MB.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> vs.vcluster.kmeans(6).explore().save("atlas.html")
        """
        layout = self._layout if data is None else lay_out_again(self.dataset, data)
        return explore(self.dataset, layout, self._clusterings)

    def _clusterings(self) -> tuple[list[Clustering], int]:
        """This one and the others of its sweep, by k, and the place of this one among them."""
        tried = {} if self.sweep is None else self.sweep._results()
        results = sorted((tried | {self.n_clusters: self}).items())
        clusterings = [Clustering(result.dataset, result.table()) for _, result in results]
        return clusterings, [k for k, _ in results].index(self.n_clusters)

    boundaries = delegate(boundaries)
    areas = delegate(areas)
    transitions = delegate(transitions)
    to_geotiff = delegate(to_geotiff)
    to_nd = delegate(to_nd)
    to_model96 = delegate(to_model96)
    compare = delegate(compare, whole=True)

    @property
    def _data(self) -> xr.Dataset:
        """What `boundaries` is handed."""
        return self.dataset

    @property
    def _horizontal(self) -> HorizontalGrid | None:
        """The grid of the data, of which a Dataset does not keep the bounds of cells."""
        return None if self._layout is None else self._layout.horizontal

    def rename(self, names: Mapping[int | str, str] | Iterable[str] | None) -> ClusterResult:
        """Name the clusters.

        Parameters
        ----------
        names : dict, list of str or None
            The name of some clusters by number, such as ``{1: "Arc", 2: "Basin"}``, or by former
            name; of all of them in the order of their numbers; or None for none. Any text of 1 to
            60 characters; line breaks and control characters become spaces.

        Returns
        -------
        ClusterResult
            With the names in every figure, in `table` and `boundaries`, and in files: as the
            attribute ``cluster_names`` of the labels, and as words in ``flag_meanings``. They stay
            with the clusters if these are numbered anew; of those that `cut` or `merge` change,
            they are dropped.

        Raises
        ------
        ValueError
            If there is no such cluster, a name is no text, too long or the number of another
            cluster, such as "Cluster 3" for cluster 2, or two clusters would have the same name.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> result = vs.vcluster.kmeans(3).rename({1: "Arc", 3: "Old ocean"})
        >>> result.table()["name"].tolist()
        ['Arc', 'Cluster 2', 'Old ocean']
        """
        return replace(self, dataset=rename(self.dataset, names))

    def recolor(self, colors: Colors | None) -> ClusterResult:
        """Give the clusters other colours.

        Parameters
        ----------
        colors : list, dict, str, Colormap or None
            One colour of matplotlib for each cluster, in the order of their numbers; those of some
            clusters by number or name, such as ``{2: "firebrick"}``; a colormap or its name; or
            None for the automatic colours.

        Returns
        -------
        ClusterResult
            With these colours in every figure, and in files: as the attribute ``cluster_colors`` of
            the labels. They stay with the clusters if these are numbered anew; of those that `cut`
            or `merge` change, they are dropped.

        Raises
        ------
        ValueError
            If these are no colours, not one for each cluster, or there is no such cluster.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> result = vs.vcluster.kmeans(3).recolor({1: "firebrick"})
        >>> result.labels.attrs["cluster_colors"]
        ['#b22222', '', '']
        """
        own = check_own_colors(self.labels, colors)
        return replace(self, dataset=recolor(self.dataset, own))

    def reorder(self, by: str | Sequence[int | str], *, ascending: bool = True) -> ClusterResult:
        """Number the clusters in another order; names and colours stay with them.

        Parameters
        ----------
        by : str or list
            A column of `table`, such as ``"area_km2"``, or a variable of the data, for the mean of
            its centroids over the levels. Or all clusters in their new order, by their present
            numbers or by name: ``[3, 1, 2]`` makes cluster 3 the first.
        ascending : bool, default True
            Whether the lowest is first. Empty clusters are last in any case.

        Returns
        -------
        ClusterResult
            With the clusters 1…K in that order. They keep the colours that they had, as their own;
            ``recolor(None)`` gives those of the new order.

        Raises
        ------
        ValueError
            If there is no such column, variable or cluster, the list does not hold each cluster
            once, `ascending` is given with a list, or the clusters are nodes of a map.
        TypeError
            If `ascending` is neither True nor False.

        Examples
        --------
        >>> import xvcluster
        >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
        >>> largest_first = vs.vcluster.kmeans(4).reorder("area_km2", ascending=False)
        >>> bool(largest_first.table()["area_km2"].is_monotonic_decreasing)
        True
        """
        colors = check_own_colors(self.labels, list(colors_of(self.labels)))
        return replace(self, dataset=reorder(self.dataset, by, ascending, colors))

    def select(self, clusters: int | str | Iterable[int | str]) -> xr.DataArray:
        """Keep only the labels of some clusters; the others become NaN.

        Parameters
        ----------
        clusters : int, str or iterable
            Numbers of clusters, or names of their own.

        Returns
        -------
        DataArray
            As `labels`; ``result.select(4).notnull()`` is a mask.

        Raises
        ------
        ValueError
            If a cluster does not exist.
        """
        wanted = choose_clusters(self.labels, clusters, self.dataset["cluster"].values)
        return self.labels.where(self.labels.isin(wanted))

    table = delegate(table)

    def to_netcdf(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a NetCDF file, from which `open_result` restores it identically.

        Parameters
        ----------
        path : path-like
            Replaced if it exists, but only once the new file is complete.

        Raises
        ------
        ValueError
            If the name ends in ``.zarr``, which is for `to_zarr`.
        """
        path = check_path("path", path)
        if store.is_zarr(path):
            raise ValueError(f"{str(path)!r} is the name of a Zarr store; write it with to_zarr")
        store.write(self.dataset, path)

    def to_zarr(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a Zarr store; maps of dask arrays are written chunk by chunk.

        Parameters
        ----------
        path : path-like
            Must end in ``.zarr``. Replaced if it exists, but only once the new store
            is complete.

        Raises
        ------
        ValueError
            If the name has another ending.
        """
        path = check_path("path", path)
        if not store.is_zarr(path):
            raise ValueError(f"the name of a Zarr store must end in .zarr; got {str(path)!r}")
        store.write(self.dataset, path)

    def __repr__(self) -> str:
        head, *others = self._describe()
        lines = [f"<xvcluster.ClusterResult: {head}>", *others, self.table().to_string()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return to_html("ClusterResult", self._describe(), self.table(), self.dataset)

    def _describe(self) -> list[str]:
        """What was clustered, how many profiles were left out, if any were, and how well."""
        parameters = self.parameters
        n = int(self.dataset["count"].sum())
        names = plain(", ".join(parameters["variables"]))
        method = plain(self.dataset.attrs["method"])
        head = f"{self.n_clusters} clusters of {n:,} profiles of {names}, {method}"
        head += "".join(
            f", {name}={plain(repr(parameters[name]))}" for name in _WEIGHTS if name in parameters
        )
        incomplete = plain(self.dataset["status"].attrs.get("comment", ""))
        quality = quality_of(self.dataset)
        cleaned = describe_cleanings(self.dataset)
        return [head, *filter(None, (incomplete, quality, *cleaned))]


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """Criteria for the choice of k, and the clustering at every k.

    Attributes
    ----------
    dataset : Dataset
        The criteria by ``k``, the ``best`` k of each by ``criterion`` (0 if it has none), and
        ``label`` by ``k`` and the horizontal dimensions.
    """

    dataset: xr.Dataset
    _fits: Fits = field(repr=False)

    @property
    def best_k(self) -> int:
        """The median of the best k of a panel of criteria; see `xvcluster.sweep`."""
        return int(self.dataset.attrs["best_k"])

    @property
    def verdict(self) -> str:
        """What the criteria say about k, in a sentence."""
        return str(self.dataset.attrs["verdict"])

    def table(self) -> pd.DataFrame:
        """Tabulate the criteria, one row per k.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``k``; the best k of each criterion is in ``dataset["best"]``.
        """
        return self.dataset[self._criteria()].to_dataframe()

    def _criteria(self) -> list[str]:
        return [str(n) for n, a in self.dataset.data_vars.items() if a.dims == ("k",)]

    @property
    def plot(self) -> SweepPlots:
        """The figures of the sweep, as methods."""
        return SweepPlots(self.dataset, self._original)

    def _original(self) -> xr.DataArray:
        """The first variable of the complete profiles, averaged over the levels."""
        layout = self._fits.layout
        name, attrs = next(iter(layout.variables.items()))
        vertical = layout.axes.vertical
        methods = {} if vertical is None else {"cell_methods": f"{vertical}: mean"}
        named: xr.DataArray = self._fits.profiles.mean_map().rename(name).astype(np.float32)
        return named.assign_attrs(dict(attrs) | methods)

    def result(self, k: int | None = None) -> ClusterResult:
        """Return the whole clustering at one k.

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
        tried = list(self._fits.fits)
        if not is_number(k) or k not in tried:
            raise ValueError(
                f"the sweep has no k = {shown(k)}; it tried {', '.join(map(str, tried))}"
            )
        dataset, layout = self._fits.dataset(k), self._fits.layout
        if len(tried) == 1:
            return ClusterResult(dataset, _layout=layout)
        for name in self._criteria():
            dataset[f"sweep_{name}"] = self.dataset[name]
        return ClusterResult(dataset, sweep=self, _layout=layout)

    def _results(self) -> dict[int, ClusterResult]:
        """The whole clustering at each k."""
        return {k: self.result(k) for k in self._fits.fits}

    def __repr__(self) -> str:
        head = f"<xvcluster.SweepResult: {self._headline()}>"
        return f"{head}\n{self.table().to_string()}\n{self.verdict}"

    def _repr_html_(self) -> str:
        said = [self._headline(), self.verdict]
        return to_html("SweepResult", said, self.table(), self.dataset)

    def _headline(self) -> str:
        return f"best k = {self.best_k} (by {self.dataset.attrs['best_k_by']})"
