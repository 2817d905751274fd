"""
The globe in any projection
===========================

:py:func:`xvcluster.plot.map` takes any projection of cartopy, and part of the world by its
longitudes and latitudes, across the dateline too.
"""

import cartopy.crs as ccrs

import xvcluster

ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
result = ocean.vcluster.kmeans(8)
result.plot.map(projection=ccrs.EqualEarth(central_longitude=-150), borders=False)

# %%
# The Pacific:

result.plot.map(extent=(120, -70, -60, 60), borders=False)
