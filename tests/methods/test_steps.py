"""Steps that all methods take."""

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.source import InMemory
from xvcluster.methods.steps import require_distinct


def test_require_distinct_counts_profiles_that_differ():
    profiles = np.repeat(np.arange(3.0), 4)[:, None, None]
    source = InMemory.of(Block.of(profiles))
    require_distinct(source, 3)
    message = "n_clusters=4 is more than the distinct profiles among the 12 complete ones; ask for"
    with pytest.raises(ValueError, match=message):
        require_distinct(source, 4)


def sloping(n_deep, n_shallow, n_land=20):
    """Deep profiles, shallow ones that end above the last level, and land."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, n_deep + n_shallow + n_land)).astype("float32")
    values[3:, n_deep : n_deep + n_shallow] = np.nan
    values[:, n_deep + n_shallow :] = np.nan
    return xr.DataArray(values, {"depth": np.arange(5.0)}, ("depth", "point"), "t")


METHODS = {
    "kmeans": lambda data: data.vcluster.kmeans(2),
    "sweep": lambda data: data.vcluster.sweep([2]).result(2),
    "som": lambda data: data.vcluster.som((2, 2), algorithm="online", n_iterations=100),
    "gmm": lambda data: data.vcluster.gmm(2),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("chunks", [None, 30], ids=["memory", "dask"])
def test_many_incomplete_profiles_are_warned_of_once(method, chunks, tmp_path):
    data = sloping(60, 40)
    data = data if chunks is None else data.chunk(point=chunks)
    said = (
        "40 of 100 profiles with data are incomplete and have no label: 40 do not reach the first "
        "or last level"
    )
    with pytest.warns(UserWarning, match=f"{said}. Choose levels that more of them") as caught:
        result = METHODS[method](data)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    result.to_netcdf(tmp_path / "r.nc")
    for each in (result, xvcluster.open_result(tmp_path / "r.nc")):
        assert each.dataset["status"].attrs["comment"] == said
        assert f"60 profiles of t, {each.dataset.method}>\n{said}\n" in repr(each)
        assert said in each._repr_html_()


def test_few_incomplete_profiles_are_told_but_not_warned_of():
    result = sloping(90, 10).vcluster.kmeans(2)
    assert "\n10 of 100 profiles with data are incomplete" in repr(result)


def test_land_is_not_incomplete():
    result = sloping(90, 0, 500).vcluster.kmeans(2)
    assert "incomplete" not in repr(result)
    assert "comment" not in result.dataset["status"].attrs
    filled = sloping(90, 0, 500).fillna(-9999.0).assign_attrs(missing_value=-9999.0)
    assert "incomplete" not in repr(filled.vcluster.kmeans(2))
