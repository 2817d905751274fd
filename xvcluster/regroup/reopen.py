"""The data of a result read again, scaled as they were clustered."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from xvcluster.inputs import take_model
from xvcluster.profiles import Layout, Scaled, lay_out, open_profiles, weigh
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
            "them; open it with these: xvcluster.open_result(path, data)"
        )
    options = parameters_of(dataset)
    profiles = open_profiles(
        layout,
        normalize=options.get("normalize"),
        by_level=read_metric(dataset).is_linear,
        seed=np.random.SeedSequence(options["random_state"]),
    )
    count, found = int(dataset["count"].sum()), profiles.source.n_profiles
    if count != found:
        raise ValueError(
            f"the result is of {count:,} complete profiles, but the data have {found:,}: they are "
            "not the data that were clustered"
        )
    return profiles


def lay_out_again(dataset: xr.Dataset, data: xr.DataArray | xr.Dataset) -> Layout:
    """Find where the profiles of the data lie of which a file holds the result.

    Raises
    ------
    ValueError
        If they lack a variable, or have other levels or another map than the result; or if it has
        weights that were given as an array, which it does not hold.
    """
    options, data = parameters_of(dataset), take_model(data)
    weighing = [options.get(name) for name in ("weights", "level_weights", "variable_weights")]
    if "given" in weighing:
        raise ValueError(
            "the result has weights that were given as an array, which its file does not hold; "
            "cluster the data again"
        )
    if isinstance(data, xr.Dataset):
        lacking = [name for name in options["variables"] if name not in data.data_vars]
        if lacking:
            raise ValueError(f"the data lack {', '.join(map(repr, lacking))} of the result")
        data = data[options["variables"]]
    layout = lay_out(data, options["vertical"])
    if list(layout.variables) != options["variables"]:
        raise ValueError(
            f"the data hold {', '.join(map(repr, layout.variables))}, but the result is of "
            f"{', '.join(map(repr, options['variables']))}"
        )
    own = dataset["label"]
    for name in [options["vertical"], *own.dims]:
        there = layout.dataset.sizes.get(name)
        if name is not None and not _is_same(dataset, layout.dataset, name):
            raise ValueError(
                f"the data are not those that were clustered: along {name!r} the result has "
                f"{dataset.sizes[name]} places, the data {there}, or others. Prepare them as before"
            )
    return weigh(layout, *weighing)


def _is_same(result: xr.Dataset, data: xr.Dataset, name: Hashable) -> bool:
    """Whether a dimension has the same places in both."""
    if result.sizes[name] != data.sizes.get(name, -1):
        return False
    return name not in result.indexes or result.indexes[name].equals(data.indexes.get(name))
