"""Figures of labels and results; matplotlib and cartopy are imported only for drawing."""

from xvcluster.plot.agreement import agreement
from xvcluster.plot.changes import areas, transitions
from xvcluster.plot.criteria import criteria
from xvcluster.plot.map import map  # noqa: A004
from xvcluster.plot.profiles import profiles
from xvcluster.plot.section import section
from xvcluster.plot.som import som
from xvcluster.plot.style import cluster_colors
from xvcluster.plot.summary import summary
from xvcluster.plot.sweep import maps
from xvcluster.plot.tree import tree
from xvcluster.plot.votes import votes

__all__ = [
    "agreement",
    "areas",
    "cluster_colors",
    "criteria",
    "map",
    "maps",
    "profiles",
    "section",
    "som",
    "summary",
    "transitions",
    "tree",
    "votes",
]
