"""
Results side by side
====================

Several results with one legend, by :py:func:`xvcluster.plot.maps`. Clusters of the second and third
have the numbers of those of the first that they overlap most.
"""

import xvcluster

ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
kmeans = ocean.vcluster.kmeans(6)
results = {
    "k-means": kmeans,
    "Gaussian mixture": ocean.vcluster.gmm(6).match(kmeans),
    "Ward": ocean.vcluster.ward(6, contiguous=False).match(kmeans),
}
xvcluster.plot.maps(results)
