"""
A tree of provinces
===================

:py:func:`xvcluster.ward` makes clusters in one piece, in one tree. :py:func:`xvcluster.plot.tree`
draws its last merges, and where it is cut; :py:func:`xvcluster.plot.maps` nested cuts, parts in
shades of the colour of what was divided.
"""

import numpy as np

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=2)
errors = np.random.default_rng(0).normal(0, 0.3, vs.shape).astype("float32")
result = (vs + errors).assign_attrs(vs.attrs).vcluster.ward(6, min_area=50_000)
result.plot.tree()

# %%
result.plot.maps(ks=[2, 4, 6])
