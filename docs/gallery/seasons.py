"""
Maps over time
==============

Labels of a model over time: one map for each with ``col="time"``, as drawn by
:py:func:`xvcluster.plot.map`. The season is synthetic, on the real ocean. For a movie, see
:doc:`/howto/animation`.
"""

import numpy as np
import xarray as xr

import xvcluster

ocean = xvcluster.tutorial.ocean()["temperature"]
ocean = ocean.sel(depth=slice(0, 300), latitude=slice(0, 70), longitude=slice(-100, 20))
months = xr.DataArray(
    np.arange(12), {"time": xr.date_range("2001-01", periods=12, freq="MS")}, "time"
)
season = 5 * np.cos(2 * np.pi * (months - 7) / 12) * np.exp(-ocean.depth / 60)
model = (ocean + season * np.sin(2 * np.deg2rad(ocean.latitude))).assign_attrs(ocean.attrs)

labels, centroids = model.rename("temperature").vcluster.kmeans(5)
labels.isel(time=slice(0, 12, 3)).vcluster.plot.map(col="time", col_wrap=2, borders=False)
