"""Tidy maps: small pieces of clusters go to an adjoining one, against maps worked out by hand."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.grid.areas import cell_areas
from xvcluster.grid.neighbours import find_neighbours, find_pieces
from xvcluster.regroup.clean import describe_cleaning

LEVELS = (0.0, 1.0, 4.0, 16.0)
"""Values of clusters 1 to 4, all levels alike: 2 is nearer to 1 than to 3."""


def painted(rows, lat=None, lon=None, values=LEVELS, dims=("latitude", "longitude")):
    """A model whose k-means clusters are the digits of some rows; a dot is a gap."""
    number = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in rows])
    value = np.where(number < 0, np.nan, np.array(values)[number])
    lat = 10.0 + np.arange(len(rows)) if lat is None else lat
    lon = 20.0 + np.arange(len(rows[0])) if lon is None else lon
    coords = dict(zip(dims, (lat, lon), strict=True)) if dims[0] == "latitude" else {}
    return xr.DataArray(
        np.stack([value, value, value]),
        coords | {"depth": [0.0, 10.0, 20.0]},
        ("depth", *dims),
        name="vs",
        attrs={"units": "km/s"},
    )


def rows_of(labels):
    """Labels as rows of digits."""
    return [
        "".join("." if np.isnan(v) else str(int(v)) for v in row)
        for row in labels.transpose("latitude", "longitude").values
    ]


@pytest.mark.parametrize(
    ("rows", "expected", "cells"),
    [
        (["11111", "12111", "11111"], ["11111", "11111", "11111"], 1),
        # 2 adjoins 1 and 3: 1 is nearer, though it shares less of the edge
        (["1113333", "1112333", "1113333"], ["1113333", "1111333", "1113333"], 1),
        # the smallest first: 3 goes to 2, which is then large enough
        (["111111", "122311", "111111"], ["111111", "122211", "111111"], 1),
        # corners do not adjoin: each 2 is a piece of its own
        (["2111", "1211", "1121"], ["1111", "1111", "1111"], 3),
        # an island stays, also one that consists of two clusters
        (["111.2", "111.2", "...2.", "111.3"], ["111.2", "111.2", "...2.", "111.3"], 0),
    ],
)
def test_clean_gives_small_pieces_to_the_adjoining_cluster_that_is_nearest(rows, expected, cells):
    model = painted(rows)
    k = len({*"".join(rows)} - {"."})
    result = model.vcluster.kmeans(k, weights=None)
    assert rows_of(result.labels) == rows
    tidy = result.clean(min_cells=3)
    assert rows_of(tidy.labels) == expected
    assert tidy.parameters["cleaned"][0]["cells"] == cells
    assert rows_of(result.labels) == rows  # the result is as it was


def test_clean_joins_pieces_that_come_to_adjoin_each_other():
    # 3 becomes 2, and with both pieces of 2 one of four cells, which is large enough
    tidy = painted(["111111", "122321", "111111"]).vcluster.kmeans(3).clean(min_cells=4)
    assert rows_of(tidy.labels) == ["111111", "122221", "111111"]


def test_clean_tells_how_many_islands_stay():
    model = painted(["111.2", "111.2", "11111", "....3", ".3..."])
    tidy = model.vcluster.kmeans(3).clean(min_cells=4)
    assert rows_of(tidy.labels) == ["111.1", "111.1", "11111", "....1", ".3..."]
    area = cell_areas(model).values[[0, 1, 3], 4].sum()
    assert tidy.parameters["cleaned"] == [
        {"min_cells": 4, "cells": 3, "islands": 1, "area": pytest.approx(area)}
    ]
    said = (
        "cleaned: 3 of 15 cells (36,361 km²) moved, in pieces of less than 4 cells, to an "
        "adjoining cluster; 1 such piece adjoins none and stays"
    )
    assert said in repr(tidy)
    assert said in tidy._repr_html_()


def test_clean_goes_by_the_area_of_cells():
    lat = np.array([0.0, 20, 40, 60, 80])
    rows = ["1121", "1111", "1111", "1111", "1121"]
    model = painted(rows, lat=lat, lon=np.arange(0.0, 40, 10))
    areas = cell_areas(model)
    low, high = areas.values[[0, -1], 2]
    assert low > 5 * high
    result = model.vcluster.kmeans(2)
    tidy = result.clean(min_area=np.sqrt(low * high))
    assert rows_of(tidy.labels) == [*rows[:-1], "1111"]
    assert tidy.parameters["cleaned"][0]["area"] == pytest.approx(high)
    assert tidy.dataset["area"].values.tolist() == pytest.approx([float(areas.sum()) - low, low])
    # as large as the piece itself is large enough
    assert rows_of(result.clean(min_area=high * (1 + 1e-9)).labels)[-1] == "1111"
    assert rows_of(result.clean(min_area=high * (1 - 1e-9)).labels)[-1] == "1121"


def test_clean_sees_across_the_dateline_and_the_seam():
    rows = ["2111112", "2111112", "1111111"]
    lon = (np.arange(0.0, 361, 60) + 180) % 360 - 180
    for order in (slice(None), slice(None, None, -1)):
        whole = painted(rows, lon=np.arange(0.0, 361, 60)).isel(longitude=order)
        assert rows_of(whole.vcluster.kmeans(2).clean(min_cells=3).labels) == ["1111111"] * 3
        assert rows_of(whole.vcluster.kmeans(2).clean(min_cells=2).labels) == rows
    over = ["1112111", "1122111", "1111111"]
    lon = (177.0 + np.arange(7) + 180) % 360 - 180
    result = painted(over, lon=lon).vcluster.kmeans(2)
    assert rows_of(result.clean(min_cells=3).labels) == over
    assert rows_of(result.clean(min_cells=4).labels) == ["1111111"] * 3


def test_gaps_are_no_bridges():
    rows = ["22.22", "11111"]
    result = painted(rows).vcluster.kmeans(2)
    assert rows_of(result.clean(min_cells=2).labels) == rows
    assert rows_of(result.clean(min_cells=3).labels) == ["11.11", "11111"]


def test_clean_of_several_times_takes_each_map_by_itself():
    maps = [["1121", "1111"], ["1122", "1122"], ["1121", "1121"]]
    steps = [painted(rows) for rows in maps]
    model = xr.concat(steps, xr.Variable("time", np.arange("2000", "2003", dtype="M8[Y]")))
    result = model.vcluster.kmeans(2)
    tidy = result.clean(min_cells=2)
    assert [rows_of(tidy.labels.isel(time=i)) for i in range(3)] == [["1111", "1111"], *maps[1:]]
    # a cell has its whole area at each time
    area = float(cell_areas(steps[0].isel(depth=0, drop=True)).max())
    by_area = result.clean(min_area=1.5 * area)
    np.testing.assert_array_equal(by_area.labels, tidy.labels)
    assert by_area.parameters["cleaned"][0]["area"] == pytest.approx(area / 3, rel=0.02)


@pytest.mark.filterwarnings("ignore:the mixture of k = 4 depends on its start")
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("kmeans", {}),
        ("kmeans", {"normalize": "profile"}),
        ("kmeans", {"normalize": "level", "weights": "area", "level_weights": "thickness"}),
        ("kmeans", {"metric": "dtw", "n_init": 1}),
        ("som", {"grid_size": (3, 3), "n_clusters": 4}),
        ("som", {"grid_size": (2, 2)}),
        ("gmm", {}),
        ("ward", {"contiguous": False}),
    ],
)
def test_clean_describes_the_new_members(rough_model, method, options, tmp_path):
    model = rough_model.isel(depth=slice(None, None, -1)).transpose("longitude", ...)
    k = () if "grid_size" in options else (4,)
    result = getattr(model.vcluster, method)(*k, **options)
    tidy = result.clean(min_cells=4)
    before, after = result.dataset, tidy.dataset
    moved = (before["label"] != after["label"]) & before["label"].notnull()
    assert 0 < moved.sum() == tidy.parameters["cleaned"][0]["cells"]
    xr.testing.assert_identical(after["vs"], before["vs"])
    xr.testing.assert_identical(after["status"], before["status"])
    assert after["label"].attrs == before["label"].attrs
    label, areas = after["label"], cell_areas(model)
    for c in after["cluster"].values:
        members = label == c
        of_c = after.sel(cluster=c)
        assert int(of_c["count"]) == int(members.sum())
        assert float(of_c["area"]) == pytest.approx(float(areas.where(members).sum()))
        if "weights" in options or options.get("normalize") == "profile" or not members.any():
            continue
        values = model.where(members)
        std = values.std(["latitude", "longitude"])
        np.testing.assert_allclose(of_c["vs_std"], std, rtol=1e-4)
        quantiles = values.quantile(after["quantile"].values, ["latitude", "longitude"])
        np.testing.assert_allclose(of_c["vs_quantile"], quantiles, rtol=1e-5)
        squared = (after["distance"].where(members) ** 2).sum()
        np.testing.assert_allclose(of_c["cluster_inertia"], squared, rtol=1e-5)
        np.testing.assert_allclose(
            of_c["cluster_margin"], after["margin"].where(members).mean(), rtol=1e-4, atol=1e-7
        )
    new = model + 0.1
    np.testing.assert_array_equal(tidy.predict(new), result.predict(new))
    tidy.to_netcdf(tmp_path / "tidy.nc")
    again = xvcluster.open_result(tmp_path / "tidy.nc")
    xr.testing.assert_identical(again.dataset, after)
    assert repr(again) == repr(tidy)


@pytest.mark.parametrize("options", [{}, {"normalize": "profile"}, {"metric": "dtw", "n_init": 1}])
def test_distance_and_margin_are_to_the_own_centroid(rough_model, options):
    result = rough_model.vcluster.kmeans(4, **options)
    tidy = result.clean(min_cells=4)
    stays = (result.labels == tidy.labels).values
    for name in ("distance", "margin"):
        np.testing.assert_allclose(
            tidy.dataset[name].values[stays], result.dataset[name].values[stays], atol=1e-6
        )
    moved = ~stays & result.labels.notnull().values
    assert (tidy.dataset["margin"].values[moved] <= 0).all()
    # the nearest centroid is the former one, and the margin is 1 - d1/d2 the other way round
    ratio = result.dataset["distance"].values[moved] / tidy.dataset["distance"].values[moved]
    np.testing.assert_allclose(tidy.dataset["margin"].values[moved], ratio - 1, atol=1e-6)
    axes = tidy.plot.map(certainty="margin")
    assert axes.get_title
    plt.close("all")


def test_pieces_of_a_clean_map_are_large_enough_or_islands(rough_model):
    result = rough_model.vcluster.kmeans(5)
    for least in (2, 5, 20):
        tidy = result.clean(min_cells=least)
        label = tidy.labels
        pairs = find_neighbours(label)
        flat = label.values.ravel()
        joined = pairs[flat[pairs[:, 0]] == flat[pairs[:, 1]]]
        pieces = find_pieces(label.notnull().values.ravel(), joined)
        sizes = np.bincount(pieces[pieces >= 0])
        assert (sizes < least).sum() == tidy.parameters["cleaned"][0]["islands"]
        assert (sizes < least).sum() == 0
        again = tidy.clean(min_cells=least)
        np.testing.assert_array_equal(again.labels, label)
        assert [done["cells"] for done in again.parameters["cleaned"]][1] == 0


def by_brute_force(labels, pairs, areas, values, centroids, least):
    """Clean labels of points step by step, finding all pieces anew each time."""
    labels = labels.copy()
    while True:
        pieces = find_pieces(np.ones(labels.size, bool), pairs[np.ptp(labels[pairs], axis=1) == 0])
        best = None
        for piece in range(pieces.max() + 1):
            own = pieces == piece
            beside = {
                int(labels[j]) for p in pairs for i, j in (p, p[::-1]) if own[i] and not own[j]
            }
            size = areas[own].sum()
            if size < least and beside and (best is None or size < best[0]):
                cost = {c: ((values[own] - centroids[c]) ** 2).sum(axis=1).mean() for c in beside}
                best = size, own, min(cost, key=cost.get)
        if best is None:
            return labels
        labels[best[1]] = best[2]


@pytest.mark.parametrize("seed", range(4))
def test_clean_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3, 12, 13)).cumsum(axis=2)
    lat, lon = (np.cumsum(rng.uniform(1, 2, n)) for n in (12, 13))  # no two cells are alike
    coords = {"depth": [0.0, 1, 2], "latitude": lat, "longitude": lon}
    model = xr.DataArray(values, coords, ("depth", "latitude", "longitude"), name="vs")
    result = model.vcluster.kmeans(5, normalize="level")
    labels = result.labels.values.ravel().astype(int) - 1
    areas, pairs = cell_areas(model).values.ravel(), find_neighbours(result.labels)
    scaled = [
        ((v - result.dataset["vs_offset"]) / result.dataset["vs_scale"]).transpose(..., "depth")
        for v in (model, result.centroids["vs"])
    ]
    points, centroids = scaled[0].values.reshape(-1, 3), scaled[1].values
    expected = by_brute_force(labels, pairs, areas, points, centroids, 150_000.0)
    assert (expected != labels).mean() > 0.05
    tidy = result.clean(min_area=150_000.0)
    np.testing.assert_array_equal(tidy.labels.values.ravel() - 1, expected)


def test_a_cluster_of_small_pieces_only_keeps_its_number_and_centroid():
    result = painted(["1112", "1111", "3333", "3333"]).vcluster.kmeans(3)
    tidy = result.clean(min_cells=2)
    assert tidy.dataset["count"].values.tolist() == [8, 0, 8]
    assert np.isnan(tidy.dataset["vs_std"].sel(cluster=2)).all()
    assert tidy.dataset["vs"].sel(cluster=2).values.tolist() == [1, 1, 1]
    assert tidy.table()["profiles"].tolist() == [8, 0, 8]
    assert tidy.n_clusters == 3


def test_clean_leaves_out_what_belongs_to_the_former_labels(rough_model):
    result = rough_model.vcluster.kmeans(4)
    other = rough_model.vcluster.kmeans(3)
    known = result.match(other).stability(3)
    tidy = known.clean(min_cells=4)
    gone = {*known.dataset.variables} - {*tidy.dataset.variables}
    assert gone == {"stability", "cluster_stability", "contingency", "reference"}
    assert tidy.labels.attrs["ordered_by"].startswith("matched to")
    with pytest.raises(ValueError, match=r"the map was cleaned.*Call stability on the result bef"):
        tidy.stability(3)


@pytest.mark.filterwarnings("ignore:the mixture of k = 4 depends on its start")
def test_posteriors_of_a_mixture_stay(rough_model):
    result = rough_model.vcluster.gmm(4)
    tidy = result.clean(min_cells=4)
    for name in ("posterior", "robustness", "robustness_class"):
        xr.testing.assert_identical(tidy.dataset[name], result.dataset[name])
    assert tidy.dataset["margin"].attrs["comment"].startswith("(d2 - d1)/max(d1, d2)")


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_clean_of_a_matched_result_leaves_empty_numbers_empty(metric):
    rows = ["1111", "1211", "1111", "3333"]
    model = painted(rows, values=(0.0, 40.0, 160.0))
    reference = painted(["3333", "3333", "3333", "1111"]).vcluster.kmeans(2).labels * 2
    result = model.vcluster.kmeans(3, metric=metric, n_init=1).match(reference)
    assert result.dataset["count"].values.tolist() == [0, 4, 0, 11, 1]
    tidy = result.clean(min_cells=2)
    assert tidy.dataset["count"].values.tolist() == [0, 4, 0, 12, 0]
    assert rows_of(tidy.labels) == ["4444", "4444", "4444", "2222"]


@pytest.mark.filterwarnings("ignore:6.7 % of the complete profiles have no latitude")
def test_profiles_without_a_place_stay_and_are_no_islands():
    model = painted(["11111", "12111", "11113"], dims=("y", "x")).assign_coords(
        lat=(("y", "x"), np.tile(np.arange(3.0)[:, None], 5)),
        lon=(("y", "x"), np.tile(np.arange(5.0), (3, 1))),
    )
    model["lat"][2, 4] = model["lon"][2, 4] = np.nan
    result = model.vcluster.kmeans(3, weights=None)
    for least in ({"min_cells": 2}, {"min_area": 15_000.0}):
        tidy = result.clean(**least)
        assert tidy.labels.values.tolist() == [[1] * 5, [1] * 5, [1, 1, 1, 1, 3]]
        assert tidy.parameters["cleaned"][0]["islands"] == 0


def test_a_cut_or_merged_result_is_not_cleaned(rough_model):
    result = rough_model.vcluster.ward(4, contiguous=False).clean(min_cells=4)
    again = result.cut(4)
    assert "cleaned" not in again.parameters
    expected = rough_model.vcluster.ward(4, contiguous=False)
    np.testing.assert_array_equal(again.labels, expected.labels)
    assert "cleaned" not in rough_model.vcluster.kmeans(6).clean(min_cells=3).merge(3).parameters


def test_clean_of_loose_points_and_of_rasters_goes_by_cells():
    rows = ["11111", "12111", "11111"]
    model = painted(rows)
    points = model.stack(point=("latitude", "longitude")).reset_index("point")
    tidy = points.vcluster.kmeans(2).clean(min_cells=2)
    assert (tidy.labels == 1).all()
    assert "area" not in tidy.parameters["cleaned"][0]
    raster = painted(rows, dims=("y", "x"))
    assert (raster.vcluster.kmeans(2).clean(min_cells=2).labels == 1).all()
    for data in (points, raster):
        with pytest.raises(ValueError, match=r"min_area needs cells with an area.*give min_cells"):
            data.vcluster.kmeans(2).clean(min_area=1.0)


def test_clean_of_cells_with_vertices_knows_their_neighbours_and_areas():
    # 3 x 3 squares of one degree, of which two lie apart: cells that share no vertex
    corner = np.array([(r, c + 5 * (c == 2)) for r in range(3) for c in range(3)], float)
    lat, lon = corner[:, :1] + [0, 0, 1, 1], corner[:, 1:] + [0, 1, 1, 0]
    value = np.array([0.0, 0, 1, 0, 0, 1, 1, 0, 0])
    data = xr.Dataset(
        {
            "vs": (("depth", "cell"), np.stack([value] * 2)),
            "lat_bnds": (("cell", "vertex"), lat),
            "lon_bnds": (("cell", "vertex"), lon),
        },
        {
            "depth": [0.0, 1.0],
            "lat": ("cell", lat.mean(axis=1), {"bounds": "lat_bnds", "units": "degrees_north"}),
            "lon": ("cell", lon.mean(axis=1), {"bounds": "lon_bnds", "units": "degrees_east"}),
        },
    )
    result = data.vcluster.kmeans(2)
    for least in ({"min_cells": 3}, {"min_area": 30_000.0}):
        tidy = result.clean(**least)
        # the speckle at 6 moves; the two on the right adjoin the third there, and that goes to them
        assert tidy.labels.values.tolist() == [1, 1, 2, 1, 1, 2, 1, 1, 2]


def test_clean_refuses_what_it_cannot_do(model, tmp_path):
    result = model.vcluster.kmeans(3)
    for options in ({}, {"min_area": 1.0, "min_cells": 2}):
        with pytest.raises(ValueError, match=r"give either min_area, in km², or min_cells"):
            result.clean(**options)
    with pytest.raises(ValueError, match="min_cells must be at least 2; got 1"):
        result.clean(min_cells=1)
    with pytest.raises(TypeError, match="min_cells must be an integer"):
        result.clean(min_cells=2.5)
    with pytest.raises(ValueError, match="min_area must be finite and above 0"):
        result.clean(min_area=-5)
    with pytest.raises(ValueError, match="min_cells=64 is more than the whole map, which has 63 c"):
        result.clean(min_cells=64)
    with pytest.raises(ValueError, match=r"min_area=1e\+09 is more than the whole map, which"):
        result.clean(min_area=1e9)
    result.to_netcdf(tmp_path / "result.nc")
    with pytest.raises(ValueError, match="clean needs the data, and this result was read from a"):
        xvcluster.open_result(tmp_path / "result.nc").clean(min_cells=2)
    lazy = model.chunk(latitude=3).vcluster.kmeans(3)
    with pytest.raises(ValueError, match="clean needs all profiles in memory, but the data are d"):
        lazy.clean(min_cells=2)


@pytest.mark.parametrize(
    "cleaned",
    [
        {},
        [],
        [{"min_cells": 3, "cells": 2}],
        [{"min_cells": 3, "cells": 2, "islands": -1}],
        [{"min_cells": 3, "min_area": 3.0, "cells": 2, "islands": 0}],
        [{"min_area": 0.0, "cells": 2, "islands": 0, "area": 4.0}],
        [{"min_area": 2.0, "cells": 2, "islands": 0, "area": "4"}],
    ],
)
def test_a_file_with_another_record_of_cleaning_is_refused(model, tmp_path, cleaned):
    dataset = model.vcluster.kmeans(3).clean(min_cells=2).dataset.copy()
    parameters = json.loads(dataset.attrs["parameters"]) | {"cleaned": cleaned}
    dataset.attrs["parameters"] = json.dumps(parameters)
    dataset.to_netcdf(tmp_path / "edited.nc")
    with pytest.raises(ValueError, match="cleaned"):
        xvcluster.open_result(tmp_path / "edited.nc")


def test_describe_cleaning_says_it_in_one_line():
    done = {"min_area": 25_000.0, "cells": 1200, "islands": 2, "area": 123456.0}
    assert describe_cleaning(done, 20_000) == (
        "cleaned: 1,200 of 20,000 cells (123,456 km²) moved, in pieces of less than 25,000 km², "
        "to an adjoining cluster; 2 such pieces adjoin none and stay"
    )
    assert describe_cleaning({"min_cells": 3, "cells": 0, "islands": 0}, 9) == (
        "cleaned: 0 of 9 cells moved, in pieces of less than 3 cells, to an adjoining cluster"
    )
