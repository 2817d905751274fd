"""Maps of nested cuts: their labels, the colours of parts, and the names below the strips."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from xvcluster import kmeans, open_result, sweep, ward
from xvcluster.plot import cluster_colors, maps
from xvcluster.plot.nested import cut_panels
from xvcluster.plot.style import to_oklab


def colors_on_map(panel):
    """Colour of each point."""
    return panel.rgba[panel.labels.values.ravel().astype(int) - 1]


def hue(rgba):
    return np.arctan2(*to_oklab(rgba[:, :3])[:, :0:-1].T)


@pytest.mark.parametrize("contiguous", [True, False])
def test_panels_hold_the_labels_of_cuts(contiguous, field_of):
    result = ward(field_of(), 6, contiguous=contiguous)
    ks = [2, 5, 6, 9, 30]
    for k, panel in zip(ks, cut_panels(result.dataset, ks), strict=True):
        expected = result.cut(k).labels.values.ravel()
        assert adjusted_rand_score(expected, panel.labels.values.ravel()) == 1
        assert len(panel.rgba) == len(panel.widths) == len(panel.names) == k


def test_panels_are_by_default_of_half_and_twice_as_many(field_of):
    result = ward(field_of(), 6)
    assert [len(panel.rgba) for panel in cut_panels(result.dataset, None)] == [3, 6, 12]


def test_panels_are_no_more_than_the_leaves(model):
    panels = cut_panels(kmeans(model, 3).merge(2).dataset, None)
    assert [len(panel.rgba) for panel in panels] == [1, 2, 3]


def test_panels_leave_pieces_apart(field_of):
    field = field_of()
    result = ward(field.where((field["lat"] < 43) | (field["lat"] > 45)), 3)
    assert [len(panel.rgba) for panel in cut_panels(result.dataset, None)] == [2, 3, 6]
    with pytest.raises(ValueError, match=r"each k of ks must be from 2, the number of pieces"):
        cut_panels(result.dataset, [1, 2])


def test_the_coarsest_cut_has_the_colours_of_any_clusters(field_of):
    result = ward(field_of(), 6)
    coarsest = cut_panels(result.dataset, [3, 6])[0]
    expected = cluster_colors(result.cut(3).labels)
    np.testing.assert_allclose(np.sort(coarsest.rgba, axis=0), np.sort(expected, axis=0))


def test_the_larger_part_keeps_the_colour_of_what_was_divided(field_of):
    result = ward(field_of(), 6)
    for k in range(2, 12):
        before, after = cut_panels(result.dataset, [2, 3, k, k + 1])[-2:]
        changed = (colors_on_map(before) != colors_on_map(after)).any(axis=1)
        kept = colors_on_map(before) == colors_on_map(before)[changed][0]
        assert 0 < changed.sum() <= kept.all(axis=1).sum() / 2


def test_parts_are_shades_of_one_hue_that_differ(field_of):
    coarse, fine = cut_panels(ward(field_of(), 6).dataset, [4, 12])
    assert len(np.unique(fine.rgba, axis=0)) == 12
    lab = to_oklab(fine.rgba[:, :3])
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1)[~np.eye(12, dtype=bool)]
    assert apart.min() > 0.04
    parents = colors_on_map(coarse)
    for number, color in enumerate(fine.rgba, start=1):
        at = fine.labels.values.ravel() == number
        turned = hue(color[None]) - hue(parents[at][:1])
        assert np.abs(np.angle(np.exp(1j * turned))) < 0.1


def test_names_say_what_parts_are_of_and_what_is_joined(field_of):
    result = ward(field_of(), 4)
    coarse, own, fine = cut_panels(result.dataset, [2, 4, 8])
    assert sorted(own.names) == ["1", "2", "3", "4"]
    assert sorted("+".join(coarse.names).split("+")) == sorted(own.names)
    assert {name.rstrip("abcdefgh") for name in fine.names} == set(own.names)
    assert len(set(fine.names)) == 8
    for panel in (own, fine):
        for place, name in enumerate(panel.names, start=1):
            found = result.labels.where(panel.labels == place)
            assert np.unique(found.values[np.isfinite(found)]) == int(name.rstrip("abcdefgh"))


def test_strips_are_aligned(field_of):
    panels = cut_panels(ward(field_of(), 6).dataset, [3, 6, 12])
    ends = [set(np.cumsum(panel.widths)) for panel in panels]
    assert ends[0] < ends[1] < ends[2]


def test_maps_fit_on_a_page_and_name_each_cluster_once(close, field_of):
    for k in (6, 10):
        figure = close(ward(field_of(), k).plot.maps(), drawn=True).figure
        assert figure.get_size_inches()[0] <= 7.2 + 1e-6
        for ax, n in zip(figure.axes, (k // 2, k, 2 * k), strict=True):
            labels = ax.child_axes[0].get_xticklabels()
            assert len({label.get_text().strip() for label in labels}) == len(labels) == n
            assert min(label.get_fontsize() for label in labels) >= 6


def test_names_of_maps_do_not_overlap(close, field_of):
    figure = close(ward(field_of(), 20).plot.maps(), drawn=True).figure
    for ax in figure.axes:
        rows: dict[int, list] = {}
        for label in ax.child_axes[0].get_xticklabels():
            rows.setdefault(label.get_text().count("\n"), []).append(label.get_window_extent())
        assert all(a.x1 < b.x0 for boxes in rows.values() for a, b in pairwise(boxes))


def test_without_room_for_all_names_the_first_part_of_each_cluster_has_one(close, field_of):
    figure = close(ward(field_of(), 15).plot.maps(ks=[15, 50]), drawn=True).figure
    labels = figure.axes[1].child_axes[0].get_xticklabels()
    named = {label.get_text().strip().rstrip("a") for label in labels}
    assert named == set(map(str, range(1, 16)))


def test_maps_of_a_result_are_those_of_its_file(close, tmp_path, field_of):
    result = ward(field_of(), 5)
    result.to_netcdf(tmp_path / "a.nc")
    drawn = []
    for source in (result, open_result(tmp_path / "a.nc")):
        figure = close(source.plot.maps(), drawn=True).figure
        assert [ax.get_title() for ax in figure.axes] == ["k = 2", "k = 5", "k = 10"]
        drawn.append([ax.child_axes[0].images[0].get_array() for ax in figure.axes])
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)


def test_maps_of_loose_points_and_of_dask_arrays(close, field_of):
    field = field_of()
    points = field.stack(station=("lat", "lon")).reset_index("station")
    for result in (
        ward(points.isel(station=slice(0, None, 2)), 3),
        kmeans(field.chunk(lat=3), 8).merge(3),
    ):
        figure = close(result.plot.maps(ks=[2, 3]), drawn=True).figure
        assert [ax.get_title() for ax in figure.axes] == ["k = 2", "k = 3"]


def test_maps_of_a_sweep_at_some_k(close, field_of):
    swept = sweep(field_of(), range(2, 6))
    figure = close(swept.plot.maps(ks=[5, 3])).figure
    assert [ax.get_title() for ax in figure.axes] == ["k = 3", "k = 5"]
    with pytest.raises(ValueError, match=r"ks=\[3, 9\] .* the sweep, which has \[[\d, ]+\]$"):
        swept.plot.maps(ks=[3, 9])


def test_maps_know_coordinates_by_their_attributes(close, field_of):
    field = field_of().rename(lat="north", lon="east")
    field["north"].attrs |= {"standard_name": "latitude", "units": "degrees_north"}
    field["east"].attrs |= {"standard_name": "longitude", "units": "degrees_east"}
    for source in (ward(field, 4), sweep(field, [2, 3])):
        figure = close(source.plot.maps()).figure
        assert hasattr(figure.axes[0], "projection")


def test_maps_refuse_a_result_without_a_tree(model):
    with pytest.raises(ValueError, match=r"no tree: it was not made by ward"):
        kmeans(model, 3).plot.maps()


def test_maps_refuse_more_clusters_than_leaves(model):
    result = kmeans(model, 3).merge(2)
    with pytest.raises(ValueError, match=r"to 3, the leaves of the tree; got 4"):
        maps(result, ks=[2, 4])


def test_clusters_that_were_cleaned_away_are_parts_of_where_they_went(field_of):
    result = ward(field_of(), 12).clean(min_cells=8)
    (panel,) = cut_panels(result.dataset, [12])
    empty = set(np.flatnonzero(result.dataset["count"].values == 0) + 1)
    assert empty
    assert len(set(panel.names)) == 12
    assert {int(name.rstrip("abcdefgh")) for name in panel.names} == set(range(1, 13)) - empty


def test_panels_have_no_more_clusters_than_the_least_area_allows(field_of):
    result = ward(field_of(), 4, min_area=100_000)
    most = result.parameters["most_clusters"]
    assert most < 8
    assert [len(panel.rgba) for panel in cut_panels(result.dataset, None)] == [2, 4, most]
    with pytest.raises(ValueError, match=rf"each k of ks .* to {most}, provinces as large as min_"):
        cut_panels(result.dataset, [2, most + 1])
