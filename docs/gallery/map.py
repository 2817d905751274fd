"""
A map of clusters
=================

The clusters of a regional model, named beside the map by :py:func:`xvcluster.plot.map`.
Coastlines and borders are in the package.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=2)
result = vs.vcluster.kmeans(6)
result.plot.map(title="Clusters of vs, 5 to 150 km")

# %%
# The legend at a place on the map, and the outlines of the clusters:

result.plot.map(legend="lower left", boundaries=True)
