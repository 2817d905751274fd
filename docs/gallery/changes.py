"""
Area over time, and what becomes what
=====================================

Labels of a model over time: the area of each cluster at each step, by
:py:func:`xvcluster.plot.areas`, and which cluster becomes which from step to step, by
:py:func:`xvcluster.plot.transitions`. The season is synthetic, on the real ocean.
"""

import numpy as np
import xarray as xr

import xvcluster

ocean = xvcluster.tutorial.ocean()["temperature"].sel(depth=slice(0, 300), latitude=slice(0, 70))
months = xr.DataArray(
    np.arange(12), {"time": xr.date_range("2001-01", periods=12, freq="MS")}, "time"
)
season = 5 * np.cos(2 * np.pi * (months - 7) / 12) * np.exp(-ocean.depth / 60)
model = (ocean + season * np.sin(2 * np.deg2rad(ocean.latitude))).assign_attrs(ocean.attrs)

result = model.rename("temperature").vcluster.kmeans(4)
result.plot.areas(dim="time")

# %%
result.plot.transitions(dim="time")
