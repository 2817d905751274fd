"""A page to click through a result: the map, and the profile of each point beside its cluster's."""

from __future__ import annotations

from xvcluster.explore.contents import Clustering, check_size, collect_contents
from xvcluster.explore.figures import bokeh
from xvcluster.explore.page import Explorer, make_page
from xvcluster.profiles import Layout
from xvcluster.regroup.reopen import reopen

__all__ = ["Clustering", "Explorer", "explore"]


def explore(clusterings: list[Clustering], chosen: int, layout: Layout | None) -> Explorer:
    """Make a page to click through a result.

    Parameters
    ----------
    clusterings : list of Clustering
        Of the same points: a result, and those of its sweep.
    chosen : int
        Which of these is the result.
    layout : Layout or None
        Of the data; None if these are not at hand: the page then shows centroids only.

    Raises
    ------
    ImportError
        If bokeh is not installed.
    ValueError
        If the data are not those that were clustered, or a page cannot hold so many.
    """
    bokeh("embed")  # or say how to install it, before any work
    dataset = clusterings[chosen].dataset
    check_size(dataset, with_profiles=layout is not None)
    if layout is not None:
        reopen(dataset, layout, "the explorer")
    return make_page(collect_contents(clusterings, chosen, layout))
