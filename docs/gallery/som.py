"""
A self-organizing map
=====================

Nodes on a grid, similar ones next to each other, drawn by :py:func:`xvcluster.plot.som`: the
U-matrix, the number of profiles of each node, and the nodes' profiles.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 60), stride=2)
result = vs.vcluster.som((6, 6), n_clusters=6)
result.plot.som()

# %%
# On the map, every node has a colour of its own, unless nodes are merged into clusters:

vs.vcluster.som((6, 6)).plot.map()
