"""Names, colours and order of clusters: in the result, in files, and in what is made of it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from xvcluster import consensus, gmm, kmeans, open_result, plot, som, ward
from xvcluster.grid.labels import given_names
from xvcluster.plot.nested import cut_panels
from xvcluster.plot.style import cluster_colors, cluster_names

NAMES = {1: "Arc", 2: "Étang d'Urgons: 50 % $slow$", 3: "山"}


@pytest.fixture
def result(model):
    """Three clusters, of which each name and colour is known."""
    return kmeans(model, 3).rename(NAMES).recolor(["firebrick", "#00ff00", (0, 0, 1)])


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_names_and_colors_survive_a_file(result, tmp_path, ending):
    path = tmp_path / f"named{ending}"
    write = result.to_netcdf if ending == ".nc" else result.to_zarr
    write(path)
    again = open_result(path)
    assert again.labels.attrs["cluster_names"] == list(NAMES.values())
    assert again.labels.attrs["cluster_colors"] == ["#b22222", "#00ff00", "#0000ff"]
    assert again.table()["name"].tolist() == list(NAMES.values())
    xr.testing.assert_identical(again.dataset.compute(), result.dataset)


def test_a_single_cluster_keeps_its_name_in_a_file(model, tmp_path):
    kmeans(model, 1).rename(["All"]).recolor(["red"]).to_netcdf(tmp_path / "one.nc")
    attrs = open_result(tmp_path / "one.nc").labels.attrs
    assert (attrs["cluster_names"], attrs["cluster_colors"]) == (["All"], ["#ff0000"])


def test_flag_meanings_are_words_that_cf_allows(result):
    assert result.labels.attrs["flag_meanings"] == "Arc Etang_d_Urgons_50_slow cluster_3"
    same = result.rename(["a b", "a_b", "c"])
    assert same.labels.attrs["flag_meanings"] == "a_b a_b_2 c"


def test_some_clusters_are_named_and_renamed_by_name(model):
    result = kmeans(model, 3).rename({2: "Basin"})
    assert list(cluster_names(result.labels).values()) == ["Cluster 1", "Basin", "Cluster 3"]
    assert given_names(result.rename({"Basin": "Range"}).labels) == {2: "Range"}


def test_rename_leaves_the_result_itself_alone(model):
    result = kmeans(model, 3)
    before = result.dataset.copy(deep=True)
    result.rename(NAMES)
    result.recolor("viridis")
    result.reorder([3, 1, 2])
    xr.testing.assert_identical(result.dataset, before)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({4: "Arc"}, "there is no cluster 4; the clusters are 1, 2, 3"),
        ({"Arc": "Basin"}, "there is no cluster 'Arc'"),
        ({1: "Arc", 2: "Arc"}, "two clusters would be called 'Arc'"),
        ({1: "Cluster 2"}, "cluster 1 cannot be called 'Cluster 2'"),
        ({1: ""}, "text of 1 to 60 characters; got ''"),
        ({1: "x" * 61}, "text of 1 to 60 characters"),
        ({1: 5}, "text of 1 to 60 characters; got 5"),
        (["Arc", "Basin"], "one for each of the 3 clusters"),
        ("Arc", "one for each of the 3 clusters"),
    ],
)
def test_rename_refuses_what_are_no_names(model, names, match):
    with pytest.raises(ValueError, match=match):
        kmeans(model, 3).rename(names)


def test_two_names_for_one_cluster_are_refused(result):
    with pytest.raises(ValueError, match="one cluster is given two names"):
        result.rename({1: "Basin", "Arc": "Range"})


def test_recolor_by_colormap_dict_and_name(result):
    every = kmeans_colors(result.recolor("viridis"))
    assert every[0] == "#440154"
    assert kmeans_colors(result.recolor({"Arc": "k", 3: "w"})) == ["#000000", "#00ff00", "#ffffff"]
    assert kmeans_colors(result.recolor(None)) == kmeans_colors(result.rename(NAMES).recolor(None))
    assert "cluster_colors" not in result.recolor(None).labels.attrs


def kmeans_colors(result):
    return [to_hex(color) for color in cluster_colors(result.labels)]


@pytest.mark.parametrize(
    ("colors", "match"),
    [
        (["red"], "1 colours for 3 clusters"),
        ({1: "no colour"}, "are no colours"),
        ({9: "red"}, "there is no cluster 9"),
        ("no colormap", "are no colours"),
    ],
)
def test_recolor_refuses_what_are_no_colors(result, colors, match):
    with pytest.raises(ValueError, match=match):
        result.recolor(colors)


def test_reorder_moves_everything_that_is_known_of_a_cluster(result):
    moved = result.reorder([3, 1, 2])
    order = [2, 0, 1]
    for name in ("vs", "vs_std", "count", "area", "cluster_inertia", "cluster_margin"):
        np.testing.assert_array_equal(moved.dataset[name], result.dataset[name][order])
    quantiles = moved.dataset["vs_quantile"].transpose("cluster", ...)
    former = result.dataset["vs_quantile"].transpose("cluster", ...)
    np.testing.assert_array_equal(quantiles, former[order])
    for new, old in enumerate((3, 1, 2), 1):
        np.testing.assert_array_equal(moved.labels == new, result.labels == old)
    assert list(given_names(moved.labels).values()) == [NAMES[3], NAMES[1], NAMES[2]]
    assert kmeans_colors(moved) == ["#0000ff", "#b22222", "#00ff00"]
    np.testing.assert_array_equal(moved.dataset["cluster"], [1, 2, 3])


def test_reordered_results_predict_as_they_label(result, model):
    moved = result.reorder(["Arc", "山", NAMES[2]])
    labels = moved.predict(model)
    np.testing.assert_array_equal(labels, moved.labels)
    assert labels.attrs["cluster_names"] == ["Arc", "山", NAMES[2]]


def test_reorder_by_a_column_and_by_a_variable(result):
    by_area = result.reorder("area_km2", ascending=False)
    assert by_area.table()["area_km2"].is_monotonic_decreasing
    assert by_area.labels.attrs["ordered_by"] == "area_km2, highest first"
    back = by_area.reorder("vs")
    xr.testing.assert_identical(back.labels, result.labels)


def test_automatic_colors_of_the_reverse_order_are_reversed(model):
    result = kmeans(model, 3)
    fast_first = result.reorder("vs", ascending=False)
    assert kmeans_colors(fast_first) == kmeans_colors(result)[::-1]
    assert kmeans_colors(fast_first.recolor(None)) == kmeans_colors(result)[::-1]


@pytest.mark.parametrize(
    ("by", "options", "match"),
    [
        ([1, 2], {}, "must name each of the 3 clusters once"),
        ([1, 2, 2], {}, "must name each of the 3 clusters once"),
        ([1, 2, 4], {}, "there is no cluster 4"),
        ("depth", {}, "neither a column of the table nor a variable; give one of 'profiles'"),
        ("name", {}, "neither a column of the table nor a variable"),
        ([3, 2, 1], {"ascending": False}, "ascending=False has no effect on a list"),
    ],
)
def test_reorder_refuses_what_is_no_order(result, by, options, match):
    with pytest.raises(ValueError, match=match):
        result.reorder(by, **options)


def test_reorder_refuses_the_nodes_of_a_map(model):
    with pytest.raises(ValueError, match="fixed positions"):
        som(model, (2, 2), n_iterations=5).reorder([4, 3, 2, 1])


def test_a_mixture_keeps_its_posterior_in_order(rough_model):
    result = gmm(rough_model, 3)
    moved = result.reorder([2, 3, 1])
    posterior = moved.dataset["posterior"]
    for new, old in enumerate((2, 3, 1), 1):
        expected = result.dataset["posterior"].sel(cluster=old, drop=True)
        xr.testing.assert_equal(posterior.sel(cluster=new, drop=True), expected)
    np.testing.assert_array_equal(moved.predict(rough_model), moved.labels)


def test_match_takes_names_and_colors_of_the_reference(result, model):
    matched = kmeans(model, 3).reorder([2, 3, 1]).match(result)
    assert given_names(matched.labels) == NAMES
    assert kmeans_colors(matched) == kmeans_colors(result)
    np.testing.assert_array_equal(matched.labels, result.labels)


def test_match_keeps_names_where_the_reference_has_none(result, model):
    matched = result.reorder([3, 1, 2]).match(kmeans(model, 3))
    assert given_names(matched.labels) == NAMES


def test_clusters_are_selected_and_outlined_by_name(result, model):
    np.testing.assert_array_equal(result.select("山").notnull(), result.labels == 3)
    frame = result.boundaries(["Arc", "山"])
    assert set(zip(frame["cluster"], frame["name"], strict=True)) == {(1, "Arc"), (3, "山")}
    assert "name" not in kmeans(model, 3).boundaries()


def test_cleaned_results_keep_names_and_colors(result):
    cleaned = result.clean(min_cells=2)
    assert cleaned.labels.attrs["cluster_names"] == list(NAMES.values())
    assert cleaned.labels.attrs["cluster_colors"] == result.labels.attrs["cluster_colors"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("cluster_names", ["a", "b"]),
        ("cluster_names", ["a", "b", "x" * 61]),
        ("cluster_colors", ["#000000", "red", "#000000"]),
    ],
)
def test_files_with_names_or_colors_that_are_none_are_refused(result, tmp_path, attribute, value):
    dataset = result.dataset.copy()
    dataset["label"].attrs[attribute] = value
    dataset.to_netcdf(tmp_path / "edited.nc")
    with pytest.raises(ValueError, match=f"the attribute '{attribute}' of 'label' is not one text"):
        open_result(tmp_path / "edited.nc")


def test_names_are_taken_away(result):
    assert "cluster_names" not in result.rename(None).labels.attrs
    assert given_names(result.rename({1: "Cluster 1"}).labels) == {n: NAMES[n] for n in (2, 3)}


def test_clusters_without_a_name_are_called_by_number(model):
    named = kmeans(model, 3).rename({1: "Arc"})
    np.testing.assert_array_equal(named.select("Cluster 2"), named.select(2))


def test_a_name_of_two_lines_is_one_line(model):
    named = kmeans(model, 3).rename({1: "Cascade\narc"})
    np.testing.assert_array_equal(named.select("Cascade\narc"), named.select(1))


def test_cut_keeps_names_and_colors_of_clusters_that_do_not_change(rough_model):
    result = ward(rough_model, 4)
    result = result.rename([f"part {n}" for n in range(1, 5)]).recolor(["r", "g", "b", "k"])
    fewer = result.cut(3)
    kept = given_names(fewer.labels)
    assert len(kept) == 2
    for number, name in kept.items():
        np.testing.assert_array_equal(fewer.select(number).notnull(), result.select(name).notnull())
        former = int(name[-1]) - 1
        assert kmeans_colors(fewer)[number - 1] == kmeans_colors(result)[former]
    assert given_names(result.cut(4).labels) == given_names(result.labels)


def test_nested_maps_have_own_colors_at_the_own_cut(rough_model):
    result = ward(rough_model, 4).recolor(["r", "g", "b", "k"])
    own, fewer = (panel for panel in cut_panels(result.dataset, [4, 2])[::-1])
    for number, color in enumerate(["#ff0000", "#008000", "#0000ff", "#000000"], 1):
        drawn = own.labels.values[result.labels.values == number]
        assert np.unique(drawn).size == 1
        assert to_hex(own.rgba[int(drawn[0]) - 1]) == color
    assert {to_hex(c) for c in fewer.rgba} <= {"#ff0000", "#008000", "#0000ff", "#000000"}


def test_votes_carry_names_and_colors_of_the_reference(result, model):
    votes = consensus([result, kmeans(model, 3)])
    assert given_names(votes["label"]) == NAMES
    ax = plot.votes(votes, cluster="Arc", coastlines=False, borders=False)
    assert ax.get_title() == "models that assign a point to Arc"
    plt.close(ax.figure)


def test_reordering_is_one_line_of_the_history(model):
    result = kmeans(model, 3)
    added = result.reorder([3, 1, 2]).dataset.attrs["history"].splitlines()[1:]
    assert len(added) == 1
    assert added[0].endswith("reordered clusters, as given")


def test_a_cluster_called_by_its_number_has_no_name_of_its_own(model):
    assert given_names(kmeans(model, 3).rename({2: "cluster 2"}).labels) == {}
