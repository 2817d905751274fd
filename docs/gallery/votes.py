"""
Votes of several models
=======================

How many of three models put a point into their slow cluster: :py:func:`xvcluster.consensus`
counts, and :py:func:`xvcluster.plot.votes` draws.
"""

import numpy as np

import xvcluster

results = {}
for seed, spacing in enumerate((0.25, 0.4, 0.5)):
    model = xvcluster.tutorial.tomography(resolution=spacing)["vs"].sel(depth=slice(40, 150))
    errors = np.random.default_rng(seed).normal(0, 0.2, model.shape).astype("float32")
    results[f"{spacing} degrees"] = (model + errors).vcluster.kmeans(2, weights="area")

common = xvcluster.consensus(results)
xvcluster.plot.votes(common, cluster=1, title="Number of models that are slow, 40 to 150 km")
