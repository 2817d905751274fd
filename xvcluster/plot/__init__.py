"""Figures of labels and results; matplotlib and cartopy are imported only for drawing.

Every figure takes the axes to draw in, ``ax``, or ``axes`` if it has several panels; or else
``figsize``, the size of a new figure in inches. Clusters are drawn in ``colors``, continuous fields
by ``cmap``; ``legend`` and ``title`` say what is drawn, and further keywords are properties of it.

What a figure returns is never the figure itself, because a notebook would show that twice at the
end of a cell, once as the figure that matplotlib has open and once as the value of the cell. A
figure of one panel returns its `Axes`, one of several panels returns `Panels`, which has them as
``axes``. Either has a ``figure``::

    result.plot.map().figure.savefig("map.png")
    result.plot.profiles().figure.savefig("profiles.png")
"""

from xvcluster.plot.agreement import agreement
from xvcluster.plot.changes import areas, transitions
from xvcluster.plot.criteria import criteria
from xvcluster.plot.map import map  # noqa: A004
from xvcluster.plot.options import Panels
from xvcluster.plot.profiles import profiles
from xvcluster.plot.section import section
from xvcluster.plot.som import som
from xvcluster.plot.style import cluster_colors
from xvcluster.plot.summary import summary
from xvcluster.plot.sweep import maps
from xvcluster.plot.tree import tree
from xvcluster.plot.votes import votes

__all__ = [
    "Panels",
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
