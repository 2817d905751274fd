"""Every figure stays within 20 inches a side, whatever the shape of the data."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.plot import criteria, maps, profiles, som, summary, votes
from xvcluster.plot import map as draw_map
from xvcluster.plot.size import MOST, arrange, moderate

LINES = {"coastlines": False, "borders": False}
SHAPES = {
    "meridian": (np.arange(-80.0, 81, 1.0), [10.0]),
    "short meridian": (np.arange(30.0, 31, 0.01), [10.0]),
    "parallel": ([45.0], np.arange(-170.0, 171, 1.0)),
    "one": ([45.0], [10.0]),
    "two rows": ([10.0, 10.01], np.arange(0.0, 90, 1.0)),
}
PLANES = [(2000, 3), (3, 2000), (1, 50), (50, 1), (1, 1)]


def plane(shape, k=3):
    values = np.arange(np.prod(shape)).reshape(shape) % k + 1.0
    return xr.DataArray(values, dims=("row", "column"), name="label")


def line_of_points(n):
    at = {"latitude": ("station", np.linspace(30.0, 60, n)), "longitude": ("station", np.zeros(n))}
    return xr.DataArray(np.arange(n) % 3 + 1.0, at, ("station",), name="label")


def check(drawing, close):
    figure = close(drawing if hasattr(drawing, "canvas") else drawing.figure)
    width, height = figure.get_size_inches()
    assert 1 < width <= MOST
    assert 1 < height <= MOST
    return figure


def odd_labels(labels_of, k):
    yield from (labels_of(lat, lon, k) for lat, lon in SHAPES.values())
    yield from (plane(shape, k) for shape in PLANES)
    yield line_of_points(50)


def test_maps_are_bounded(close, labels_of):
    for labels in odd_labels(labels_of, 3):
        check(draw_map(labels, **LINES), close)


def test_maps_of_many_clusters_are_bounded(close, labels_of):
    for labels in odd_labels(labels_of, 60):
        check(draw_map(labels, **LINES), close)


def test_maps_with_facets_are_bounded(close, labels_of):
    for labels in odd_labels(labels_of, 3):
        check(draw_map(xr.concat([labels] * 2, "time"), col="time", **LINES), close)


def test_maps_with_a_background_or_certainty_are_bounded(close, labels_of):
    for lat, lon in SHAPES.values():
        labels = labels_of(lat, lon, 3)
        check(draw_map(labels, certainty=xr.ones_like(labels), **LINES), close)
        check(draw_map(labels, background=labels.drop_attrs(), **LINES), close)


def test_summaries_are_bounded(close, labels_of, result_of):
    for labels in odd_labels(labels_of, 3):
        check(summary(result_of(3, labels=labels), **LINES), close)


@pytest.mark.parametrize("n_variables", [1, 7, 16])
@pytest.mark.parametrize("vertical", ["depth", None])
def test_figures_of_many_variables_are_bounded(close, result_of, n_variables, vertical):
    names = tuple(f"v{i}" for i in range(n_variables))
    dataset = result_of(2, variables=names, vertical=vertical)
    check(profiles(dataset), close)
    check(summary(dataset, **LINES), close)


@pytest.mark.parametrize("vertical", ["depth", None])
def test_figures_of_many_clusters_are_bounded(close, result_of, vertical):
    dataset = result_of(60, vertical=vertical)
    check(profiles(dataset), close)
    check(summary(dataset, **LINES), close)


@pytest.mark.parametrize("size", [(1, 100), (60, 1), (1, 1), (12, 12)])
def test_figures_of_maps_of_nodes_are_bounded(close, som_of, size):
    check(som(som_of(*size)), close)
    check(draw_map(som_of(*size)["label"], **LINES), close)


def test_figures_of_nodes_with_many_variables_are_bounded(close, som_of):
    check(som(som_of(2, 2, variables=tuple(f"v{i}" for i in range(20)))), close)


def test_figures_of_many_k_are_bounded(close, sweep_of, labels_of):
    ks = list(range(2, 27))
    check(maps(sweep_of(ks), **LINES), close)
    lat, lon = SHAPES["meridian"]
    labels = xr.concat([labels_of(lat, lon, k).drop_attrs() for k in ks[:6]], "k")
    check(maps(labels.assign_coords(k=ks[:6]).to_dataset(name="label"), **LINES), close)
    best = ("criterion", [3], {"long_name": "best k"})
    dataset = sweep_of(ks).assign(best=best).assign_coords(criterion=["inertia"])
    check(criteria(dataset), close)


@pytest.mark.parametrize("shape", SHAPES)
def test_vote_maps_are_bounded(close, labels_of, shape):
    labels = labels_of(*SHAPES[shape], 2)
    counted = labels.drop_attrs(deep=False).expand_dims(cluster=[1])
    dataset = xr.Dataset({"votes": counted, "n_models": xr.full_like(labels, 2)})
    check(votes(dataset, **LINES), close)


@pytest.mark.parametrize("n_panels", [1, 5, 6, 60, 90])
def test_arrange_has_a_cell_for_every_panel(n_panels):
    plan = arrange(n_panels, (1.95, 2.5), limit=5)
    assert plan.n_rows * plan.n_columns >= n_panels > (plan.n_rows - 1) * plan.n_columns
    assert max(plan.size) <= MOST


def test_arrange_keeps_few_panels_as_they_are():
    plan = arrange(7, (2.0, 2.5), limit=5, groups=2, margin=(0.5, 0.25))
    assert (plan.n_rows, plan.n_columns, plan.size) == (4, 4, (8.5, 10.5))


@pytest.mark.parametrize(("n_panels", "ncols"), [(2000, None), (40, 40), (400, 2)])
def test_arrange_refuses_panels_too_small_to_read(n_panels, ncols):
    text = rf"{n_panels} panels in \d+ columns and \d+ rows do not fit .* draw fewer, e\.g\. one"
    with pytest.raises(ValueError, match=text):
        arrange(n_panels, (1.95, 2.5), limit=5, ncols=ncols)


@pytest.mark.parametrize(
    ("shape", "expected"), [(1 / 860, 1 / 6), (1.5, 1.5), (99, 6), (np.nan, 1)]
)
def test_moderate_bounds_the_shape_of_a_map(shape, expected):
    assert moderate(shape) == expected
