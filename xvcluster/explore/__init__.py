"""A page to click through a result: the map, and the profile of each point beside its cluster's."""

from __future__ import annotations

from collections.abc import Callable

import xarray as xr

from xvcluster.explore.contents import Clustering, check_size, collect_contents
from xvcluster.explore.figures import bokeh
from xvcluster.explore.page import Explorer, make_page
from xvcluster.profiles import Layout
from xvcluster.regroup.reopen import reopen

__all__ = ["Clustering", "Explorer", "explore"]


def explore(
    dataset: xr.Dataset, layout: Layout | None, find: Callable[[], tuple[list[Clustering], int]]
) -> Explorer:
    """Make a page to click through a result.

    Parameters
    ----------
    dataset : Dataset
        Of the result.
    layout : Layout or None
        Of the data; None if these are not at hand: the page then shows centroids only.
    find : callable
        Finds the result and the others of its sweep, and the place of the result among them; called
        when all is checked.

    Raises
    ------
    ImportError
        If bokeh is not installed.
    ValueError
        If the data are not those that were clustered, or a page cannot hold so many.
    """
    bokeh("embed")  # or say how to install it
    check_size(dataset, with_profiles=layout is not None)
    if layout is not None:
        reopen(dataset, layout, "the explorer")
    return make_page(collect_contents(*find(), layout))
