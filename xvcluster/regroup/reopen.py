"""The data of a result read again, scaled as they were clustered."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from xvcluster.grid.coords import find_horizontal, with_coordinates
from xvcluster.inputs import take_model
from xvcluster.profiles import Layout, Scaled, lay_out, open_profiles, weigh
from xvcluster.profiles.scaling import Scaling
from xvcluster.record.dataset import describe_scaling, parameters_of, read_metric


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
    _require_same_values(dataset, profiles)
    return profiles


def _require_same_values(dataset: xr.Dataset, profiles: Scaled) -> None:
    """Refuse other data than those that were clustered, as far as their number and scale tell."""
    count, found = int(dataset["count"].sum()), profiles.source.n_profiles
    if count != found:
        raise ValueError(
            f"the result is of {count:,} complete profiles, but the data have {found:,}: they are "
            "not the data that were clustered"
        )
    scaling = profiles.scaling
    if not isinstance(scaling, Scaling):
        return
    for name, array in describe_scaling(profiles.layout, scaling).items():
        if not np.allclose(array.transpose(*dataset[name].dims), dataset[name], rtol=1e-5):
            raise ValueError(
                f"the data are not those that were clustered: {name!r}, by which they are scaled, "
                f"is {float(array.mean()):g} on average, but {float(dataset[name].mean()):g} in "
                "the result"
            )


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
        data = with_coordinates(data)
        lacking = [name for name in options["variables"] if name not in data.data_vars]
        if lacking:
            raise ValueError(f"the data lack {', '.join(map(repr, lacking))} of the result")
        others = [name for name in data.data_vars if name not in options["variables"]]
        data = data.drop_vars(others)[options["variables"]].assign_coords(data.coords)
    layout = lay_out(data, options["vertical"])
    if list(layout.variables) != options["variables"]:
        raise ValueError(
            f"the data hold {', '.join(map(repr, layout.variables))}, but the result is of "
            f"{', '.join(map(repr, options['variables']))}"
        )
    places = [name for name in find_horizontal(dataset["label"]) if name is not None]
    for name in dict.fromkeys([options["vertical"], *dataset["label"].dims, *places]):
        if name is not None and not _is_same(dataset, layout.dataset, name):
            raise ValueError(
                f"the data are not those that were clustered: along {name!r} they have other "
                "places than the result, or the same in another order; prepare them as you did then"
            )
    return weigh(layout, *weighing)


def _is_same(result: xr.Dataset, data: xr.Dataset, name: Hashable) -> bool:
    """Whether a dimension or a coordinate is the same in both."""
    if name in result.dims and result.sizes[name] != data.sizes.get(name, -1):
        return False
    if name in result.indexes:
        return name in data.indexes and result.indexes[name].equals(data.indexes[name])
    if name not in result.coords:
        return True
    other = data.get(name)
    if other is None or set(other.dims) != set(result[name].dims):
        return False
    return np.array_equal(result[name].transpose(*other.dims), other, equal_nan=True)
