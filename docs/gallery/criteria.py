"""
How many clusters?
==================

:py:func:`xvcluster.plot.criteria` draws the criteria of a sweep over k, and the best k of each;
:py:func:`xvcluster.plot.maps` the map at each k.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=3)
sweep = vs.vcluster.sweep(range(2, 13))
sweep.plot.criteria()

# %%
sweep.plot.maps(ks=[2, 3, 4, 6, 8, 10])
