"""Clusters renumbered to agree with others, against brute force and scikit-learn."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from xvcluster import gmm, kmeans, open_result, som, sweep
from xvcluster.compare.labels import read_labels
from xvcluster.compare.match import find_numbers, match, point_weights
from xvcluster.grid.areas import cell_areas
from xvcluster.grid.coords import find_axes
from xvcluster.plot.style import cluster_colors

WITHOUT = ["contingency", "reference"]


LATITUDE = np.arange(-88.0, 89.0, 4.0)


def world(longitude, latitude=LATITUDE, k=3):
    """A global model in groups along the meridians, that depends on the place alone."""
    longitude = np.asarray(longitude, dtype=float)
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    group = np.floor((np.cos(np.radians(lon - 20)) * np.cos(np.radians(lat)) + 1) / 2.0001 * k)
    values = 3.0 + group + 0.01 * np.arange(4)[:, None, None]
    coords = {"depth": np.arange(4.0), "latitude": latitude, "longitude": longitude}
    attrs = {"units": "km/s"}
    return xr.DataArray(values, coords, ("depth", "latitude", "longitude"), "vs", attrs)


def renumbered(labels, order):
    """Labels c as order[c - 1]."""
    numbers = np.append(np.nan, order).astype("float32")
    return labels.copy(data=numbers[np.nan_to_num(labels.values).astype(int)])


@pytest.fixture(scope="module")
def five():
    """A result of five clusters."""
    return kmeans(world(np.arange(0, 360, 5), k=5), 5, n_init=1)


def own_part(dataset):
    """All that a match does not add."""
    dataset = dataset.drop_vars(WITHOUT)
    dataset["label"].attrs["ordered_by"] = ""
    return dataset


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(1, 6)))
def test_match_undoes_any_permutation_of_the_numbers(five, order):
    matched = five.match(renumbered(five.labels, order))
    np.testing.assert_array_equal(matched.labels, renumbered(five.labels, order))
    back = matched.match(five)
    xr.testing.assert_identical(own_part(back.dataset), own_part(five.match(five).dataset))
    xr.testing.assert_equal(own_part(back.dataset), five.dataset)
    assert back.dataset["contingency"].attrs["adjusted_rand_index"] == 1.0
    assert back.dataset["contingency"].attrs["adjusted_mutual_information"] == pytest.approx(1)


def test_match_reorders_all_that_belongs_to_a_cluster(five):
    order = [4, 2, 5, 1, 3]
    matched = five.match(renumbered(five.labels, order)).dataset
    for old, new in enumerate(order, start=1):
        expected = five.dataset.sel(cluster=old, drop=True).drop_vars("label")
        found = matched.sel(cluster=new, drop=True).drop_vars(["label", *WITHOUT])
        xr.testing.assert_identical(found.drop_attrs(deep=False), expected.drop_attrs(deep=False))


def test_match_leaves_what_it_is_given_as_it_was(five):
    reference = renumbered(five.labels, [2, 1, 3, 5, 4])
    before = five.dataset.copy(deep=True), reference.copy(deep=True)
    matched = match(five.dataset, reference)
    matched["label"].attrs["new"] = matched["cluster"].attrs["new"] = 1
    xr.testing.assert_identical(five.dataset, before[0])
    xr.testing.assert_identical(reference, before[1])


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (2, 4), (1, 1), (3, 1)])
def test_find_numbers_equal_the_best_of_all_permutations(shape):
    for seed in range(20):
        table = np.random.default_rng(seed).integers(0, 9, shape).astype(float)
        number = find_numbers(table, np.ones(shape[0], dtype=bool))
        assert len(set(number)) == shape[0]
        has_partner = number <= shape[1]
        own = table[np.flatnonzero(has_partner), number[has_partner] - 1].sum()
        wide = np.pad(table, [(0, 0), (0, shape[0])])
        columns = itertools.permutations(range(wide.shape[1]), shape[0])
        assert own == max(wide[np.arange(shape[0]), list(c)].sum() for c in columns)


def test_find_numbers_need_an_overlap_for_partners():
    table = np.array([[5.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
    assert find_numbers(table, np.array([True, True, True])).tolist() == [1, 3, 4]
    assert find_numbers(table, np.array([True, False, True])).tolist() == [1, 0, 3]


def test_match_numbers_clusters_without_partner_after_the_reference(five):
    reference = renumbered(five.labels, [1, 1, 1, 2, 2]).drop_attrs()
    matched = five.match(reference)
    assert matched.n_clusters == 5
    overlap = matched.dataset["contingency"]
    assert overlap.shape == (5, 2)
    assert overlap.values[:2].argmax(axis=1).tolist() == [0, 1]
    # the three others as they were ordered
    means = matched.centroids["vs"].mean("depth").values
    assert (np.diff(means[2:]) > 0).all()


def test_match_keeps_numbers_that_no_cluster_takes_as_empty_clusters(five):
    few = kmeans(world(np.arange(0, 360, 5), k=2), 2, n_init=1)
    matched = few.match(five)
    dataset = matched.dataset
    assert matched.n_clusters == matched.parameters["n_clusters"] == 5
    empty = dataset.sel(cluster=np.setdiff1d(dataset["cluster"], dataset["label"]))
    assert empty.sizes["cluster"] == 3
    for name, value in {"count": 0, "area": 0, "cluster_inertia": 0, "contingency": 0}.items():
        assert (empty[name] == value).all()
    for name in ("vs", "vs_std", "vs_quantile", "cluster_margin"):
        assert empty[name].isnull().all()
    assert dataset["count"].dtype == few.dataset["count"].dtype
    assert int(dataset["count"].sum()) == int(few.dataset["count"].sum())
    assert matched.inertia == pytest.approx(few.inertia)
    assert matched.table()["profiles"].tolist() == dataset["count"].values.tolist()


def test_match_again_gives_up_empty_clusters(five):
    few = kmeans(world(np.arange(0, 360, 5), k=2), 2, n_init=1)
    back = few.match(five).match(few)
    xr.testing.assert_equal(own_part(back.dataset), few.dataset)
    assert back.labels.attrs["flag_values"].tolist() == [1, 2]


def test_match_gives_the_labels_the_attributes_of_results(five):
    attrs = five.match(renumbered(five.labels, [2, 1, 3, 4, 5]).rename("regions")).labels.attrs
    assert attrs["flag_values"].dtype == np.int16
    assert attrs["flag_values"].tolist() == [1, 2, 3, 4, 5]
    assert attrs["flag_meanings"] == "cluster_1 cluster_2 cluster_3 cluster_4 cluster_5"
    assert attrs["ordered_by"] == "matched to 'regions'; mean of vs (km/s), lowest first"


def test_match_names_the_model_of_the_reference(five):
    reference = five.dataset.assign_attrs(title="Model A (2011)")
    ordered_by = five.match(reference).labels.attrs["ordered_by"]
    assert ordered_by == "matched to Model A  2011; mean of vs (km/s), lowest first"
    again = five.match(five.match(reference)).labels.attrs["ordered_by"]
    assert again == "matched to another clustering; mean of vs (km/s), lowest first"


def test_match_follows_the_colours_of_the_reference(five):
    warm = renumbered(five.labels, [2, 1, 3, 5, 4])
    warm.attrs["ordered_by"] = "mean of temperature (degC), lowest first"
    np.testing.assert_array_equal(cluster_colors(five.match(warm).labels), cluster_colors(warm))
    assert (cluster_colors(five.match(warm).labels) != cluster_colors(five.labels)).any()


def test_match_takes_the_numbers_that_flag_values_name(five):
    regions = five.labels.assign_attrs(flag_values=np.arange(0, 8))
    assert five.match(regions).n_clusters == 7
    assert five.match(five.labels.drop_attrs()).n_clusters == 5


def test_match_takes_values_below_one_for_none(five):
    regions = five.labels.where(five.labels > 1, -1).fillna(0).astype("int16").drop_attrs()
    matched = five.match(regions)
    assert matched.dataset["contingency"].sel(reference=1).sum() == 0
    assert matched.n_clusters == 6


@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value", "fill_value"])
def test_read_labels_leave_out_declared_fill_values(attribute):
    labels = xr.DataArray(np.uint8([1, 2, 3, 255]), dims="point", attrs={attribute: 255})
    found = read_labels(labels)
    assert found.n_clusters == 3
    assert found.labels.values.tolist() == [1, 2, 3, pytest.approx(np.nan, nan_ok=True)]


def test_read_labels_leave_out_what_is_beyond_the_declared_range():
    labels = xr.DataArray([1, 2, 3, 250], dims="point", attrs={"valid_max": 10})
    assert read_labels(labels).n_clusters == 3


@pytest.mark.parametrize(
    "values", [np.array([1, 2, 3, 99999]), np.float32([1, 2, 3, 1e20]), [1.0, 2.0, 3.0, 1e20]]
)
def test_read_labels_tell_of_undeclared_fill_values(values):
    labels = xr.DataArray(values, dims="point", name="regions")
    with pytest.warns(UserWarning, match="1 of 4 values of 'regions' are (99999|1e\\+20), which"):
        found = read_labels(labels)
    assert found.n_clusters == 3
    assert found.labels.name == "regions"


def test_read_labels_find_the_fill_values_of_lazy_labels():
    labels = xr.DataArray([1, 2, 3, 99999], dims="point").chunk()
    with pytest.warns(UserWarning, match="1 of 4 values of 'regions' are 99999, which"):
        assert read_labels(labels, "regions").n_clusters == 3


def test_read_labels_take_negative_fill_values_for_none():
    assert read_labels(xr.DataArray([1, 2, 3, -9999], dims="point")).n_clusters == 3


def test_read_labels_keep_the_number_of_many_clusters():
    assert read_labels(xr.DataArray(np.arange(1, 10000), dims="point")).n_clusters == 9999


@pytest.mark.parametrize("values", [[1.0, 2.0, 50000.0], [1, 2, 3_000_000_000]])
def test_read_labels_refuse_a_label_far_above_their_number(values):
    text = r"m holds or declares the label (50000|3000000000), but only 3 .*where\(labels < \d+\)"
    with pytest.raises(ValueError, match=text):
        read_labels(xr.DataArray(values, dims="point"), "m")


def test_read_labels_refuse_flag_values_far_above_their_number():
    labels = xr.DataArray([1, 2], dims="point", attrs={"flag_values": [1, 2, 32767]})
    with pytest.raises(ValueError, match="declares the label 32767, but only 3 different ones"):
        read_labels(labels)


def test_read_labels_take_the_word_of_many_flag_values():
    labels = xr.DataArray([1, 2], dims="point", attrs={"flag_values": np.arange(1, 2001)})
    assert read_labels(labels).n_clusters == 2000


@pytest.mark.parametrize("attrs", [{}, {"flag_values": [0, 1, 2]}])
def test_read_labels_warn_of_a_cluster_zero(attrs):
    labels = xr.DataArray([0, 1, 2], dims="point", attrs=attrs)
    with pytest.warns(
        UserWarning, match=r"regions holds 0, .* add 1, e\.g\. labels \+ 1; if 0 means"
    ):
        assert read_labels(labels, "regions").n_clusters == 2


@pytest.mark.parametrize("attrs", [{"flag_values": [1, 2]}, {"_FillValue": 0}])
def test_read_labels_take_zero_for_none_where_attributes_say_so(attrs):
    labels = xr.DataArray([0, 1, 2], dims="point", attrs=attrs)
    assert np.isnan(read_labels(labels).labels.values[0])


def test_match_tells_that_a_reference_is_numbered_from_zero(five):
    with pytest.warns(
        UserWarning, match="another clustering holds 0, which is treated as no label"
    ):
        five.match(five.labels.drop_attrs() - 1)


def test_match_leaves_out_fill_values_of_the_reference(five):
    reference = five.labels.drop_attrs().astype("int32")
    reference[0, :3] = 99999
    with pytest.warns(UserWarning, match="3 of 3240 values of 'another clustering' are 99999"):
        matched = five.match(reference)
    assert matched.n_clusters == 5
    assert matched.dataset["contingency"].attrs["adjusted_rand_index"] == 1.0


def test_contingency_sums_areas_on_the_grid_of_the_result(five):
    reference = kmeans(world(np.arange(-177.5, 180, 4), k=4), 4, n_init=1)
    matched = five.match(reference).dataset
    area = cell_areas(five.labels, find_axes(five.labels)).transpose("latitude", "longitude")
    lon = (five.labels["longitude"] + 179.5) % 360 - 179.5
    other = reference.labels.sel(longitude=lon, method="nearest")
    for cluster, number in itertools.product(range(1, 6), range(1, 5)):
        both = (matched["label"].values == cluster) & (other.values == number)
        found = float(matched["contingency"].sel(cluster=cluster, reference=number))
        assert found == pytest.approx(area.values[both].sum())
    assert matched["contingency"].attrs["units"] == "km2"
    np.testing.assert_allclose(matched["contingency"].sum(), area.sum(), rtol=1e-12)
    np.testing.assert_allclose(matched["contingency"].sum("reference"), matched["area"])


@pytest.mark.parametrize(
    "longitude", [np.arange(0, 361, 5), np.arange(-180, 181, 5), np.arange(180, -181, -5)]
)
def test_contingency_counts_a_seam_held_twice_once(longitude):
    model = world(longitude)
    matched = kmeans(model, 3, n_init=1).match(kmeans(world(np.arange(2, 360, 5)), 3, n_init=1))
    np.testing.assert_allclose(
        matched.dataset["contingency"].sum("reference"), matched.dataset["area"], rtol=1e-9
    )


def test_contingency_of_loose_points_counts_them(model):
    points = model.stack(profile=("latitude", "longitude")).reset_index("profile")
    matched = kmeans(points, 3).match(kmeans(model, 3)).dataset
    assert matched["contingency"].attrs["units"] == "1"
    np.testing.assert_array_equal(matched["contingency"], np.diag(matched["count"]))


def test_contingency_shares_areas_out_over_time(model):
    twice = model.expand_dims(time=[2000, 2001])
    result = kmeans(twice, 3)
    once = kmeans(model, 3)
    for reference in (once, result, twice.isel(depth=0, drop=True) > 0):
        overlap = result.match(reference).dataset["contingency"]
        np.testing.assert_allclose(overlap.sum("reference"), once.dataset["area"])


def test_match_takes_a_curvilinear_reference(five):
    lat, lon = np.meshgrid(np.arange(-89, 90, 2.0), np.arange(1, 360, 2.0), indexing="ij")
    labels = five.labels.sel(
        latitude=xr.DataArray(lat, dims=("y", "x")),
        longitude=xr.DataArray(lon % 357.5, dims=("y", "x")),
        method="nearest",
    )
    labels = labels.assign_coords(latitude=(("y", "x"), lat), longitude=(("y", "x"), lon))
    matched = five.match(labels)
    np.testing.assert_array_equal(matched.labels, five.labels)
    assert matched.dataset["contingency"].attrs["adjusted_rand_index"] > 0.9


def test_match_of_a_grid_without_latitude_and_longitude(model):
    bare = model.rename(latitude="y", longitude="x").drop_vars(["y", "x"])
    result = kmeans(bare, 3)
    turned = renumbered(result.labels, [3, 1, 2])
    np.testing.assert_array_equal(result.match(turned.transpose("x", "y")).labels, turned)


def test_match_refuses_another_grid_without_latitude_and_longitude(model):
    bare = kmeans(model.rename(latitude="y", longitude="x").drop_vars(["y", "x"]), 3)
    with pytest.raises(ValueError, match="on another grid, and the labels of the result have no"):
        bare.match(kmeans(model, 3))


def test_agreement_of_equal_areas_is_that_of_scikit_learn():
    longitude, latitude = np.arange(0, 360, 5), np.array([-10.0, 10.0])
    first = kmeans(world(longitude, latitude), 3, n_init=1)
    second = kmeans(world(longitude, latitude, k=4), 4, n_init=1)
    noise = np.random.default_rng(0).integers(1, 4, second.labels.shape)
    reference = second.labels.where(second.labels != 2, noise)
    attrs = first.match(reference).dataset["contingency"].attrs
    own, other = first.labels.values.ravel(), reference.values.ravel()
    assert attrs["adjusted_rand_index"] == pytest.approx(adjusted_rand_score(own, other))
    expected = adjusted_mutual_info_score(own, other)
    assert attrs["adjusted_mutual_information"] == pytest.approx(expected)


def test_agreement_counts_points_by_area(five):
    labels = five.labels
    near_pole = abs(labels["latitude"]) > 60
    noise = np.random.default_rng(0).integers(1, 6, labels.shape)
    attrs = five.match(labels.where(~near_pole, noise)).dataset["contingency"].attrs
    other = labels.where(~near_pole, noise).values.ravel()
    by_count = adjusted_rand_score(labels.values.ravel(), other)
    # 13 % of the Earth but a third of the rows; each point as often as its area has it
    weights = point_weights(labels).values.ravel()
    often = np.round(weights / weights.max() * 200).astype(int)
    by_area = adjusted_rand_score(np.repeat(labels.values, often), np.repeat(other, often))
    assert attrs["adjusted_rand_index"] == pytest.approx(by_area, abs=0.01)
    assert attrs["adjusted_rand_index"] > by_count + 0.05


@pytest.mark.parametrize("backwards", [[], ["latitude"], ["longitude"], ["latitude", "longitude"]])
def test_agreement_does_not_depend_on_order_or_direction(five, backwards):
    noise = np.random.default_rng(0).integers(1, 6, five.labels.shape)
    reference = five.labels.where(noise != 2, noise)
    expected = five.match(reference).dataset["contingency"].attrs
    turned = five.dataset.isel({d: slice(None, None, -1) for d in backwards})
    for order in (("latitude", "longitude"), ("longitude", "latitude")):
        assert match(turned.transpose(..., *order), reference)["contingency"].attrs == expected


def test_agreement_is_that_of_the_areas(five):
    noise = np.random.default_rng(0).integers(1, 9, five.labels.shape)
    reference = five.labels.where(noise > 4, noise)
    overlap = five.match(reference).dataset["contingency"]
    points = overlap.values * five.labels.size / overlap.values.sum()
    both, own, other = (
        (n * (n - 1) / 2).sum() for n in (points, points.sum(axis=1), points.sum(axis=0))
    )
    by_chance = own * other / (five.labels.size * (five.labels.size - 1) / 2)
    exact = (both - by_chance) / ((own + other) / 2 - by_chance)
    assert overlap.attrs["adjusted_rand_index"] == pytest.approx(exact, abs=1e-3)


def test_predict_after_match_gives_the_new_numbers(five):
    model = world(np.arange(0, 360, 5), k=2)
    few = kmeans(model, 2, n_init=1)
    for reference in (five, renumbered(few.labels, [2, 1])):
        matched = few.match(reference)
        xr.testing.assert_identical(matched.predict(model), matched.labels)


@pytest.mark.parametrize("metric", ["euclidean", "dtw", "softdtw"])
def test_model_after_match_predicts_the_new_numbers(model, metric):
    result = kmeans(model, 3, metric=metric, n_init=1, max_iter=5)
    numbers = renumbered(result.labels, [5, 1, 4])
    matched = result.match(numbers)
    assert matched.n_clusters == 5
    profiles = model.transpose("latitude", "longitude", "depth").values.reshape(-1, 5, 1)
    profiles = profiles / matched.dataset["vs_scale"].values[:, None]
    np.testing.assert_array_equal(matched.model.predict(profiles) + 1, numbers.values.ravel())


def test_match_of_a_merged_map_renumbers_its_nodes(rough_model):
    result = som(rough_model, (3, 3), n_clusters=3, algorithm="online", n_iterations=500)
    matched = result.match(renumbered(result.labels, [3, 1, 2]))
    expected = np.array([3, 1, 2])[result.dataset["node_cluster"].values - 1]
    np.testing.assert_array_equal(matched.dataset["node_cluster"], expected)
    assert matched.dataset["node_cluster"].dtype == result.dataset["node_cluster"].dtype
    xr.testing.assert_identical(matched.predict(rough_model), matched.labels)
    wide = result.match(renumbered(result.labels, [6, 1, 4]))
    xr.testing.assert_identical(wide.predict(rough_model), wide.labels)


def test_match_keeps_lazy_maps_lazy_and_computes_labels_once(model, computed):
    lazy = kmeans(model.chunk(latitude=3), 3)
    reference = renumbered(kmeans(model, 3).labels, [3, 1, 2])
    computed.clear()
    matched = lazy.match(reference)
    assert len(computed) == 1
    assert matched.labels.chunks == lazy.labels.chunks
    assert matched.labels.dtype == lazy.labels.dtype
    np.testing.assert_array_equal(matched.labels, reference)
    np.testing.assert_array_equal(lazy.match(reference.chunk()).labels, reference)


def test_match_round_trips_through_a_file(five, tmp_path):
    matched = kmeans(world(np.arange(0, 360, 5), k=2), 2, n_init=1).match(five)
    matched.to_netcdf(tmp_path / "matched.nc")
    opened = open_result(tmp_path / "matched.nc")
    xr.testing.assert_identical(opened.dataset, matched.dataset)
    xr.testing.assert_identical(opened.match(five).dataset, matched.match(five).dataset)


def test_match_keeps_the_sweep(model):
    result = sweep(model, range(2, 8)).result(3)
    assert result.sweep is not None
    assert result.match(result).sweep is result.sweep


def test_figures_of_a_result_with_empty_clusters(five):
    import matplotlib.pyplot as plt

    matched = kmeans(world(np.arange(0, 360, 5), k=2), 2, n_init=1).match(five)
    legend = matched.plot.map().get_legend()
    assert len(legend.get_texts()) == 2
    profiles = matched.plot.profiles()
    assert sum("0 % of the area" in ax.get_title() for ax in profiles.axes) >= 3
    assert matched.plot.summary() is not None
    plt.close("all")


def test_match_refuses_labels_that_share_no_point(five, model):
    here, there = kmeans(model, 3), five.labels.sel(latitude=slice(-88, -20))
    text = r"latitude 35 to 41 and longitude -120 to -112, another clustering within latitude -88"
    with pytest.raises(ValueError, match=text):
        here.match(there)


def test_match_refuses_unmerged_maps(model):
    nodes, result = (
        som(model, (2, 2), algorithm="online", n_iterations=100),
        kmeans(model, 3),
    )
    for one, other in ((nodes, result), (result, nodes), (result, nodes.labels)):
        with pytest.raises(ValueError, match=r"nodes of a self-organizing map.*n_clusters=\.\.\."):
            one.match(other)


def test_match_takes_a_result_a_dataset_or_labels(five):
    reference = kmeans(world(np.arange(0, 360, 10), k=4), 4, n_init=1)
    expected = match(five.dataset, reference)
    xr.testing.assert_identical(match(five.dataset, reference.dataset), expected)
    of_labels = match(five.dataset, reference.labels.rename(None))
    np.testing.assert_array_equal(of_labels["label"], expected["label"])


@pytest.mark.parametrize(
    ("reference", "error", "text"),
    [
        ([1, 2], TypeError, "a ClusterResult or a DataArray of cluster numbers; got list"),
        (xr.DataArray(["a"]), TypeError, "of type <U1, but labels are integers from 1"),
        (xr.DataArray([1.5, 2.0]), ValueError, r"holds 1\.5, but labels are integers from 1"),
        (xr.DataArray([0, -1]), ValueError, "has no labels: all of its values are NaN or below 1"),
        (xr.Dataset(), ValueError, "has no variable 'label'; give a result, or one variable"),
    ],
)
def test_match_refuses_what_is_no_labels(five, reference, error, text):
    with pytest.raises(error, match=text):
        five.match(reference)


def test_match_gives_empty_clusters_nothing_but_a_probability_of_zero(model):
    mixture = gmm(model, 3)
    far = mixture.dataset["posterior"] + 7.0
    result = replace(mixture, dataset=mixture.dataset.assign(far=far))
    matched = result.match(renumbered(result.labels, [1, 2, 4])).dataset.sel(cluster=3)
    assert matched["count"] == 0
    assert (matched["posterior"] == 0.0).all()
    assert matched["far"].isnull().all()


def test_match_of_a_single_profile_gives_empty_clusters_no_centroid(model):
    alone = kmeans(model.isel(latitude=0, longitude=0, drop=True), 1)
    matched = alone.match(xr.DataArray(2.0)).centroids
    assert matched["vs"].sel(cluster=1).isnull().all()
    np.testing.assert_array_equal(matched["vs"].sel(cluster=2), alone.centroids["vs"][0])
