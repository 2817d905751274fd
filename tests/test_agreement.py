"""The view of an agreement: tables, words, files and figures."""

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.agreement import compare


def halves(shift=0, n=30):
    """Two clusters side by side, the border between them shifted."""
    lat, lon = np.arange(float(n)), np.arange(float(n))
    values = np.broadcast_to(1.0 + (lon >= n // 2 + shift), (n, n))
    return xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), name="label")


@pytest.fixture(scope="module")
def agreement():
    names = {"flag_values": [1, 2], "flag_meanings": "west <b>east</b>"}
    return compare(halves(), halves(6).assign_attrs(names), n=49)


def test_the_table_has_a_row_per_cluster_or_province(agreement):
    table = agreement.table()
    assert table.index.name == "cluster"
    first = ["area_km2", "coverage_percent", "main_province", "purity_percent"]
    assert list(table) == [*first, "west", "<b>east</b>"]
    np.testing.assert_allclose(table.iloc[:, -2:].sum(axis=1), 100)
    np.testing.assert_allclose(table["purity_percent"], table.iloc[:, -2:].max(axis=1))
    by_province = agreement.table("province")
    assert list(by_province) == [
        "area_km2",
        "coverage_percent",
        "main_cluster",
        "completeness_percent",
        1,
        2,
    ]
    np.testing.assert_allclose(by_province["area_km2"].sum(), table["area_km2"].sum())
    with pytest.raises(ValueError, match=r"unknown by 'row'; choose one of 'cluster', 'province'"):
        agreement.table("row")


def test_the_sentence_says_what_was_found(agreement):
    index = float(agreement.dataset["adjusted_rand_index"])
    assert f"an adjusted Rand index of {index:.2f}, " in agreement.sentence
    p = agreement.p_value
    assert f"(p = {p:.2g}, 49 random shifts and mirror images of the region)" in agreement.sentence
    agreement = xvcluster.Agreement(agreement.dataset.copy(deep=True))
    agreement.dataset["p_value"].attrs.pop("comment")  # that two provinces are few
    values = [agreement.dataset["p_value"].copy(data=value) for value in (0.05, 0.06)]
    said = [xvcluster.Agreement(agreement.dataset.assign(p_value=p)).sentence for p in values]
    for text, words in zip(said, ("more than by", "not clearly more than by"), strict=True):
        assert words in text


def test_both_representations_tell_the_same_and_nothing_of_a_file_is_markup(agreement):
    text, html = repr(agreement), agreement._repr_html_()
    assert text.startswith("<xvcluster.Agreement>\nClusters agree with another clustering")
    assert "V-measure 0." in text
    assert "V-measure 0." in html
    assert "<b>east</b>" not in html
    assert "&lt;b&gt;east" in html


def test_the_dataset_is_plain_xarray(agreement, tmp_path):
    agreement.dataset.to_netcdf(tmp_path / "agreement.nc")
    read = xvcluster.Agreement(xr.load_dataset(tmp_path / "agreement.nc"))
    assert read.report() == agreement.report()
    assert read.p_value == agreement.p_value


def test_the_seed_is_recorded(agreement):
    assert agreement.dataset["p_value"].attrs["random_state"] == 0
    unknown = compare(halves(), halves(3), n=19, random_state=None)
    assert "random_state" not in unknown.dataset["p_value"].attrs


def test_a_province_called_like_a_column_overwrites_nothing(recwarn):
    names = ["main_province", "area_km2", "purity_percent"]
    own, other = halves(), halves(6)
    other = other.where(other["lat"] < 20, 3).assign_attrs(flag_values=[1, 2, 3])
    plainly = compare(own, other.assign_attrs(flag_meanings="a b c"), n=19)
    found = xvcluster.Agreement(plainly.dataset.assign_coords(province=names)).table()
    expected = plainly.table()
    first = list(expected)[:4]
    assert list(found) == [*first, *(f"{name} (2)" for name in names)]
    assert (
        found.iloc[:, :4]
        .drop(columns="main_province")
        .equals(expected[first].drop(columns="main_province"))
    )
    np.testing.assert_array_equal(found.iloc[:, 4:], expected.iloc[:, 4:])
    twice = xvcluster.Agreement(plainly.dataset.assign_coords(province=["a", "b", "a"])).table()
    assert list(twice)[4:] == ["a", "b", "a (2)"]
    np.testing.assert_array_equal(twice.iloc[:, 4:], expected.iloc[:, 4:])


def test_many_provinces_make_no_warning_of_pandas(recwarn):
    lat = lon = np.arange(15.0)
    each = xr.DataArray(
        np.arange(1.0, 226).reshape(15, 15), {"lat": lat, "lon": lon}, ("lat", "lon")
    )
    repr(compare(halves(n=15), each, n=19))
    assert not recwarn.list
