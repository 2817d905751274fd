"""Clustering of plain arrays: no labels, no files, no figures."""

from xvcluster.methods.metric import DynamicTimeWarping, Euclidean, Metric
from xvcluster.methods.softdtw import SoftDTW

METRICS: dict[str, Metric] = {m.name: m for m in (Euclidean(), DynamicTimeWarping(), SoftDTW())}
