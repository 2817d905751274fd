"""
Map and profiles in one figure
==============================

:py:func:`xvcluster.plot.summary` draws the map, the profile of each cluster with the middle half
of its members, and the share of the area.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=2)
vs.vcluster.kmeans(6).plot.summary(title="A synthetic model of the western United States")

# %%
# Of several variables, one panel each:

ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
ocean.vcluster.kmeans(6).plot.summary()
