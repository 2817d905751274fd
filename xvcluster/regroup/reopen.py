"""The data of a result read again, scaled as they were clustered."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xvcluster.profiles import Layout, Scaled, open_profiles
from xvcluster.record.dataset import parameters_of, read_metric


def reopen(dataset: xr.Dataset, layout: Layout | None, what: str) -> Scaled:
    """Read and scale the profiles of a result again.

    Parameters
    ----------
    dataset : Dataset
        Of the result.
    layout : Layout or None
        Of its data; None if it was read from a file.
    what : str
        What needs them, for the error.
    """
    if layout is None:
        raise ValueError(
            f"{what} needs the data, and this result was read from a file, which does not hold "
            "them. Cluster them again, and write what you have of that result"
        )
    options = parameters_of(dataset)
    return open_profiles(
        layout,
        normalize=options.get("normalize"),
        by_level=read_metric(dataset).is_linear,
        seed=np.random.SeedSequence(options["random_state"]),
    )
