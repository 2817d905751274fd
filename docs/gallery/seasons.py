"""
Maps over time, and an animation
================================

Labels of a model over time: one map for each with ``col="time"``, as drawn by
:py:func:`xvcluster.plot.map`, and an animation by matplotlib. The season is synthetic, on the
real ocean.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.animation import FuncAnimation

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

# %%
# The same as an animation:

ax = labels.isel(time=0).vcluster.plot.map(borders=False)
box = ax.get_extent()


def draw(step):
    """Draw the map of one time into the same axes."""
    ax.clear()
    now = labels.isel(time=step)
    title = now["time"].dt.strftime("%B").item()
    now.vcluster.plot.map(ax=ax, legend=False, borders=False, title=title)
    ax.set_extent(box, crs=ax.projection)


movie = FuncAnimation(ax.figure, draw, frames=range(0, 12, 2), interval=500)
plt.show()
