"""
Agreement with provinces
========================

How much of each cluster lies in which province: the table of ``result.compare``, drawn by
:py:func:`xvcluster.plot.agreement`. Provinces may be polygons of geology, or another map of
labels as here.
"""

import xvcluster

model = xvcluster.tutorial.tomography().vcluster.prepare(depth=slice(5, 60), stride=2)
result = model["vs"].vcluster.kmeans(6)
agreement = result.compare(model["province"], n=99)
agreement.plot.agreement()

# %%
# Measures of the agreement, and whether there is more of it than by chance:

print(agreement)
