"""The figures as methods of results, sweeps and label arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import xarray as xr

from xvcluster.delegate import delegate
from xvcluster.messages import plain
from xvcluster.plot.agreement import agreement as draw_agreement
from xvcluster.plot.changes import areas as draw_areas
from xvcluster.plot.changes import transitions as draw_transitions
from xvcluster.plot.criteria import criteria as draw_criteria
from xvcluster.plot.map import map as draw_map
from xvcluster.plot.profiles import profiles as draw_profiles
from xvcluster.plot.section import section as draw_section
from xvcluster.plot.som import som as draw_som
from xvcluster.plot.summary import summary as draw_summary
from xvcluster.plot.sweep import maps as draw_maps
from xvcluster.plot.tree import tree as draw_tree
from xvcluster.record.tree import require_tree

Method = TypeVar("Method", bound=Callable[..., Any])


def _like(method: Method) -> Callable[[Callable[..., Any]], Method]:
    """Give a method the signature and the docstring of another one."""
    return functools.wraps(method)  # type: ignore[return-value]


def _find_certainty(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a result by its name; a stability has to be computed first."""
    if name in dataset.data_vars:
        return dataset[name]
    known = [
        plain(key)
        for key, array in dataset.data_vars.items()
        if set(array.dims) == set(dataset["label"].dims)
        and array.attrs.get("units") == "1"
        and key != "label"
    ]
    raise ValueError(
        f"certainty={name!r} is not a variable of this result; it has "
        f"{', '.join(known) or 'none'}. For the stability, call result.stability(n=...) first, "
        "with noise=... for 'stability_noise', and draw the result that it returns"
    )


class LabelPlots:
    """Figures of a label array."""

    __slots__ = ("_data",)

    def __init__(self, labels: xr.DataArray) -> None:
        self._data = labels

    map = delegate(draw_map)  # type: ignore[arg-type]
    areas = delegate(draw_areas)
    transitions = delegate(draw_transitions)


class ResultPlots:
    """Figures of a result."""

    __slots__ = ("_data",)

    def __init__(self, dataset: xr.Dataset) -> None:
        self._data = dataset

    @_like(LabelPlots.map)
    def map(self, /, **options: Any) -> Any:
        if isinstance(options.get("certainty"), str):
            options["certainty"] = _find_certainty(self._data, options["certainty"])
        return draw_map(self._data["label"], **options)

    profiles = delegate(draw_profiles)
    summary = delegate(draw_summary)
    som = delegate(draw_som)
    section = delegate(draw_section)  # type: ignore[arg-type]
    areas = delegate(draw_areas)
    transitions = delegate(draw_transitions)
    tree = delegate(draw_tree)  # type: ignore[arg-type]

    @_like(delegate(draw_maps))  # type: ignore[arg-type]
    def maps(self, /, **options: Any) -> Any:
        require_tree(self._data)
        return draw_maps(self._data, **options)


class SweepPlots:
    """Figures of a sweep."""

    __slots__ = ("_data", "_original")

    def __init__(
        self, dataset: xr.Dataset, original: Callable[[], xr.DataArray] | None = None
    ) -> None:
        self._data = dataset
        self._original = original

    criteria = delegate(draw_criteria)  # type: ignore[arg-type]

    @_like(delegate(draw_maps))  # type: ignore[arg-type]
    def maps(self, /, **options: Any) -> Any:
        if options.get("original") is True and self._original is not None:
            options["original"] = self._original()
        return draw_maps(self._data, **options)


class AgreementPlots:
    """Figures of an agreement."""

    __slots__ = ("_data",)

    def __init__(self, dataset: xr.Dataset) -> None:
        self._data = dataset

    agreement = delegate(draw_agreement)  # type: ignore[arg-type]
