"""The accessor ``.vcluster``: every method hands its object to a function."""

from __future__ import annotations

import xarray as xr

from xvcluster.agreement import compare
from xvcluster.delegate import delegate
from xvcluster.export.geotiff import to_geotiff
from xvcluster.grid.changes import areas, transitions
from xvcluster.methods.gmm import gmm
from xvcluster.methods.kmeans import kmeans
from xvcluster.methods.som import som
from xvcluster.methods.sweep import sweep
from xvcluster.methods.ward import ward
from xvcluster.plot.methods import LabelPlots
from xvcluster.prepare import prepare
from xvcluster.result import ClusterResult


@xr.register_dataarray_accessor("vcluster")  # type: ignore[no-untyped-call]
@xr.register_dataset_accessor("vcluster")  # type: ignore[no-untyped-call]
class VCluster:
    """Cluster the vertical profiles of a model.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"]
    >>> labels, centroids = vs.vcluster.prepare(depth=slice(5, 60), stride=2).vcluster.kmeans(6)
    """

    __slots__ = ("_data",)

    def __init__(self, data: xr.DataArray | xr.Dataset) -> None:
        self._data = data

    prepare = delegate(prepare)
    kmeans = delegate(kmeans)
    som = delegate(som)
    gmm = delegate(gmm)
    ward = delegate(ward)
    sweep = delegate(sweep)
    compare = delegate(compare)
    areas = delegate(areas)
    transitions = delegate(transitions)
    to_geotiff = delegate(to_geotiff)

    def predict(self, result: ClusterResult) -> xr.DataArray:
        """Label these data by an earlier result.

        Parameters
        ----------
        result : ClusterResult
            Made from the same variables in the same units; these data must cover its depth range.

        Returns
        -------
        DataArray
            Labels on the horizontal dimensions, NaN where there is no complete profile.

        Raises
        ------
        TypeError
            If `result` is not a ClusterResult.
        ValueError
            If a variable is missing or in other units, or the levels of the result extend beyond
            those of the data.
        """
        if not isinstance(result, ClusterResult):
            raise TypeError(
                f"result must be a ClusterResult; got {type(result).__name__}. It comes from "
                ".vcluster.kmeans, xvcluster.open_result(path) or sweep.result(k)"
            )
        return result.predict(self._data)

    @property
    def plot(self) -> LabelPlots:
        """The method map, which draws a label array."""
        if isinstance(self._data, xr.Dataset):
            raise TypeError(
                "plot needs a label array, but this is a Dataset; take one of its variables, e.g. "
                "dataset['label'].vcluster.plot.map()"
            )
        return LabelPlots(self._data)
