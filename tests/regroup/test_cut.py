"""Cuts of one tree at other numbers of clusters."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, open_result, ward


def test_cuts_are_those_of_a_new_fit_and_nested(rough_model):
    result = ward(rough_model, 4)
    parts = result.labels
    for k in (2, 3, 5, 9):
        cut = result.cut(k)
        xr.testing.assert_identical(
            cut.dataset.drop_attrs(), ward(rough_model, k).dataset.drop_attrs()
        )
        both = np.stack([cut.labels.values.ravel(), parts.values.ravel()])
        pairs = np.unique(both[:, np.isfinite(both[0])], axis=1).shape[1]
        assert pairs == max(k, 4)


def test_cuts_keep_weights_and_normalization(two_variables):
    options = {
        "normalize": "level", "weights": "area", "level_weights": "thickness",
        "variable_weights": {"vs": 2.0},
    }  # fmt: skip
    cut = ward(two_variables, 3, **options).cut(5)
    wanted = ward(two_variables, 5, **options)
    xr.testing.assert_identical(cut.dataset.drop_attrs(), wanted.dataset.drop_attrs())
    assert cut.parameters == wanted.parameters


def test_a_matched_result_can_be_cut(rough_model):
    result = ward(rough_model, 5)
    matched = result.match(kmeans(rough_model, 7))
    xr.testing.assert_equal(matched.cut(4).labels, result.cut(4).labels)


def test_what_cannot_be_cut(rough_model, tmp_path):
    with pytest.raises(ValueError, match="has no tree: it was not made by ward"):
        kmeans(rough_model, 4).cut(3)
    result = ward(rough_model, 4)
    with pytest.raises(ValueError, match=r"n_clusters must be from 1, .* to 130"):
        result.cut(200)
    result.to_netcdf(tmp_path / "result.nc")
    with pytest.raises(ValueError, match="read from a file"):
        open_result(tmp_path / "result.nc").cut(3)


def test_the_history_says_what_was_done(rough_model):
    result = kmeans(rough_model, 6)
    lines = result.merge(4).cut(3).clean(min_cells=4).dataset.attrs["history"].splitlines()
    said = [line.split(": ", 1)[1] for line in lines]
    assert said[:3] == [
        "k-means, 6 clusters",
        "6 clusters merged by Ward's criterion, 4 clusters",
        "ward, tree cut again, 3 clusters",
    ]
    assert said[3].startswith("cleaned: ")


def test_damaged_leaves_are_refused(rough_model, tmp_path):
    ward(rough_model, 4).to_netcdf(tmp_path / "result.nc")
    for number in (5000.0, 1.5, 0.0):
        damaged = xr.load_dataset(tmp_path / "result.nc")
        damaged["leaf"][1, 1] = number
        damaged.to_netcdf(tmp_path / f"damaged_{number}.nc")
        with pytest.raises(ValueError, match="'leaf'"):
            open_result(tmp_path / f"damaged_{number}.nc")
