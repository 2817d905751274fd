import inspect

import cartopy.crs as ccrs
import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.plot import maps
from xvcluster.plot.methods import SweepPlots


def test_maps_one_panel_a_k_in_its_own_colours(close, sweep_of):
    figure = close(maps(sweep_of()), drawn=True).figure
    assert [ax.get_title() for ax in figure.axes] == ["k = 2", "k = 3", "k = 4", "k = 5"]
    strips = [ax.child_axes[0].images[0].get_array() for ax in figure.axes]
    assert [strip.shape for strip in strips] == [(1, k, 4) for k in (2, 3, 4, 5)]
    assert len({ax.projection for ax in figure.axes}) == 1


def test_maps_draw_the_original_first(close, sweep_of, labels_of):
    original = labels_of(np.arange(35.0, 45.0), np.arange(-120.0, -105.0)).drop_attrs()
    original = original.assign_attrs(long_name="water", units="mm")
    figure = close(maps(sweep_of((2, 3)), original=original, ncols=2), drawn=True).figure
    assert [ax.get_title() for ax in figure.axes] == ["original", "k = 2", "k = 3"]
    assert figure.axes[0].child_axes[0].get_xlabel() == "water (mm)"


def test_maps_of_a_sweep_draw_what_was_clustered(close):
    raster = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    sweep = raster.vcluster.sweep(range(2, 9))
    figure = close(sweep.plot.maps(original=True)).figure
    titles = ["original", *(f"k = {k}" for k in range(2, 9))]
    assert [ax.get_title() for ax in figure.axes] == titles
    drawn = figure.axes[0].collections[0].get_array()
    assert drawn.count() == int(sweep.result(2).dataset["count"].sum())
    assert float(drawn.max()) == pytest.approx(float(raster.max()))


def test_maps_of_profiles_draw_their_mean_over_the_vertical(close):
    ocean = xvcluster.tutorial.ocean().isel(depth=slice(0, 3))
    sweep = ocean.vcluster.sweep([2])
    figure = close(sweep.plot.maps(original=True)).figure
    assert figure.axes[0].get_title() == "mean over depth"
    mean = ocean["temperature"].mean("depth", skipna=False)
    drawn = figure.axes[0].collections[0].get_array()
    assert float(drawn.max()) == pytest.approx(float(mean.max()), rel=1e-5)


@pytest.mark.filterwarnings("ignore:the inertia has no knee")
def test_maps_of_dask_arrays_are_those_in_memory(close, rough_model):
    drawn = []
    for data in (rough_model, rough_model.chunk(latitude=5)):
        figure = close(data.vcluster.sweep(range(2, 6), n_init=2).plot.maps(original=True)).figure
        titles = ["mean over depth", *(f"k = {k}" for k in range(2, 6))]
        assert [ax.get_title() for ax in figure.axes[:5]] == titles
        drawn.append([ax.collections[0].get_array() for ax in figure.axes[:5]])
    for expected, found in zip(*drawn, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_maps_know_the_same_options_as_the_function():
    method = inspect.signature(SweepPlots.maps)
    assert list(method.parameters)[1:] == list(inspect.signature(maps).parameters)[1:]


def test_maps_refuse_an_original_that_is_not_known(sweep_of):
    with pytest.raises(ValueError, match=r"original=True stands for the data of a sweep"):
        maps(sweep_of(), original=True)


def test_maps_take_a_projection(close, sweep_of):
    figure = close(
        maps(sweep_of((2,)), projection=ccrs.PlateCarree(), extent=(-115, -110, 36, 40))
    ).figure
    assert figure.axes[0].get_xlim() == pytest.approx((-115, -110))


def test_maps_over_plain_dims(close, sweep_of):
    plain = sweep_of((2, 3)).rename(latitude="y", longitude="x").drop_vars(["x", "y"])
    figure = close(maps(plain)).figure
    assert figure.axes[0].get_xlabel() == "x"


def test_maps_refuse_an_original_with_depth(sweep_of, labels_of):
    original = labels_of(np.arange(35.0, 45.0), np.arange(-120.0, -105.0)).expand_dims(depth=4)
    with pytest.raises(ValueError, match=r"4 entries along 'depth'"):
        maps(sweep_of(), original=original)


def test_maps_refuse_no_columns(sweep_of):
    with pytest.raises(ValueError, match=r"ncols must be at least 1, got 0"):
        maps(sweep_of(), ncols=0)


def test_maps_change_no_input(close, sweep_of):
    dataset = sweep_of()
    before = dataset.copy(deep=True)
    close(maps(dataset))
    xr.testing.assert_identical(dataset, before)


def test_maps_over_plain_dims_have_strips_clear_of_their_labels(close, sweep_of):
    plain = sweep_of((2, 3)).rename(latitude="y", longitude="x").drop_vars(["x", "y"])
    original = plain["label"].isel(k=0, drop=True).drop_attrs()
    figure = close(maps(plain, original=original), drawn=True).figure
    for ax in figure.axes:
        (strip,) = ax.child_axes
        texts = [ax.xaxis.label, *(t for t in ax.get_xticklabels() if t.get_text())]
        box = strip.get_window_extent()
        assert not any(box.overlaps(text.get_window_extent()) for text in texts)
        assert strip.get_tightbbox().y0 >= 0
