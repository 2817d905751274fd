"""The agreement of clusters with provinces, as a frozen view of one Dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import xarray as xr

from xvcluster.compare.agreement import describe_agreement
from xvcluster.compare.chance import Null
from xvcluster.compare.provinces import show_names
from xvcluster.grid.labels import Clustering
from xvcluster.messages import escaped, plain
from xvcluster.options import check_choice, check_flag, check_integer, check_seed
from xvcluster.plot.methods import AgreementPlots
from xvcluster.progress import show_steps

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame, GeoSeries

_MOST_MAPS = 1_000_000

_WHOLE = 0.95
"""A coverage below this is told."""

_SURE = 0.05
"""Convention: an agreement is more than chance if it is as good by chance in fewer cases."""


@dataclass(frozen=True, eq=False, repr=False)
class Agreement:
    """How well clusters agree with provinces, and whether that is more than chance.

    Attributes
    ----------
    dataset : Dataset
        Provinces that have nothing in common with any cluster are left out; the report and the
        attribute ``comment`` name them.

        - ``contingency`` (cluster, province): what both have in common, in km², or the number of
          points if these have no cells.
        - ``coverage`` (cluster): the share of each cluster that lies in any province, and
          ``province_coverage`` (province): the share of each province that lies in any cluster; NaN
          if points are counted.
        - ``cluster_purity`` (cluster): of what each cluster has in provinces, the share that lies
          in the one with most of it, its ``main_province``.
        - ``province_completeness`` (province): of what each province has in clusters, the share
          that lies in the one with most of it, its ``main_cluster``.
        - single numbers: ``total_coverage`` (of all clusters), ``purity``, ``homogeneity``,
          ``completeness``, ``v_measure``, ``adjusted_rand_index``, ``adjusted_mutual_information``;
          ``p_value``, whose attributes ``null``, ``n`` and ``random_state`` say how it was found,
          and whose ``comment`` warns if it may be too small; and ``expected_rand_index``, the mean
          of the moved maps.
    """

    dataset: xr.Dataset

    @property
    def p_value(self) -> float:
        """How probable such an adjusted Rand index is by chance; NaN if it is not known."""
        return float(self.dataset["p_value"])

    @property
    def sentence(self) -> str:
        """The agreement in words."""
        index = float(self.dataset["adjusted_rand_index"])
        about = self.dataset["p_value"].attrs
        said = f"Clusters agree with {self.dataset['province'].attrs['long_name']} with an "
        said += f"adjusted Rand index of {index:.2f}, "
        p = self.p_value
        if np.isnan(p):
            said += f"but whether that is more than chance is not known ({about['null']})"
        else:
            is_sure = p <= _SURE
            verdict = (
                "more than by chance" if is_sure else "which is not clearly more than by chance"
            )
            if "comment" in about:
                verdict = f"but {about['comment']}"
            said += f"{verdict} (p = {p:.2g}, {about['n']} {about['null']})"
        share = float(self.dataset["total_coverage"])
        is_area = self.dataset["contingency"].attrs["units"] == "km2"
        what = "area lies" if is_area else "points lie"
        return said + (f"; {share:.0%} of the clusters' {what} in provinces" * (share < _WHOLE))

    @property
    def plot(self) -> AgreementPlots:
        """The figure of the agreement, as a method."""
        return AgreementPlots(self.dataset)

    def table(self, by: Literal["cluster", "province"] = "cluster") -> pd.DataFrame:
        """Summarize the agreement in a table, one row per cluster or per province.

        Parameters
        ----------
        by : {"cluster", "province"}

        Returns
        -------
        pandas.DataFrame
            Indexed by ``cluster``: ``area_km2`` in provinces, or ``points``; ``coverage_percent``,
            the share of the cluster that these are; ``main_province`` and ``purity_percent``. Or by
            ``province``: ``area_km2`` in clusters, ``coverage_percent``, ``main_cluster`` and
            ``completeness_percent``. Then a column for each province, or each cluster: its share of
            what the two have in common, in percent. A province that is called like another column
            gets a number, such as ``"main_province (2)"``.
        """
        import pandas as pd

        check_choice("by", by, ("cluster", "province"))
        other = "province" if by == "cluster" else "cluster"
        dataset, contingency = self.dataset, self.dataset["contingency"].transpose(by, other)
        total = contingency.sum(other)
        table = total.to_dataframe("area_km2" if contingency.attrs["units"] == "km2" else "points")
        covered = dataset["coverage" if by == "cluster" else "province_coverage"]
        table["coverage_percent"] = 100 * covered.values
        table[f"main_{other}"] = dataset[f"main_{other}"].values
        measure, name = ("cluster_", "purity") if by == "cluster" else ("province_", "completeness")
        table[f"{name}_percent"] = 100 * dataset[f"{measure}{name}"].values
        shares = (100 * (contingency / total.where(total > 0))).values
        names = dataset[other].values.tolist()
        if by == "cluster":  # a province may be called like a column
            names = show_names([*table, *names])[table.shape[1] :]
        columns = pd.DataFrame(shares, index=table.index, columns=names)
        return pd.concat([table, columns], axis=1)

    def report(self) -> str:
        """Describe the agreement: a sentence, its measures and a table of the clusters."""
        said = [plain(self.sentence, 1000), self._measures(), self._brief().to_string()]
        return "\n".join([*said, *self._notes()])

    def __repr__(self) -> str:
        return f"<xvcluster.Agreement>\n{self.report()}"

    def _repr_html_(self) -> str:
        said = f"<b>Agreement</b>: {escaped(self.sentence, 1000)}", escaped(self._measures(), 1000)
        notes = [escaped(note, 3000) for note in self._notes()]
        first, last = ("".join(f"<p>{text}</p>" for text in texts) for texts in (said, notes))
        return first + self._brief().to_html(border=0) + last

    def _notes(self) -> list[str]:
        """Which provinces are left out."""
        comment = self.dataset.attrs.get("comment")
        return [plain(f"{comment}.", 3000)] if comment else []

    def _measures(self) -> str:
        """The measures of the whole, in a line."""
        names = {"v_measure": "V-measure", "homogeneity": "homogeneity"}
        names |= {"completeness": "completeness", "purity": "purity"}
        names |= {"adjusted_mutual_information": "adjusted mutual information"}
        return ", ".join(f"{said} {float(self.dataset[n]):.2f}" for n, said in names.items())

    def _brief(self) -> pd.DataFrame:
        """The table of the clusters as text, without the columns of the provinces."""
        table = self.table().iloc[:, :4]
        for name, values in table.items():
            if values.dtype.kind == "f":
                places = 1 if str(name).endswith("percent") else 0
                table[name] = [f"{v:,.{places}f}" if np.isfinite(v) else "" for v in values]
            else:
                table[name] = [plain(value, 60) for value in values]
        return table


def compare(
    labels: Clustering,
    provinces: Clustering | GeoDataFrame | GeoSeries,
    column: str | None = None,
    *,
    n: int = 999,
    null: Null = "auto",
    random_state: int | None = 0,
    progress: bool | None = None,
) -> Agreement:
    """Test whether clusters agree with provinces, such as those of a geological map, beyond chance.

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on one map; or a result, or its Dataset.
    provinces : GeoDataFrame, ClusterResult, Dataset or DataArray
        Polygons in any coordinate reference system, which must not overlap; without one, they are
        taken for degrees. Or another result, or labels on any grid, integers from 1.
    column : str, optional
        The column of a GeoDataFrame that names the provinces: rows of one name are one province,
        rows without a name are none. Default: its only column of text; if it has none, each row is
        a province.
    n : int, default 999
        Number of maps that are moved at random for the p-value, at least 19, since fewer cannot
        give one of 0.05; or 0 for none.
    null : {"auto", "rotations", "shifts"}
        How maps are moved: by random rotations of the sphere, or by random shifts of the region and
        its mirror images. Default: rotations if one of the maps covers at least half of the sphere,
        and both together a quarter.
    random_state, progress
        As for `xvcluster.kmeans`.

    Returns
    -------
    Agreement
        Its Dataset, with tables and a figure of it.

    Raises
    ------
    ImportError
        If geopandas is not installed, and provinces are neither a result nor labels.
    TypeError
        If `provinces` are something else, or points or lines.
    ValueError
        If clusters and provinces have nothing in common; if provinces overlap, have no column of
        this name, or several columns could name them; if coordinates are not known; or if there is
        more than one map.

    Warns
    -----
    UserWarning
        If polygons are not valid and are repaired, overlap a little along their borders, or have
        edges of more than 180° of longitude. If a result has areas, but was opened without the
        data, which have its cells, so that points are counted.

    Notes
    -----
    A cell that a border divides counts in each province with the area that it has there, on the
    sphere of the area of the Earth, where areas differ by up to 0.8 % from those on the ellipsoid,
    and shares less. Edges of polygons are straight in longitude and latitude, or in their map
    projection. The cells of a mesh are those whose vertices the data have, so that a result must
    still have its data, or be opened with them. Points without cells count as one each. In another
    map of labels, each point takes the label of the cell that holds it, or of the nearest point, as
    in `ClusterResult.match`.

    All shares but coverage are of what clusters and provinces have in common: a cluster of which a
    hundredth lies in provinces has a purity of 1 if that is one province. Purity is the share of
    what lies in provinces that is in the main province of its cluster.
    Homogeneity is 1 if every cluster lies in one province, completeness if every province lies in
    one cluster, and the V-measure is their harmonic mean (Rosenberg & Hirschberg 2007). All follow
    from areas; the adjusted Rand index and the adjusted mutual information are found as by
    `ClusterResult.match`.

    Smooth maps agree by chance: neighbours share both their cluster and their province. So the
    p-value compares the adjusted Rand index with that of maps that are as smooth: one of the two is
    moved at random over the other, n times, and p = (1 + b) / (1 + n) if b of them agree as well or
    better (Phipson & Smyth 2010). On the globe it is rotated, as brain maps are (Alexander-Bloch et
    al. 2018). In a region it is shifted by up to 0.35 of the width and height, on the sphere, from
    where it is or from one of its three mirror images, and mirrored at the border of what the other
    map covers: to wrap it around would tear it there. If the maps have gaps, moved ones have less
    in common and agree more by chance; their indices are multiplied by a power, from 0 to 1, of the
    area in common. It is found from their indices on parts of that area. This is in the spirit of
    Mrkvička et al. (2021).

    Of 1500 pairs of independent random maps of the globe, 6.3 % had p-values of at most 0.05, and
    4.9 % of 1500 others; of a region 5.0 %, and 3.7 % with an irregular coast. All points are
    displaced at random by about a third of their spacing, because two maps on one grid have cells
    in common in place, but not once one is moved. Mirrored maps agree less by chance than maps in
    place, the more so the fewer provinces there are: by a share of about 0.15 of the mean index of
    the moved ones, ``expected_rand_index``, by which theirs are raised. For stripes it is more: of
    regions of three, 10 % had p-values of at most 0.05. So where that mean is above 0.15 in a
    region, the sentence says that it holds few provinces. Few provinces also hide real agreement,
    since a region can be moved to few really different places. The test assumes that both maps are
    alike everywhere and in all directions, apart from mirror images in a region. See the user
    guide.

    References
    ----------
    Rosenberg, A. & Hirschberg, J. (2007), V-measure: A conditional entropy-based external cluster
    evaluation measure, Proc. EMNLP-CoNLL, 410-420.

    Phipson, B. & Smyth, G. K. (2010), Permutation p-values should never be zero, Stat. Appl. Genet.
    Mol. Biol. 9, 39, doi:10.2202/1544-6115.1585.

    Alexander-Bloch, A. F. et al. (2018), On testing for spatial correspondence between maps of
    human brain structure and function, NeuroImage 178, 540-551,
    doi:10.1016/j.neuroimage.2018.05.070.

    Mrkvička, T., Dvořák, J., González, J. A. & Mateu, J. (2021), Revisiting the random shift
    approach for testing in spatial statistics, Spat. Stat. 42, 100430,
    doi:10.1016/j.spasta.2020.100430.

    Examples
    --------
    >>> import xvcluster
    >>> ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 6))
    >>> shallow, deep = ocean.isel(depth=slice(0, 3)), ocean.isel(depth=slice(3, 6))
    >>> agreement = shallow.vcluster.kmeans(4).compare(deep.vcluster.kmeans(4), n=99)
    >>> agreement.p_value
    0.01
    """
    n = _check_maps(n)
    null = check_choice("null", null, get_args(Null))
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    with show_steps(progress, n) as report:
        dataset = describe_agreement(
            labels, provinces, column, n=n, null=null, seed=seed, report=report
        )
    if random_state is not None:
        dataset["p_value"].attrs["random_state"] = int(random_state)
    return Agreement(dataset)


def _check_maps(n: int) -> int:
    """Return a number of maps that can give a p-value that is small, or 0 for none."""
    n = check_integer("n", n, 0, _MOST_MAPS)
    least = round(1 / _SURE) - 1
    if 0 < n < least:
        raise ValueError(
            f"n={n} moved maps cannot give a p-value of {_SURE:g} or less, as the least is "
            f"1 / (1 + n) = {1 / (1 + n):.2g}; give at least {least}, or 0 for no p-value"
        )
    return n
