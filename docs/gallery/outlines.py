"""
Outlines over a field
=====================

The clusters of an image, and two of them as outlines over it: ``boundaries`` and ``background``
of :py:func:`xvcluster.plot.map`. Needs geopandas.
"""

import xvcluster

raster = xvcluster.tutorial.ocean()["temperature"].isel(depth=0, drop=True)
result = raster.vcluster.kmeans(6)
outlines = result.boundaries([4, 6], min_length=200)
result.plot.map(background=raster, boundaries=outlines, borders=False)
