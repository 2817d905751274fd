import numpy as np
import pytest
import xarray as xr

from xvcluster.seisgo import vpcluster_kmean, vpcluster_som

QUIET = {"plot": False, "evaluate_plot": False, "save": False}


@pytest.mark.parametrize("fill", [99999.0, 1e20, -9999.0])
def test_fill_values_never_become_data(made, fill, loop_kmean, assert_same):
    filled = made[3].copy()
    filled[np.isnan(filled)] = fill
    with pytest.warns(UserWarning, match=r"values of 'v' are .*taken as missing"):
        outcome = vpcluster_kmean(*made[:3], filled, 4, **QUIET)
    assert_same(outcome, loop_kmean(made, 4))


def test_masked_and_declared_values_never_become_data(made, loop_kmean, assert_same):
    lat, lon, depth, values = made
    missing = np.isnan(values)
    masked = np.ma.masked_array(np.where(missing, 3.3, values), missing)
    declared = xr.DataArray(np.where(missing, 5.1, values), attrs={"missing_value": 5.1})
    expected = loop_kmean(made, 4)
    for model in (masked, declared):
        assert_same(vpcluster_kmean(lat, lon, depth, model, 4, **QUIET), expected)


def test_som_leaves_fill_values_out(made, loop_som, assert_same):
    filled = np.where(np.isnan(made[3]), 99999, made[3])
    options = {"niteration": 300, "random_state": 0, "plot": False, "save": False}
    with pytest.warns(UserWarning, match="taken as missing"):
        outcome = vpcluster_som(*made[:3], filled, (2, 3), **options)
    assert_same(outcome, loop_som(made, (2, 3), 0, 300))


def test_depths_in_descending_order_are_interpolated_alike(made, assert_same):
    lat, lon, depth, values = made
    up = vpcluster_kmean(lat, lon, depth[::-1], values[::-1], 4, dz=3.0, **QUIET)
    assert_same(up, vpcluster_kmean(*made, 4, dz=3.0, **QUIET))


def test_no_complete_profile_is_refused(made):
    lat, lon, depth, values = made
    with pytest.raises(ValueError, match=r"none of the \d+ profiles of 'v' is complete over its"):
        vpcluster_kmean(lat, lon, depth, np.full_like(values, np.nan), 3, **QUIET)
