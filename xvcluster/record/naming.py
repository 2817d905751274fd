"""Names and colours of clusters, in the attributes of their labels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.grid.labels import (
    COLORS,
    NAMES,
    choose_clusters,
    given_colors,
    given_names,
)
from xvcluster.messages import plain, shown
from xvcluster.record.check import check_result
from xvcluster.record.dataset import add_history, flag_attrs

LONGEST = 60
"""Characters of a name, which has to fit in a legend."""


def rename(result: xr.Dataset, names: Any) -> xr.Dataset:
    """Name clusters; see `ClusterResult.rename`."""
    check_result(result, maps=False)
    label, numbers = result["label"], result["cluster"].values.tolist()
    if names is None:
        return _described_anew(result, {}, given_colors(label), "took the names of clusters away")
    if not isinstance(names, Mapping):
        names = dict(zip(numbers, _listed(names, len(numbers)), strict=True))
    keys = choose_clusters(label, list(names), numbers)
    if len(set(keys)) < len(keys):
        raise ValueError(f"one cluster is given two names: {shown(dict(names))}")
    texts = (_check_name(name, n) for n, name in zip(keys, names.values(), strict=True))
    taken = given_names(label) | dict(zip(keys, texts, strict=True))
    taken = {n: name for n, name in taken.items() if not _is_numbered(name)}
    every = list(taken.values())
    twice = next((name for name in every if every.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two clusters would be called {twice!r}; give each a name of its own")
    return _described_anew(result, taken, given_colors(label), "renamed clusters")


def recolor(result: xr.Dataset, colors: Mapping[int, str]) -> xr.Dataset:
    """Give clusters these colours, and none of their own to the others."""
    check_result(result, maps=False)
    did = "recolored clusters" if colors else "gave clusters their automatic colors"
    return _described_anew(result, given_names(result["label"]), colors, did)


def _described_anew(
    result: xr.Dataset, names: Mapping[int, str], colors: Mapping[int, str], did: str
) -> xr.Dataset:
    """Copy a result, and give its clusters these names and colours."""
    label = result["label"].copy(deep=False)
    describe_clusters(label, result.sizes["cluster"], names, colors)
    return result.assign(label=label).assign_attrs(history=add_history(result, did))


def describe_clusters(
    label: xr.DataArray, k: int, names: Mapping[int, str], colors: Mapping[int, str]
) -> None:
    """Write numbers 1…k, names and colours of clusters to the attributes of labels."""
    word = "node" if "som_shape" in label.attrs else "cluster"
    label.attrs.update(flag_attrs(k, word))
    for attribute, said in ((NAMES, names), (COLORS, colors)):
        label.attrs.pop(attribute, None)
        if said:
            label.attrs[attribute] = [said.get(number, "") for number in range(1, k + 1)]
    if names:
        label.attrs["flag_meanings"] = " ".join(_words(names, k, word))


def carry_over(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Give clusters the names and colours of their own that they had before other ones changed.

    Those of lazy maps are not compared, and keep none.
    """
    old, new = before["label"], after["label"]
    names, colors = given_names(old), given_colors(old)
    if not (names or colors) or old.chunks or new.chunks:
        return after
    pairs = np.stack([old.values, new.transpose(*old.dims).values]).reshape(2, -1)
    was, now = np.unique(pairs[:, np.isfinite(pairs).all(axis=0)], axis=1).astype(np.int64)
    is_same = (np.bincount(was)[was] == 1) & (np.bincount(now)[now] == 1)
    same = dict(zip(was[is_same].tolist(), now[is_same].tolist(), strict=True))
    label = new.copy(deep=False)
    kept = [{same[n]: t for n, t in said.items() if n in same} for said in (names, colors)]
    describe_clusters(label, after.sizes["cluster"], *kept)
    return after.assign(label=label)


def _listed(names: Any, k: int) -> list[str]:
    if isinstance(names, str) or not np.iterable(names) or len(list(names)) != k:
        raise ValueError(
            f"names must be one for each of the {k} clusters, or a dict of some of them, such as "
            f"{{1: 'Arc', 2: 'Basin'}}; got {shown(names)}"
        )
    return list(names)


def _check_name(name: Any, number: int) -> str:
    """Return the name of a cluster as one line; a number in it must not be another's."""
    text = plain(name, 1000) if isinstance(name, str) else ""
    if _is_numbered(text) and int(text.split()[1]) != number:
        raise ValueError(
            f"cluster {number} cannot be called {text!r}, as others are by their number; to number "
            "clusters anew, call reorder"
        )
    if not text or len(text) > LONGEST:
        raise ValueError(
            f"the name of a cluster must be text of 1 to {LONGEST} characters; got {shown(name)}"
        )
    return text


def _is_numbered(name: str) -> bool:
    """Whether a name is that of a cluster without one of its own."""
    return re.fullmatch(r"[Cc]luster \d+", name) is not None


def _words(names: Mapping[int, str], k: int, word: str) -> list[str]:
    """One word for each cluster, all different, of the characters that CF allows in one."""
    words: list[str] = []
    for number in range(1, k + 1):
        letters = unicodedata.normalize("NFKD", names.get(number, "")).encode("ascii", "ignore")
        own = re.sub(r"[^A-Za-z0-9_.+@-]+", "_", letters.decode()).strip("_")
        own = own or f"{word}_{number}"
        words.append(f"{own}_{number}" if own in words else own)
    return words
