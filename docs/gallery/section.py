"""
A cross section
===============

The clusters along a great circle, above the depth section of the model:
:py:func:`xvcluster.plot.section`.
"""

import xvcluster

model = xvcluster.tutorial.tomography()
result = model["vs"].vcluster.prepare(depth=slice(5, 60), stride=2).vcluster.kmeans(6)
result.plot.section((-125, 44), (-103, 41), model["vs"])
