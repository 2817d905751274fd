"""The figures as methods of results, sweeps and label arrays."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import xarray as xr

from xvcluster.delegate import delegate
from xvcluster.plot.criteria import criteria as draw_criteria
from xvcluster.plot.map import map as draw_map
from xvcluster.plot.profiles import profiles as draw_profiles
from xvcluster.plot.som import som as draw_som
from xvcluster.plot.summary import summary as draw_summary
from xvcluster.plot.sweep import elbow as draw_elbow
from xvcluster.plot.sweep import maps as draw_maps

Map = TypeVar("Map", bound=Callable[..., Any])
Maps = TypeVar("Maps", bound=Callable[..., Any])


def _with_original(maps: Maps) -> Maps:
    """Let ``original=True`` stand for the data that were clustered."""

    @functools.wraps(maps)
    def method(self: Any, /, **options: Any) -> Any:
        if options.get("original") is True and self._original is not None:
            options["original"] = self._original()
        return maps(self, **options)

    method.__signature__ = inspect.signature(maps)  # type: ignore[attr-defined]
    return method  # type: ignore[return-value]


def _with_names(draw: Map) -> Map:
    """Draw the labels of a result, and let a name stand for the certainty that it holds."""

    @functools.wraps(draw)
    def method(self: Any, /, **options: Any) -> Any:
        name = options.get("certainty")
        if isinstance(name, str):
            options["certainty"] = _find_certainty(self._data, name)
        return draw(LabelPlots(self._data["label"]), **options)

    method.__signature__ = inspect.signature(draw)  # type: ignore[attr-defined]
    return method  # type: ignore[return-value]


def _find_certainty(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """A variable of a result by its name; only `stability` has to be asked for first."""
    if name in dataset.data_vars:
        return dataset[name]
    dims = dataset["label"].dims
    known = [
        str(key)
        for key, array in dataset.data_vars.items()
        if set(array.dims) == set(dims) and array.attrs.get("units") == "1" and key != "label"
    ]
    raise ValueError(
        f"certainty={name!r} is no variable of this result; it has {', '.join(known) or 'none'}. "
        "For stability, call result.stability(n=...) first and draw what it returns"
    )


class LabelPlots:
    """Figures of a label array."""

    __slots__ = ("_data",)

    def __init__(self, labels: xr.DataArray) -> None:
        self._data = labels

    map = delegate(draw_map)


class ResultPlots:
    """Figures of a result."""

    __slots__ = ("_data",)

    def __init__(self, dataset: xr.Dataset) -> None:
        self._data = dataset

    map = _with_names(LabelPlots.map)
    profiles = delegate(draw_profiles)
    summary = delegate(draw_summary)
    som = delegate(draw_som)


class SweepPlots:
    """Figures of a sweep."""

    __slots__ = ("_data", "_original")

    def __init__(
        self, dataset: xr.Dataset, original: Callable[[], xr.DataArray] | None = None
    ) -> None:
        self._data = dataset
        self._original = original

    elbow = delegate(draw_elbow)
    criteria = delegate(draw_criteria)
    maps = _with_original(delegate(draw_maps))
