"""
The spread of each cluster
==========================

:py:func:`xvcluster.plot.profiles`: the centroid (thick), the median (thin), and the bands that
contain 50 and 90 % of the members.
"""

import xvcluster

ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
result = ocean.vcluster.kmeans(6)
result.plot.profiles(variable="temperature")
