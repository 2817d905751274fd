"""
Own names and colours
=====================

Names, colours and order belong to the result, and every figure follows them, such as
:py:func:`xvcluster.plot.summary`.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 60), stride=2)
result = vs.vcluster.kmeans(6)
named = result.rename({1: "Basin and Range", 5: "Craton", 6: "Pacific"})
named.recolor({"Pacific": "midnightblue", "Craton": "#b5651d"}).plot.summary()

# %%
# A palette that grows lighter from the first cluster to the last, and can be printed in grey:

named.recolor("sequential").plot.map()
