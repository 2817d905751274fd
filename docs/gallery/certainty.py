"""
How certain each label is
=========================

Colours fade where a label is uncertain: by the margin, which every result has, or by the
stability over bootstrap samples. See :py:func:`xvcluster.plot.map`.
"""

import xvcluster

vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 60), stride=3)
result = vs.vcluster.kmeans(6).stability(n=20)
result.plot.map(certainty="margin", title="Margin")

# %%
# The share of 20 block bootstrap samples that give each point the same cluster:

result.plot.map(certainty="stability", title="Stability")
